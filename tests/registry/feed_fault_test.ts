/** What a registry knows of the last fault of a feed: a sentence without a secret, its time, the attempts in a row. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError, EtagRegistry, follow, followOnDemand } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { coreOf } from "../../src/registry/core.ts";
import { shownFault } from "../../src/registry/feed_fault.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { live } from "../support/registrations.ts";

const SECRET = "hunter2";

const refused = Object.assign(new Error(`connect ECONNREFUSED ${SECRET}`), { code: "ECONNREFUSED" });

/** What was thrown, and how it is shown. */
const faults: readonly (readonly [what: string, fault: unknown, shown: string])[] = [
  ["of this package", new ChangesError("not-found", "It is gone"), "not-found: It is gone"],
  [
    "of this package, with a cause of the system",
    new ChangesError("network", "The database did not answer", { cause: refused }),
    "network: The database did not answer (ECONNREFUSED)",
  ],
  [
    "of this package, that has said the code itself",
    new ChangesError("network", "It cannot be reached: connect ECONNREFUSED", { cause: refused }),
    "network: It cannot be reached: connect ECONNREFUSED",
  ],
  ["of the system", refused, "Error ECONNREFUSED"],
  ["of the system, wrapped", new TypeError("fetch failed", { cause: refused }), "TypeError ECONNREFUSED"],
  ["of another kind", new RangeError(`http://admin:${SECRET}@db/`), "RangeError"],
  ["with a code of its own", Object.assign(new Error("x"), { code: SECRET }), "Error"],
  ["with a code that is no text", Object.assign(new Error("x"), { code: 7 }), "Error"],
  ["an event", new Event(SECRET), "Event"],
  ["text", SECRET, "string"],
  ["nothing", undefined, "undefined"],
  ["null", null, "object"],
  ["an object without a class", Object.create(null), "object"],
];

for (const [what, fault, shown] of faults) {
  test(`shownFault: a fault ${what} is shown as ${shown}`, () => assert.equal(shownFault(fault), shown));
}

test("shownFault: causes that name each other end", () => {
  const error = new Error("x");
  error.cause = error;
  assert.equal(shownFault(error), "Error");
});

/** A registry that follows a feed whose batches the test pushes. */
function setUp(options: Parameters<typeof follow>[2] = {}) {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const feed = new PushedFeed();
  const follower = follow(registry, feed, { name: "blog", ...options });
  const subscription = [...coreOf(registry).feeds][0]!;
  const push = async (more: Parameters<typeof live>[2] = {}) => {
    feed.reader.push(live(clock, [], more));
    await settled();
  };
  /** A feed that has never had contact says so in its batches. */
  const lose = (fault?: unknown) => push({ state: "lost", contact: undefined, fault });
  return { clock, registry, feed, follower, subscription, push, lose };
}

test("follow: the last fault that passes is known with its time, and how many attempts have failed in a row", async () => {
  const { clock, feed, follower, subscription, push, lose } = setUp({ onError: () => {} });
  assert.equal(subscription.fault, undefined);
  for (let attempt = 1; attempt <= 3; attempt++) {
    clock.advance(1_000);
    await lose(refused);
    assert.deepEqual(subscription.fault, {
      what: "Error ECONNREFUSED",
      at: clock.wall,
      attempts: attempt,
      isFinal: false,
    });
  }
  const { at } = subscription.fault!;
  clock.advance(1_000);
  await push();
  assert.deepEqual(
    [subscription.state, subscription.fault!.at],
    ["live", at],
    "it is kept when it has passed",
  );
  await lose();
  assert.deepEqual(
    [subscription.state, subscription.fault!.at],
    ["lost", at],
    "an end without a fault is none",
  );
  await lose(new Error("cut"));
  assert.equal(subscription.fault!.attempts, 1, "the attempts are counted anew");
  feed.reader.fail(new ChangesError("not-found", "It is gone"));
  await settled();
  assert.deepEqual([subscription.fault!.what, subscription.fault!.isFinal], ["not-found: It is gone", true]);
  await follower.close();
});

test("follow: a feed of CouchDB tells the registry why it is not reached, at each attempt", async () => {
  const registry = new EtagRegistry();
  const fetch = () => Promise.reject(new TypeError("fetch failed", { cause: refused }));
  const sleep = () => settled();
  const feed = changes(`http://admin:${SECRET}@localhost:5984/blog`, { fetch, sleep });
  const follower = follow(registry, feed, { onError: () => {} });
  const subscription = [...coreOf(registry).feeds][0]!;
  while ((subscription.fault?.attempts ?? 0) < 4) await settled();
  const { state, fault } = subscription;
  assert.equal(state, "starting");
  assert.match(fault!.what, /^network: The database cannot be reached: .*ECONNREFUSED/);
  await follower.close();
});

