import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeBatch, ChangesFeed } from "../../src/changes/change.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { systemClock } from "../../src/changes/clock.ts";
import { changes } from "../../src/couchdb/changes.ts";
import type { Dependency } from "../../src/http/dependency.ts";
import { follow, type Follower, type FollowOptions } from "../../src/registry/follow.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { SettableClock } from "../support/clock.ts";
import { Pushed, PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live, NO_FIELDS, offer } from "../support/registrations.ts";
import { coreOf } from "../../src/registry/core.ts";

function setUp(options: FollowOptions = {}) {
  const clock = new SettableClock();
  const evicted: string[] = [];
  const registry = new EtagRegistry({ ...clock, onEvict: (key, reason) => evicted.push(`${key} ${reason}`) });
  const feed = new PushedFeed();
  const follower = follow(registry, feed, options);
  const push = async (changes: Change[] = [], more = {}) => {
    feed.reader.push(live(clock, changes, more));
    await settled();
  };
  return { clock, registry, feed, follower, push, evicted };
}

const aborted = (error: unknown) => error instanceof ChangesError && error.code === "aborted";

/** Fails the test if anything it does ends as an unhandled rejection. */
async function handlingAll(body: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  const { default: process } = await import("node:process");
  process.on("unhandledRejection", note);
  try {
    await body();
    await settled();
    await settled();
    assert.deepEqual(unhandled, []);
  } finally {
    process.off("unhandledRejection", note);
  }
}

test("follow: answers begin with the first live batch, which also resolves ready", async () => {
  const { registry, follower, push } = setUp();
  let ready = false;
  follower.ready.then(() => ready = true);
  assert.equal(registry.live, false);
  await push([], { state: "catching-up" });
  assert.deepEqual([registry.live, follower.live, ready], [false, false, false]);
  await push();
  assert.deepEqual([registry.live, follower.live, ready], [true, true, true]);
  await follower.close();
});

test("follow: a change voids what depends on it, and what its groups name", async () => {
  const { registry, follower, push } = setUp({ groups: ({ id }) => id.startsWith("post") ? ["posts"] : [] });
  await push();
  keep(registry, "/post", ["post-1"]);
  keep(registry, "/posts", ["posts"]);
  keep(registry, "/about", ["about"]);
  await push([{ id: "post-1", rev: "2-b" }]);
  assert.deepEqual(["/post", "/posts", "/about"].map((key) => ask(registry, key)), [
    "group-changed",
    "group-changed",
    '"1"',
  ]);
  await follower.close();
});

test("follow: suspended by a lost batch, resumed by a live one, with the entries kept", async () => {
  const { registry, follower, push } = setUp();
  await push();
  keep(registry, "/a", ["a"]);
  keep(registry, "/b", ["b"]);
  await push([], { state: "lost" });
  assert.equal(ask(registry, "/a"), "suspended");
  await push([{ id: "b" }], { state: "catching-up" });
  assert.equal(ask(registry, "/a"), "suspended");
  await push();
  assert.deepEqual([ask(registry, "/a"), ask(registry, "/b")], ['"1"', "group-changed"]);
  await follower.close();
});

test("follow: a reset in band empties the registry before the changes it comes with", async () => {
  const { registry, follower, push, evicted } = setUp();
  await push();
  keep(registry, "/a", ["a"]);
  const lease = coreOf(registry).lease("/b");
  await push([], { reset: "recreated" });
  assert.deepEqual(evicted, ["/a reset"]);
  assert.equal(coreOf(registry).register(lease, offer(["b"]), new Headers()), "lease-broken");
  await follower.close();
});

test("follow: a groups function that throws voids everything, and the feed goes on", async () => {
  let broken = true;
  const { registry, follower, push, evicted } = setUp({
    groups: () => {
      if (broken) throw new Error("no such field");
      return [];
    },
  });
  await push();
  keep(registry, "/a", ["a"]);
  await push([{ id: "b" }]);
  assert.deepEqual(evicted, ["/a groups-threw"]);
  assert.equal(registry.stats["groups-threw"], 1);
  broken = false;
  keep(registry, "/a", ["a"]);
  await push([{ id: "b" }]);
  assert.deepEqual([ask(registry, "/a"), follower.error], ['"1"', undefined]);
  await follower.close();
});

