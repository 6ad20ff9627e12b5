/** The traps of the `_changes` feed, 31 to 45: parameters, access, time, the consumer. Each test names its number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes, type FeedEvent } from "../../src/couchdb/changes.ts";
import { has, ids, live, lost, resets, until, withDatabase } from "../support/feed_harness.ts";
import { type Fault, json } from "../support/scripted_couchdb.ts";
import { row, stub } from "../support/stub_couchdb.ts";

const url = "http://127.0.0.1/db";
const refuse = (status: number): Fault => (_, response) =>
  json(response, status, `{"error":"some","reason":"thing"}`);

test("trap 31: limit ends the iteration quietly; 0 is refused, since servers disagree on it", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const events: FeedEvent[] = [];
    const feed = open({ since: 0, limit: 2, onEvent: (event) => events.push(event) });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual([seen, feed.since], [["a", "b"], "2-g1AAAA"]);
    assert.deepEqual(events.map(({ type }) => type), ["closed"]);
    assert.throws(() => changes(url, { limit: 0 }), /limit.*0/);
  }));

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

test("trap 33: eventsource is not offered", () => {
  assert.throws(() => changes(url, { feed: "eventsource" as never }), /feed.*"eventsource"/);
});

test("trap 34: many document ids go into the body, few into the query; a selector into the body always", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b"]) database.put(id);
    const docIds = Array.from({ length: 500 }, (_, n) => `document-${n}`);
    const asked = async (options: Parameters<typeof open>[0]) => {
      const from = database.requests.length;
      const feed = open({ ...options, since: 0 });
      const batches = feed.batches();
      await until(batches, live);
      const next = batches.next();
      const stream = await database.asked("continuous", from);
      const page = database.requests.slice(from).find(({ kind }) => kind === "page");
      await feed[Symbol.asyncDispose]();
      await next;
      return [page, stream].map((request) => [
        request?.method,
        request?.body,
        (request?.url.search.length ?? 0) < 2_100,
      ]);
    };
    assert.deepEqual(await asked({ filter: "_doc_ids", docIds: ["a"] }), Array(2).fill(["GET", "", true]));
    const long = ["POST", JSON.stringify({ doc_ids: docIds }), true];
    assert.deepEqual(await asked({ filter: "_doc_ids", docIds }), [long, long]);
    const selector = { type: "post" };
    const posted = ["POST", JSON.stringify({ selector, fields: ["title"] }), true];
    const options = { filter: "_selector", selector, includeDocs: true, fields: ["title"] };
    assert.deepEqual(await asked(options), [posted, posted]);
  }));

test("trap 35: every request asks for an uncompressed answer", () =>
  withDatabase(async ({ database, open }) => {
    await until(open().batches(), live);
    assert.ok(database.requests.every(({ headers }) => headers["accept-encoding"] === "identity"));
  }));

test("trap 36: credentials leave the URL, headers are made for each request, a 401 is tried once more", () =>
  withDatabase(async ({ database }) => {
    let token = 0;
    const headers = () => ({ "x-token": String(++token) });
    const feed = changes(database.url.replace("//", "//user:secret@"), { headers });
    const batches = feed.batches();
    await until(batches, live);
    assert.ok(
      database.requests.every(({ url, headers }, index) =>
        !url.href.includes("secret") && headers["x-token"] === String(index + 1)
      ),
    );
    database.fail("any", refuse(401), 9);
    const from = database.requests.length;
    await assert.rejects(until(batches, () => false), (error: Error & { readonly code?: string }) => {
      return error.code === "unauthorized" &&
        !inspect(error, { depth: 9, showHidden: true }).includes("secret");
    });
    assert.equal(database.requests.length - from, 2);
  }));

test("trap 37: a 403 is waited out for a minute; 408, 412, 429 and 5xx pass; other refusals are final", async () => {
  await withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", refuse(403));
    await until(batches, lost);
    const reading = until(batches, live);
    await time.asleep((ms) => ms === 60_000);
    time.advance(60_000);
    await reading;
  });
  for (const status of [408, 412, 429, 500, 503]) {
    await withDatabase(async ({ database, open }) => {
      database.fail("page", refuse(status));
      await until(open().batches(), live);
    });
  }
  for (const status of [400, 405, 414]) {
    await withDatabase(async ({ database, open }) => {
      database.fail("information", refuse(status));
      await assert.rejects(open().batches().next(), { code: "bad-request", status });
    });
  }
});

test("trap 38: an abort rejects the pending next(), closes the socket and leaves no timer", () =>
  withDatabase(async ({ database, time, open }) => {
    const controller = new AbortController();
    const batches = open({ signal: controller.signal }).batches();
    await until(batches, live);
    const next = batches.next();
    const asked = await database.asked("continuous", 0);
    controller.abort();
    await assert.rejects(next, { code: "aborted" });
    await asked.closed;
    assert.equal(time.sleeping, 0);
  }));

test("trap 39: an error of the consumer's does not skip the change that it met", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b"]) database.put(id);
    const feed = open({ since: 0 });
    const seen: string[] = [];
    const read = async () => {
      for await (const { id } of feed) {
        seen.push(id);
        if (seen.length === 2) throw new Error("no");
        if (seen.length === 3) break;
      }
    };
    await assert.rejects(read, /no/);
    await read();
    assert.deepEqual(seen, ["a", "b", "b"]);
  }));

test("trap 40: the watchdog sleeps while the consumer works, and nothing is read ahead", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open({ maxLag: 1e12 }).batches();
    await until(batches, live);
    const reading = until(batches, has("a"));
    await database.asked("continuous", 0);
    database.put("a");
    await reading;
    time.advance(3_600_000);
    const next = until(batches, has("b"));
    database.put("b");
    assert.deepEqual((await next).map(({ state }) => state), ["live"]);
  }));

for (const end of ["break", "return", "dispose"] as const) {
  test(`trap 41: ${end} closes the connection, not just the reference`, () =>
    withDatabase(async ({ database, open }) => {
      const feed = open();
      const connected = database.asked("continuous", 0).then((asked) => {
        if (end === "break") database.put("a");
        return asked;
      });
      if (end === "break") {
        for await (const _ of feed) break;
      } else {
        const iterator = feed[Symbol.asyncIterator]();
        const next = iterator.next();
        await connected;
        await (end === "return" ? iterator.return?.() : feed[Symbol.asyncDispose]());
        assert.equal((await next).done, true);
      }
      await (await connected).closed;
      assert.equal(database.openFeeds, 0);
    }));
}

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

test("trap 43: an equal position is no duplicate", async () => {
  const lines = [row("5-x", "a"), row("5-x", "b")].map((row) => `${JSON.stringify(row)}\n`).join("");
  const feed = changes(url, { since: "5-x", fetch: stub([], "5-x", lines).fetch });
  const seen: string[] = [];
  for await (const { id } of feed) if (seen.push(id) === 2) break;
  assert.deepEqual(seen, ["a", "b"]);
});

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

test("trap 45: a time is a start, never a position that is gone on from", async () => {
  const time = "2026-11-22T00:00:00Z";
  const { asked, fetch } = stub([row("1-x", "a"), row("2-x", "b")], "2-x");
  const feed = changes(url, { since: time, fetch });
  const seen = await until(feed.batches(), live);
  assert.deepEqual([ids(seen), seen.at(-1)?.position?.since], [["a", "b"], "2-x"]);
  await feed[Symbol.asyncDispose]();
  assert.equal(asked.filter(({ searchParams }) => searchParams.get("since") === time).length, 1);
});
