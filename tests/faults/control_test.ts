/** What a consumer does to a feed whose database is in trouble: nothing stays open, nothing is shown or sent astray. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type ChangesError, type ChangesOptions, cookieSession } from "../../src/couchdb/changes.ts";
import { FaultyCouchdb } from "./faulty_couchdb.ts";
import { paced } from "./ours.ts";

const pace = 20;

async function withFaulty(test: (database: FaultyCouchdb) => Promise<void>): Promise<void> {
  const database = await FaultyCouchdb.start(pace);
  database.put("old");
  try {
    await test(database);
  } finally {
    database.close();
  }
}

const open = (database: FaultyCouchdb, options: ChangesOptions = {}) =>
  changes(`${database.origin}/db`, { ...paced(pace), since: 0, ...options });

const moments: Record<string, (database: FaultyCouchdb) => Promise<unknown>> = {
  "connecting": (database) => {
    database.replace("any", () => {});
    return database.until(() => database.requests.length > 0);
  },
  "waiting for a page": (database) => {
    database.replace("changes", (exchange) => {
      exchange.start();
      exchange.write(`{"results":[\n`);
    });
    return database.until(() => database.requests.length > 1);
  },
  "reading": (database) => database.followed(),
  "reading half a row": (database) => {
    const half = new Promise<void>((resolve) =>
      database.spoil((exchange, rows) => {
        exchange.write(rows.slice(0, 20));
        resolve();
        return false;
      })
    );
    void database.followed().then(() => database.put("half"));
    return half;
  },
  "backing off": (database) => {
    database.replace("any", (exchange) => exchange.respond(503, "{}", { "retry-after": "3600" }));
    return database.until(() => database.requests.length > 0);
  },
};

for (const [moment, reached] of Object.entries(moments)) {
  for (const how of ["abort", "return", "dispose"] as const) {
    test(`changes: ${how} while ${moment} settles next() and leaves no connection`, () =>
      withFaulty(async (database) => {
        const controller = new AbortController();
        const feed = open(database, { signal: controller.signal });
        const iterator = feed[Symbol.asyncIterator]();
        const ends = (async () => {
          for (let result = await iterator.next();; result = await iterator.next()) {
            if (result.done) return "done";
          }
        })().catch((error) => (error as ChangesError).code);
        await reached(database);
        if (how === "abort") controller.abort();
        if (how === "return") await iterator.return?.();
        if (how === "dispose") await feed[Symbol.asyncDispose]();
        assert.equal(await ends, how === "abort" ? "aborted" : "done");
        // A connection kept for reuse may stay; one that a request waits on may not.
        const last = database.requests.at(-1);
        if (moment !== "backing off") await last?.closed;
      }));
  }
}

test("changes: a session cookie that expired while the feed was open is renewed, and nothing is lost", () =>
  withFaulty(async (database) => {
    database.cookie = "AuthSession=first";
    const fetch = cookieSession(database.origin, { name: "reader", password: "secret" });
    const feed = open(database, { fetch });
    const iterator = feed[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value.id, "old");
    const next = iterator.next();
    await database.followed();
    database.cookie = "AuthSession=second";
    database.endFeeds();
    database.put("during");
    assert.equal((await next).value.id, "during");
    const logins = database.requests.filter(({ url }) => url.pathname === "/_session");
    assert.deepEqual(logins.map(({ body }) => body.includes("secret")), [true, true]);
    await feed[Symbol.asyncDispose]();
  }));

test("changes: credentials are not sent to another origin that a redirect names", () =>
  withFaulty((database) =>
    withFaulty(async (other) => {
      database.replace("any", (exchange) => exchange.respond(302, "", { location: `${other.origin}/db` }));
      const feed = open(database, { headers: { authorization: "Bearer secret" } });
      await assert.rejects(feed.batches().next(), { code: "bad-request", status: 302 });
      assert.equal(other.requests.length, 0);
    })
  ));

test("changes: a database that is not there is an error that says so", () =>
  withFaulty(async (database) => {
    database.exists = false;
    await assert.rejects(open(database).batches().next(), { code: "not-found", status: 404 });
  }));
