/** What a consumer does: take its time, break, throw, abort, resume. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/couchdb/changes.ts";
import { has, ids, live, lost, until, withDatabase } from "../support/feed_harness.ts";
import { json } from "../support/scripted_couchdb.ts";

test("changes: iterates one by one, and breaking out closes the connection", () =>
  withDatabase(async ({ database, time, open }) => {
    for (const id of ["a", "b"]) database.put(id);
    const seen: string[] = [];
    const connected = database.asked("continuous", 0).then((asked) => {
      database.put("c");
      return asked;
    });
    for await (const change of open({ since: 0 })) {
      seen.push(change.id);
      if (change.id === "c") break;
    }
    assert.deepEqual(seen, ["a", "b", "c"]);
    await (await connected).closed;
    assert.equal(time.sleeping, 0);
  }));

test("changes: the position moves when the next change is asked for, so an error skips nothing", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0 });
    await assert.rejects(async () => {
      for await (const { id } of feed) if (id === "b") throw new Error("no");
    }, /no/);
    assert.equal(feed.position?.since, "1-g1AAAA");
    const seen = await until(feed.batches(feed.position), live);
    assert.deepEqual(ids(seen), ["b", "c"]);
  }));

test("changes: a second reader starts where the first left off", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0 });
    for await (const { id } of feed) if (id === "c") break;
    database.put("d");
    const seen: string[] = [];
    for await (const { id } of feed) {
      seen.push(id);
      if (id === "d") break;
    }
    assert.deepEqual(seen, ["c", "d"]);
  }));

test("changes: the position of batches moves when the next batch is asked for", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0, batchSize: 2 });
    const batches = feed.batches();
    await batches.next();
    const sinces = [feed.position?.since];
    await batches.next();
    sinces.push(feed.position?.since);
    await batches.return?.();
    sinces.push(feed.position?.since);
    assert.deepEqual(sinces, [undefined, "2-g1AAAA", "2-g1AAAA"]);
  }));

test("changes: every stored position resumes without a loss", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 9; n++) database.put(`doc-${n}`);
    const feed = open({ since: 0, batchSize: 4 });
    const iterator = feed[Symbol.asyncIterator]();
    for (let n = 0; n < 9; n++) {
      assert.equal((await iterator.next()).value.id, `doc-${n}`);
      const rest = n === 0 ? [] : ids(await until(open().batches(feed.position), live));
      assert.deepEqual(rest, n === 0 ? [] : Array.from({ length: 9 - n }, (_, k) => `doc-${n + k}`));
    }
  }));

test("changes: several pending next() are answered in order", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c", "d"]) database.put(id);
    const iterator = open({ since: 0, batchSize: 2 })[Symbol.asyncIterator]();
    const four = await Promise.all([1, 2, 3, 4].map(() => iterator.next()));
    assert.deepEqual(four.map(({ value }) => value.id), ["a", "b", "c", "d"]);
  }));

test("changes: one reader at a time", () =>
  withDatabase(async ({ open }) => {
    const feed = open();
    const batches = feed.batches();
    assert.throws(() => feed.batches(), TypeError);
    assert.throws(() => feed[Symbol.asyncIterator](), TypeError);
    await batches.return?.();
    await feed.batches().return?.();
  }));

test("changes: return() settles a pending next() and closes the socket", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    const next = batches.next();
    const asked = await database.asked("continuous", 0);
    await batches.return?.();
    assert.deepEqual(await next, { done: true, value: undefined });
    await asked.closed;
    assert.equal(time.sleeping, 0);
    assert.deepEqual(await batches.next(), { done: true, value: undefined });
  }));

test("changes: disposal settles a pending next() and closes the socket", () =>
  withDatabase(async ({ database, time, open }) => {
    const feed = open({ since: 0 });
    const next = feed[Symbol.asyncIterator]().next();
    const asked = await database.asked("continuous", 0);
    await feed[Symbol.asyncDispose]();
    assert.deepEqual(await next, { done: true, value: undefined });
    await asked.closed;
    assert.equal(time.sleeping, 0);
  }));

for (const kind of ["information", "page", "continuous"] as const) {
  test(`changes: an abort while ${kind} is awaited rejects next() and closes the socket`, () =>
    withDatabase(async ({ database, time, open }) => {
      database.put("a");
      database.fail(kind, () => {});
      const controller = new AbortController();
      const next = until(open({ signal: controller.signal }).batches(), lost);
      const asked = await database.asked(kind, 0);
      controller.abort(new Error("enough"));
      await assert.rejects(next, (error: Error) => {
        assert.deepEqual([error.name, (error.cause as Error).message], ["ChangesError", "enough"]);
        return true;
      });
      await asked.closed;
      assert.equal(time.sleeping, 0);
    }));
}

test("changes: an abort interrupts the back-off", () =>
  withDatabase(async ({ database, time, open }) => {
    database.fail("page", (_, response) => json(response, 429, "{}", { "retry-after": "3000" }));
    const controller = new AbortController();
    const batches = open({ signal: controller.signal }).batches();
    await until(batches, lost);
    const next = batches.next();
    await time.asleep((ms) => ms === 3_000_000);
    controller.abort();
    await assert.rejects(next, { code: "aborted" });
    assert.equal(time.sleeping, 0);
  }));

test("changes: an abort between two batches is told by the next next(), once", () =>
  withDatabase(async ({ open }) => {
    const controller = new AbortController();
    const feed = open({ signal: controller.signal });
    const batches = feed.batches();
    await until(batches, live);
    controller.abort();
    await assert.rejects(batches.next(), { code: "aborted" });
    assert.equal((await batches.next()).done, true);
    await assert.rejects(feed.batches().next(), { code: "aborted" });
  }));

test("changes: nothing is read ahead of the consumer, and its time is not the server's silence", () =>
  withDatabase(async ({ database, time, open }) => {
    let pulls = 0;
    const line = (n: number) =>
      new TextEncoder().encode(`{"seq":"${n}-g1","id":"d${n}","changes":[{"rev":"1-a"}]}\n`);
    const endless = () =>
      new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(line(++pulls)) }, {
        highWaterMark: 0,
      });
    const fetch = (url: string, init: RequestInit) =>
      url.includes("continuous") ? Promise.resolve(new Response(endless())) : globalThis.fetch(url, init);
    assert.equal(database.openFeeds, 0, "empty: no row is known, which the stream would have to show first");
    const batches = open({ fetch, maxLag: 1e12 }).batches();
    await until(batches, has("d1"));
    for (let n = 2; n < 10; n++) {
      time.advance(3_600_000);
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(pulls <= n, `${pulls} pieces read, ${n - 1} taken`);
      assert.deepEqual(ids(await until(batches, () => true)), [`d${n}`]);
    }
  }));

test("changes: the real clock and timer are the defaults", async () => {
  await withDatabase(async ({ database }) => {
    database.put("a");
    const feed = changes(database.url, { since: 0, maxLag: 20 });
    const batches = feed.batches();
    const contacts = (await until(batches, live)).concat(await until(batches, live)).flatMap(({ contact }) =>
      contact ?? []
    );
    assert.ok(contacts.length >= 2 && Math.abs(contacts[0]!.wall - Date.now()) < 60_000);
    await batches.return?.();
  });
});
