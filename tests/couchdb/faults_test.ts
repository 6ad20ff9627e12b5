/** Faults that pass: nothing is lost, nothing hangs, and the consumer is told at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { has, ids, live, lost, resets, until, withDatabase } from "../support/feed_harness.ts";
import { type Fault, json } from "../support/scripted_couchdb.ts";

/** Answers with a status, once. */
const status = (code: number, headers: Record<string, string> = {}): Fault => (_, response) =>
  json(response, code, `{"error":"some","reason":"thing"}`, headers);

const html: Fault = (_, response) => json(response, 200, "<html>", { "content-type": "text/html" });
const htmlAsJson: Fault = (_, response) => json(response, 200, "<html>\n");
const error: Fault = (_, response) => json(response, 200, `{"error":"timeout","reason":"late"}\n`);
const destroy: Fault = (_, response) => void response.destroy();
const brokenPage: Fault = (_, response) =>
  json(response, 200, `{"results":[\n{"seq":"1-g1AAAA","id":"old","changes":[{"rev"`);
const errorInPage: Fault = (_, response) =>
  json(response, 200, `{"results":[\n\n{"code":500,"error":"timeout","reason":"late"}\n`);
const emptyEnd: Fault = (_, response) => json(response, 200, "");

const transient: Record<string, Fault> = {
  "408": status(408),
  "412": status(412),
  "429": status(429),
  "500": status(500),
  "502": status(502),
  "503": status(503),
  html,
  htmlAsJson,
  error,
  destroy,
  brokenPage,
  errorInPage,
  emptyEnd,
};

for (const [name, fault] of Object.entries(transient)) {
  for (const kind of ["information", "page", "continuous"] as const) {
    if (kind === "continuous" && (fault === brokenPage || fault === errorInPage)) continue;
    test(`changes: ${name} three times in answer to ${kind}`, () =>
      withDatabase(async ({ database, open }) => {
        database.put("old");
        database.fail(kind, fault, 3);
        const batches = open({ since: 0 }).batches();
        const before = await until(batches, live);
        const connected = database.asked("continuous", 0);
        const reading = until(batches, has("new"));
        await connected;
        database.put("new");
        const after = await reading;
        assert.deepEqual(resets([...before, ...after]), []);
        assert.deepEqual([...new Set(ids([...before, ...after]))], ["old", "new"]);
        assert.ok([...before, ...after].some(lost));
      }));
  }
}

test("changes: a lost connection is told at once, by an empty batch", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const batches = open().batches();
    await until(batches, live);
    const next = batches.next();
    await database.asked("continuous", 0);
    await database.cut();
    const { value } = await next;
    assert.deepEqual([value.state, value.changes, value.position.since], ["lost", [], "1-g1AAAA"]);
    await until(batches, live);
  }));

test("changes: a row cut at any byte is discarded, and comes whole after the reconnection", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const batches = open().batches();
    await until(batches, live);
    const length = new TextEncoder().encode(database.line(database.putSilently("ü☃𝄞"))).length;
    for (let cut = 0; cut <= length; cut++) {
      database.fail("continuous", (_, response) => {
        const bytes = new TextEncoder().encode(database.line(database.putSilently("ü☃𝄞")));
        response.writeHead(200, { "content-type": "application/json" });
        response.write(bytes.slice(0, cut));
        if (cut % 2 === 0) response.end();
        else setImmediate(() => response.destroy());
      });
      assert.deepEqual(ids(await until(batches, lost)), []);
      assert.deepEqual(ids(await until(batches, live)), ["ü☃𝄞"]);
    }
  }));

test("changes: a row split at any byte, heartbeats glued to it, is read whole", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    const connected = database.asked("continuous", 0);
    let next = batches.next();
    await connected;
    const row = database.putSilently("ü☃𝄞");
    const bytes = new TextEncoder().encode(`\n${database.line(row)}\r\n\n\n`);
    for (let cut = 1; cut < bytes.length - 3; cut++) {
      database.send(bytes.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      database.send(bytes.slice(cut));
      const { value } = await next;
      assert.deepEqual(value.changes.map(({ id }: { id: string }) => id), ["ü☃𝄞"]);
      next = batches.next();
    }
  }));

