/** What stands between the feed and the database, or beside it: copies that disagree, caches, proxies that hold back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, currentRevision, databaseUpdates } from "../../src/couchdb/changes.ts";
import { changes as nanoChanges } from "../../src/nano.ts";
import { PurgeCounts } from "../../src/couchdb/reader/purge_counts.ts";
import type { DatabaseInfo } from "../../src/couchdb/wire/database_info.ts";
import { type Batch, has, live, resets, until, withDatabase } from "../support/feed_harness.ts";
import type { Harness } from "../support/feed_harness.ts";

/** The next probe of a reader that waits. */
async function probed(
  { time }: Harness,
  reading: Promise<unknown>,
): Promise<void> {
  await time.asleep((ms) => ms === 12_500);
  time.advance(12_500);
  await reading;
}

const info = (purges: number, replicas: number | undefined): DatabaseInfo => ({
  updateSeq: "1-x",
  instanceStartTime: "1",
  purgeSeq: String(purges),
  shards: 2,
  replicas,
});

/** The counts that are read one after the other, and after which of them a purge is told. */
const readings: Record<
  string,
  [replicas: number | undefined, counts: number[], purges: number[]]
> = {
  "of one copy, each other count is a purge": [1, [3, 3, 4, 4, 2, 4], [
    2,
    4,
    5,
  ]],
  "of an unknown number of copies, likewise": [undefined, [3, 4, 3], [1, 2]],
  "of copies that agree, one that grows is a purge": [3, [3, 3, 4, 5, 5], [
    2,
    3,
  ]],
  "of copies that disagree for ever, the first disagreement is one": [3, [
    5,
    7,
    5,
    7,
    5,
    7,
    7,
    5,
  ], [1]],
  "of copies that disagree, falling first, none is": [3, [7, 5, 7, 5, 7], []],
  "of copies that disagree, the next purge is told": [3, [
    5,
    7,
    5,
    7,
    8,
    6,
    8,
    6,
  ], [1, 4]],
  "of copies that disagree, the next purge of the lower is told": [3, [
    7,
    5,
    7,
    5,
    6,
    8,
    6,
    8,
  ], [4, 5]],
};

for (const [name, [replicas, counts, purges]] of Object.entries(readings)) {
  test(`PurgeCounts: ${name}`, () => {
    const purgeCounts = new PurgeCounts();
    const told = counts.flatMap((count, at) => {
      const current = info(count, replicas);
      const before = counts[at - 1];
      const isPurge = before !== undefined &&
        purgeCounts.isPurge(info(before, replicas), current);
      purgeCounts.note(current);
      return isPurge ? [at] : [];
    });
    assert.deepEqual(told, purges);
  });
}

test("changes: copies that disagree on the number of purges empty nothing, and a purge is told all the same", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    database.put("a");
    database.put("b");
    database.purges = 9;
    const batches = open({ heartbeat: 1e6 }).batches();
    await until(batches, live);
    const seen: Batch[] = [];
    for (let n = 0; n < 8; n++) {
      database.purges = n % 2 === 0 ? 7 : 9;
      const reading = batches.next().then(({ value }) => seen.push(value));
      await probed(harness, reading);
    }
    assert.deepEqual(resets(seen), []);
    database.purges = 10;
    await probed(harness, until(batches, ({ reset }) => reset === "purged"));
  }, { replicas: 3 }));

test("changes: a stored position of a copy with more purges is continued", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    database.purges = 9;
    const first = open({ since: 0 }).batches();
    const [{ position } = { position: undefined }] = await until(first, live);
    await first.return?.();
    const resumed = async (purges: number) => {
      database.purges = purges;
      const batches = open().batches(position);
      const seen = await until(batches, live);
      await batches.return?.();
      return resets(seen);
    };
    assert.deepEqual([await resumed(7), await resumed(9), await resumed(10)], [
      [],
      [],
      ["purged"],
    ]);
  }, { replicas: 3 }));

