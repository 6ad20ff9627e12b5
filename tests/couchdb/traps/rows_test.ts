/** Traps of the `_changes` feed: how rows are written, and what a row says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CouchChange } from "../../../src/changes/change.ts";
import { changes, type ChangesOptions } from "../../../src/couchdb/changes.ts";
import { ids, live, lost, until, withDatabase } from "../../support/feed_harness.ts";
import { row, type Stub, stub } from "../../support/stub_couchdb.ts";

const url = "http://127.0.0.1/db";

/** Every change that a normal feed of this database yields. */
async function everyChange({ fetch }: Stub, options: ChangesOptions = {}): Promise<CouchChange[]> {
  const seen: CouchChange[] = [];
  for await (const change of changes(url, { since: 0, feed: "normal", fetch, ...options })) seen.push(change);
  return seen;
}

// Trap 14. Rows are separated by a comma and CRLF on a page and by LF on a live feed; some servers mix them. A row, and a
// character of it, may be split between chunks.
test("trap 14: rows of a page end in a comma and CRLF", async () => {
  const lines = ["a", "b", "c"].map((id, n) => JSON.stringify(row(`${n + 1}-x`, id)));
  const page = `{"results":[\n${lines.join(",\r\n")}\n],\n"last_seq":"3-x","pending":0}\n`;
  assert.deepEqual((await everyChange(stub(page, "3-x"))).map(({ id }) => id), ["a", "b", "c"]);
});

test("trap 14: rows of a live feed end in LF, CRLF or a comma before either, and characters span chunks", async () => {
  const names = ["ä", "本", "😀", "d"];
  const ends = ["\n", "\r\n", ",\n", ",\r\n"];
  const text = names.map((id, n) => JSON.stringify(row(`${n + 1}-x`, id)) + ends[n]).join("");
  const feed = changes(url, { since: "0-x", fetch: stub([], "0-x", text).fetch });
  const seen: string[] = [];
  for await (const { id } of feed) if (seen.push(id) === names.length) break;
  assert.deepEqual(seen, names);
});

// Trap 15. Some servers write the whole page on one line (pouchdb-server), so a reader of lines has to fall back to JSON.
test("trap 15: a normal feed on one line is read whole", async () => {
  const page = `{"results":[${JSON.stringify(row("1-x", "a"))}, ${
    JSON.stringify(row("2-x", "b"))
  }],"last_seq":"2-x"}`;
  assert.deepEqual((await everyChange(stub(page, "2-x"))).map(({ id }) => id), ["a", "b"]);
});

// Trap 16. Not every object under status 200 is a change: one with `error` and no id is a fault, one with `last_seq` is the
// end, one with a position and `"id": null` or no revision is a checkpoint. Unknown keys are ignored.
for (
  const [what, line, position, code] of [
    ["an error is a fault", `{"error":"timeout","reason":"late"}`, "0-g1AAAA", "server-error"],
    ["last_seq is the end", `{"last_seq":"5-x","pending":0}`, "5-x", undefined],
    ["last_seq may be null", `{"last_seq":null}`, "0-g1AAAA", undefined],
    ["no id is a checkpoint", `{"seq":"6-x","changes":[],"id":null}`, "6-x", "truncated"],
  ] as const
) {
  test(`trap 16: ${what}, and no change`, () =>
    withDatabase(async ({ database, open }) => {
      const codes: unknown[] = [];
      const batches = open({ onEvent: (event) => event.type === "lost" && codes.push(event.code) }).batches();
      await until(batches, live);
      const next = until(batches, lost);
      await database.asked("continuous", 0);
      database.send(`${line}\n`);
      database.end(false);
      const seen = await next;
      assert.deepEqual([ids(seen), seen.at(-1)?.position?.since, codes], [[], position, [code]]);
    }));
}

test("trap 16: unknown keys do no harm", async () => {
  const unknown = { seq: "1-x", id: "a", changes: [{ rev: "1-a", x: 1 }], y: { z: [] } };
  assert.deepEqual((await everyChange(stub([unknown], "1-x"))).map(({ id, rev }) => [id, rev]), [[
    "a",
    "1-a",
  ]]);
});

