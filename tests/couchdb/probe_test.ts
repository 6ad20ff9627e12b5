/** Contact, identity and gaps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CouchChangesFeed } from "../../src/couchdb/changes.ts";
import type { Harness } from "../support/feed_harness.ts";
import { json } from "../support/scripted_couchdb.ts";
import { type Batch, has, ids, live, lost, resets, until, withDatabase } from "../support/feed_harness.ts";

const told = (batch: Batch): boolean => batch.reset !== undefined;

/** A feed that is live, and its batches. */
async function openLive({ open }: Harness) {
  const feed = open();
  const batches = feed.batches();
  await until(batches, live);
  return { feed, batches };
}

/** Waits until the reader is idle, then lets the next probe become due. */
async function letProbe({ time }: Harness): Promise<void> {
  await time.asleep((ms) => ms === 12_500);
  time.advance(12_500);
}

/** Waits until known rows have come again, so many in all. A stream begins with one. */
async function repeats(feed: CouchChangesFeed, times: number): Promise<void> {
  while (feed.counters.replays < times) await new Promise((resolve) => setImmediate(resolve));
}

test("probe: what the continuous feed does not send is found, without losing the live state", () =>
  withDatabase(async (harness) => {
    const { database, time, open } = harness;
    for (const id of ["a", "b", "c"]) database.put(id);
    const batches = open().batches();
    await until(batches, live);
    const reading = until(batches, has("silent"));
    await database.asked("continuous", 0);
    database.putSilently("silent");
    await letProbe(harness);
    assert.deepEqual(ids(await reading), ["silent"]);
    const { value } = await batches.next();
    assert.deepEqual([value.state, value.changes, value.contact.wall], ["live", [], time.now()]);
  }));

test("probe: is repeated every half maxLag, from one row early, and yields nothing twice", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (let n = 1; n <= 30; n++) database.put(`doc-${n}`);
    const batches = open({ heartbeat: 1e6 }).batches();
    await until(batches, live);
    for (let round = 0; round < 4; round++) {
      const from = database.requests.length;
      const reading = batches.next();
      await letProbe(harness);
      const { value } = await reading;
      assert.deepEqual([value.state, value.changes], ["live", []]);
      const page = await database.asked("page", from);
      assert.equal(page.url.searchParams.get("since"), "29-g1AAAA");
    }
    assert.equal(database.requests.filter(({ kind }) => kind === "continuous").length, 1);
  }));

test("probe: is due on a busy feed too", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    let contacts = 0;
    for (let n = 0; n < 20; n++) {
      const reading = until(batches, has(`doc-${n}`));
      await database.asked("continuous", 0);
      database.put(`doc-${n}`);
      contacts += (await reading).filter(({ changes }) => changes.length === 0).length;
      time.advance(5_000);
    }
    assert.equal(contacts, 6);
  }));

test("probe: a contact that cannot be renewed is a loss", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    const batches = open().batches();
    await until(batches, live);
    database.fail("page", (_, response) => void response.destroy());
    const reading = until(batches, lost);
    await letProbe(harness);
    assert.equal((await reading).length, 1);
    await until(batches, live);
  }));

test("probe: a connection that breaks while a probe waits is a loss at once", () =>
  withDatabase(async (harness) => {
    const { database } = harness;
    database.put("a");
    const { feed, batches } = await openLive(harness);
    database.fail("page", () => {});
    const from = database.requests.length;
    const reading = until(batches, lost);
    await repeats(feed, 1);
    await letProbe(harness);
    await database.asked("page", from);
    await database.cut();
    assert.equal((await reading).length, 1);
    await until(batches, live);
  }));

test("probe: the known document comes again with another revision, and is yielded", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    database.put("a");
    database.put("b");
    const batches = open().batches();
    await until(batches, live);
    const reading = until(batches, has("b"));
    await database.asked("continuous", 0);
    database.putSilently("b");
    await letProbe(harness);
    const seen = await reading;
    assert.deepEqual([ids(seen), resets(seen), seen[0]?.changes[0]?.rev], [["b"], [], "2-1"]);
  }));

