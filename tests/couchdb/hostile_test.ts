/**
 * A server that is broken or hostile: pages that lead nowhere, answers that drip or do not end, sizes beyond reason.
 * Whatever it does, requests stay few, memory is bounded, and each fault has a name.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type ChangesError, type FeedEvent } from "../../src/couchdb/changes.ts";
import { RowScanner } from "../../src/couchdb/wire/row_scanner.ts";
import { Rows } from "../../src/couchdb/wire/rows.ts";
import { parsePage } from "../../src/couchdb/wire/page.ts";
import { Progress } from "../../src/couchdb/reader/progress.ts";
import fc from "../support/fast_check.ts";
import { FakeTime } from "../support/fake_time.ts";
import { type Answer, GoodDatabase, misdeeds } from "../hostile/misdeeds.ts";
import { Rate } from "../hostile/rate.ts";
import { Random } from "../simulation/random.ts";

const JSON_TYPE = { headers: { "content-type": "application/json" } };
const row = (n: number, id = `d${n}`) => ({ seq: `${n}-x`, id, changes: [{ rev: "1-a" }] });
const info = () => Response.json({ update_seq: "9-x", instance_start_time: "1", purge_seq: "0-x" });
const page = (rows: object[], last: number, pending: number) =>
  Response.json({ results: rows, last_seq: `${last}-x`, pending });

type Misdeed = (url: URL, request: number) => Response;

/** Never ends, and sends `bytes` whenever it is asked for more, of which at most `chunks` without a pause. */
function endless(bytes: Uint8Array, chunks = Infinity): Response {
  let sent = 0;
  return new Response(
    new ReadableStream({
      pull: async (controller) => {
        if (sent++ >= chunks) await new Promise(() => {});
        controller.enqueue(bytes);
      },
    }, { highWaterMark: 0 }),
    JSON_TYPE,
  );
}

const isInfo = (url: URL) => !url.pathname.endsWith("_changes");
const isContinuous = (url: URL) => url.searchParams.get("feed") === "continuous";

/** What is done to requests for changes; `GET /blog` is answered well. */
const pages: Record<string, Misdeed> = {
  "the same page again and again": () => page([row(5)], 5, 4),
  "an empty page that leads back": () => page([row(3)], 3, 4),
  "pages in a circle of two": (_, n) => page([row(n % 2)], n % 2, 4),
  "pages in a circle of seven": (_, n) => page([row(n % 7)], n % 7, 4),
  "new rows without end, one a page": (_, n) => page([row(n)], n, 4),
  "a page of too many rows": () => page(Array.from({ length: 3_000 }, (_, n) => row(n)), 3_000, 0),
  "a pending that is no number": () =>
    new Response(
      `{"results":[{"seq":"5-x","id":"a","changes":[{"rev":"1-a"}]}],"last_seq":"5-x","pending":1e999}`,
      JSON_TYPE,
    ),
  "nesting beyond reason": () =>
    new Response(
      `{"results":[${"[".repeat(100_000)}${"]".repeat(100_000)}],"last_seq":"1-x","pending":0}`,
      JSON_TYPE,
    ),
  "a position beyond reason": () =>
    new Response(
      `{"results":[],"last_seq":${"[".repeat(50_000)}${"]".repeat(50_000)},"pending":5}`,
      JSON_TYPE,
    ),
  "a row that comes and goes": (url, n) =>
    isContinuous(url)
      ? new Response(`${JSON.stringify(row(n))}\n{"last_seq":"${n}-x","pending":0}\n`, JSON_TYPE)
      : page([row(n)], n, 0),
};

for (const [name, misdeed] of Object.entries(pages)) {
  for (const feed of ["continuous", "longpoll"] as const) {
    test(`changes: ${name}, ${feed}: at most five requests a second, and a name for its end`, async () => {
      const time = new FakeTime();
      let announced = -1;
      let requests = 0;
      const rate = new Rate(10_000);
      let good = false;
      const states = new Set<string>();
      const controller = new AbortController();
      const batches = changes("http://db.invalid/blog", {
        since: 0,
        feed,
        now: time.now,
        monotonic: time.monotonic,
        random: () => 0.5,
        // The waits between attempts and between pages pass at once, and deadlines never.
        sleep: (ms, signal) => {
          if (ms !== announced && ms > 1_000) return time.sleep(ms, signal);
          if (ms === announced) announced = -1;
          time.advance(ms);
          return Promise.resolve();
        },
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "retrying") announced = event.ms;
        },
        fetch: async (input) => {
          // A turn of the loop, as a socket takes.
          await new Promise((resolve) => setTimeout(resolve));
          const url = new URL(String(input));
          requests++;
          time.advance(1);
          rate.note(time.monotonic());
          if (isInfo(url)) return Promise.resolve(info());
          return Promise.resolve(misdeed(url, requests));
        },
      }).batches();
      const start = time.monotonic();
      const reading = (async () => {
        for await (const { state } of batches) {
          states.add(state);
          await new Promise((turn) => setTimeout(turn));
        }
      })().catch((error) => error as ChangesError);
      // Before it is live, some of these end the feed, with a name.
      const turn = () => new Promise<false>((resolve) => setTimeout(() => resolve(false)));
      for (let turns = 0; turns < 200 && !good && requests < 200; turns++) {
        if (await Promise.race([reading.then(() => true), turn()])) break;
        good = time.monotonic() - start > 600_000;
      }
      assert.ok(rate.most <= 50, `${rate.most} requests in ten seconds`);
      controller.abort();
      const outcome = await reading;
      if (outcome !== undefined) assert.equal(outcome.name, "ChangesError");
    });
  }
}

