import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeBatch } from "../../src/changes/change.ts";
import type { ChangeSink, Subscription } from "../../src/registry/subscription.ts";
import { Subscriptions } from "../../src/registry/subscriptions.ts";
import { SettableClock } from "../support/clock.ts";
import { live, noGroups } from "../support/registrations.ts";

const MAX_LAG = 1_000;

function setUp() {
  const clock = new SettableClock();
  const subscriptions = new Subscriptions(clock, true);
  const told: string[] = [];
  const host: ChangeSink = {
    reset: (reason) => told.push(`reset ${reason}`),
    change: (group, rev, subscription) => told.push(`${subscription.name}: ${group} ${rev ?? "-"}`),
    repeat: (group, rev, subscription) => told.push(`${subscription.name}: ${group} ${rev} again`),
    stateChanged: () => subscriptions.updateDeadlines(),
    batchApplied: () => {},
  };
  const take = (name = "changes", replicaLag?: number, maxLag = MAX_LAG): Subscription =>
    subscriptions.open(host, name, maxLag, replicaLag);
  const batch = (changes: readonly Change[] = [], more: Partial<ChangeBatch> = {}) =>
    live(clock, changes, more);
  return { clock, subscriptions, told, take, batch };
}

test("Subscriptions: without followers always live", () => {
  assert.equal(setUp().subscriptions.live, true);
});

test("Subscriptions: from the moment a subscription is taken nothing is answered, until its first live batch", () => {
  const { subscriptions, take, batch } = setUp();
  const subscription = take();
  assert.equal(subscriptions.live, false);
  subscription.apply(batch([], { state: "catching-up" }), noGroups);
  assert.equal(subscriptions.live, false);
  subscription.apply(batch(), noGroups);
  assert.equal(subscriptions.live, true);
});

test("Subscriptions: contact lost or the follower closed: not live from that instant", () => {
  const { subscriptions, take, batch } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  subscription.apply(batch([], { state: "lost" }), noGroups);
  assert.deepEqual([subscriptions.live, subscription.live], [false, false]);
  subscription.apply(batch(), noGroups);
  assert.equal(subscriptions.live, true, "resumed by a batch that was applied");
  subscription.close();
  assert.deepEqual([subscriptions.live, subscription.live, subscription.closed], [false, false, true]);
  subscription.apply(batch(), noGroups);
  assert.equal(subscriptions.live, false, "a closed subscription says nothing");
});

test("Subscriptions: live needs a contact; a batch that came without one is not enough", () => {
  const { subscriptions, take, batch } = setUp();
  const subscription = take();
  subscription.apply(batch([], { contact: undefined }), noGroups);
  assert.deepEqual([subscriptions.live, subscription.live], [false, false]);
});

test("Subscriptions: live up to and including maxLag after the contact", () => {
  const { subscriptions, take, batch, clock } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  clock.advance(MAX_LAG);
  assert.deepEqual([subscriptions.live, subscription.lag], [true, MAX_LAG]);
  clock.advance(1);
  assert.deepEqual([subscriptions.live, subscription.lag], [false, MAX_LAG + 1]);
  subscription.apply(batch(), noGroups);
  assert.deepEqual([subscriptions.live, subscription.lag], [true, 0]);
});

test("Subscriptions: the larger of both clocks says how old the contact is", () => {
  const { subscriptions, take, batch, clock } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  clock.wall += MAX_LAG + 1;
  assert.deepEqual(
    [subscriptions.live, subscription.lag],
    [false, MAX_LAG + 1],
    "the machine slept: only the wall clock moved",
  );
  clock.wall -= 100 * MAX_LAG;
  assert.equal(subscriptions.live, true);
  clock.mono += MAX_LAG;
  assert.deepEqual([subscriptions.live, subscription.lag], [true, MAX_LAG], "the wall clock was set back");
  clock.mono += 1;
  assert.deepEqual([subscriptions.live, subscription.lag], [false, MAX_LAG + 1]);
});

test("Subscriptions: the age is that of the contact, not of the batch that tells of it", () => {
  const { subscriptions, take, batch, clock } = setUp();
  const contact = clock.instant;
  clock.advance(MAX_LAG + 1);
  const subscription = take();
  subscription.apply(batch([], { contact }), noGroups);
  assert.deepEqual([subscriptions.live, subscription.live], [false, true]);
});

test("Subscriptions: all must be live, each within its own maxLag", () => {
  const { subscriptions, take, batch, clock } = setUp();
  const [posts, users] = [take("posts"), take("users", undefined, 10 * MAX_LAG)];
  posts.apply(batch(), noGroups);
  assert.equal(subscriptions.live, false);
  users.apply(batch(), noGroups);
  assert.equal(subscriptions.live, true);
  clock.advance(MAX_LAG + 1);
  assert.equal(subscriptions.live, false);
  posts.apply(batch(), noGroups);
  assert.equal(subscriptions.live, true);
  users.close();
  assert.equal(subscriptions.live, false);
});

test("Subscriptions: a name is taken once, until its subscription is closed", () => {
  const { take } = setUp();
  const subscription = take("posts");
  assert.throws(
    () => take("posts"),
    (error) => error instanceof TypeError && error.message.includes('"posts"'),
  );
  take("users");
  subscription.close();
  take("posts");
});

test("Subscriptions: the longest replicaLag of any subscription counts, of closed ones too", () => {
  const { subscriptions, take, batch } = setUp();
  take("one", 100);
  const other = take("other", 700);
  assert.equal(subscriptions.replicaLag, 700);
  other.apply(batch(), noGroups);
  other.close();
  assert.equal(subscriptions.replicaLag, 700);
});