for (const how of ["open", "ended"] as const) {
  test(`reset: a database recreated while the feed is ${how} yields everything of its new life`, () =>
    withDatabase(async (harness) => {
      const { database, open } = harness;
      database.put("old");
      const batches = open().batches();
      await until(batches, live);
      const reading = until(batches, told);
      await database.asked("continuous", 0);
      database.recreate();
      database.putSilently("new-1");
      database.putSilently("new-2");
      if (how === "ended") database.end(true);
      else await letProbe(harness);
      const seen = await reading;
      assert.deepEqual(resets(seen), ["recreated"]);
      assert.equal(seen.at(-1)?.state, "lost");
      assert.deepEqual(ids(await until(batches, live)), ["new-1", "new-2"]);
    }));
}

test("reset: a deleted database is told once and waited for; its successor is told too", () =>
  withDatabase(async ({ database, time, open }) => {
    database.put("old");
    const batches = open({ random: () => 0.5 }).batches();
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    time.advance(1_000);
    database.exists = false;
    database.end(true);
    assert.deepEqual((await reading).map(({ state, reset }) => [state, reset]), [
      ["lost", undefined],
      ["lost", "deleted"],
    ]);
    const back = until(batches, live);
    for (const wait of [500, 1_000]) {
      await time.asleep((ms) => ms === wait);
      if (wait === 1_000) {
        database.recreate();
        database.put("new");
      }
      time.advance(wait);
    }
    const seen = await back;
    assert.deepEqual([resets(seen), ids(seen)], [["recreated"], ["new"]]);
  }));

test("reset: a database that was only out of monitor goes on where it was", () =>
  withDatabase(async ({ database, open }) => {
    database.put("old");
    const batches = open().batches();
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    database.exists = false;
    database.end(true);
    assert.deepEqual(resets(await reading), ["deleted"]);
    database.exists = true;
    database.put("new");
    const seen = await until(batches, live);
    assert.deepEqual([resets(seen), ids(seen)], [[], ["new"]]);
  }));

test("reset: a purge is told, and the feed goes on where it was", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b", "c"]) database.put(id);
    const batches = open().batches();
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    database.purge("b");
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["purged"]);
    database.putSilently("d");
    const seen = await until(batches, live);
    assert.deepEqual([resets(seen), ids(seen)], [[], ["d"]]);
  }));

test("reset: files rolled back behind the reader, and written to again", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b", "c"]) database.put(id);
    const batches = open({ since: 0 }).batches();
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    database.rollBack(2);
    database.putSilently("x");
    database.putSilently("y");
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["rolled-back"]);
    const seen = await until(batches, live);
    assert.deepEqual([resets(seen), ids(seen)], [[], ["a", "b", "x", "y"]]);
  }));

test("reset: files rolled back and a purge, between the page of a probe and the identity", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b", "c", "d"]) database.put(id);
    const batches = open().batches();
    await until(batches, live);
    database.fail("information", () => {
      database.rollBack(2);
      database.purge("a");
      // Behind the position that the purge leaves as it is.
      database.fail("page", () => (database.put("b"), false));
      return false;
    });
    const reading = until(batches, has("b"));
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["purged", "rolled-back"]);
  }, { replicas: 3 }));

test("reset: where positions are numbers, one ahead of the database", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b", "c"]) database.put(id);
    const batches = open({ since: 0 }).batches();
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    database.rollBack(1);
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["rewound"]);
    assert.deepEqual(ids(await until(batches, live)), ["a"]);
    const [first] = await until(open({ since: 7 }).batches(), told);
    assert.equal(first?.reset, "rewound");
  }, { integers: true }));

test("reset: a refused since is told, and everything comes", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const seen = await until(open({ since: "junk" }).batches(), live);
    assert.deepEqual([resets(seen), ids(seen)], [["since-refused"], ["a"]]);
  }));

test("reset: a position of another life, another purge or another database", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const [first] = await until(open({ since: 0 }).batches(), live);
    const position = first!.position!;
    database.put("b");
    const resumed = await until(open().batches(position), live);
    assert.deepEqual([resets(resumed), ids(resumed)], [[], ["b"]]);

    const elsewhere = { ...position, source: "some other feed" };
    const foreign = await until(open().batches(elsewhere), live);
    assert.deepEqual([resets(foreign), ids(foreign)], [["since-refused"], ["a", "b"]]);

    database.purge("a");
    const purged = await until(open().batches(position), live);
    assert.deepEqual([resets(purged), ids(purged)], [["purged"], ["b"]]);

    database.recreate();
    database.put("z");
    const recreated = await until(open().batches(position), live);
    assert.deepEqual([resets(recreated), ids(recreated)], [["recreated"], ["z"]]);
  }));