test("follow: onVoid names what a batch has voided, after it has been applied, and says where it may be anything", async () => {
  const told: unknown[] = [];
  const bad: Readonly<Record<string, () => unknown>> = {
    throws: () => {
      throw new Error("no");
    },
    nothing: () => undefined,
    promise: () => Promise.reject(new Error("late")),
    number: () => ["a", 5],
  };
  await handlingAll(async () => {
    const { registry, follower, push } = setUp({
      *groups({ id }: Change) {
        yield* (bad[id]?.() ?? (id.startsWith("post") ? ["posts"] : [])) as Iterable<string>;
      },
      onVoid: (names) => {
        told.push(names === "all" ? names : [...names].sort());
        told.push(registry.hasTag('"a"'));
        throw new Error("ignored");
      },
    });
    await push();
    assert.deepEqual(told.splice(0), ["all", false], "a feed begins");
    keep(registry, "/posts", ["posts"], { etag: '"a"' });
    await push();
    await push([], { state: "lost" });
    assert.deepEqual(told, [], "nothing was voided");
    assert.equal(registry.hasTag('"a"'), true);
    await push([{ id: "author-1" }]);
    assert.deepEqual(told.splice(0), [["author-1"], true]);
    await push([{ id: "post-1" }], { repeated: [{ id: "post-2" }] });
    assert.deepEqual(told.splice(0), [["post-1", "post-2", "posts"], false]);
    await push([{ id: "post-3" }], { reset: "recreated" });
    assert.deepEqual(told.splice(0), ["all", false]);
    for (const id of ["throws", "number"]) {
      await push([{ id: "post-1" }, { id }]);
      assert.deepEqual(told.splice(0), ["all", false], id);
    }
    await follower.close();
  });
  for (const id of ["throws", "nothing", "promise", "number"]) {
    await handlingAll(async () => {
      const { follower, push } = setUp({
        groups: (change) => (bad[change.id] ?? (() => []))() as string[],
        onVoid: (names) => told.push(names),
      });
      await push();
      await push([{ id }]);
      assert.deepEqual(told.splice(0), ["all", "all"], id);
      await follower.close();
    });
  }
});

test("follow: contact older than maxLag is no contact, and the feed is told how often to renew it", async () => {
  const { registry, follower, feed, push, clock } = setUp({ maxLag: 400 });
  assert.deepEqual(feed.maxLags, [400]);
  await push();
  clock.advance(400);
  assert.deepEqual([registry.live, follower.lag], [true, 400]);
  clock.wall += 1;
  assert.deepEqual([registry.live, follower.lag, follower.live], [false, 401, true]);
  await push();
  assert.deepEqual([registry.live, follower.lag], [true, 0]);
  await follower.close();
});

test("follow: maxLag is 25 s unless told otherwise", async () => {
  const { registry, follower, push, clock } = setUp();
  await push();
  clock.advance(25_000);
  assert.equal(registry.live, true);
  clock.advance(1);
  assert.equal(registry.live, false);
  await follower.close();
});

test("follow: since is the position after the last batch applied", async () => {
  const { follower, push } = setUp();
  assert.deepEqual([follower.since, follower.lag], [undefined, Infinity]);
  await push([], { position: { since: "7-x", source: "db" } });
  assert.equal(follower.since, "7-x");
  await push([], { position: { since: "8-x", source: "db" } });
  assert.equal(follower.since, "8-x");
  await follower.close();
});

test("follow: replicas make changes settle, unless replicaLag says otherwise", async () => {
  for (
    const [options, refused] of [[{}, true], [{ replicaLag: 0 }, false], [
      { replicaLag: 9_000 },
      true,
    ]] as const
  ) {
    const { registry, follower, push, clock } = setUp(options);
    await push([], { replicas: 3 });
    clock.advance(10_000);
    await push([{ id: "a", rev: "2-b" }]);
    assert.equal(keep(registry, "/", [{ _id: "a", _rev: "1-a" }]) === "revision-differs", refused);
    assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "2-b" }]), "object");
    await follower.close();
  }
});

