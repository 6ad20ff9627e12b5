/** The traps of the `_changes` feed, 16 to 30: errors, ends, gaps, what a row says. Each test names its number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/couchdb/changes.ts";
import { Rows } from "../../src/couchdb/wire/rows.ts";
import { has, ids, live, resets, until, withDatabase } from "../support/feed_harness.ts";
import { type Fault, json } from "../support/scripted_couchdb.ts";
import { row, stub } from "../support/stub_couchdb.ts";

const url = "http://127.0.0.1/db";
const missing = (reason: string): Fault => (_, response) =>
  json(response, 404, `{"error":"not_found","reason":"${reason}"}`);

test("trap 16: an error object is no change, last_seq is the end, no id is a checkpoint, more keys are no harm", () => {
  const read = (line: string) => {
    const rows = new Rows("0");
    rows.addLines([line]);
    return [rows.changes.length, rows.since, rows.ended, rows.fault?.code];
  };
  assert.deepEqual(read(`{"error":"timeout","reason":"late"}`), [0, "0", false, "server-error"]);
  assert.deepEqual(read(`{"last_seq":"5-x","pending":0}`), [0, "5-x", true, undefined]);
  assert.deepEqual(read(`{"last_seq":null}`), [0, "0", true, undefined]);
  assert.deepEqual(read(`{"seq":"6-x","changes":[],"id":null}`), [0, "6-x", false, undefined]);
  assert.deepEqual(read(`{"seq":"7-x","id":"a","changes":[{"rev":"1-a","x":1}],"y":{}}`), [
    1,
    "7-x",
    false,
    undefined,
  ]);
});

test("trap 17: a web page under 200 is waited out", () =>
  withDatabase(async ({ database, open }) => {
    const codes: unknown[] = [];
    database.fail("page", (_, response) => json(response, 200, "<html>", { "content-type": "text/html" }), 3);
    const batches = open({ onEvent: (event) => event.type === "retrying" && codes.push(event.code) })
      .batches();
    await until(batches, live);
    assert.deepEqual(codes, ["not-json", "not-json", "not-json"]);
  }));

test("trap 18: a clean end is no fault; connections that end without a row are made ever more slowly", () =>
  withDatabase(async ({ database, time, open }) => {
    const waits: number[] = [];
    database.fail("continuous", (_, response) => json(response, 200, `{"last_seq":"0-g1AAAA"}\n`), 3);
    const batches = open({
      random: () => 0.5,
      onEvent: (event) => event.type === "retrying" && waits.push(event.ms),
    }).batches();
    const reading = until(batches, has("a"));
    for (const wait of [500, 1_000]) {
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
    }
    await database.asked("continuous", database.requests.length);
    database.put("a");
    await reading;
    assert.deepEqual(waits, [0, 500, 1_000]);
  }));

test("trap 19: the reason of a 404 is read", async () => {
  await withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", missing("Database does not exist."));
    assert.deepEqual(resets(await until(batches, ({ reset }) => reset !== undefined)), ["deleted"]);
  });
  for (const reason of ["missing", "missing json key: filters", "deleted"]) {
    await withDatabase(async ({ database, open }) => {
      database.fail("page", missing(reason));
      const batches = open({ filter: "app/mine" }).batches();
      await assert.rejects(batches.next(), { code: "bad-request", status: 404 });
    });
  }
  await withDatabase(async ({ database, open }) => {
    database.fail("page", missing("ddoc_updated"));
    const seen = await until(open({ filter: "app/mine" }).batches(), live);
    assert.deepEqual([seen[0]?.state, resets(seen)], ["lost", []]);
  });
});

test("trap 20: a recreated database is told by its time of creation, and all of it comes", () =>
  withDatabase(async ({ database, open }) => {
    database.put("old");
    const batches = open().batches();
    await until(batches, live);
    const told = until(batches, ({ reset }) => reset !== undefined);
    await database.asked("continuous", 0);
    database.recreate();
    database.putSilently("new");
    await database.cut();
    assert.deepEqual(resets(await told), ["recreated"]);
    assert.deepEqual(ids(await until(batches, live)), ["new"]);
  }));

test("trap 21: a position that the server refuses is a reset to the beginning, never to now", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const seen = await until(open({ since: "foreign" }).batches(), live);
    assert.deepEqual([resets(seen), ids(seen)], [["since-refused"], ["a"]]);
    const sinces = database.requests.map(({ url }) => url.searchParams.get("since"));
    assert.ok(!sinces.includes("now") && sinces.includes("0"), String(sinces));
  }));

test("trap 22: rows that come again, under lower numbers too, are handed out again", async () => {
  const line = (seq: string, rev: string) => `${JSON.stringify(row(seq, "a", rev))}\n`;
  const live = line("9-x", "2-b") + line("3-x", "1-a") + line("4-x", "2-b");
  const database = stub([], "8-x", live);
  const feed = changes(url, { since: "8-x", fetch: database.fetch });
  const seen: string[] = [];
  for await (const { id, rev, seq } of feed) if (seen.push(`${id} ${rev} ${seq}`) === 3) break;
  assert.deepEqual(seen, ["a 2-b 9-x", "a 1-a 3-x", "a 2-b 4-x"]);
});

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

test("trap 25: rev is the winner's, the first of the leaves", () => {
  const rows = new Rows(0);
  rows.addLines([`{"seq":1,"id":"a","changes":[{"rev":"3-w"},{"rev":"4-l"}]}`]);
  assert.deepEqual([rows.changes[0]?.rev, rows.changes[0]?.revs], ["3-w", ["3-w", "4-l"]]);
});

test("trap 26: a purge never appears in the feed, and is told by purge_seq", () =>
  withDatabase(async ({ database, time, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const batches = open().batches();
    await until(batches, live);
    const told = until(batches, ({ reset }) => reset !== undefined);
    await database.asked("continuous", 0);
    database.purge("a");
    await time.asleep((ms) => ms === 12_500);
    time.advance(12_500);
    const seen = await told;
    assert.deepEqual([resets(seen), ids(seen)], [["purged"], []]);
  }));

test("trap 27: a document that leaves the filter vanishes without a row, and raises no alarm", () =>
  withDatabase(async ({ database, time, open }) => {
    for (let n = 0; n < 20; n++) database.put(`mine-${n}`);
    const mine = new Set(Array.from({ length: 20 }, (_, n) => `mine-${n}`));
    database.matches = (id) => mine.has(id);
    const batches = open({ since: 0, filter: "app/mine", heartbeat: 1e6 }).batches();
    assert.equal(ids(await until(batches, live)).length, 20);
    for (let round = 0; round < 3; round++) {
      const next = batches.next();
      await time.asleep((ms) => ms === 12_500);
      for (const id of [...mine].slice(0, 6)) {
        mine.delete(id);
        database.put(id);
      }
      time.advance(12_500);
      const { value } = await next;
      assert.deepEqual([value.state, value.reset, value.changes], ["live", undefined, []]);
    }
    const next = until(batches, ({ reset }) => reset !== undefined);
    await time.asleep((ms) => ms === 12_500);
    database.rollBack(30);
    time.advance(12_500);
    assert.deepEqual(resets(await next), ["rolled-back"]);
  }));

test("trap 28: design documents arrive, and can be asked for alone", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "_design/app"]) database.put(id);
    assert.deepEqual(ids(await until(open({ since: 0 }).batches(), live)), ["a", "_design/app"]);
    assert.deepEqual(ids(await until(open({ since: 0, filter: "_design" }).batches(), live)), [
      "_design/app",
    ]);
  }));

test("trap 29: with includeDocs the body may be missing, and the revision is the row's", async () => {
  const results = [
    { ...row("1-x", "a", "2-w"), doc: { _id: "a", _rev: "2-w" } },
    { ...row("2-x", "b", "2-w"), doc: null },
    row("3-x", "c", "2-w"),
  ];
  const seen = [];
  const { fetch } = stub(results, "3-x");
  for await (const change of changes(url, { since: 0, includeDocs: true, feed: "normal", fetch })) {
    seen.push(change);
  }
  assert.deepEqual(seen.map(({ id, rev, doc }) => [id, rev, doc !== undefined]), [
    ["a", "2-w", true],
    ["b", "2-w", false],
    ["c", "2-w", false],
  ]);
});

test("trap 30: pending is a hint: null, absent, negative, or of what a filter hides", async () => {
  for (const pending of [null, undefined, -7, 0]) {
    const { fetch, asked } = stub([row("1-x", "a")], "1-x", "\n", { pending });
    const feed = changes(url, { since: 0, feed: "normal", fetch });
    for await (const { id } of feed) assert.equal(id, "a");
    assert.equal(asked.length, 3, String(pending));
  }
  await withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 9; n++) database.put(`doc-${n}`);
    const feed = open({ since: 0, filter: "_doc_ids", docIds: ["doc-2"], feed: "normal" });
    for await (const { id } of feed) assert.equal(id, "doc-2");
    assert.equal(feed.state, "live");
  });
});