test("reset: a position resumed without news is recognised from then on", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b"]) database.put(id);
    const position = (await until(open({ since: 0 }).batches(), live)).at(-1)!.position!;
    const batches = open().batches(position);
    assert.deepEqual(ids(await until(batches, live)), []);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    database.rollBack(0);
    database.putSilently("x");
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["rolled-back"]);
  }));

/** Rows that came again, with their revisions. */
const again = (batches: readonly Batch[]): string[] =>
  batches.flatMap(({ repeated = [] }) => repeated.map(({ id, rev }) => `${id} ${rev}`));

test("repeated: a winner that was away and is back between two probes is told, and is no change", () =>
  withDatabase(async (harness) => {
    const { database } = harness;
    database.put("a");
    const { feed, batches } = await openLive(harness);
    const reading = until(batches, (batch) => batch.contact!.wall === harness.time.now() && live(batch));
    await repeats(feed, 1);
    database.stall();
    database.win("a", "2-b");
    database.win("a", "1-1");
    await letProbe(harness);
    const seen = await reading;
    assert.deepEqual([ids(seen), resets(seen), again(seen)], [[], [], ["a 1-1"]]);
    assert.equal(seen[0]?.state, "live", "told before the new contact");
  }));

test("repeated: after it, the stream is renewed, because a row of in between may be on its way", () =>
  withDatabase(async (harness) => {
    const { database } = harness;
    database.put("a");
    const { feed, batches } = await openLive(harness);
    const reading = until(batches, (batch) => batch.contact!.wall === harness.time.now() && live(batch));
    await repeats(feed, 1);
    database.stall();
    const late = database.win("a", "2-b");
    database.win("a", "1-1");
    await letProbe(harness);
    await reading;
    database.send(`${database.line(late)}\n`);
    const next = until(batches, ({ changes }) => changes.length > 0);
    database.put("b");
    assert.deepEqual(ids(await next), ["b"]);
  }));

test("repeated: within a connection a row at its known position says nothing, after a loss it does", () =>
  withDatabase(async (harness) => {
    const { database } = harness;
    database.put("a");
    database.put("b");
    const { feed, batches } = await openLive(harness);
    const quiet = until(batches, live);
    await repeats(feed, 1);
    await letProbe(harness);
    assert.deepEqual(again(await quiet), []);
    assert.equal(feed.counters.replays, 2, "it came by the stream and by the probe");
    const reading = until(batches, lost);
    await database.cut();
    await reading;
    assert.deepEqual(again(await until(batches, live)), ["b 1-1"]);
  }));

test("repeated: a stream begins one row early, and tells what came back before it was opened", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    database.put("b");
    database.fail("continuous", ({ url }) => {
      assert.equal(url.searchParams.get("since"), "1-g1AAAA");
      database.win("b", "2-x");
      database.win("b", "1-1");
      return false;
    });
    const seen = await until(open().batches(), ({ repeated }) => repeated !== undefined);
    assert.deepEqual([ids(seen), again(seen)], [[], ["b 1-1"]]);
  }));