test("follow: without replicas nothing settles", async () => {
  const { registry, follower, push } = setUp();
  await push([{ id: "a", rev: "2-b" }], { replicas: 1 });
  assert.equal(typeof keep(registry, "/", ["a"]), "object");
  await follower.close();
});

test("restart: everything is void, and the feed begins anew where it is now", async () => {
  const { registry, feed, follower, push } = setUp();
  const position = { since: "9-x", source: "db" };
  await push([], { position });
  keep(registry, "/", ["a"]);
  const former = feed.reader;
  former.push(live(new SettableClock(), [], { position }));
  registry.restart();
  assert.deepEqual([registry.size, registry.live, follower.live, follower.since], [
    0,
    false,
    false,
    undefined,
  ]);
  await settled();
  assert.deepEqual([feed.from, feed.anew], [[undefined, undefined], [false, true]]);
  assert.equal(registry.live, false, "what the former reader has yielded is of before");
  keep(registry, "/", ["a"]);
  await push([], { position: { since: "3-x", source: "db" } });
  assert.deepEqual([registry.live, ask(registry, "/"), follower.since], [true, "miss", "3-x"]);
  await follower.close();
});

test("restart: a feed that is closed begins anew when it is followed again", async () => {
  const { registry, feed, follower, push } = setUp();
  await push([], { position: { since: "9-x", source: "db" } });
  await follower.close();
  registry.restart();
  const again = follow(registry, feed);
  assert.deepEqual(feed.from.at(-1), undefined);
  assert.equal(feed.reader.asked, 1);
  await again.close();
});

test("follow: a row that comes again spares what declares its revision, and nothing else", async () => {
  const { registry, follower, push } = setUp({ groups: ({ id }) => [`all ${id}`] });
  const repeated = [{ id: "a", rev: "2-b" }];
  const pages: [string, Dependency[], string][] = [
    ["/same", [{ _id: "a", _rev: "2-b" }], '"1"'],
    ["/other", [{ _id: "b", _rev: "3-c" }], '"1"'],
    ["/list", ["all a"], "group-changed"],
  ];
  await push([{ id: "a", rev: "2-b" }]);
  for (const [key, dependencies] of pages) keep(registry, key, dependencies);
  await push([], { repeated });
  for (const [key, , answer] of pages) assert.equal(ask(registry, key), answer, key);
  // The document went away and came back, and this was built in between.
  await push([{ id: "a", rev: "1-a" }]);
  keep(registry, "/between", [{ _id: "a", _rev: "1-a" }]);
  keep(registry, "/bare", ["a"]);
  await push([], { repeated });
  assert.deepEqual([ask(registry, "/between"), ask(registry, "/bare")], ["group-changed", "group-changed"]);
  await follower.close();
});

test("follow: in a cluster, a row that comes again opens the settling window", async () => {
  const { registry, follower, push, clock } = setUp();
  await push([], { replicas: 3 });
  clock.advance(10_000);
  await push([], { repeated: [{ id: "a", rev: "2-a" }] });
  // The winner went to 3-b and back while the feed reconnected, and a replica lags behind.
  assert.equal(keep(registry, "/", [{ _id: "a", _rev: "3-b" }]), "revision-differs");
  assert.equal(keep(registry, "/", ["a"]), "settling");
  assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "2-a" }]), "object");
  await follower.close();
});

test("follow: groups that name the change itself do not hide its revision", async () => {
  const { registry, follower, push } = setUp({ groups: ({ id }: Change) => [id, "all"] });
  await push([{ id: "a", rev: "2-b" }], { replicas: 1 });
  assert.equal(keep(registry, "/", [{ _id: "a", _rev: "1-a" }]), "superseded");
  await follower.close();
});