test("Subscription: a start position resets, the batches after it do not", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  subscription.apply(batch([{ id: "a", rev: "1-x" }]), noGroups);
  subscription.apply(batch([{ id: "b" }]), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a 1-x", "changes: b -"]);
});

test("Subscription: a gap resets before the changes it came with", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  told.length = 0;
  subscription.apply(batch([{ id: "a" }], { reset: "recreated" }), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a -"]);
});

test("Subscription: the next of its name resumes where the last one stood, without a reset", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  const position = { since: "5-x", source: "db" };
  subscription.apply(batch([], { position }), noGroups);
  subscription.close();
  told.length = 0;
  const next = take();
  assert.deepEqual(next.position, position);
  next.apply(batch([{ id: "a" }], { position }), noGroups);
  assert.deepEqual(told, ["changes: a -"]);
});

test("Subscription: a source that cannot resume starts anew", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  subscription.close();
  told.length = 0;
  take().apply(batch(), noGroups);
  assert.deepEqual(told, ["reset reset"]);
});

test("Subscription: a source that no longer says where it is has begun anew, so everything before is void", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  subscription.apply(batch([], { position: { since: "5-x", source: "db" } }), noGroups);
  subscription.close();
  told.length = 0;
  const next = take();
  next.apply(batch([{ id: "a" }]), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a -"]);
  assert.equal(next.position, undefined);
});

test("Subscription: the groups that a change touches change too, without a revision", () => {
  const { take, batch, told } = setUp();
  const subscription = take();
  subscription.apply(batch([{ id: "a", rev: "1-x" }]), (change) => [`list of ${change.id}`, "all"]);
  assert.deepEqual(told.slice(1), ["changes: a 1-x", "changes: list of a -", "changes: all -"]);
});

test("Subscription: a groups function that answers one name means that group, not its letters", () => {
  const { take, batch, told } = setUp();
  take().apply(batch([{ id: "a" }]), () => "posts");
  assert.deepEqual(told.slice(1), ["changes: a -", "changes: posts -"]);
});

for (
  const [what, groups] of [
    ["throws", () => {
      throw new Error("no such field");
    }],
    ["answers nothing", () => undefined],
    ["names what is no string", () => [undefined]],
    ["answers a promise", () => Promise.resolve(["posts"])],
    ["throws midway", function* () {
      yield "posts";
      throw new Error("no such field");
    }],
  ] as const
) {
  test(`Subscription: a groups function that ${what} voids everything, and the other changes still count`, () => {
    const { take, batch, told, subscriptions } = setUp();
    const subscription = take();
    subscription.apply(batch(), noGroups);
    told.length = 0;
    let first = true;
    subscription.apply(batch([{ id: "a" }, { id: "b" }]), () => {
      if (!first) return [];
      first = false;
      return groups() as Iterable<string>;
    });
    assert.equal(told[0], "changes: a -");
    assert.deepEqual(told.slice(-2), ["reset groups-threw", "changes: b -"]);
    assert.equal(subscriptions.live, true);
  });
}

test("Subscription: a change without a name is an error, not a change of nothing", () => {
  const { take, batch } = setUp();
  const nameless = { _id: "a" } as unknown as Change;
  assert.throws(() => take().apply(batch([nameless]), noGroups), TypeError);
});

test("Subscription: replicaLag goes by the copies that the database keeps of a document", () => {
  const { take, batch, subscriptions } = setUp();
  const subscription = take();
  subscription.apply(batch([], { replicas: 1 }), noGroups);
  assert.equal(subscriptions.replicaLag, 0);
  subscription.apply(batch([], { replicas: 3 }), noGroups);
  assert.equal(subscriptions.replicaLag, 5_000);
  subscription.apply(batch(), noGroups);
  assert.equal(subscriptions.replicaLag, 5_000, "what is not said again still holds");
});

test("Subscription: replicaLag is known before the changes of the batch that tells it", () => {
  const { take, batch, subscriptions } = setUp();
  const settles: number[] = [];
  take().apply(batch([{ id: "a" }], { replicas: 3 }), () => {
    settles.push(subscriptions.replicaLag);
    return [];
  });
  assert.deepEqual(settles, [5_000]);
});

test("Subscription: a replicaLag that was asked for overrides what the database says", () => {
  const { take, batch, subscriptions } = setUp();
  take("changes", 70).apply(batch([], { replicas: 3 }), noGroups);
  assert.equal(subscriptions.replicaLag, 70);
});

test("Subscription: what the database said of its copies is kept for the next of the name", () => {
  const { take, batch, subscriptions } = setUp();
  const subscription = take();
  subscription.apply(batch([], { replicas: 3 }), noGroups);
  subscription.close();
  take();
  assert.equal(subscriptions.replicaLag, 5_000);
});

test("Subscription: before the first contact the lag is endless", () => {
  assert.equal(setUp().take().lag, Infinity);
});

test("Subscription: what came again is told before the changes, with the groups that it touches", () => {
  const { told, take, batch } = setUp();
  const subscription = take();
  subscription.apply(batch(), noGroups);
  told.length = 0;
  const repeated = [{ id: "a", rev: "2-b" }, { id: "b" }];
  subscription.apply(batch([{ id: "a", rev: "3-c" }], { repeated }), ({ id }) => [`all ${id}`]);
  assert.deepEqual(told, [
    "changes: a 2-b again",
    "changes: all a -",
    "changes: b -",
    "changes: all b -",
    "changes: a 3-c",
    "changes: all a -",
  ]);
});
