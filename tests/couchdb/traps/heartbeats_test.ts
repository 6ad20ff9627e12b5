/** Traps of the `_changes` feed: heartbeats, and how long a server may be silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type CouchChangesFeed } from "../../../src/couchdb/changes.ts";
import { Watchdog } from "../../../src/couchdb/connection/watchdog.ts";
import { has, ids, live, lost, until, withDatabase } from "../../support/feed_harness.ts";
import { row, stub } from "../../support/stub_couchdb.ts";

// Trap 7. `heartbeat` overrides `timeout`. With heartbeats a filtered feed without a match gives no position for ever; with
// a timeout it ends now and then and tells how far it has come.
for (const options of [{}, { timeout: 30_000 }]) {
  const how = "timeout" in options ? "a timeout" : "heartbeats";
  test(`trap 7: a filtered feed without a match advances, with ${how}`, () =>
    withDatabase(async ({ database, time, open }) => {
      database.matches = () => false;
      const feed = open({ since: 0, filter: "app/mine", maxLag: 25_000, ...options });
      const batches = feed.batches();
      await until(batches, live);
      const next = batches.next();
      const connected = await database.asked("continuous", 0);
      assert.equal(connected.url.searchParams.get("timeout"), "timeout" in options ? "30000" : null);
      assert.equal(connected.url.searchParams.get("heartbeat"), "timeout" in options ? null : "10000");
      for (let n = 0; n < 3; n++) database.put(`other-${n}`);
      await time.asleep((ms) => ms === 12_500);
      if ("timeout" in options) {
        time.advance(2_000);
        const from = database.requests.length;
        database.end(true);
        const again = await database.asked("continuous", from);
        assert.equal(again.url.searchParams.get("since"), "3-g1AAAA");
        await time.asleep((ms) => ms === 10_500);
      }
      time.advance(12_500);
      const { value } = await next;
      assert.deepEqual([value.state, value.changes, value.position.since], ["live", [], "3-g1AAAA"]);
    }));
}

/** Waits for the line feed with which each of so many connections begins. */
async function firstByte(
  feed: CouchChangesFeed,
  connections: number,
): Promise<void> {
  while (feed.counters.heartbeats < connections) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

// Trap 8. Servers bound both: CouchDB to its `changes_timeout`, a Sync Gateway raises the heartbeat to 25 s, Cloudant
// promises none. So a watchdog waits three periods, or one and ten seconds, is calmed by any byte, and learns from the
// gaps that healthy connections had.
for (const [heartbeat, patience] of [[1_000, 11_000], [10_000, 30_000]] as const) {
  test(`trap 8: heartbeats every ${heartbeat} ms: ${patience} ms of silence end the connection`, () =>
    withDatabase(async ({ database, time, open }) => {
      const feed = open({ heartbeat, maxLag: 1e12 });
      const batches = feed.batches();
      await until(batches, live);
      const next = until(batches, lost);
      await database.asked("continuous", 0);
      await firstByte(feed, 1);
      await time.asleep((ms) => ms === patience);
      time.advance(patience);
      await next;
    }));
}

test("trap 8: each silence doubles the next patience, up to 180 s", () => {
  const watchdog = new Watchdog(1_000);
  for (const patience of [11_000, 22_000, 44_000, 88_000, 176_000, 180_000, 180_000]) {
    assert.equal(watchdog.idleTimeout, patience);
    watchdog.noteExpired();
  }
});

test("trap 8: what a healthy connection needed stays", () =>
  withDatabase(async ({ database, time, open }) => {
    const feed = open({ heartbeat: 30_000, maxLag: 1e12 });
    const batches = feed.batches();
    await until(batches, live);
    const next = until(batches, has("a"));
    await firstByte(feed, 1);
    time.advance(85_000);
    database.put("a");
    assert.deepEqual((await next).map(({ state }) => state), ["live"]);

    const broken = until(batches, lost);
    await database.cut();
    await broken;
    await until(batches, live);
    const reading = batches.next();
    await time.asleep((ms) => ms === 95_000);
    database.put("b");
    await reading;
  }));

// Trap 9. CouchDB withholds even the status line until the first chunk of the body. So the wait for the headers needs a
// limit of its own, of at least one heartbeat and the time to connect. A proxy that holds back what is not complete looks the
// same, so the database is asked by a probe.
for (const answers of [true, false]) {
  test(`trap 9: a feed silent before its headers is given up, where the database ${answers ? "answers" : "is silent too"}`, () =>
    withDatabase(async ({ database, time, open }) => {
      const types: string[] = [];
      const batches = open({
        heartbeat: 5_000,
        maxLag: 1e9,
        onEvent: ({ type }) => types.push(type),
      }).batches();
      await until(batches, live);
      database.fail("continuous", () => {});
      const next = answers ? batches.next() : until(batches, lost);
      await database.asked("continuous", 0);
      if (!answers) database.fail("page", () => {});
      await time.asleep((ms) => ms === 15_000);
      const from = database.requests.length;
      time.advance(15_000);
      if (!answers) {
        await database.asked("page", from);
        await time.asleep((ms) => ms === 15_000);
        time.advance(15_000);
      }
      await next;
      if (!answers) {
        return assert.deepEqual(types, ["live", "lost"]);
      }
      const news = until(batches, has("a"));
      const { url } = await database.asked("longpoll", from);
      assert.equal(url.searchParams.get("timeout"), "5000");
      assert.equal(url.searchParams.get("heartbeat"), null);
      database.put("a");
      assert.deepEqual((await news).map(({ state }) => state), ["live"]);
      assert.equal(types.filter((type) => type === "buffered").length, 1);
      assert.ok(!types.includes("lost"));
    }));
}

// Trap 10. No limit of a runtime will do: Node ends a silent body after 300 s, Bun after 300 to 360 s, Deno never.
test("trap 10: a server silent after its headers is given up by our own clock", () =>
  withDatabase(async ({ database, time, open }) => {
    const feed = open({ heartbeat: 5_000, maxLag: 1e9 });
    const batches = feed.batches();
    await until(batches, live);
    database.fail("continuous", (_, response) => void response.writeHead(200).write("\n"));
    const next = until(batches, lost);
    await database.asked("continuous", 0);
    while (feed.counters.heartbeats === 0) await new Promise((resolve) => setImmediate(resolve));
    await time.asleep((ms) => ms === 15_000);
    time.advance(15_000);
    await next;
  }));

// Trap 13. A blank line is a heartbeat wherever it stands: alone, several in a row, in the chunk of a change, or as white
// space within the JSON of a long poll.
test("trap 13: blank lines before, between and after the rows are heartbeats", async () => {
  const line = (seq: string, id: string) => JSON.stringify(row(seq, id));
  const text = `\n\r\n \n${line("1-x", "a")}\n\n\n${line("2-x", "b")}\n\n`;
  const feed = changes("http://127.0.0.1/db", { since: "0-x", fetch: stub([], "0-x", text).fetch });
  const seen: string[] = [];
  for await (const { id } of feed) if (seen.push(id) === 2) break;
  assert.deepEqual(seen, ["a", "b"]);
});

test("trap 13: blank lines within the answer to a long poll are heartbeats", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open({ feed: "longpoll" }).batches();
    await until(batches, live);
    const polled = database.asked("longpoll", 0);
    const next = until(batches, has("a"));
    await polled;
    for (let n = 0; n < 3; n++) database.heartbeat();
    database.put("a");
    assert.deepEqual(ids(await next), ["a"]);
  }));

// Trap 42. A machine that sleeps may wake with a connection that is dead and tells nothing. If the wall clock has jumped
// further than the watchdog waits, the feed connects anew at once.
test("trap 42: a machine that has slept connects anew, although no timer fired", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open({ maxLag: 1e12 }).batches();
    await until(batches, live);
    const next = batches.next();
    await database.asked("continuous", 0);
    time.suspend(600_000);
    database.heartbeat();
    assert.equal((await next).value.state, "lost");
  }));