test("follow: a revision that is not the one last reported is refused, on a single node too", async () => {
  const { registry, follower, push } = setUp();
  const old = [{ _id: "a", _rev: "1-a" }];
  await push([], { replicas: 1 });
  assert.equal(typeof keep(registry, "/", old), "object", "nothing was reported");
  await push([{ id: "a", rev: "2-b" }]);
  // A handler that keeps documents goes on showing the old one.
  assert.equal(keep(registry, "/", old), "superseded");
  assert.equal(keep(registry, "/", ["b", ...old]), "superseded");
  assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "2-b" }]), "object");
  assert.equal(registry.stats.superseded, 2);
  await push([{ id: "a", rev: "1-a" }]);
  assert.equal(typeof keep(registry, "/", old), "object", "it is the winner again");
  await push([{ id: "a", rev: "2-b" }]);
  await push([], { reset: "recreated" });
  assert.equal(
    typeof keep(registry, "/", old),
    "object",
    "what was known of the other database is forgotten",
  );
  await follower.close();
});

test("follow: a next() is always pending, so what the feed says is known at once", async () => {
  const { follower, feed, push } = setUp();
  assert.equal(feed.reader.asked, 1);
  await push();
  await push();
  assert.equal(feed.reader.asked, 3);
  await follower.close();
});

test("close: suspends before it returns, ends the feed once it is awaited, and again is harmless", async () => {
  const { registry, follower, feed, push } = setUp();
  await push();
  keep(registry, "/", ["a"]);
  const closed = follower.close();
  assert.deepEqual([ask(registry, "/"), follower.live], ["suspended", false]);
  await closed;
  assert.equal(feed.reader.returned, 1);
  await follower.close();
  await follower[Symbol.asyncDispose]();
  assert.equal(follower.error, undefined, "closing is no fault");
});

test("close: what arrives afterwards is not applied", async () => {
  const { registry, follower, feed, clock } = setUp();
  feed.reader.push(live(clock));
  const closed = follower.close();
  await closed;
  await settled();
  assert.equal(registry.live, false);
});

test("close: before the feed was live, ready rejects", async () => {
  await handlingAll(async () => {
    const { follower } = setUp();
    await follower.close();
    await assert.rejects(follower.ready, aborted);
    await setUp().follower.close();
  });
});

test("close: after the feed was live, ready stays resolved", async () => {
  const { follower, push } = setUp();
  await push();
  await follower.close();
  await follower.ready;
});

test("close: an iterator that takes it badly, or knows no return(), is no fault", async () => {
  const next = () => new Promise<IteratorResult<ChangeBatch>>(() => {});
  const iterators: Partial<AsyncIterator<ChangeBatch>>[] = [
    { next },
    { next, return: () => Promise.reject(new Error("no")) },
    {
      next,
      return: () => {
        throw new Error("no");
      },
    },
    { next, return: () => undefined as unknown as Promise<IteratorResult<ChangeBatch>> },
  ];
  for (const iterator of iterators) {
    await handlingAll(async () => {
      const registry = new EtagRegistry();
      const aborter = new AbortController();
      const feed = { batches: () => iterator } as unknown as ChangesFeed;
      const follower = follow(registry, feed, { signal: aborter.signal });
      aborter.abort();
      assert.equal(registry.live, false);
      await follower.close();
    });
  }
});

test("close: nothing more is asked of an iterator that knows no return()", async () => {
  const clock = new SettableClock();
  const source = new Pushed<ChangeBatch>();
  const next = () => source.next();
  const feed = { batches: () => ({ next }) } as unknown as ChangesFeed;
  const follower = follow(new EtagRegistry(clock), feed);
  await follower.close();
  source.push(live(clock, [{ id: "a" }]));
  source.push(live(clock, [{ id: "b" }]));
  await settled();
  assert.equal(source.asked, 1);
});

test("signal: closes the follower, also one that was aborted before", async () => {
  await handlingAll(async () => {
    const aborter = new AbortController();
    const { registry, follower, push, feed } = setUp({ signal: aborter.signal });
    await push();
    aborter.abort();
    assert.deepEqual([registry.live, follower.live], [false, false]);
    await settled();
    assert.equal(feed.reader.returned, 1);
    const late = setUp({ signal: aborter.signal });
    assert.equal(late.registry.live, false);
    await assert.rejects(late.follower.ready, aborted);
    assert.equal(late.feed.reader.asked, 0, "it is not even begun");
  });
});

