import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangesFeed } from "../../src/changes/change.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import type { Dependency } from "../../src/http/dependency.ts";
import { follow, type FollowOptions } from "../../src/registry/follow.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { SettableClock } from "../support/clock.ts";
import { Pushed, PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live, offer } from "../support/registrations.ts";
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

test("close: a generator that waits for its source does not hold it up", async () => {
  const registry = new EtagRegistry();
  const follower = follow(
    registry,
    (async function* (): AsyncGenerator<Change> {
      yield { id: "a" };
      await new Promise(() => {});
    })(),
  );
  await settled();
  await follower.close();
  assert.equal(registry.live, false);
});

test("close: an iterator that takes it badly, or knows no return(), is no fault", async () => {
  const next = () => new Promise<IteratorResult<Change>>(() => {});
  const iterators: Partial<AsyncIterator<Change>>[] = [
    { next },
    { next, return: () => Promise.reject(new Error("no")) },
    {
      next,
      return: () => {
        throw new Error("no");
      },
    },
    { next, return: () => undefined as unknown as Promise<IteratorResult<Change>> },
  ];
  for (const iterator of iterators) {
    for (const batched of [false, true]) {
      await handlingAll(async () => {
        const registry = new EtagRegistry();
        const aborter = new AbortController();
        const feed = batched ? { batches: () => iterator } : { [Symbol.asyncIterator]: () => iterator };
        const follower = follow(registry, feed as unknown as ChangesFeed, { signal: aborter.signal });
        aborter.abort();
        assert.equal(registry.live, false);
        await follower.close();
      });
    }
  }
});

test("close: nothing more is asked of an iterator that knows no return()", async () => {
  const source = new Pushed<Change>();
  const next = () => source.next();
  const follower = follow(new EtagRegistry(), { [Symbol.asyncIterator]: () => ({ next }) });
  await follower.ready;
  await follower.close();
  source.push({ id: "a" });
  source.push({ id: "b" });
  await settled();
  assert.equal(source.asked, 1, "the next change is for whoever follows next");
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

test("a final fault after live: nobody has to listen for it", async () => {
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

test("a feed that ends: the registry is suspended", async () => {
  await handlingAll(async () => {
    const { registry, follower, feed, push } = setUp();
    await push();
    feed.reader.end();
    await settled();
    assert.deepEqual([registry.live, follower.live, follower.error], [false, false, undefined]);
    const early = setUp();
    early.feed.reader.end();
    await assert.rejects(early.follower.ready, aborted);
  });
});

test("follow: a change that names nothing is a final fault, not a change of nothing", async () => {
  await handlingAll(async () => {
    const { registry, follower, push } = setUp();
    await push();
    await push([{ _id: "a" } as unknown as Change]);
    assert.ok(follower.error instanceof TypeError);
    assert.equal(registry.live, false);
  });
});

/** A registry whose monotonic clock shows a millisecond more each time it is read: all work takes long. */
function slowRegistry(): EtagRegistry {
  let ms = 0;
  return new EtagRegistry({ now: () => 1e12, monotonic: () => ms++ });
}

test("follow: a feed that always has more to say lets others have their turn", async () => {
  let yielded = 0;
  async function* feed(): AsyncGenerator<Change> {
    for (; yielded < 10_000; yielded++) yield { id: "a" };
    await new Promise(() => {});
  }
  const follower = follow(slowRegistry(), feed());
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

test("a plain iterable: live at once, however long it says nothing, until it ends", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const source = new Pushed<Change>();
  const follower = follow(registry, source, { maxLag: 10 });
  assert.deepEqual([registry.live, follower.since], [true, undefined]);
  await follower.ready;
  keep(registry, "/a", ["a"]);
  keep(registry, "/b", ["b"]);
  clock.advance(1e12);
  assert.equal(ask(registry, "/a"), '"1"');
  source.push({ id: "a" });
  await settled();
  assert.deepEqual([ask(registry, "/a"), ask(registry, "/b")], ["group-changed", '"1"']);
  source.end();
  await settled();
  assert.equal(ask(registry, "/b"), "suspended");
});

test("a plain iterable that throws: suspended, with the error kept", async () => {
  await handlingAll(async () => {
    const registry = new EtagRegistry();
    const source = new Pushed<Change>();
    const follower = follow(registry, source);
    source.fail(new Error("gone"));
    await settled();
    assert.deepEqual([registry.live, (follower.error as Error).message], [false, "gone"]);
  });
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

test("following again with a plain iterable: it cannot resume, so everything before is void", async () => {
  const { registry, follower, push, evicted } = setUp();
  await push([], { position: { since: "7-x", source: "db" } });
  keep(registry, "/", ["a"]);
  const lease = coreOf(registry).lease("/late");
  await follower.close();
  const again = follow(registry, new Pushed<Change>());
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
  assert.throws(() => follow(registry, [{ id: "a" }] as unknown as AsyncIterable<Change>), TypeError);
  assert.equal(registry.live, false, "somebody meant this registry to be kept true, and nobody does");
  const source = new Pushed<Change>();
  const follower = follow(registry, source);
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