// Trap 23. There is one row for each document, with its newest revision: several edits may arrive as one, and of a
// document that was created and deleted only the tombstone.
test("trap 23: several edits of a document arrive as one, and only the tombstone of one that is deleted", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 3; n++) database.put("a");
    database.put("b");
    database.put("b", true);
    const [first] = await until(open({ since: 0 }).batches(), live);
    assert.deepEqual(first?.changes.map(({ id, rev, deleted }) => [id, rev, deleted]), [
      ["a", "3-1", false],
      ["b", "2-1", true],
    ]);
  }));

// Trap 24. `deleted` is absent, not false, on a row of a document that exists. It speaks of the winner alone: under
// `style=all_docs` other leaves may be deleted without a mark.
test("trap 24: deleted is of the winner, and absent is false", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    database.put("b", true);
    const [first] = await until(open({ since: 0, style: "all_docs" }).batches(), live);
    assert.deepEqual(first?.changes.map(({ deleted, revs }) => [deleted, revs]), [
      [false, ["1-1", "1-loser"]],
      [true, ["1-1", "1-loser"]],
    ]);
  }));

// Trap 25. The first of `changes` is the winner, whose revision is what a GET has as its ETag. The write of a conflict can
// be a row whose winner is the same as before.
test("trap 25: rev is the winner's, the first of the leaves", async () => {
  const conflict = { seq: "1-x", id: "a", changes: [{ rev: "3-w" }, { rev: "4-l" }] };
  const seen = await everyChange(stub([conflict], "1-x"));
  assert.deepEqual(seen.map(({ rev, revs }) => [rev, revs]), [["3-w", ["3-w", "4-l"]]]);
});

// Trap 28. Design documents are in the feed, and views depend on them. `_local` documents never are.
test("trap 28: design documents arrive, and can be asked for alone", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "_design/app"]) database.put(id);
    assert.deepEqual(ids(await until(open({ since: 0 }).batches(), live)), ["a", "_design/app"]);
    const designs = open({ since: 0, filter: "_design" }).batches();
    assert.deepEqual(ids(await until(designs, live)), ["_design/app"]);
  }));

// Trap 29. `include_docs` may leave the body out, and under `style=all_docs` with a filter it is the winner's, whether the
// winner passes the filter or not. A tag is made from the revision of the row, not from the body.
test("trap 29: with includeDocs the body may be missing, and the revision is the row's", async () => {
  const results = [
    { ...row("1-x", "a", "2-w"), doc: { _id: "a", _rev: "2-w" } },
    { ...row("2-x", "b", "2-w"), doc: null },
    row("3-x", "c", "2-w"),
  ];
  const seen = await everyChange(stub(results, "3-x"), { includeDocs: true });
  assert.deepEqual(seen.map(({ id, rev, doc }) => [id, rev, doc !== undefined]), [
    ["a", "2-w", true],
    ["b", "2-w", false],
    ["c", "2-w", false],
  ]);
});

// Trap 30. `pending` may be null, absent or negative, and counts what a filter hides. It is a hint: a feed has caught up
// when a request brings nothing.
for (const pending of [null, undefined, -7, 0]) {
  test(`trap 30: pending is a hint: ${pending}`, async () => {
    const database = stub([row("1-x", "a")], "1-x", "\n", { pending });
    assert.deepEqual((await everyChange(database)).map(({ id }) => id), ["a"]);
    assert.equal(database.asked.length, 3);
  });
}

test("trap 30: pending counts what a filter hides", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 9; n++) database.put(`doc-${n}`);
    const feed = open({ since: 0, filter: "_doc_ids", docIds: ["doc-2"], feed: "normal" });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual([seen, feed.state], [["doc-2"], "live"]);
  }));

// Trap 33. An eventsource feed quotes its ids as JSON, has no `last_seq` at its end and is resumed by a field of its own.
// A continuous feed says the same without all that.
test("trap 33: eventsource is not offered", () => {
  assert.throws(() => changes(url, { feed: "eventsource" as never }), /feed.*"eventsource"/);
});
