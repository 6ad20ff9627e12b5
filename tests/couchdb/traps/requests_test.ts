/** Traps of the `_changes` feed: how it is asked for, by whom, and what a refusal means. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes } from "../../../src/couchdb/changes.ts";
import { live, lost, until, withDatabase } from "../../support/feed_harness.ts";
import { type Fault, json } from "../../support/scripted_couchdb.ts";

const refuse = (status: number): Fault => (_, response) =>
  json(response, status, `{"error":"some","reason":"thing"}`);

// Trap 17. A page of HTML under status 200 is a proxy speaking. It is waited out, ever longer: no crash, no hot loop.
test("trap 17: a web page under 200 is waited out, ever longer", () =>
  withDatabase(async ({ database, time, open }) => {
    const retries: unknown[] = [];
    database.fail("page", (_, response) => json(response, 200, "<html>", { "content-type": "text/html" }), 3);
    const batches = open({
      random: () => 0.5,
      onEvent: (event) => event.type === "retrying" && retries.push([event.code, event.ms]),
    }).batches();
    const reading = until(batches, live);
    for (const wait of [250, 500, 1_000]) {
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
    }
    await reading;
    assert.deepEqual(retries, [["not-json", 250], ["not-json", 500], ["not-json", 1_000]]);
  }));

// Trap 34. A URL has a limit, 8 kB by default, that many document ids or a long position exceed: they go into the body. A
// selector is read from the body alone.
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

// Trap 35. A server or proxy that compresses a live feed holds heartbeats and rows back until its buffer is full.
test("trap 35: every request asks for an uncompressed answer", () =>
  withDatabase(async ({ database, open }) => {
    await until(open().batches(), live);
    assert.ok(database.requests.every(({ headers }) => headers["accept-encoding"] === "identity"));
  }));

// Trap 36. Node's fetch throws for credentials in a URL, so they go into a field. A token or cookie is old by the time a
// long feed ends, so fields are made anew for each request. After a 401 there is one more attempt at once, and then one
// a minute, and four in five minutes at most: the fifth failure in that time locks the whole host out.
test("trap 36: credentials leave the URL, headers are made for each request, a 401 is tried once more at once", () =>
  withDatabase(async ({ database, time }) => {
    let token = 0;
    const headers = () => ({ "x-token": String(++token) });
    const { sleep } = time;
    const events: unknown[] = [];
    const onEvent = (event: unknown) => events.push(event);
    const feed = changes(database.url.replace("//", "//user:secret@"), { headers, sleep, onEvent });
    const batches = feed.batches();
    await until(batches, live);
    assert.ok(
      database.requests.every(({ url, headers }, index) =>
        !url.href.includes("secret") && headers["x-token"] === String(index + 1)
      ),
    );
    database.fail("any", refuse(401), 9);
    const from = database.requests.length;
    await until(batches, lost);
    assert.equal((await batches.next()).value?.state, "lost");
    const reading = batches.next();
    await time.asleep((ms) => ms === 60_000);
    assert.equal(database.requests.length - from, 2);
    assert.ok(!inspect(events, { depth: 9, showHidden: true }).includes("secret"));
    await feed[Symbol.asyncDispose]();
    await reading;
  }));

// Trap 37. A 403 is that lock-out, or a role that was lost: it is waited out for a minute. 408, 412, 429 and 5xx pass;
// other refusals at the start are final. Credentials do not follow a redirect to another origin.
test("trap 37: a 403 is waited out for a minute", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", refuse(403));
    await until(batches, lost);
    const reading = until(batches, live);
    await time.asleep((ms) => ms === 60_000);
    time.advance(60_000);
    await reading;
  }));

for (const status of [408, 412, 429, 500, 503]) {
  test(`trap 37: a ${status} passes`, () =>
    withDatabase(async ({ database, open }) => {
      database.fail("page", refuse(status));
      await until(open().batches(), live);
    }));
}

for (const status of [400, 405, 414]) {
  test(`trap 37: a ${status} at the start is final`, () =>
    withDatabase(async ({ database, open }) => {
      database.fail("information", refuse(status));
      await assert.rejects(open().batches().next(), { code: "bad-request", status });
    }));
}

test("trap 37: a redirect to another origin is not followed", () =>
  withDatabase(async ({ database, open }) => {
    const elsewhere = { location: "http://localhost:1/db" };
    database.fail("information", (_, response) => json(response, 302, "{}", elsewhere));
    await assert.rejects(open().batches().next(), { code: "bad-request" });
  }));
