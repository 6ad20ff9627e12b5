/** What a consumer does to a feed whose database is in trouble: nothing stays open, nothing is shown or sent astray. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, ChangesError, type ChangesOptions } from "../../src/couchdb/changes.ts";
import { FaultyCouchdb } from "./faulty_couchdb.ts";
import { paced } from "./ours.ts";

const pace = 20;

async function withFaulty(test: (database: FaultyCouchdb) => Promise<void>): Promise<void> {
  const database = await FaultyCouchdb.start(pace);
  database.put("old");
  try {
    await test(database);
  } finally {
    await database.close();
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
