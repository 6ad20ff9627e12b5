/** Traps of the `_changes` feed: what a position cannot tell, so that a feed has to begin anew or look elsewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../../src/couchdb/changes.ts";
import { ids, live, resets, until, withDatabase } from "../../support/feed_harness.ts";
import { type Fault, json } from "../../support/scripted_couchdb.ts";
import { row, stub } from "../../support/stub_couchdb.ts";

const missing = (reason: string): Fault => (_, response) =>
  json(response, 404, `{"error":"not_found","reason":"${reason}"}`);

// Trap 19. After an end, a 404 says that the database is gone, or cannot be seen yet. But a 404 also speaks of a filter
// that is missing or whose design document was changed, so its reason is read.
test("trap 19: a database that does not exist any more is a reset", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", missing("Database does not exist."));
    assert.deepEqual(resets(await until(batches, ({ reset }) => reset !== undefined)), ["deleted"]);
  }));

for (const reason of ["missing", "missing json key: filters", "deleted"]) {
  test(`trap 19: a filter that does not exist is a mistake: ${reason}`, () =>
    withDatabase(async ({ database, open }) => {
      database.fail("page", missing(reason));
      const batches = open({ filter: "app/mine" }).batches();
      await assert.rejects(batches.next(), { code: "bad-request", status: 404 });
    }));
}

test("trap 19: a design document that was changed meanwhile passes", () =>
  withDatabase(async ({ database, open }) => {
    database.fail("page", missing("ddoc_updated"));
    const seen = await until(open({ filter: "app/mine" }).batches(), live);
    assert.deepEqual([seen[0]?.state, resets(seen)], ["lost", []]);
  }));

// Trap 20. A database that was deleted and created again looks like the old one. Its `instance_start_time` (CouchDB 3.3 and
// newer) is compared at every connection; where positions are numbers, one beyond `update_seq` is also a sign. Then
// everything comes again.
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

test("trap 20: where positions are numbers, one beyond update_seq is told, and all of it comes", () =>
  withDatabase(async ({ database, open }) => {
    database.put("new");
    const seen = await until(open({ since: 9 }).batches(), live);
    assert.deepEqual([resets(seen), ids(seen)], [["rewound"], ["new"]]);
  }, { integers: true }));

// Trap 21. "Malformed sequence" on resuming means that the position is of another server. The feed starts over and says
// so; it never goes on from "now" in silence.
test("trap 21: a position that the server refuses is a reset to the beginning, never to now", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const seen = await until(open({ since: "foreign" }).batches(), live);
    assert.deepEqual([resets(seen), ids(seen)], [["since-refused"], ["a"]]);
    const sinces = database.requests.map(({ url }) => url.searchParams.get("since"));
    assert.ok(!sinces.includes("now") && sinces.includes("0"), String(sinces));
  }));

// Trap 22. Rows come again, at worst all of them, under lower numbers and in another order, when a replica is replaced.
// They are handed out again; id and revision together tell a consumer what it has seen.
test("trap 22: rows that come again, under lower numbers too, are handed out again", async () => {
  const line = (seq: string, rev: string) => `${JSON.stringify(row(seq, "a", rev))}\n`;
  const live = line("9-x", "2-b") + line("3-x", "1-a") + line("4-x", "2-b");
  const database = stub([], "8-x", live);
  const feed = changes("http://127.0.0.1/db", { since: "8-x", fetch: database.fetch });
  const seen: string[] = [];
  for await (const { id, rev, seq } of feed) if (seen.push(`${id} ${rev} ${seq}`) === 3) break;
  assert.deepEqual(seen, ["a 2-b 9-x", "a 1-a 3-x", "a 2-b 4-x"]);
});

// Trap 26. A document that was purged never appears in the feed. `purge_seq` of the database is looked at now and then.
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

// Trap 27. A document that stops matching a filter leaves it without a row. So a filtered feed cannot drive an
// invalidation, and rows that are missing because of it are no sign of a roll-back.
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