test("followOnDemand: a catch-up that fails is known to the registry, by what the feed has met in it", async () => {
  const registry = new EtagRegistry();
  const follower = followOnDemand(registry, { onError: () => {} });
  const [subscription] = [...coreOf(registry).feeds];
  const feed = new PushedFeed();
  const catching = follower.catchUp(feed, { timeout: 20 });
  feed.reader.push({ changes: [], state: "lost", contact: undefined, position: undefined, fault: refused });
  assert.equal(await catching, false);
  assert.deepEqual([subscription!.fault!.what, subscription!.state], ["Error ECONNREFUSED", "starting"]);
});

/** How a feed comes to its state. */
const states: readonly (readonly [
  state: string,
  what: string,
  come: (world: ReturnType<typeof setUp>) => unknown,
])[] = [
  ["starting", "that was followed a moment ago", () => {}],
  ["starting", "that tries in vain", ({ lose }) => lose(refused)],
  [
    "starting",
    "that catches up for the first time",
    ({ push }) => push({ state: "catching-up", contact: undefined }),
  ],
  ["live", "that is complete", ({ push }) => push()],
  ["stale", "that was not heard of for longer than maxLag", async ({ push, clock }) => {
    await push();
    clock.advance(25_001);
  }],
  ["lost", "that was live", async ({ push, lose }) => {
    await push();
    await lose(refused);
  }],
  ["lost", "that catches up after a loss", async ({ push, lose }) => {
    await push();
    await lose();
    await push({ state: "catching-up" });
  }],
  ["live", "that has come back", async ({ push, lose }) => {
    await push();
    await lose();
    await push();
  }],
  ["starting", "that begins anew after a loss", async ({ push, lose, registry }) => {
    await push();
    await lose();
    registry.restart();
  }],
  ["starting", "that is followed again after a loss", async ({ push, lose, registry, follower }) => {
    await push();
    await lose();
    await follower.close();
    follow(registry, new PushedFeed(), { name: "blog", onError: () => {} });
  }],
  ["ended", "whose follower was closed", ({ follower }) => follower.close()],
  ["ended", "that has failed for good", async ({ feed }) => {
    feed.reader.fail(new Error("gone"));
    await settled();
  }],
];

for (const [state, what, come] of states) {
  test(`Subscription: a feed ${what} is ${state}`, async () => {
    const world = setUp({ onError: () => {} });
    await come(world);
    assert.equal([...coreOf(world.registry).feeds][0]!.state, state);
    await world.follower.close();
  });
}

test("Subscription: a feed that has never had contact has lost none", async () => {
  const { subscription, follower, push, lose } = setUp({ onError: () => {} });
  await lose(refused);
  assert.deepEqual([subscription.counters.losses, subscription.lostAt], [0, undefined]);
  await push();
  assert.equal(subscription.counters.recoveries, 0);
  await follower.close();
});

/** When a feed loses, what it was before, and whether the console is told. */
const silences: readonly (readonly [
  what: string,
  after: number,
  isTold: boolean,
  options?: Parameters<typeof follow>[2],
  wasLive?: true,
])[] = [
  ["without contact after 10 s", 10_000, true],
  ["without contact before 10 s", 9_999, false],
  ["without contact, though onError would hear of its end", 10_000, true, { onError: () => {} }],
  ["that was live", 10_000, false, {}, true],
];

for (const [what, after, isTold, options, wasLive] of silences) {
  test(`follow: of a feed ${what} the console is told ${isTold ? "once" : "nothing"}`, async (t) => {
    const warn = t.mock.method(console, "warn", () => {});
    const { clock, follower, push, lose } = setUp(options);
    if (wasLive) await push();
    clock.advance(after);
    await lose(refused);
    await lose(refused);
    await follower.close();
    const lines = warn.mock.calls.map((call) => call.arguments.join(" "));
    assert.equal(lines.length, isTold ? 1 : 0);
    if (!isTold) return;
    assert.match(
      lines[0]!,
      /"blog" has had no contact with its source for 10 s \(Error ECONNREFUSED; 1 attempt\)/,
    );
    assert.ok(!lines[0]!.includes(SECRET), lines[0]);
  });
}

test("follow: a lost feed that tries in vain again and again is lost once, and voids nothing more", async () => {
  const { subscription, push, follower } = setUp({ onError: () => {} });
  const lose = () => push({ state: "lost", contact: undefined, position: undefined, fault: refused });
  for (let attempt = 0; attempt < 4; attempt++) await lose();
  const { batches, resets } = subscription.counters;
  assert.deepEqual([batches, resets.began, subscription.fault!.attempts], [4, 1, 4]);
  await follower.close();
});