test("changes: no two requests have the same URL, whatever they ask", () =>
  withDatabase(async (harness) => {
    const { database, open } = harness;
    database.put("a");
    const batches = open({ heartbeat: 1e6 }).batches();
    await until(batches, live);
    for (let n = 0; n < 5; n++) await probed(harness, batches.next());
    const polling = open({ feed: "longpoll" }).batches();
    await until(polling, live);
    const urls = database.requests.map(({ url }) => url.href);
    assert.ok(urls.length > 15);
    assert.equal(new Set(urls).size, urls.length);
    const kinds = new Set(database.requests.map(({ kind }) => kind));
    for (const kind of ["information", "page", "newest"] as const) {
      assert.ok(kinds.has(kind), kind);
    }
    assert.ok(
      database.requests.every(({ url }) => /^[0-9a-z]+$/.test(url.searchParams.get("_") ?? "")),
    );
  }));

test("currentRevision, databaseUpdates, nano: no two requests have the same URL", async () => {
  const asked: string[] = [];
  const respond = (response: () => Response) => (url: string) => {
    asked.push(url);
    return Promise.resolve(response());
  };
  const fetch = respond(() => new Response(null, { headers: { etag: '"1-a"' } }));
  for (let n = 0; n < 2; n++) {
    await currentRevision("http://db.invalid/blog", "a", { fetch });
  }
  const page = respond(() =>
    Response.json({
      results: [{ db_name: "a", type: "updated", seq: "1-x" }],
      last_seq: "1-x",
    })
  );
  const updates = databaseUpdates("http://db.invalid", {
    since: 0,
    fetch: page,
  });
  for (let n = 0; n < 3; n++) await updates.next();
  await updates.return?.();
  const gone = respond(() => Response.json({ error: "not_found", reason: "no_db_file" }, { status: 404 }));
  for (let n = 0; n < 2; n++) {
    const blog = nanoChanges({
      config: { url: "http://db.invalid", db: "blog" },
    }, { fetch: gone });
    await assert.rejects(blog.batches().next(), { code: "not-found" });
  }
  assert.ok(asked.length >= 6);
  assert.equal(new Set(asked).size, asked.length);
});

test("changes: an answer that a cache gives proves nothing", async () => {
  let age = "0";
  const errors: (string | undefined)[] = [];
  const feed = changes("http://db.invalid/blog", {
    sleep: (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(undefined));
      }),
    onEvent: (event) => {
      if (event.type === "lost") errors.push(event.error?.message);
    },
    fetch: () => {
      const response = Response.json({
        update_seq: "0-x",
        purge_seq: "0-x",
        instance_start_time: "1",
      });
      response.headers.set("age", age);
      age = "1";
      return Promise.resolve(response);
    },
  });
  const batches = feed.batches();
  assert.equal((await batches.next()).value?.state, "lost");
  assert.deepEqual(errors, ["A cache answered in the database's place"]);
  await batches.return?.();
});

test("changes: behind a proxy that holds back what is not complete, long polls bring the news", () =>
  withDatabase(async ({ database, time, open }) => {
    database.put("a");
    const types: string[] = [];
    const feed = open({ onEvent: ({ type }) => types.push(type) });
    const batches = feed.batches();
    await until(batches, live);
    database.fail("continuous", () => {}, Infinity);
    const seen: Batch[] = [];
    const reading = (async () => seen.push(...await until(batches, has("b"))))();
    await database.asked("continuous", 0);
    for (let passed = 0; !types.includes("buffered"); passed += 2_500) {
      assert.ok(passed < 60_000, "nothing was noticed in a minute");
      await new Promise((resolve) => setTimeout(resolve, 5));
      time.advance(2_500);
    }
    await database.asked("longpoll", 0);
    database.put("b");
    await reading;
    assert.ok(seen.every(({ state }) => state === "live"));
    assert.deepEqual(types.filter((type) => type !== "connected"), [
      "live",
      "buffered",
    ]);
  }));
