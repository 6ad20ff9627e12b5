/** Credentials, refusals and redirects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes } from "../../src/couchdb/changes.ts";
import { parseDatabaseUrl } from "../../src/couchdb/wire/database_url.ts";
import { has, ids, live, lost, until, withDatabase } from "../support/feed_harness.ts";
import { type Fault, json } from "../support/scripted_couchdb.ts";

const refuse = (status: number, error: string): Fault => (_, response) =>
  json(response, status, `{"error":"${error}","reason":"Because."}`);

test("parseDatabaseUrl: credentials are decoded and sent in UTF-8 (RFC 7617 §2.1)", () => {
  const { href, authorization } = parseDatabaseUrl("http://j%C3%B6rg:p%40ss%3Aw%2Frd@host:5984/db/");
  assert.equal(href, "http://host:5984/db");
  const bytes = Uint8Array.from(atob(authorization?.slice("Basic ".length) ?? ""), (c) => c.charCodeAt(0));
  assert.equal(new TextDecoder().decode(bytes), "jörg:p@ss:w/rd");
  assert.deepEqual(parseDatabaseUrl(new URL("https://host/a%2Fb")), {
    href: "https://host/a%2Fb",
    authorization: undefined,
  });
});

for (
  const url of [
    "not a url with secret@",
    "ftp://u:secret@host/db",
    "http://u:secret@host:5984",
    "http://u:secret@host/db?a=1",
    "http://u:secret@host/db#a",
    "http://u:secret%ff@host/db",
    "http://u:secret@host:port/db",
  ]
) {
  test(`changes: throws at once, and without the password, for ${url}`, () => {
    assert.throws(() => changes(url), (error: Error) => {
      assert.ok(error instanceof TypeError && !inspect(error).includes("secret"), inspect(error));
      return true;
    });
  });
}

test("changes: credentials in the URL go into the Authorization field, and nowhere else", () =>
  withDatabase(async ({ database, open }) => {
    const url = database.url.replace("//", "//user:secret@");
    const feed = changes(url, { since: 0 });
    database.put("a");
    const seen = await until(feed.batches(), live);
    assert.ok(
      database.requests.every(({ headers }) => headers.authorization === `Basic ${btoa("user:secret")}`),
    );
    const shown = [String(feed), inspect(feed, { depth: 9, showHidden: true }), JSON.stringify([feed, seen])]
      .join();
    assert.ok(!shown.includes("secret") && !shown.includes(btoa("user:secret")), shown);
    await feed[Symbol.asyncDispose]();

    database.fail("any", refuse(401, "unauthorized"));
    const error = await changes(url).batches().next().catch((error) => error);
    assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes("secret"));
    assert.equal(String(open()), `changes of ${database.url}`);
  }));

test("changes: asks for JSON, uncompressed", () =>
  withDatabase(async ({ database, open }) => {
    await until(open().batches(), live);
    for (const { headers } of database.requests) {
      assert.deepEqual([headers.accept, headers["accept-encoding"]], ["application/json", "identity"]);
    }
  }));

test("changes: a headers function is asked for every request, and replaces the URL's credentials", () =>
  withDatabase(async ({ database }) => {
    let token = 0;
    const headers = () => Promise.resolve({ Authorization: `Bearer ${++token}` });
    const feed = changes(database.url.replace("//", "//user:secret@"), { since: 0, headers });
    await until(feed.batches(), live);
    const sent = database.requests.map(({ headers }) => headers.authorization);
    assert.deepEqual(sent, sent.map((_, index) => `Bearer ${index + 1}`));
    await feed[Symbol.asyncDispose]();
  }));

test("changes: a headers function that fails for a while is a fault that passes", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    let calls = 0;
    const headers = () => {
      if (++calls < 3) throw new Error("no token yet");
      return {};
    };
    assert.deepEqual(ids(await until(open({ since: 0, headers }).batches(), live)), ["a"]);
  }));

for (
  const [status, error, code] of [
    [401, "unauthorized", "unauthorized"],
    [403, "forbidden", "forbidden"],
    [404, "not_found", "not-found"],
    [405, "method_not_allowed", "bad-request"],
  ] as const
) {
  test(`changes: ${status} at the start is final`, () =>
    withDatabase(async ({ database, open }) => {
      database.fail("any", refuse(status, error), 9);
      const feed = open();
      const batches = feed.batches();
      await assert.rejects(batches.next(), { name: "ChangesError", code, status });
      assert.deepEqual(await batches.next(), { done: true, value: undefined });
      assert.equal(database.requests.length, 1);
    }));
}

test("changes: a page of a proxy with 404 is final at the start, and passes later", () =>
  withDatabase(async ({ database, open }) => {
    const page: Fault = (_, response) => json(response, 404, "<html>", { "content-type": "text/html" });
    database.fail("any", page);
    await assert.rejects(open().batches().next(), { code: "not-json", status: 404 });
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", page);
    const seen = await until(batches, lost);
    assert.equal(seen.at(-1)?.reset, undefined);
    await until(batches, live);
  }));

test("changes: a later 401 is tried once with fresh headers", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", refuse(401, "unauthorized"));
    await until(batches, lost);
    const reading = until(batches, has("a"));
    await database.asked("continuous", database.requests.length);
    database.put("a");
    await reading;
  }));

test("changes: a second 401 is waited out for a minute", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("any", refuse(401, "unauthorized"), 2);
    const from = database.requests.length;
    await until(batches, lost);
    const reading = until(batches, live);
    await time.asleep((ms) => ms === 60_000);
    assert.equal(database.requests.length - from, 2);
    time.advance(60_000);
    await reading;
  }));

test("changes: a later 403 is waited out, a minute at least", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.fail("continuous", refuse(403, "forbidden"));
    await until(batches, lost);
    const reading = until(batches, live);
    await time.asleep((ms) => ms === 60_000);
    time.advance(60_000);
    await reading;
  }));

test("changes: a redirect within the origin is followed, one to another is not", () =>
  withDatabase(async ({ database, open }) => {
    const to = (location: string): Fault => (_, response) => json(response, 302, "", { location });
    database.fail("information", to("/db?moved"));
    await until(open().batches(), live);
    assert.ok(database.requests.some(({ url }) => url.search === "?moved"));

    await withDatabase(async ({ database: other }) => {
      database.fail("information", to(other.url));
      const headers = { authorization: "Bearer secret" };
      await assert.rejects(open({ headers }).batches().next(), { code: "bad-request", status: 302 });
      assert.equal(other.requests.length, 0);
    });
  }));

test("changes: a row that cannot be read is final at the start; what precedes it is yielded first", async () => {
  for (
    const bad of [
      `{"seq":"9-g1","id":}`,
      `{"seq":"9-g1","changes":[{"rev":"1-a"}]}`,
      `{"seq":"9-g1","id":"x"}`,
    ]
  ) {
    const good = `{"seq":"8-g1","id":"good","changes":[{"rev":"1-a"}]}`;
    await withDatabase(async ({ database, open }) => {
      const batches = open().batches();
      await until(batches, live);
      const reading = until(batches, has("good"));
      await database.asked("continuous", 0);
      database.send(`${good}\n${bad}\n`);
      await reading;
      await until(batches, lost);
    });
    await withDatabase(async ({ database, open }) => {
      database.fail(
        "page",
        (_, response) =>
          json(response, 200, `{"results":[\n${good},\r\n${bad}\n],\n"last_seq":"9-g1","pending":0}\n`),
      );
      const batches = open({ since: 0 }).batches();
      await assert.rejects(until(batches, () => false), { code: "bad-row" });
    });
  }
});

test("changes: illegal options throw at once, naming the value", () => {
  const url = "http://localhost:5984/db";
  const illegal: [Record<string, unknown>, RegExp][] = [
    [{ since: "" }, /since.*""/],
    [{ since: -1 }, /since.*-1/],
    [{ since: 1.5 }, /since.*1\.5/],
    [{ since: null }, /since.*null/],
    [{ since: NaN }, /since.*NaN/],
    [{ heartbeat: 0 }, /heartbeat.*0/],
    [{ heartbeat: "fast" }, /heartbeat.*"fast"/],
    [{ batchSize: 0 }, /batchSize.*0/],
    [{ batchSize: 1_001 }, /batchSize.*1001/],
    [{ maxLag: 0 }, /maxLag.*0/],
    [{ maxLag: NaN }, /maxLag.*NaN/],
  ];
  for (const [options, message] of illegal) assert.throws(() => changes(url, options), message);
  assert.throws(() => changes(url, { headers: { authorization: "Bearer\nsecret" } }), (error: Error) => {
    return error instanceof TypeError && /authorization/.test(error.message) &&
      !/secret/.test(inspect(error));
  });
  const feed = changes(url);
  for (const from of [{ since: "now", source: "s" }, { since: "1-x" }, null]) {
    assert.throws(() => feed.batches(from as never), TypeError);
  }
  assert.throws(() => feed.batches(undefined, { maxLag: -5 }), /maxLag.*-5/);
});