test("a final fault: the registry is suspended, ready rejects, error keeps it", async () => {
  await handlingAll(async () => {
    const fault = new ChangesError("not-found", "the database does not exist", { status: 404 });
    const { registry, follower, feed } = setUp();
    feed.reader.fail(fault);
    await assert.rejects(follower.ready, (error) => error === fault);
    assert.deepEqual([registry.live, follower.live, follower.error], [false, false, fault]);
    await follower.close();
    assert.equal(follower.error, fault);
  });
});

test("a final fault after live: the registry is suspended, and ready stays resolved", async (t) => {
  t.mock.method(console, "error", () => {});
  await handlingAll(async () => {
    const { registry, follower, feed, push } = setUp();
    await push();
    keep(registry, "/", ["a"]);
    feed.reader.fail(new Error("gone"));
    await settled();
    await follower.ready;
    assert.equal((follower.error as Error).message, "gone");
    assert.equal(ask(registry, "/"), "suspended");
  });
});

const truncated = (error: unknown) => error instanceof ChangesError && error.code === "truncated";

test("a feed that ends: the registry is suspended, and that is a fault", async () => {
  await handlingAll(async () => {
    const errors: unknown[] = [];
    const { registry, follower, feed, push } = setUp({ onError: (error) => errors.push(error) });
    await push();
    feed.reader.end();
    await settled();
    assert.deepEqual([registry.live, follower.live, errors], [false, false, [follower.error]]);
    assert.ok(truncated(follower.error));
    const early = setUp({ onError: () => {} });
    early.feed.reader.end();
    await assert.rejects(early.follower.ready, truncated);
  });
});

test("onError: told once of the final fault, when all else says so too, and never of close()", async () => {
  await handlingAll(async () => {
    const told: unknown[] = [];
    const onError = (error: unknown) => told.push(error, follower.error, registry.live);
    const { registry, follower, feed, push } = setUp({ onError });
    await push();
    const fault = new ChangesError("unauthorized", "the password is wrong", { status: 401 });
    feed.reader.fail(fault);
    await settled();
    await follower.close();
    assert.deepEqual(told, [fault, fault, false]);
    await setUp({ onError: () => assert.fail() }).follower.close();
  });
});

test("onError: what it throws is no unhandled rejection", async () => {
  await handlingAll(async () => {
    const { follower, feed } = setUp({
      onError: () => {
        throw new Error("listener");
      },
    });
    feed.reader.fail(new Error("gone"));
    await settled();
    assert.equal((follower.error as Error).message, "gone");
  });
});

const SECRET = "hunter2";
const HEARD = 'Stillfresh: the feed "users" has failed for good';

/** What the program does before the fault, whether the feed was live before, the fault, and what the console shows. */
const faults: Record<
  string,
  {
    readonly live?: true;
    readonly look?: (f: Follower) => unknown;
    readonly fault: unknown;
    readonly shown?: RegExp;
  }
> = {
  "before live": {
    fault: new ChangesError("unauthorized", "http://db/blog refuses the credentials"),
    shown: /users.*unauthorized: http:\/\/db\/blog refuses the credentials.*onError/,
  },
  "after live": { live: true, fault: new ChangesError("bad-row", "a row"), shown: /bad-row: a row/ },
  "after live, though ready was awaited": {
    live: true,
    look: (follower) => follower.ready,
    fault: new ChangesError("bad-row", "a row"),
    shown: /bad-row: a row/,
  },
  "of another kind: only its name, because its message may hold a secret": {
    fault: new RangeError(`http://admin:${SECRET}@db/`),
    shown: /RangeError.*follower\.error/,
  },
  "that is no error": { fault: SECRET, shown: /string.*follower\.error/ },
  "that ready told": { look: (follower) => follower.ready.catch(() => {}), fault: new Error("gone") },
  "of a program that reads error": {
    live: true,
    look: (follower) => follower.error,
    fault: new Error("gone"),
  },
  "of a program that aborted its feed": { fault: new ChangesError("aborted", "The feed was aborted") },
};

