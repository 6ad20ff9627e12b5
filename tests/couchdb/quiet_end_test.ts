/** A live request that ends because nothing happened is no fault, and no option makes the feed ask in a hot loop. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers";
import { ownFeed } from "../../mod.ts";
import { BackOff, LEAST_WAIT } from "../../src/changes/back_off.ts";
import { changes, type ChangesOptions } from "../../src/couchdb/changes.ts";
import { FakeTime } from "../support/fake_time.ts";

/** Shares of a ceiling that `random` must not give, and 0, which it may. */
const ODD = [0, -1, 1, 5, NaN, Infinity, undefined as unknown as number];

/** Lets time pass, and everything that is due at each millisecond happen. */
async function pass(time: FakeTime, ms: number): Promise<void> {
  for (let n = 0; n < ms; n++) {
    time.advance(1);
    for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
  }
}

/** A database behind `fetch`, whose live requests end after a time. */
function database(time: FakeTime, endsAfter: (timeout: number) => number) {
  const rows: { readonly seq: string; readonly id: string; readonly changes: { readonly rev: string }[] }[] =
    [];
  const counts = { live: 0, identity: 0 };
  let wake = () => {};
  const fetch = async (url: string, { signal }: RequestInit): Promise<Response> => {
    const { pathname, searchParams: query } = new URL(url);
    const last_seq = () => `${rows.length}-x`;
    if (!pathname.endsWith("/_changes")) {
      counts.identity++;
      return Response.json({
        db_name: "db",
        update_seq: last_seq(),
        purge_seq: "0-x",
        instance_start_time: "17",
      });
    }
    const from = parseInt(query.get("since") ?? "0", 10) || 0;
    const feed = query.get("feed");
    const wanted = () => query.get("descending") === "true" ? rows.toReversed() : rows.slice(from);
    if (feed === null || feed === "normal") {
      return Response.json({ results: wanted(), last_seq: last_seq(), pending: 0 });
    }
    counts.live++;
    if (wanted().length === 0) {
      const news = new Promise<void>((resolve) => wake = resolve);
      await Promise.race([time.sleep(endsAfter(Number(query.get("timeout"))), signal!), news]);
    }
    signal?.throwIfAborted();
    if (feed === "longpoll") return Response.json({ results: wanted(), last_seq: last_seq(), pending: 0 });
    const lines = [...wanted(), { last_seq: last_seq(), pending: 0 }].map((row) =>
      JSON.stringify(row) + "\n"
    );
    return new Response(lines.join(""), { headers: { "content-type": "application/json" } });
  };
  const put = (id: string) => {
    rows.push({ seq: `${rows.length + 1}-x`, id, changes: [{ rev: "1-a" }] });
    wake();
  };
  return { fetch, counts, put };
}

function follow(time: FakeTime, { fetch }: ReturnType<typeof database>, options: ChangesOptions) {
  const events: string[] = [];
  const seen: string[] = [];
  const { now, monotonic, sleep } = time;
  const feed = changes("http://db.test/db", {
    ...{ fetch: fetch as typeof globalThis.fetch, now, monotonic, sleep, random: () => 0 },
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  const iterator = feed[Symbol.asyncIterator]();
  const reading = (async () => {
    for await (const { id } of { [Symbol.asyncIterator]: () => iterator }) seen.push(id);
  })();
  const close = async () => {
    await iterator.return!();
    await reading;
  };
  return { events, seen, close };
}

for (const feed of ["longpoll", "continuous"] as const) {
  for (const timeout of [1, 20, 99, 150, 500, 999, 1_500]) {
    test(`changes: ${feed} with timeout ${timeout}: a quiet end is no fault, and no reason to hurry`, async () => {
      const time = new FakeTime();
      const couch = database(time, (ms) => ms);
      const { events, seen, close } = follow(time, couch, { feed, timeout });
      await pass(time, 2_000);
      assert.equal(events.includes("lost"), false, `${events}`);
      assert.ok(
        couch.counts.live <= 2_000 / Math.max(timeout, LEAST_WAIT) + 2,
        `${couch.counts.live} requests`,
      );
      couch.put("late");
      await pass(time, LEAST_WAIT + 5);
      assert.deepEqual(seen, ["late"]);
      await close();
    });
  }

  test(`changes: ${feed}: a server that does not wait is asked ten times a second at most`, async () => {
    for (const random of ODD) {
      const time = new FakeTime();
      const couch = database(time, () => 0);
      const { events, close } = follow(time, couch, { feed, timeout: 500, random: () => random });
      await pass(time, 2_000);
      assert.ok(events.includes("lost"));
      assert.ok(couch.counts.live <= 2_000 / LEAST_WAIT + 2, `${random}: ${couch.counts.live} requests`);
      await close();
    }
  });
}

test("changes: however small maxLag is, contact is proved a hundred times a second at most", async () => {
  const time = new FakeTime();
  const couch = database(time, (ms) => ms);
  const { close } = follow(time, couch, { feed: "longpoll", timeout: 1_000, maxLag: 1 });
  await pass(time, 1_000);
  // A probe reads the identity of the database at its end.
  assert.ok(couch.counts.identity <= 100 + 3, `${couch.counts.identity} probes`);
  await close();
});

test("ownFeed: a source that cannot be reached is called ten times a second at most", async () => {
  for (const random of ODD) {
    const time = new FakeTime();
    const { now, monotonic, sleep } = time;
    let calls = 0;
    const feed = ownFeed(() => {
      calls++;
      throw new Error("refused");
    }, { now, monotonic, sleep, random: () => random });
    const iterator = feed.batches()[Symbol.asyncIterator]();
    void iterator.next();
    await pass(time, 2_000);
    assert.ok(calls >= 2 && calls <= 2_000 / LEAST_WAIT + 2, `${random}: ${calls} calls`);
    await iterator.return!();
  }
});

test("BackOff: no wait but the eager one is below the floor, and none beyond the ceiling, whatever random gives", () => {
  for (const random of ODD) {
    const backOff = new BackOff(() => random);
    assert.equal(backOff.nextEager(), 0);
    for (let n = 0; n < 100; n++) {
      const wait = n % 2 === 0 ? backOff.next() : backOff.nextEager();
      assert.ok(wait >= LEAST_WAIT && wait <= 30_000, `${random}: ${wait}`);
    }
  }
});