test("Progress: a circle of any length is found within twice the pages, and a way without one never", () => {
  fc.assert(fc.property(fc.nat(20), fc.integer({ min: 1, max: 60 }), (tail, length) => {
    const progress = new Progress("start");
    let pages = 0;
    const walk = () => {
      for (;; pages++) {
        const at = pages < tail ? pages : tail + (pages - tail) % length;
        const rows = new Rows("x");
        rows.since = `${at}-x`;
        progress.note(rows, 1_000);
      }
    };
    assert.throws(walk, { code: "server-error" });
    assert.ok(pages <= 4 * (tail + length) + 2, `${pages} pages for ${tail} and ${length}`);
  }));
  const progress = new Progress(0);
  for (let n = 1; n < 10_000; n++) {
    const rows = new Rows(n - 1);
    rows.since = n;
    progress.note(rows, 1_000);
  }
});

test("Progress: full pages follow one another at once, others are waited for, up to a second", () => {
  const progress = new Progress(0);
  const note = (n: number, size: number) => {
    const rows = new Rows(n - 1);
    rows.addResults(Array.from({ length: size }, (_, at) => row(at)));
    rows.since = n;
    return progress.note(rows, 3);
  };
  const sizes = [3, 3, ...Array(16).fill(2), 3, 2];
  assert.deepEqual(sizes.map((size, n) => note(n + 1, size)), [
    ...[0, 0, ...Array(10).fill(0), 100, 200, 400, 800, 1_000, 1_000, 0, 0],
  ]);
});

test("RowScanner: a line that does not end is given up, however small its pieces are", () => {
  for (const size of [1, 100, 65_536]) {
    const scanner = new RowScanner(1_000_000);
    const rows = new Rows(0);
    let held = 0;
    while (rows.fault === undefined && held < 5_000_000) {
      scanner.push(new Uint8Array(size).fill(120), rows);
      held += size;
    }
    assert.equal(rows.fault?.code, "too-large");
    assert.ok(held <= 1_100_000, `${held}`);
  }
});

test("parsePage: more rows than are ever asked for are a fault", () => {
  const text = (rows: number) =>
    JSON.stringify({ results: Array.from({ length: rows }, (_, n) => row(n)), last_seq: "9-x", pending: 0 });
  assert.equal(parsePage(text(1_000), 0, 3).rows.changes.length, 1_000);
  assert.equal(parsePage(text(1_001), 0, Infinity).rows.changes.length, 1_001);
  assert.throws(() => parsePage(text(1_001), 0, 3), { code: "too-large" });
});

for (const feed of ["continuous", "longpoll"] as const) {
  test(`changes: an answer without end is given up with a name, ${feed}`, async () => {
    const chunk = new Uint8Array(65_536).fill(32);
    let read = 0;
    const options = {
      since: 0,
      feed,
      fetch: (input: string) => {
        if (isInfo(new URL(input))) return Promise.resolve(info());
        const response = endless(chunk);
        read++;
        return Promise.resolve(response);
      },
    };
    const feedOf = changes("http://db.invalid/blog", options);
    await assert.rejects(feedOf.batches().next(), {
      code: "too-large",
      message: "The answer is longer than 16 MiB",
    });
    assert.equal(read, 1);
    assert.ok(feedOf.counters.bytes <= 17 * 1_048_576);
  });
}

test("changes: an error of any length has its status", async () => {
  const feed = changes("http://db.invalid/blog", {
    fetch: () =>
      Promise.resolve(new Response(endless(new Uint8Array(65_536).fill(32)).body, { status: 403 })),
  });
  await assert.rejects(feed.batches().next(), { code: "forbidden", status: 403 });
  assert.ok(feed.counters.bytes < 200_000);
});