for (const [name, { live: first, look, fault, shown }] of Object.entries(faults)) {
  test(`a final fault ${name}: the console shows it ${shown ? "once" : "not"}`, async (t) => {
    const error = t.mock.method(console, "error", () => {});
    await handlingAll(async () => {
      const { follower, feed, push } = setUp({ name: "users" });
      if (first) await push();
      look?.(follower);
      feed.reader.fail(fault);
      await settled();
      await follower.close();
      const lines = error.mock.calls.map((call) => call.arguments.join(" "));
      assert.equal(lines.length, shown === undefined ? 0 : 1);
      if (shown === undefined) return;
      assert.match(lines[0]!, shown);
      assert.ok(lines[0]!.startsWith(HEARD) && !lines[0]!.includes(SECRET), lines[0]);
    });
  });
}

test("a wrong password is heard, and is not shown", async (t) => {
  const error = t.mock.method(console, "error", () => {});
  const fetch = () =>
    Promise.resolve(
      Response.json({ error: "unauthorized", reason: "Name or password is incorrect." }, { status: 401 }),
    );
  const follower = follow(
    new EtagRegistry(),
    changes(`http://admin:${SECRET}@localhost:5984/blog`, { fetch }),
  );
  while (error.mock.callCount() === 0) await settled();
  const line = error.mock.calls[0]!.arguments.join(" ");
  assert.match(line, /"changes" has failed for good.*unauthorized: .*401/);
  assert.ok(!line.includes(SECRET), line);
  await follower.close();
  assert.equal(error.mock.callCount(), 1);
});

test("follow: a change that names nothing is a final fault, not a change of nothing", async () => {
  await handlingAll(async () => {
    const { registry, follower, feed, push } = setUp({ onError: () => {} });
    await push();
    await push([{ _id: "a" } as unknown as Change]);
    assert.ok(follower.error instanceof TypeError);
    assert.equal(registry.live, false);
    assert.equal(feed.reader.returned, 1, "the feed can be followed again");
  });
});

/** A registry whose monotonic clock shows a millisecond more each time it is read: all work takes long. */
function slowRegistry(): EtagRegistry {
  let ms = 0;
  return new EtagRegistry({ now: () => 1e12, monotonic: () => ms++ });
}

test("follow: a feed that always has more to say lets others have their turn", async () => {
  let yielded = 0;
  const contact = { wall: 1e12, monotonic: 0 };
  async function* batches(): AsyncGenerator<ChangeBatch> {
    for (; yielded < 10_000; yielded++) {
      yield { changes: [{ id: "a" }], position: undefined, state: "live", contact };
    }
    await new Promise(() => {});
  }
  const follower = follow(slowRegistry(), { batches } as unknown as ChangesFeed);
  await new Promise((resolve) => setTimeout(resolve));
  assert.ok(yielded > 0 && yielded < 10_000, `${yielded} before the timer`);
  void follower.close();
});

test("follow: a loss is known at once, whoever's turn it is", async () => {
  const registry = slowRegistry();
  const feed = new PushedFeed();
  const follower = follow(registry, feed, { maxLag: 1e9 });
  const contact = { wall: 1e12, monotonic: 0 };
  const batch = { changes: [{ id: "a" }], position: undefined, contact };
  feed.reader.push({ ...batch, state: "live" });
  feed.reader.push({ ...batch, state: "lost" });
  for (let turn = 0; turn < 20; turn++) await undefined;
  assert.equal(feed.reader.asked, 3);
  assert.equal(registry.live, false);
  await follower.close();
});

test("follow: a fault while others have their turn is no unhandled rejection", async () => {
  await handlingAll(async () => {
    const registry = slowRegistry();
    const feed = new PushedFeed();
    const follower = follow(registry, feed, { maxLag: 1e9 });
    feed.reader.push({
      changes: [],
      position: undefined,
      contact: { wall: 1e12, monotonic: 0 },
      state: "live",
    });
    feed.reader.fail(new Error("gone"));
    for (let turn = 0; turn < 20; turn++) await undefined;
    assert.deepEqual([registry.live, (follower.error as Error).message], [false, "gone"]);
    await follower.close();
  });
});

