/**
 * Every fault of an exchange, once before the database has answered and once after the feed was live: what is final,
 * and what is waited out, for how long at least.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes, type FeedEvent } from "../../src/couchdb/changes.ts";
import { FakeTime } from "../support/fake_time.ts";
import { type Batch, live, until } from "../support/feed_harness.ts";

const SECRET = "secret";
const URL_WITH_SECRET = `http://reader:${SECRET}@db.invalid/blog`;
const MINUTE = 60_000;
/** How many requests a fault lasts that comes after the feed was live. */
const FAULTS = 24;

type Answer = (url: URL) => Response;

const page = (status: number, headers: Record<string, string> = {}): Answer => () =>
  new Response(`<html>${status}</html>`, {
    status,
    headers: { "content-type": "text/html", ...headers },
  });
const bare = (status: number): Answer => () => new Response(null, { status });
const text = (body: string): Answer => () =>
  new Response(body, { headers: { "content-type": "application/json" } });
const refusal = (status: number, error: string, reason: string): Answer => () =>
  Response.json({ error, reason }, { status });
/** Answers `GET /blog` as the database does, and each request for changes with this row. */
const row = (row: string): Answer => (url) => {
  if (!url.pathname.endsWith("_changes")) return information();
  const continuous = url.searchParams.get("feed") === "continuous";
  return text(continuous ? `${row}\n` : `{"results":[${row}],"last_seq":"9-x","pending":0}`)(url);
};

const nest = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const information = () => Response.json({ update_seq: "1-x", instance_start_time: "1", purge_seq: "0-x" });
const known = { seq: "1-x", id: "a", changes: [{ rev: "1-a" }] };

/** A database with one document, which answers as it should once no fault is left. */
class Database {
  /** What is answered instead to the next requests, one each. */
  readonly faults: Answer[] = [];
  readonly origins = new Set<string>();
  requests = 0;
  #cut: () => void = () => {};

