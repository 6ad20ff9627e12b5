/** Feeds that are closed, followed again, renamed and retired; a module that is loaded again and again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { SettableClock } from "../support/clock.ts";
import fc from "../support/fast_check.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { request } from "../support/http.ts";
import { restored, saved } from "../support/snapshots.ts";

function setUp() {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ now: clock.now, monotonic: clock.monotonic });
  /** Follows a feed that is live at once. */
  const followed = async (name?: string) => {
    const feed = new PushedFeed();
    const follower = follow(registry, feed, { maxLag: 60_000, ...(name === undefined ? {} : { name }) });
    await live(feed);
    return { feed, follower };
  };
  const live = (feed: PushedFeed, ...ids: string[]) => {
    const position = { since: "1-x", source: "blog" };
    const rows = ids.map((id) => ({ id, rev: "2-x", seq: "2-x", deleted: false, revs: ["2-x"] }));
    feed.reader.push({ changes: rows, state: "live", contact: clock.instant, position });
    return settled();
  };
  const site = withEtag(() => new Response("page", { headers: dependsOn("a") }), { registry });
  const ask = async (etag?: string) =>
    await site(request(etag === undefined ? {} : { "if-none-match": etag })) as Response;
  return { registry, followed, live, site, ask };
}

test("follow: the only feed closed, and another followed under a new name: live again, and begun anew", async () => {
  const { registry, followed, ask, live } = setUp();
  const first = await followed("first");
  const etag = (await ask()).headers.get("etag")!;
  assert.equal((await ask(etag)).status, 304);
  await first.follower.close();
  assert.equal(registry.live, false);
  const second = await followed("second");
  assert.equal(registry.live, true);
  assert.deepEqual(
    [registry.size, registry.stats.reset > 0],
    [0, true],
    "what the first had vouched for is void",
  );
  const again = (await ask(etag)).headers.get("etag")!;
  assert.equal((await ask(again)).status, 304);
  await live(second.feed, "a");
  assert.equal((await ask(again)).status, 200);
  await second.follower.close();
});

test("follow: a closed feed beside an open one suspends, whatever else is followed, until it is retired", async () => {
  const { registry, followed, ask } = setUp();
  const notes = await followed("notes");
  const users = await followed("users");
  await users.follower.close();
  const more = await followed("more");
  assert.equal(registry.live, false, "nothing reports the users");
  assert.equal(registry.retire("users"), true);
  assert.equal(registry.live, true);
  const etag = (await ask()).headers.get("etag")!;
  assert.equal((await ask(etag)).status, 304);
  assert.equal(registry.retire("users"), false);
  assert.equal((await ask(etag)).status, 304, "there was nothing to retire");
  await notes.follower.close();
  await more.follower.close();
});

test("retire: takes out everything, and refuses a feed that is followed", async () => {
  const { registry, followed, ask } = setUp();
  const { follower } = await followed();
  await followed("other");
  await ask();
  assert.throws(() => registry.retire("changes"), /"changes".*close/);
  assert.equal(registry.size, 1);
  await follower.close();
  registry.retire("changes");
  assert.equal(registry.size, 0);
  assert.throws(() => registry.retire(7 as unknown as string), TypeError);
});

test("retire: without a feed left, nothing is answered; writes through the registry still end", async () => {
  const { registry, followed, ask } = setUp();
  const { follower } = await followed();
  await follower.close();
  registry.retire("changes");
  registry.invalidate("a");
  registry.delete("/");
  registry.clear();
  const etag = (await ask()).headers.get("etag")!;
  assert.deepEqual([registry.live, (await ask(etag)).status], [false, 200]);
  assert.equal(registry.stats.unfollowed, 0, "it is one that feeds are followed for");
  await followed("changes");
  assert.equal(registry.live, true);
});

test("retire: the follower of a retired feed is told of nothing, and the name is free", async () => {
  const { registry, followed, live } = setUp();
  const { feed, follower } = await followed();
  await followed("other");
  await follower.close();
  registry.retire("changes");
  await live(feed);
  await follower.close();
  assert.equal(registry.live, true);
  const again = await followed();
  assert.equal(again.feed.from[0], undefined, "no position is left");
});

test("snapshot: a feed that is saved and never followed again suspends, until it is retired", async () => {
  const clock = new SettableClock();
  const options = { version: "1", now: clock.now, monotonic: clock.monotonic };
  const before = new EtagRegistry(options);
  const old = new PushedFeed();
  follow(before, old, { name: "old" });
  const position = { since: "1-x", source: "blog" };
  old.reader.push({ changes: [], state: "live", contact: clock.instant, position });
  await settled();
  const registry = await restored(await saved(before), options);
  const feed = new PushedFeed();
  follow(registry, feed, { name: "new" });
  feed.reader.push({ changes: [], state: "live", contact: clock.instant, position });
  await settled();
  assert.equal(registry.live, false);
  registry.retire("old");
  assert.equal(registry.live, true);
});