/** What is no feed, and what the sentence says of it. */
const noFeeds: Record<string, { readonly value: unknown; readonly says: RegExp }> = {
  "a generator around a feed": {
    value: (async function* () {
      for await (const change of new PushedFeed()) yield { ...change, id: `blog/${change.id}` };
    })(),
    says: /changes\(url\).*ownFeed\(connect\).*iterable of changes.*map\(\)/,
  },
  "an async iterable": {
    value: { [Symbol.asyncIterator]: () => new Pushed<Change>() },
    says: /iterable of changes/,
  },
  "an array": { value: [{ id: "a" }], says: /iterable of changes/ },
  "nothing": { value: undefined, says: /not undefined/ },
  "null": { value: null, says: /not null/ },
  "a URL": { value: `http://admin:${SECRET}@localhost:5984/blog`, says: /not a value of type string$/ },
  "a function": { value: () => new PushedFeed(), says: /changes\(url\)/ },
};

for (const [name, { value, says }] of Object.entries(noFeeds)) {
  test(`follow: ${name} is no feed, and throws at once`, () => {
    const registry = new EtagRegistry({ manual: true });
    assert.throws(() => follow(registry, value as ChangesFeed), (error) => {
      return error instanceof TypeError && says.test(error.message);
    });
    assert.equal(registry.live, true, "nothing was taken");
  });
}

const refusals: Record<
  string,
  { readonly feed: ChangesFeed; readonly options?: FollowOptions; readonly says: RegExp }
> = {
  "a filtered feed": { feed: new PushedFeed("filtered"), says: /filtered feed.*vanishes/ },
  "a filtered feed that is said to be partial": {
    feed: new PushedFeed("filtered"),
    options: { partial: true },
    says: /filtered feed.*vanishes/,
  },
  "a feed of some documents": { feed: new PushedFeed(["a"]), says: /some documents only.*partial: true/ },
  "a feed of no documents": { feed: new PushedFeed([]), says: /some documents only.*partial: true/ },
  "partial: true for a feed of all": {
    feed: new PushedFeed(),
    options: { partial: true },
    says: /reports all/,
  },
  "partial: true with groups": {
    feed: new PushedFeed(["a"]),
    options: { partial: true, groups: () => ["all"] },
    says: /partial contradicts groups/,
  },
};

for (const [name, { feed, options, says }] of Object.entries(refusals)) {
  test(`follow: ${name} throws at once`, () => {
    const registry = new EtagRegistry({ manual: true });
    assert.throws(() => follow(registry, feed, options), (error) => {
      return error instanceof TypeError && says.test(error.message);
    });
    assert.equal(registry.live, true, "nothing was taken");
  });
}

test("partial: only what the feed reports can be declared", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  keep(registry, "/early", ["elsewhere"]);
  const early = coreOf(registry).lease("/late");
  const feed = new PushedFeed(["a", "b"]);
  const follower = follow(registry, feed, { partial: true });
  feed.reader.push(live(clock, [], { position: { since: "7-x", source: "db" } }));
  await follower.ready;
  assert.equal(typeof keep(registry, "/ab", ["a", { _id: "b", _rev: "1-b" }]), "object");
  assert.equal(keep(registry, "/ac", ["a", "c"]), "unreported");
  assert.equal(keep(registry, "/c", [{ _id: "c", _rev: "1-c" }], { caller: "bob" }), "unreported");
  assert.equal(typeof keep(registry, "/a", ["a"], { caller: "bob" }), "object");
  assert.equal(registry.stats.unreported, 2);
  assert.equal(ask(registry, "/early"), "miss", "registered when it was not known what would be reported");
  assert.equal(coreOf(registry).register(early, offer(["c"]), NO_FIELDS), "lease-broken");

  await follower.close();
  const other = new PushedFeed(["b", "c"]);
  const again = follow(registry, other, { partial: true });
  other.reader.push(live(clock, [], { position: { since: "7-x", source: "db" } }));
  await again.ready;
  assert.equal(ask(registry, "/ab"), "miss", "its documents are not all reported any more");
  assert.equal(keep(registry, "/ab", ["a", "b"]), "unreported");
  assert.equal(typeof keep(registry, "/c", ["c"]), "object");
  await again.close();
});