for (const where of ["probe", "stream"] as const) {
  test(`history: a busy document that was edited is no gap, seen by a ${where}`, () =>
    withDatabase(async (harness) => {
      const { database, open } = harness;
      database.put("busy");
      const feed = open();
      const batches = feed.batches();
      if (where === "stream") database.fail("continuous", () => (database.put("busy"), false));
      await until(batches, live);
      const reading = until(batches, has("busy"));
      if (where === "probe") {
        await repeats(feed, 1);
        database.putSilently("busy");
        await letProbe(harness);
      }
      assert.deepEqual(resets(await reading), []);
      const asked = database.requests.filter(({ kind }) => kind === "revisions");
      assert.deepEqual(asked.map(({ method, body }) => [method, body]), [["POST", '{"busy":["1-4"]}']]);
    }));

  test(`history: a busy document that was restored and edited is a gap, seen by a ${where}`, () =>
    withDatabase(async (harness) => {
      const { database, open } = harness;
      const restore = () => {
        database.stall();
        database.rollBack(2);
        for (const n of [1, 2, 3]) database.win("busy", `${n + 1}-other`);
        return false as const;
      };
      for (const id of ["price", "busy", "price", "busy"]) database.put(id);
      const feed = open({ since: 0 });
      const batches = feed.batches();
      if (where === "stream") database.fail("continuous", restore);
      await until(batches, live);
      const reading = until(batches, told);
      if (where === "probe") {
        await repeats(feed, 1);
        restore();
        await letProbe(harness);
      }
      assert.deepEqual(resets(await reading), ["rolled-back"]);
      assert.deepEqual(ids(await until(batches, live)), ["price", "busy"]);
    }));
}

for (const status of [400, 403, 404, 405, 501]) {
  test(`history: a server that answers ${status} cannot tell, so that another revision is a gap`, () =>
    withDatabase(async (harness) => {
      const { database } = harness;
      database.put("a");
      const { feed, batches } = await openLive(harness);
      database.fail("revisions", (_, response) => json(response, status, "{}"));
      const reading = until(batches, told);
      await repeats(feed, 1);
      database.putSilently("a");
      await letProbe(harness);
      assert.deepEqual(resets(await reading), ["rolled-back"]);
    }));
}

test("history: a fault of the question is a loss, and it is asked again", () =>
  withDatabase(async (harness) => {
    const { database } = harness;
    database.put("a");
    database.put("b");
    const { feed, batches } = await openLive(harness);
    database.fail("revisions", (_, response) => json(response, 503, "{}"));
    const reading = until(batches, lost);
    await repeats(feed, 1);
    database.stall();
    database.rollBack(1);
    database.win("b", "1-other");
    await letProbe(harness);
    assert.deepEqual(resets(await reading), []);
    assert.deepEqual(resets(await until(batches, told)), ["rolled-back"]);
  }));

test("history: a fault between two pages does not hide a roll-back", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ batchSize: 2 });
    const batches = feed.batches();
    await until(batches, live);
    const reading = until(batches, lost);
    await repeats(feed, 1);
    database.stall();
    database.rollBack(2);
    for (const id of ["v", "w", "x", "y", "z"]) database.put(id);
    database.fail("revisions", (_, response) => json(response, 503, "{}"));
    await letProbe(harness);
    await reading;
    assert.deepEqual(resets(await until(batches, told)), ["rolled-back"]);
  }));

test("reset: files exchanged between the probe's page and the stream", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "price"]) database.put(id);
    const batches = open({ since: 0 }).batches();
    database.fail("continuous", () => {
      database.rollBack(1);
      for (const id of ["x", "y"]) database.put(id);
      return false;
    });
    // Its first rows are not the anchor, so that a probe is made at once: the clock stands still.
    assert.deepEqual(resets(await until(batches, told)), ["rolled-back"]);
    assert.deepEqual(ids(await until(batches, live)), ["a", "x", "y"]);
  }));

test("changes: anew, the feed begins now, wherever it has been", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0 });
    const batches = feed.batches();
    assert.deepEqual(ids(await until(batches, live)), ["a", "b", "c"]);
    await batches.return?.();
    database.rollBack(1);
    const again = feed.batches(undefined, { anew: true });
    const seen = await until(again, live);
    assert.deepEqual([resets(seen), ids(seen), seen.at(-1)?.position?.since], [[], [], "1-g1AAAA"]);
    database.put("d");
    assert.deepEqual(ids(await until(again, has("d"))), ["d"]);
  }));

test("reset: files exchanged before the stream, where nothing is written, are found by the next probe", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    for (const id of ["a", "price"]) database.put(id);
    const batches = open({ since: 0 }).batches();
    database.fail("continuous", () => (database.rollBack(1), false));
    await until(batches, live);
    const reading = until(batches, told);
    await database.asked("continuous", 0);
    await letProbe(harness);
    assert.deepEqual(resets(await reading), ["rolled-back"]);
  }));