test("changes: a clean end is followed by a new connection at once", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open({ random: () => 0.5 }).batches();
    await until(batches, live);
    const connected = database.asked("continuous", 0);
    const next = batches.next();
    await connected;
    time.advance(1_000);
    database.end(true);
    assert.equal((await next).value.state, "lost");
    await until(batches, live);
  }));

test("changes: connections that bring nothing and end are made ever more slowly", () =>
  withDatabase(async ({ database, time, open }) => {
    const end: Fault = (_, response) => json(response, 200, `{"last_seq":"0-g1AAAA","pending":0}\n`);
    database.fail("continuous", end, 4);
    const batches = open({ random: () => 0.5 }).batches();
    const reading = until(batches, has("new"));
    for (const wait of [500, 1_000, 2_000]) {
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
    }
    await database.asked("continuous", 0);
    database.put("new");
    assert.deepEqual(ids(await reading), ["new"]);
  }));

for (const [field, wait] of [["7", 7_000], ["Thu, 01 Jan 2026 00:00:09 GMT", 9_000]] as const) {
  test(`changes: Retry-After: ${field} is honoured`, () =>
    withDatabase(async ({ database, time, open }) => {
      database.fail("page", status(429, { "retry-after": field }));
      const reading = until(open().batches(), live);
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
      await reading;
    }));
}

test("changes: a silent server is given up, before the headers and after", async () => {
  for (const kind of ["information", "page", "continuous"] as const) {
    for (const headers of [false, true]) {
      await withDatabase(async ({ database, time, open }) => {
        database.put("old");
        database.fail(kind, (_, response) => {
          if (headers) response.writeHead(200, { "content-type": "application/json" }).write("\n");
        });
        const batches = open({ since: 0, maxLag: 1e9 }).batches();
        const reading = until(batches, has("new"));
        const asked = await database.asked(kind, 0);
        await time.asleep((ms) => ms === 30_000);
        // A moment for the headers to arrive: the watchdog counts from the last byte.
        if (headers) await new Promise((resolve) => setTimeout(resolve, 20));
        time.advance(30_000);
        await asked.closed;
        // The database answers a probe, and nothing comes of the live feed: that is a proxy on the way.
        const isBuffered = kind === "continuous" && !headers;
        const from = kind === "continuous" ? database.requests.indexOf(asked) + 1 : 0;
        await database.asked(isBuffered ? "longpoll" : "continuous", from);
        database.put("new");
        assert.equal(
          (await reading).some(lost),
          !isBuffered,
          `${kind} ${headers}`,
        );
      });
    }
  }
});

test("changes: heartbeats keep the connection, and are no contact", () =>
  withDatabase(async ({ database, time, open }) => {
    const feed = open({ heartbeat: 10_000, maxLag: 1e9 });
    const batches = feed.batches();
    await until(batches, live);
    const connected = database.asked("continuous", 0);
    const next = until(batches, has("new"));
    await connected;
    for (let beat = 0; beat < 10; beat++) {
      await time.asleep((ms) => ms > 0 && ms <= 30_000);
      const { heartbeats } = feed.counters;
      time.advance(29_000);
      database.heartbeat();
      while (feed.counters.heartbeats === heartbeats) await new Promise((resolve) => setImmediate(resolve));
    }
    database.put("new");
    const [batch] = await next;
    assert.equal(database.requests.filter(({ kind }) => kind === "continuous").length, 1);
    assert.equal(batch?.contact?.monotonic, 1_000);
  }));

test("changes: a machine that has slept connects anew", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open({ maxLag: 1e12 }).batches();
    await until(batches, live);
    const connected = database.asked("continuous", 0);
    const next = batches.next();
    await connected;
    time.suspend(3_600_000);
    database.heartbeat();
    assert.equal((await next).value.state, "lost");
    await until(batches, live);
  }));
