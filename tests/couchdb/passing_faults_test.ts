/**
 * Every row of the table of faults in docs/changes.md, with each fault that belongs to it, at three times: before the
 * database has answered, before the feed was live, and later. The cells of the table say what has to happen.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes, ChangesError, type FeedEvent } from "../../src/couchdb/changes.ts";
import { FakeTime } from "../support/fake_time.ts";
import { type Batch, BUDGET, live, until } from "../support/feed_harness.ts";

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
  /** What is answered to every request, while there is something. */
  outage: () => Answer | undefined = () => undefined;
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
    const fault = this.outage() ?? this.faults.shift();
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
  { waitsPass = true, random = (): number => 0, time = new FakeTime() } = {},
) {
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
      if (ms === BUDGET) return;
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

/** One line of the table: what happens at which time, and how long is waited. */
interface Line {
  readonly codes: string;
  readonly start: string;
  readonly between: string;
  readonly later: string;
  readonly waits: string;
}

/** The table, by its first cells. */
const table: ReadonlyMap<string, Line> = new Map(
  readFileSync(new URL("../../docs/changes.md", import.meta.url), "utf8")
    .split("## Faults", 2)[1]!.split("\n## ", 1)[0]!
    .split("\n").filter((line) => /^\| (?!-|fault )/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .map(([fault, codes, start, between, later, waits]) =>
      [fault, { codes, start, between, later, waits }] as [string, Line]
    ),
);

/** A fault, its code, and the first words of its row. Some answers to `GET /blog` have another code than rows have. */
interface Fault {
  readonly answer: Answer;
  readonly code: string;
  readonly of: string;
}

const faults: Record<string, Fault> = {
  "a network that fails": {
    answer: () => {
      throw new TypeError("fetch failed");
    },
    code: "network",
    of: "no connection",
  },
  "an answer that breaks off": {
    answer: () =>
      new Response(new ReadableStream({ start: (controller) => controller.error(new Error("reset")) })),
    code: "truncated",
    of: "no connection",
  },
  "an error object": {
    answer: text(`{"error":"nodedown","reason":"progress not possible"}`),
    code: "server-error",
    of: "408",
  },
  "an error that is an object": {
    answer: row(`{"error":{"toString":1},"reason":${nest(50_000)}}`),
    code: "server-error",
    of: "408",
  },
  "a 429": { answer: page(429), code: "too-many-requests", of: "429" },
  "a web page under 200": { answer: page(200), code: "not-json", of: "a web page" },
  "an empty body": { answer: text(""), code: "not-json", of: "a web page" },
  "an empty list": { answer: text("[]"), code: "not-json", of: "a web page" },
  "null": { answer: text("null"), code: "not-json", of: "a web page" },
  "a deep list": { answer: text(nest(200_000)), code: "not-json", of: "a web page" },
  "an object of another kind": { answer: text(`{"ok":true}`), code: "not-json", of: "a web page" },
  "a redirect to another origin": {
    answer: page(302, { location: `https://reader:${SECRET}@status.invalid/` }),
    code: "bad-request",
    of: "a redirect",
  },
  "a redirect to no URL": {
    answer: page(302, { location: "http://[" }),
    code: "bad-request",
    of: "a redirect",
  },
  "a redirect to nowhere": { answer: page(302), code: "bad-request", of: "a redirect" },
  "redirects in a circle": {
    answer: page(307, { location: `http://${SECRET}:${SECRET}@db.invalid/circle` }),
    code: "bad-request",
    of: "a redirect",
  },
  "a 405 in JSON": {
    answer: refusal(405, "method_not_allowed", "x"),
    code: "bad-request",
    of: "a 4xx of CouchDB",
  },
  "a filter that is missing": {
    answer: refusal(404, "not_found", "missing json key: filters"),
    code: "bad-request",
    of: "a 4xx of CouchDB",
  },
  "a design document that is missing": {
    answer: refusal(404, "not_found", "(missing)"),
    code: "bad-request",
    of: "a 4xx of CouchDB",
  },
  "a 401": { answer: page(401), code: "unauthorized", of: "401" },
  "a 401 of CouchDB": {
    answer: refusal(401, "unauthorized", "Name or password is incorrect."),
    code: "unauthorized",
    of: "401",
  },
  "a 403": { answer: page(403), code: "forbidden", of: "403" },
  "a 403 that locks out": {
    answer: refusal(
      403,
      "forbidden",
      "Account is temporarily locked due to multiple authentication failures",
    ),
    code: "forbidden",
    of: "403",
  },
  "a 403 of a lost role": {
    answer: refusal(403, "forbidden", "You are not allowed to access this db."),
    code: "forbidden",
    of: "lost role",
  },
  "a 404 of CouchDB": {
    answer: refusal(404, "not_found", "Database does not exist."),
    code: "not-found",
    of: "404",
  },
  "a page of too many rows": {
    answer: (url) =>
      url.pathname.endsWith("_changes")
        ? Response.json({ results: Array(1_001).fill(known), last_seq: "9-x", pending: 0 })
        : information(),
    code: "too-large",
    of: "an answer or a line",
  },
  "a row without changes": { answer: row(`{"seq":"9-x","id":"a"}`), code: "bad-row", of: "a row" },
  "a row that is deep": { answer: row(`{"x":${nest(100_000)}}`), code: "bad-row", of: "a row" },
  "a row with a revision that is null": {
    answer: row(`{"seq":"9-x","id":"a","changes":[{"rev":"1-a"},null]}`),
    code: "bad-row",
    of: "a row",
  },
};
for (const status of [400, 402, 404, 405, 406, 407, 413, 414, 418, 421, 425, 431, 451]) {
  faults[`a ${status} as a web page`] = { answer: page(status), code: "not-json", of: "a 4xx without" };
}
for (const status of [203, 204, 206, 304]) {
  const answer = status === 203 || status === 206 ? page(status) : bare(status);
  faults[`a ${status}`] = { answer, code: "not-json", of: "a 4xx without" };
}
for (const status of [408, 412, 500, 502, 503, 504, 507]) {
  faults[`a ${status}`] = { answer: page(status), code: "server-error", of: "408" };
}
/** What CouchDB answers to another URL, where `GET /blog` was meant. */
const OTHER_URLS: Record<string, string> = {
  "a server": `{"couchdb":"Welcome","version":"3.5.0"}`,
  "a session": `{"ok":true,"userCtx":{"name":null,"roles":[]}}`,
  "a changes feed": `{"results":[],"last_seq":"1-x","pending":0}`,
  "a view": `{"total_rows":0,"offset":0,"rows":[]}`,
  "a document": `{"_id":"post","_rev":"1-a"}`,
  "a list": `["_replicator","_users","blog"]`,
};
for (const [name, body] of Object.entries(OTHER_URLS)) {
  const answer: Answer = (url) => url.pathname.endsWith("_changes") ? text("{}")(url) : text(body)(url);
  faults[`the URL of ${name}`] = { answer, code: "bad-request", of: "the URL of" };
}

const shown = (value: unknown): string => inspect(value, { depth: 9, showHidden: true });

function lineOf(of: string): Line {
  const lines = [...table].filter(([fault]) => fault.startsWith(of));
  assert.equal(lines.length, 1, `${lines.length} rows of the table begin with "${of}"`);
  return lines[0]![1];
}

/** The least wait that a cell names, apart from the first after a connection that was good. */
function leastWait(waits: string): number {
  return waits.includes("a minute") ? MINUTE : 100;
}

test("docs/changes.md: each row of the table of faults has a fault in these tests", () => {
  const tested = Object.values(faults).map(({ of }) => of);
  const elsewhere = ["a `headers` function"];
  const untested = [...table.keys()].filter((fault) =>
    ![...tested, ...elsewhere].some((of) => fault.startsWith(of))
  );
  assert.deepEqual(untested, []);
});

for (const [name, { answer, code, of }] of Object.entries(faults)) {
  const { codes: listed, start, between, later, waits: cell } = lineOf(of);

  /** The fault comes from the request after `good` ones on. */
  const early = async (outcome: string, good: number) => {
    const database = new Database();
    database.faults.push(...Array<Answer>(good).fill(information), ...Array<Answer>(12).fill(answer));
    const { feed, events, waits } = openFeed(database);
    const reading = until(feed.batches(), live);
    if (outcome === "final") {
      const error = await reading.then(() => undefined, (error) => error);
      assert.deepEqual([error?.name, error?.code, waits], ["ChangesError", code, []]);
      assert.deepEqual(events.at(-1), { type: "closed", code, error });
      assert.equal(Object.is((events.at(-1) as { error?: unknown }).error, error), true);
    } else {
      assert.match(outcome, /^waited out|^reset/);
      await reading;
      assert.ok(waits.length >= 3 && waits.slice(1).every((wait) => wait >= leastWait(cell)), `${waits}`);
    }
    assert.ok(!shown([events]).includes(SECRET), shown(events));
    assert.deepEqual([...database.origins], ["http://db.invalid"]);
    await feed[Symbol.asyncDispose]();
  };

  test(`changes: ${name} at the start: ${start}`, () => early(start, 0));
  if (!name.startsWith("the URL of")) {
    test(`changes: ${name} before the feed is live: ${between}`, () => early(between, 1));
  }

  test(`changes: ${name} later passes`, async () => {
    const database = new Database();
    const { feed, events, waits } = openFeed(database, { waitsPass: false });
    const batches = feed.batches();
    await until(batches, live);
    const from = database.requests;
    await breakFeed(batches, events, database, answer);
    const seen = await until(batches, live);
    assert.ok(listed.includes(`\`${code}\``), listed);
    assert.deepEqual(
      new Set(codes(events)),
      new Set(["truncated", ...name.startsWith("the URL of") ? codes(events).slice(1) : [code]]),
    );
    assert.deepEqual(
      seen.flatMap(({ reset }) => reset ?? []),
      /reset `(.+)`/.exec(later)?.slice(1) ?? [],
    );
    // The attempt after the break of the connection and the one after the first 401 are not waited for.
    const [afterBreak, first, ...others] = waits;
    assert.equal(afterBreak, 0);
    assert.ok((first ?? 0) >= 0, `${waits}`);
    assert.ok(others.length >= 4 && others.every((wait) => wait >= leastWait(cell)), `${waits}`);
    // The live feed, the faults, and what a reconnection takes.
    assert.ok(database.requests - from <= 1 + FAULTS + 6, `${database.requests - from}`);
    assert.deepEqual([...database.origins], ["http://db.invalid"]);
    for (const event of events) {
      if (event.type !== "lost" && event.type !== "retrying") continue;
      assert.ok(event.error instanceof ChangesError && event.error.code === event.code, shown(event));
    }
    assert.ok(!shown([events, seen]).includes(SECRET));
    await feed[Symbol.asyncDispose]();
  });
}

for (const [name, { answer, code, of }] of Object.entries(faults)) {
  const { waits: cell } = lineOf(of);
  if (!cell.includes("4 s") || code === "bad-row" || code === "too-large") continue;
  test(`changes: after an outage of ${name}, the feed is live within five seconds`, async () => {
    for (const outage of [1_000, 20_000, 55_000]) {
      const time = new FakeTime();
      const database = new Database();
      const { feed, events } = openFeed(database, { random: () => 0.999, time });
      const batches = feed.batches();
      await until(batches, live);
      const next = batches.next();
      while (!events.some(({ type }) => type === "connected")) await new Promise((turn) => setTimeout(turn));
      const end = time.monotonic() + outage;
      database.outage = () => time.monotonic() < end ? answer : undefined;
      database.cut();
      await next;
      await until(batches, live);
      assert.ok(time.monotonic() - end <= 5_000, `${time.monotonic() - end} ms after ${outage}`);
      await feed[Symbol.asyncDispose]();
    }
  });
}

test("changes: what cannot be reached is told apart by the message", async () => {
  const causes = ["getaddrinfo ENOTFOUND db.invalid", "bad port", "self-signed certificate"];
  for (const message of causes) {
    const database = new Database();
    database.faults.push(() => {
      throw new TypeError("fetch failed", { cause: new Error(message) });
    });
    const { feed, events } = openFeed(database);
    await until(feed.batches(), live);
    const error = events.flatMap((event) => event.type === "lost" ? event.error ?? [] : [])[0]!;
    assert.deepEqual([error.code, error.message], ["network", `The database cannot be reached: ${message}`]);
    assert.equal(((error.cause as Error).cause as Error).message, message);
    await feed[Symbol.asyncDispose]();
  }
});

test("changes: a URL that is no database's says of what it is", async () => {
  for (const [name, body] of Object.entries(OTHER_URLS)) {
    const feed = changes(URL_WITH_SECRET, {
      fetch: () => Promise.resolve(text(body)(new URL(URL_WITH_SECRET))),
    });
    await assert.rejects(feed.batches().next(), {
      code: "bad-request",
      message: `The URL is that of ${name}, not of a database`,
    });
  }
});

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