test("follow, close, retire: live exactly while each name that is not retired is open and live", async () => {
  const step = fc.tuple(fc.constantFrom("follow", "close", "retire"), fc.constantFrom("a", "b", "c"));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { registry, followed } = setUp();
      const open = new Map<string, Follower | undefined>();
      for (const [what, name] of steps) {
        if (what === "follow" && open.get(name) === undefined) {
          const isNew = !open.has(name);
          if (isNew && [...open.values()].every((one) => one === undefined)) open.clear();
          open.set(name, (await followed(name)).follower);
        } else if (what === "close" && open.get(name) !== undefined) {
          await open.get(name)!.close();
          open.set(name, undefined);
        } else if (what === "retire") {
          if (open.get(name) !== undefined) assert.throws(() => registry.retire(name), TypeError);
          else assert.equal(registry.retire(name), open.delete(name));
        }
        const expected = open.size > 0 && [...open.values()].every((one) => one !== undefined);
        assert.equal(registry.live, expected, JSON.stringify(steps));
      }
    }),
    { numRuns: 100 },
  );
});

/** A signal that knows its listeners. */
function watchedSignal() {
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (type: string, listener: EventListener, options?: AddEventListenerOptions) => {
    listeners.add(listener);
    add(type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    listeners.delete(listener);
    remove(type, listener);
  };
  return { signal: signal as AbortSignal, listeners };
}

const INFO = { db_name: "blog", update_seq: "0-x", purge_seq: "0-x", instance_start_time: "1" };

/** An empty database that counts the requests that are open. */
function database() {
  const open = new Set<AbortSignal>();
  const fetch = (url: string, init?: RequestInit): Promise<Response> => {
    if (!url.includes("feed=continuous")) {
      const page = { results: [], last_seq: "0-x", pending: 0 };
      return Promise.resolve(Response.json(url.includes("_changes") ? page : INFO));
    }
    const signal = init!.signal!;
    if (signal.aborted) return Promise.reject(signal.reason);
    open.add(signal);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        open.delete(signal);
        reject(signal.reason);
      }, { once: true })
    );
  };
  return { fetch, open };
}

for (const renamed of [false, true]) {
  test(`10,000 times followed and closed with one signal, ${renamed ? "each under a new name" : "one name"}: nothing is left`, async () => {
    const { signal, listeners } = watchedSignal();
    const { fetch, open } = database();
    const timers = new Set<unknown>();
    const sleep = (_: number, until: AbortSignal) => {
      if (until.aborted) return Promise.resolve();
      timers.add(until);
      return new Promise<void>((resolve) =>
        until.addEventListener("abort", () => {
          timers.delete(until);
          resolve();
        }, { once: true })
      );
    };
    const registry = new EtagRegistry();
    for (let n = 0; n < 10_000; n++) {
      const feed = changes("http://localhost:5984/blog", { fetch, sleep, signal });
      const follower = follow(registry, feed, { signal, ...(renamed ? { name: `feed ${n}` } : {}) });
      if (n % 100 === 0) {
        await follower.ready;
        assert.equal(registry.live, true);
        assert.ok(listeners.size > 0, "the signal is listened to");
      }
      await follower.close();
    }
    await settled();
    await settled();
    assert.deepEqual([listeners.size, open.size, timers.size], [0, 0, 0]);
  });
}

test("follow: a feed that fails for good leaves no listener", async () => {
  const { signal, listeners } = watchedSignal();
  const feed = new PushedFeed();
  const follower = follow(new EtagRegistry(), feed, { signal, onError: () => {} });
  assert.equal(listeners.size, 1);
  feed.reader.fail(new Error("final"));
  await follower.ready.catch(() => {});
  await settled();
  assert.equal(listeners.size, 0);
});

test("hot reload: the pattern of docs/changes.md leaves one follower, whose registry is live", async () => {
  const { fetch, open } = database();
  // Runs as often as the module that holds it is loaded.
  const load = () => {
    const kept = globalThis as typeof globalThis & { blogFollower?: Follower };
    void kept.blogFollower?.close();
    const registry = new EtagRegistry();
    kept.blogFollower = follow(registry, changes("http://localhost:5984/blog", { fetch }));
    return { registry, follower: kept.blogFollower };
  };
  let last = load();
  for (let n = 0; n < 20; n++) {
    await last.follower.ready;
    const previous = last;
    last = load();
    assert.equal(previous.registry.live, false, "the code of before answers nothing");
  }
  await last.follower.ready;
  await settled();
  assert.deepEqual([last.registry.live, open.size], [true, 1]);
  await last.follower.close();
  await settled();
  assert.equal(open.size, 0);
});