  readonly fetch = (
    input: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    this.requests++;
    this.origins.add(url.origin);
    const fault = this.faults.shift();
    return new Promise((resolve) => resolve(fault?.(url) ?? this.#answer(url, init?.signal)));
  };

  /** Breaks the continuous feed. */
  cut(): void {
    this.#cut();
  }

  #answer(url: URL, signal: AbortSignal | null | undefined): Response {
    if (!url.pathname.endsWith("_changes")) return information();
    const { searchParams: query } = url;
    if (query.get("feed") !== "continuous") {
      const results = query.get("since") === "1-x" ? [] : [known];
      return Response.json({ results, last_seq: "1-x", pending: 0 });
    }
    const body = new ReadableStream({
      start: (controller) => {
        this.#cut = () => controller.error(new Error("cut"));
        signal?.addEventListener("abort", () => {
          try {
            controller.error(signal.reason);
          } catch {
            // It is cut already.
          }
        });
      },
    });
    return new Response(body, {
      headers: { "content-type": "application/json" },
    });
  }
}

/** A feed whose waits between attempts are over at once, and noted. They let time pass on the clocks, or do not. */
function openFeed(
  database: Database,
  { waitsPass = true, random = (): number => 0 } = {},
) {
  const time = new FakeTime();
  const events: FeedEvent[] = [];
  const waits: number[] = [];
  let announced: number | undefined;
  const feed = changes(URL_WITH_SECRET, {
    since: 0,
    fetch: database.fetch,
    now: time.now,
    monotonic: time.monotonic,
    random,
    sleep: async (ms, signal) => {
      if (ms !== announced) return await time.sleep(ms, signal);
      announced = undefined;
      if (waitsPass) time.advance(ms);
    },
    onEvent: (event) => {
      events.push(event);
      if (event.type === "retrying") waits.push(announced = event.ms);
    },
  });
  return { feed, events, waits };
}

/** At the start: the code of the final fault, or `waits`. Later: the code that is waited out. */
interface Row {
  readonly fault: Answer;
  readonly start: string;
  readonly later: string;
  /** The code that is waited out at the start; default: that of later. */
  readonly waitedAtStart?: string;
  /** The least wait after the first attempt, in milliseconds; default: the floor of 100. */
  readonly least?: number;
  readonly reset?: string;
}

const rows: Record<string, Row> = {
  "a redirect to another origin": {
    fault: page(302, { location: `https://reader:${SECRET}@status.invalid/` }),
    start: "bad-request",
    later: "bad-request",
  },
  "a redirect to no URL": {
    fault: page(302, { location: "http://[" }),
    start: "bad-request",
    later: "bad-request",
  },
  "a redirect to nowhere": { fault: page(302), start: "bad-request", later: "bad-request" },
  "redirects in a circle": {
    fault: page(307, {
      location: `http://${SECRET}:${SECRET}@db.invalid/circle`,
    }),
    start: "bad-request",
    later: "bad-request",
  },
  "a 401": { fault: page(401), start: "unauthorized", later: "unauthorized", least: 2 * MINUTE },
  "a 401 of CouchDB": {
    fault: refusal(401, "unauthorized", "Name or password is incorrect."),
    start: "unauthorized",
    later: "unauthorized",
    least: 2 * MINUTE,
  },
  "a 403": { fault: page(403), start: "forbidden", later: "forbidden", least: MINUTE },
  "a 404 as a web page": { fault: page(404), start: "not-json", later: "not-json" },
  "a 404 of CouchDB": {
    fault: refusal(404, "not_found", "Database does not exist."),
    start: "not-found",
    later: "not-found",
    reset: "deleted",
  },
  "a 405 in JSON": {
    fault: refusal(405, "method_not_allowed", "x"),
    start: "bad-request",
    later: "bad-request",
  },
  "a 429": { fault: page(429), start: "waits", later: "too-many-requests" },
  "a 429 that asks for time": {
    fault: page(429, { "retry-after": "7" }),
    start: "waits",
    later: "too-many-requests",
    least: 7_000,
  },
  "a web page under 200": { fault: page(200), start: "waits", later: "not-json" },
  "an empty body": { fault: text(""), start: "waits", later: "not-json" },
  "a list": { fault: text("[]"), start: "waits", later: "not-json" },
  "null": { fault: text("null"), start: "waits", later: "not-json" },
  "a deep list": { fault: text(nest(200_000)), start: "waits", later: "not-json" },
  "an error that is an object": {
    fault: text(`{"error":{"toString":1},"reason":${nest(50_000)}}`),
    start: "waits",
    waitedAtStart: "not-json",
    later: "server-error",
  },
  "a row without changes": { fault: row(`{"seq":"9-x","id":"a"}`), start: "bad-row", later: "bad-row" },
  "a row that is deep": { fault: row(`{"x":${nest(100_000)}}`), start: "bad-row", later: "bad-row" },
  "a row with a revision that is null": {
    fault: row(`{"seq":"9-x","id":"a","changes":[{"rev":"1-a"},null]}`),
    start: "bad-row",
    later: "bad-row",
  },
  "a network that fails": {
    fault: () => {
      throw new TypeError("fetch failed");
    },
    start: "waits",
    later: "network",
  },
};
for (const status of [400, 402, 405, 406, 407, 413, 414, 418, 421, 425, 431, 451]) {
  rows[`a ${status} as a web page`] = { fault: page(status), start: "not-json", later: "not-json" };
}
for (const status of [203, 204, 206, 304]) {
  const fault = status === 203 || status === 206 ? page(status) : bare(status);
  rows[`a ${status}`] = { fault, start: "not-json", later: "not-json" };
}
for (const status of [408, 412, 500, 502, 503]) {
  rows[`a ${status}`] = { fault: page(status), start: "waits", later: "server-error" };
}

const shown = (value: unknown): string => inspect(value, { depth: 9, showHidden: true });

for (const [name, row] of Object.entries(rows)) {
  const { fault, start, later, waitedAtStart = later, least = 100, reset } = row;

  test(`changes: ${name} at the start: ${start}`, async () => {
    const database = new Database();
    database.faults.push(...Array<Answer>(12).fill(fault));
    const { feed, events, waits } = openFeed(database);
    const reading = until(feed.batches(), live);
    if (start === "waits") {
      await reading;
      assert.deepEqual([...new Set(codes(events))], [waitedAtStart]);
      assert.ok(
        waits.length >= 3 && waits.slice(1).every((wait) => wait >= least),
        `${waits}`,
      );
    } else {
      const error = await reading.then(() => undefined, (error) => error);
      assert.deepEqual([error?.name, error?.code, waits], [
        "ChangesError",
        start,
        [],
      ]);
      assert.ok(!shown(error).includes(SECRET), shown(error));
    }
    assert.deepEqual([...database.origins], ["http://db.invalid"]);
    await feed[Symbol.asyncDispose]();
  });

  test(`changes: ${name} later passes`, async () => {
    const database = new Database();
    const { feed, events, waits } = openFeed(database, { waitsPass: false });
    const batches = feed.batches();
    await until(batches, live);
    const from = database.requests;
    await breakFeed(batches, events, database, fault);
    const seen = await until(batches, live);
    assert.deepEqual([...new Set(codes(events))], ["truncated", later]);
    assert.deepEqual(
      seen.flatMap(({ reset }) => reset ?? []),
      reset === undefined ? [] : [reset],
    );
    // The attempt after the break of the connection and the one after the first 401 are not waited for.
    const [afterBreak, first, ...others] = waits;
    assert.equal(afterBreak, 0);
    assert.ok((first ?? 0) >= Math.min(least, 100), `${waits}`);
    assert.ok(
      others.length >= 4 && others.every((wait) => wait >= least),
      `${waits}`,
    );
    // The live feed, the faults, and what a reconnection takes.
    assert.ok(database.requests - from <= 1 + FAULTS + 6, `${database.requests - from}`);
    assert.deepEqual([...database.origins], ["http://db.invalid"]);
    assert.ok(!shown([events, seen]).includes(SECRET));
    await feed[Symbol.asyncDispose]();
  });
}

/** Breaks the live feed; the next requests are answered by this fault. */
async function breakFeed(
  batches: AsyncIterator<Batch>,
  events: readonly FeedEvent[],
  database: Database,
  fault: Answer,
): Promise<void> {
  const next = batches.next();
  while (!events.some(({ type }) => type === "connected")) await new Promise((turn) => setTimeout(turn));
  database.faults.push(...Array<Answer>(FAULTS).fill(fault));
  database.cut();
  assert.equal((await next).value.state, "lost");
}

/** The codes of the retries, in order. */
function codes(events: readonly FeedEvent[]): (string | undefined)[] {
  return events.flatMap((event) => event.type === "retrying" ? [event.code] : []);
}

test("changes: a row that keeps coming for a minute is final, and named by the position before it", async () => {
  const database = new Database();
  const { feed, events, waits } = openFeed(database, { random: () => 0.999 });
  const batches = feed.batches();
  await until(batches, live);
  await breakFeed(batches, events, database, row(`{"seq":"9-x","id":"a"}`));
  const error = await until(batches, () => false).then(() => undefined, (error) => error);
  assert.deepEqual([error?.name, error?.code, error?.since], ["ChangesError", "bad-row", 0]);
  const waited = waits.reduce((sum, wait) => sum + wait, 0);
  assert.ok(waited >= MINUTE && waited < MINUTE + 30_000, `${waits}`);
  await feed[Symbol.asyncDispose]();
});

test("changes: a headers function whose fields are illegal is a fault that passes", async () => {
  const time = new FakeTime();
  const database = new Database();
  let calls = 0;
  const feed = changes(URL_WITH_SECRET, {
    fetch: database.fetch,
    headers: () => ++calls < 4 ? { authorization: `Bearer\n${SECRET}` } : {},
    random: () => 0,
    sleep: (ms, signal) => ms === 100 ? Promise.resolve() : time.sleep(ms, signal),
  });
  await until(feed.batches(), live);
  assert.equal(calls > 4, true);
  await feed[Symbol.asyncDispose]();
});