test("changes: a page that drips has maxLag in all, and is then asked for with half the rows", async () => {
  const limits: string[] = [];
  const events: FeedEvent[] = [];
  const feed = changes("http://db.invalid/blog", {
    since: 0,
    maxLag: 1_000,
    random: () => 0,
    onEvent: (event) => events.push(event),
    fetch: (input, { signal }) => {
      const url = new URL(input);
      if (isInfo(url)) return Promise.resolve(info());
      if (isContinuous(url)) return Promise.resolve(endless(new Uint8Array(), 0));
      limits.push(url.searchParams.get("limit") ?? "");
      if (limits.length > 1) return Promise.resolve(page([row(9)], 9, 0));
      const drip = new ReadableStream({
        start: (controller) => {
          const timer = setInterval(() => controller.enqueue(new Uint8Array([32])), 50);
          signal?.addEventListener("abort", () => clearInterval(timer));
        },
      });
      return Promise.resolve(new Response(drip, JSON_TYPE));
    },
  });
  const batches = feed.batches();
  const began = performance.now();
  for (let state = ""; state !== "live";) state = (await batches.next()).value?.state ?? "live";
  assert.deepEqual(limits.slice(0, 2), ["1000", "500"]);
  assert.ok(performance.now() - began < 5_000);
  const errors = events.flatMap((event) => event.type === "lost" ? event.error?.message ?? [] : []);
  assert.deepEqual(errors, ["The database's answer did not arrive within maxLag"]);
  await batches.return?.();
});

/** The response that an answer describes. */
async function respond(answer: Answer, signal: AbortSignal, time: FakeTime): Promise<Response> {
  if (answer.delay !== undefined) await time.sleep(answer.delay, signal);
  signal.throwIfAborted();
  if (answer.raw !== undefined) throw new TypeError("the connection broke");
  const bytes = new TextEncoder().encode(answer.body);
  let isFirst = true;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      signal.addEventListener("abort", () => {
        try {
          controller.error(signal.reason);
        } catch {
          // It has ended already.
        }
      });
    },
    pull: async (controller) => {
      if (isFirst && bytes.length > 0) {
        isFirst = false;
        return controller.enqueue(bytes.slice());
      }
      switch (answer.ending) {
        case "whole":
          return controller.close();
        case "cut":
          return controller.error(new TypeError("the connection broke"));
        case "hang":
          return await new Promise(() => {});
        case "drip":
          await time.sleep(900, signal);
          return controller.enqueue(new Uint8Array([32]));
        case "endless":
          controller.enqueue(bytes.slice());
      }
    },
  }, { highWaterMark: 0 });
  const { status, headers } = answer;
  return new Response([204, 205, 304].includes(status) ? null : body, { status, headers });
}

for (const feed of ["continuous", "longpoll"] as const) {
  for (const seed of [1, 2]) {
    test(`changes: everything at random, ${feed}, seed ${seed}: few requests, and live five seconds after it behaves`, async () => {
      const time = new FakeTime();
      const random = new Random(seed);
      const rate = new Rate(10_000);
      const good = new GoodDatabase();
      const open = new Set<AbortController>();
      let behaves = true;
      let requests = 0;
      const states: string[] = [];
      const copy = new Set<string>();
      const controller = new AbortController();
      const batches = changes("http://db.invalid/blog", {
        since: 0,
        feed,
        now: time.now,
        monotonic: time.monotonic,
        sleep: time.sleep,
        random: random.next,
        signal: controller.signal,
        fetch: (input, { signal }) => {
          rate.note(time.monotonic());
          const connection = new AbortController();
          open.add(connection);
          signal?.addEventListener("abort", () => connection.abort(signal.reason));
          const url = new URL(input);
          const kind = random.pick(Object.keys(misdeeds));
          const answer = behaves ? good.answer(url) : misdeeds[kind]!(random, ++requests);
          // What hangs is cut some time later: there are more misdeeds than one.
          const cut = () => connection.abort(new TypeError("the connection broke"));
          if (!behaves) void time.sleep(random.integer(100, 3_000), connection.signal).then(cut);
          return respond(answer, connection.signal, time);
        },
      }).batches();
      const reading = (async () => {
        for await (const { state, changes } of batches) {
          states.push(state);
          for (const { id } of changes) copy.add(id);
        }
      })().catch((error) => error as ChangesError);
      /** Lets time pass, a tenth of a second at most between two turns, until something holds. */
      const pass = async (ms: number, holds = () => false) => {
        for (const end = time.monotonic() + ms; time.monotonic() < end && !holds();) {
          for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
          time.advance(Math.max(1, Math.min(100, time.next, end - time.monotonic())));
        }
        return holds();
      };
      const isLive = () => states.at(-1) === "live";
      assert.ok(await pass(5_000, isLive));
      for (let round = 0; round < 3; round++) {
        behaves = false;
        await pass(60_000);
        good.changes++;
        behaves = true;
        for (const connection of open) connection.abort(new TypeError("the server was started anew"));
        open.clear();
        const id = `doc-${good.changes}`;
        const known = states.length;
        const isBack = () => isLive() && states.length > known && copy.has(id);
        assert.ok(await pass(5_000, isBack), `${states.slice(-5)} after five seconds`);
        await pass(2_000);
      }
      assert.ok(rate.most <= 50, `${rate.most} requests in ten seconds`);
      assert.ok(requests > 60, `${requests} misdeeds`);
      controller.abort();
      assert.equal((await reading)?.code, "aborted");
    });
  }
}
