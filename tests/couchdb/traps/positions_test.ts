/** Traps of the `_changes` feed: what a position is, and where a feed starts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../../src/couchdb/changes.ts";
import { ids, live, lost, resets, until, withDatabase } from "../../support/feed_harness.ts";
import { json } from "../../support/scripted_couchdb.ts";
import { row, stub } from "../../support/stub_couchdb.ts";

const url = "http://127.0.0.1/db";

// Trap 1. A position is opaque: a string in CouchDB 3, a number in CouchDB 1 and PouchDB, an array in old clusters, two
// numbers with colons in a Sync Gateway. It is sent back as it came, escaped for the URL, and never compared, sorted or
// read.
for (
  const [position, sent] of [
    ["12-g1AAA==+/", "12-g1AAA==+/"],
    [7, "7"],
    [[3, "abc"], `[3,"abc"]`],
    ["12::34", "12::34"],
  ] as const
) {
  test(`trap 1: a position is sent back as it came: ${JSON.stringify(position)}`, async () => {
    const database = stub([row(position, "a"), row(position, "b")], position);
    const feed = changes(url, { since: position, fetch: database.fetch });
    const seen = await until(feed.batches(), live);
    assert.deepEqual(seen.at(-1)?.position?.since, position);
    const sinces = database.asked.flatMap(({ searchParams }) => searchParams.get("since") ?? []);
    assert.ok(sinces.length >= 1 && sinces.every((since) => since === sent), String(sinces));
    await feed[Symbol.asyncDispose]();
  });
}

// Trap 2. Under `seq_interval` most rows have `"seq": null`, often the last one too. Such a row keeps the position of the
// row before it; only a row with a position, or `last_seq`, moves on.
test("trap 2: a row without a position keeps the last one, and is not replayed by every probe", () =>
  withDatabase(async ({ database, time, open }) => {
    for (let n = 0; n < 11; n++) database.put(`doc-${n}`);
    const feed = open({ since: 0, seqInterval: 4, maxLag: 25_000 });
    const batches = feed.batches();
    const [first] = await until(batches, live);
    assert.deepEqual(first?.changes.map(({ seq }) => seq), [
      ...Array(4).fill("1-g1AAAA"),
      ...Array(4).fill("5-g1AAAA"),
      ...Array(3).fill("9-g1AAAA"),
    ]);
    assert.equal(first?.position?.since, "11-g1AAAA");
    const next = batches.next();
    await time.asleep((ms) => ms === 12_500);
    time.advance(12_500);
    assert.deepEqual((await next).value.changes, []);
    assert.equal(feed.counters.replays, 2);
  }));

// Trap 4. `last_seq` counts only once every row before it has been processed. It may be ahead of the last row, because a
// filter hides what comes after, and that is right.
test("trap 4: last_seq is ahead of the last row, and counts once every row is processed", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0, filter: "_doc_ids", docIds: ["a"] });
    const batches = feed.batches();
    const { value } = await batches.next();
    assert.deepEqual([value.changes[0].seq, value.position.since], ["1-g1AAAA", "3-g1AAAA"]);
    assert.equal(feed.since, undefined);
    await batches.next();
    assert.equal(feed.since, "3-g1AAAA");
  }));

// Trap 5. "Now" has to become a position before the first live request, and that position is handed to the caller:
// otherwise a write between two attempts to connect is lost.
test("trap 5: now is pinned by the first request, and told", () =>
  withDatabase(async ({ database, open }) => {
    database.put("old");
    database.fail("page", (_, response) => {
      database.putSilently("gap");
      json(response, 503, "{}");
    });
    const batches = open().batches();
    const { value } = await batches.next();
    assert.deepEqual([value.state, value.position.since], ["lost", "1-g1AAAA"]);
    assert.deepEqual(ids(await until(batches, live)), ["gap"]);
  }));

// Trap 6. `since=now` is never sent a second time, and a position that went missing is not taken for "now".
test("trap 6: now is never sent, and a lost position is no now", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    const next = until(batches, lost);
    await database.asked("continuous", 0);
    await database.cut();
    await next;
    await until(batches, live);
    assert.ok(database.requests.every(({ url }) => url.searchParams.get("since") !== "now"));
    assert.throws(() => changes(url, { since: undefined } as never), /since is undefined/);
  }));

// Trap 32. `descending=true` ignores `since`, and its `last_seq` is the position of the oldest row: a feed that resumed
// from it would start over.
test("trap 32: a descending feed has no position to resume from, and no start", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ feed: "normal", descending: true, batchSize: 2 });
    const seen: string[] = [];
    for await (const batch of feed.batches()) {
      assert.deepEqual([batch.position, batch.contact], [undefined, undefined]);
      seen.push(...batch.changes.map(({ id }) => id));
    }
    assert.deepEqual([seen, feed.position], [["c", "b", "a"], undefined]);
    assert.throws(() => changes(url, { feed: "normal", descending: true, since: 0 }), /contradicts since/);
    assert.throws(() => changes(url, { descending: true }), /descending needs feed/);
  }));

// Trap 43. Two rows may carry the same position, or another row the same one after a replica was substituted. A row whose
// position equals the last one is no duplicate.
test("trap 43: an equal position is no duplicate", async () => {
  const lines = [row("5-x", "a"), row("5-x", "b")].map((row) => `${JSON.stringify(row)}\n`).join("");
  const feed = changes(url, { since: "5-x", fetch: stub([], "5-x", lines).fetch });
  const seen: string[] = [];
  for await (const { id } of feed) if (seen.push(id) === 2) break;
  assert.deepEqual(seen, ["a", "b"]);
});

// Trap 44. A stored position means something only to its server, database, filter and style; under another filter it
// skips changes that were never seen. So it is stored with them.
test("trap 44: a position belongs to its database, filter and style", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b"]) database.put(id);
    const mine = { filter: "_doc_ids", docIds: ["a"] };
    const [first] = await until(open({ since: 0, ...mine }).batches(), live);
    const position = first?.position;
    assert.ok(position !== undefined && position.source.length < 200);
    const resumed = async (options: Parameters<typeof open>[0]) => {
      const seen = await until(open(options).batches(position), live);
      return resets(seen);
    };
    assert.deepEqual(await resumed(mine), []);
    assert.deepEqual(await resumed({ ...mine, includeDocs: true }), []);
    assert.deepEqual(await resumed({ filter: "_doc_ids", docIds: ["b"] }), ["since-refused"]);
    assert.deepEqual(await resumed({ ...mine, style: "all_docs" }), ["since-refused"]);
    assert.deepEqual(await resumed({}), ["since-refused"]);
  }));

// Trap 45. CouchDB 3.6 takes a time as `since`, but only to the nearest bin of some hours: good for a start, never for a
// position that is kept.
test("trap 45: a time is a start, never a position that is gone on from", async () => {
  const time = "2026-11-22T00:00:00Z";
  const { asked, fetch } = stub([row("1-x", "a"), row("2-x", "b")], "2-x");
  const feed = changes(url, { since: time, fetch });
  const seen = await until(feed.batches(), live);
  assert.deepEqual([ids(seen), seen.at(-1)?.position?.since], [["a", "b"], "2-x"]);
  await feed[Symbol.asyncDispose]();
  assert.equal(asked.filter(({ searchParams }) => searchParams.get("since") === time).length, 1);
});
