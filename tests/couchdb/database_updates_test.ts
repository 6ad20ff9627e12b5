/** The feed of a server's databases. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "../hostile/rate.ts";
import { inspect } from "node:util";
import { databaseUpdates, type DatabaseUpdatesOptions, type FeedEvent } from "../../src/couchdb/changes.ts";
import type { Sleep } from "../../src/couchdb/changes.ts";
import { LEAST_WAIT } from "../../src/changes/back_off.ts";
import { FakeTime } from "../support/fake_time.ts";

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>;

function serve(
  ...answers: Answer[]
): { readonly asked: URL[]; readonly options: DatabaseUpdatesOptions; readonly time: FakeTime } {
  const asked: URL[] = [];
  const time = new FakeTime();
  const { now, monotonic, sleep } = time;
  const fetch = (href: string, init: RequestInit) => {
    const url = new URL(href);
    asked.push(url);
    const answer = answers.shift() ??
      ((_, { signal }) =>
        new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))));
    return Promise.resolve(answer(url, init));
  };
  return { asked, time, options: { fetch, now, monotonic, sleep, random: () => 0.5 } };
}

const page = (last_seq: unknown, ...names: string[]): Answer => () =>
  Response.json({
    results: names.map((name, n) => ({ db_name: name, type: "created", seq: `${n + 1}-x` })),
    last_seq,
  });

async function read(feed: AsyncIterable<{ readonly dbName: string }>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const { dbName } of feed) if (seen.push(dbName) === count) break;
  return seen;
}

test("databaseUpdates: pins now, then waits for what happens after it", async () => {
  const { asked, options } = serve(page("0-x"), page("2-x", "a", "b"), page("3-x", "c"));
  const feed = databaseUpdates("http://admin:secret@127.0.0.1:5984/", options);
  assert.deepEqual(await read(feed, 3), ["a", "b", "c"]);
  assert.deepEqual(
    asked.map(({ pathname, search }) => pathname + search.replace(/&_=\w+$/, "")),
    [
      "/_db_updates?since=now",
      "/_db_updates?feed=longpoll&timeout=30000&since=0-x",
      "/_db_updates?feed=longpoll&timeout=30000&since=2-x",
    ],
  );
  assert.ok(asked.every(({ username }) => username === ""));
  assert.equal(feed.since, "2-x");
});

for (
  const url of [
    "not a url with secret@",
    "http://u:secret@host:port",
    "ftp://u:secret@host",
    "http://u:secret@host?q",
  ]
) {
  test(`databaseUpdates: throws at once, and without the password, for ${url}`, () => {
    assert.throws(
      () => databaseUpdates(url),
      (error: Error) => error instanceof TypeError && !inspect(error).includes("secret"),
    );
  });
}

test("databaseUpdates: a server below a path is asked there", async () => {
  const { asked, options } = serve(page("1-x", "a"));
  await read(databaseUpdates("http://127.0.0.1:5984/couch/", { ...options, since: 0 }), 1);
  assert.equal(asked[0]?.pathname, "/couch/_db_updates");
});

test("databaseUpdates: the position moves when the next update is asked for", async () => {
  const { options } = serve(page("2-x", "a", "b"));
  const feed = databaseUpdates("http://127.0.0.1", { ...options, since: 0 });
  for (const expected of [0, "1-x"]) {
    await feed.next();
    assert.equal(feed.since, expected);
  }
  await feed.return?.();
});

test("databaseUpdates: goes on through faults, and skips rows of another kind", async () => {
  const events: string[] = [];
  const { time, options } = serve(
    () => new Response("{}", { status: 503 }),
    () => Response.json({ error: "timeout", reason: "late" }),
    () =>
      Response.json({
        results: [null, { seq: "1-x" }, { db_name: "a", type: "deleted", seq: "2-x" }],
        last_seq: "2-x",
      }),
  );
  const feed = databaseUpdates("http://127.0.0.1", {
    ...options,
    since: 0,
    onEvent: (event) => events.push("code" in event ? `${event.type} ${event.code}` : event.type),
  });
  const reading = feed.next();
  for (const wait of [250, 500]) {
    await time.asleep((ms) => ms === wait);
    time.advance(wait);
  }
  assert.deepEqual((await reading).value, { dbName: "a", type: "deleted", seq: "2-x" });
  await feed.return?.();
  assert.deepEqual(events, ["retrying server-error", "retrying server-error", "connected", "closed"]);
});

test("databaseUpdates: a server that does not wait is asked ever more slowly", async () => {
  const waits: number[] = [];
  const { time, options } = serve(page("0-x"), page("0-x"), page("0-x"), page("1-x", "a"));
  const onEvent = (event: FeedEvent) => void (event.type === "retrying" && waits.push(event.ms));
  const reading = read(databaseUpdates("http://127.0.0.1", { ...options, since: 0, onEvent }), 1);
  for (const wait of [500, 1_000]) {
    await time.asleep((ms) => ms === wait);
    time.advance(wait);
  }
  assert.deepEqual([await reading, waits], [["a"], [0, 500, 1_000]]);
});

test("databaseUpdates: refusals are final, an abort and return() interrupt the wait", async () => {
  for (const [status, code] of [[401, "unauthorized"], [404, "not-found"], [405, "bad-request"]] as const) {
    const { options } = serve(() => Response.json({ error: "x", reason: "y" }, { status }));
    await assert.rejects(databaseUpdates("http://127.0.0.1", options).next(), { code });
  }
  const controller = new AbortController();
  const { options } = serve();
  const next = databaseUpdates("http://127.0.0.1", { ...options, signal: controller.signal }).next();
  controller.abort();
  await assert.rejects(next, { code: "aborted" });
  const feed = databaseUpdates("http://127.0.0.1", serve().options);
  const pending = feed.next();
  await feed.return?.();
  assert.equal((await pending).done, true);
});

test("databaseUpdates: a request that is given up is aborted, and a web page's body too", async () => {
  const signals: AbortSignal[] = [];
  let aborted: boolean[] = [];
  const { options, time } = serve(
    page("0-x"),
    (_, { signal }) => {
      signals.push(signal!);
      setTimeout(() => time.advance(100_000));
      return new Promise(() => {});
    },
    (_, { signal }) => {
      signals.push(signal!);
      return new Response("<html>", { headers: { "content-type": "text/html" } });
    },
    (url, init) => {
      aborted = signals.map((signal) => signal.aborted);
      return page("1-x", "a")(url, init);
    },
  );
  // With a `random` of 0, each wait but the first is the least.
  const sleep: Sleep = (ms, signal) => ms === LEAST_WAIT ? Promise.resolve() : time.sleep(ms, signal);
  const feed = databaseUpdates("http://127.0.0.1:5984", { ...options, sleep, random: () => 0 });
  assert.deepEqual(await read(feed, 1), ["a"]);
  assert.deepEqual(aborted, [true, true]);
});

test("databaseUpdates: a server that always has an update is asked five times a second at most", async () => {
  const time = new FakeTime();
  const rate = new Rate(10_000);
  const updates = databaseUpdates("http://db.invalid", {
    since: 0,
    now: time.now,
    monotonic: time.monotonic,
    // Deadlines do not pass here.
    sleep: (ms, signal) => {
      if (ms > 1_000) return time.sleep(ms, signal);
      time.advance(ms);
      return Promise.resolve();
    },
    fetch: () => {
      rate.note(time.monotonic());
      const results = [{ db_name: "a", type: "updated", seq: "1-x" }];
      return Promise.resolve(Response.json({ results, last_seq: "1-x" }));
    },
  });
  for (let n = 0; n < 200; n++) await updates.next();
  await updates.return?.();
  assert.ok(rate.most <= 50, `${rate.most} requests in ten seconds`);
});