test("partial: all feeds of a registry, or none; then each document of any of them can be declared", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const [a, b] = [new PushedFeed(["a"]), new PushedFeed(["b"])];
  const followers = [a, b].map((feed, i) => follow(registry, feed, { partial: true, name: `${i}` }));
  for (const { reader } of [a, b]) reader.push(live(clock));
  await settled();
  assert.equal(typeof keep(registry, "/", ["a", "b"]), "object");
  assert.equal(keep(registry, "/", ["a", "c"]), "unreported");
  assert.throws(() => follow(registry, new PushedFeed()), /"0".*partial, or none/);
  for (const follower of followers) await follower.close();
  const all = follow(registry, new PushedFeed());
  assert.throws(
    () => follow(registry, new PushedFeed(["a"]), { partial: true, name: "0" }),
    /"changes".*partial, or none/,
  );
  await all.close();
});

test("following again under the same name: refused while the first is open", async () => {
  const { registry, follower } = setUp();
  assert.throws(() => follow(registry, new PushedFeed()), TypeError);
  const other = follow(registry, new PushedFeed(), { name: "users" });
  await follower.close();
  await other.close();
});

test("following again after close: resumes from the position, with the entries kept", async () => {
  const { registry, follower, push, clock } = setUp();
  const position = { since: "7-x", source: "db" };
  await push([], { position });
  keep(registry, "/a", ["a"]);
  keep(registry, "/b", ["b"]);
  await follower.close();
  const feed = new PushedFeed();
  const again = follow(registry, feed);
  assert.deepEqual(feed.from, [position]);
  assert.equal(registry.live, false, "until what was missed is applied");
  feed.reader.push(live(clock, [{ id: "b" }], { position }));
  await again.ready;
  assert.deepEqual([ask(registry, "/a"), ask(registry, "/b")], ['"1"', "group-changed"]);
  await again.close();
});

test("following again with a feed that cannot resume: everything before is void", async () => {
  const { registry, follower, push, evicted, clock } = setUp();
  await push([], { position: { since: "7-x", source: "db" } });
  keep(registry, "/", ["a"]);
  const lease = coreOf(registry).lease("/late");
  await follower.close();
  const feed = new PushedFeed();
  const again = follow(registry, feed);
  feed.reader.push(live(clock));
  await again.ready;
  assert.deepEqual([ask(registry, "/"), evicted], ["miss", ["/ reset"]]);
  lease.release();
  await again.close();
});

test("following again after a fault works as after close", async () => {
  const { registry, feed, push, clock } = setUp();
  await push();
  feed.reader.fail(new Error("gone"));
  await settled();
  const next = new PushedFeed();
  const again = follow(registry, next);
  next.reader.push(live(clock));
  await again.ready;
  assert.equal(registry.live, true);
  await again.close();
});

test("follow: a feed that cannot be read throws at once, and leaves its name free", async () => {
  const registry = new EtagRegistry();
  const busy = {
    batches: () => {
      throw new TypeError("this feed is being read already");
    },
  } as unknown as ChangesFeed;
  assert.throws(() => follow(registry, busy), TypeError);
  assert.equal(registry.live, false, "this registry was to be followed, and is not");
  const { reader } = new PushedFeed();
  const follower = follow(registry, { batches: () => reader } as unknown as ChangesFeed);
  reader.push(live(systemClock));
  await follower.ready;
  assert.equal(registry.live, true);
  await follower.close();
});

for (const wrong of [{ maxLag: -1 }, { maxLag: NaN }, { replicaLag: -5 }, { replicaLag: NaN }]) {
  test(`follow: ${JSON.stringify(wrong)} ${Object.values(wrong)[0]} is no number of milliseconds`, () => {
    const registry = new EtagRegistry({ manual: true });
    assert.throws(() => follow(registry, new PushedFeed(), wrong), RangeError);
    assert.equal(registry.live, true, "nothing was taken");
  });
}
