/** A feed that is read to its end in one event after the other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EtagRegistry, follow, followOnDemand, group, type OnDemandOptions } from "../../mod.ts";
import type { Change, ChangeBatch, ChangesFeed, DocumentChange } from "../../src/changes/change.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { systemClock } from "../../src/changes/clock.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live } from "../support/registrations.ts";

function setUp(options: OnDemandOptions = {}) {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const errors: unknown[] = [];
  const follower = followOnDemand(registry, { onError: (error) => errors.push(error), ...options });
  /** A position, as each batch of CouchDB has one. */
  const at = (since: number) => ({ position: { since, source: "blog" } });
  /** One event that reads these batches. */
  const event = async (...batches: ChangeBatch[]) => {
    const feed = new PushedFeed();
    const caughtUp = follower.catchUp(feed);
    for (const batch of batches) feed.reader.push(batch);
    return { feed, isLive: await caughtUp };
  };
  const upTo = (since: number, changes: Change[] = []) => live(clock, changes, at(since));
  return { clock, registry, follower, errors, event, upTo, at };
}

test("followOnDemand: nothing is answered before the first catch-up, nor later than maxLag after one", async () => {
  const { clock, registry, follower, event, upTo } = setUp({ maxLag: 1_000 });
  keep(registry, "/", ["post-1"]);
  assert.equal(ask(registry, "/"), "suspended");
  const first = await event(upTo(1));
  assert.deepEqual([first.isLive, first.feed.from, first.feed.maxLags], [true, [undefined], [1_000]]);
  assert.ok(first.feed.reader.returned > 0, "the connection is given back");
  assert.equal(ask(registry, "/"), "miss", "what was registered before the start is void");
  keep(registry, "/", ["post-1"]);
  assert.equal(ask(registry, "/"), '"1"');
  clock.advance(1_000);
  assert.deepEqual([ask(registry, "/"), follower.lag], ['"1"', 1_000]);
  clock.advance(1);
  assert.equal(ask(registry, "/"), "suspended");
  const second = await event(upTo(2));
  assert.deepEqual(second.feed.from, [{ since: 1, source: "blog" }], "from where the last one ended");
  assert.deepEqual(
    [ask(registry, "/"), follower.since],
    ['"1"', 2],
    "and what nothing has changed answers again",
  );
});

test("followOnDemand: the contact is what the feed says, not when the catch-up ended", async () => {
  const { clock, follower, event, upTo, registry } = setUp({ maxLag: 1_000 });
  const batch = upTo(1);
  clock.advance(900);
  await event(batch);
  assert.equal(follower.lag, 900);
  clock.advance(101);
  assert.equal(registry.live, false);
});

test("followOnDemand: a change between two events voids what it concerns, whenever that was registered", async () => {
  const { registry, event, upTo } = setUp();
  await event(upTo(1));
  keep(registry, "/1", [{ _id: "post-1", _rev: "1-a" }]);
  keep(registry, "/2", [{ _id: "post-2", _rev: "1-a" }]);
  keep(registry, "/3", [{ _id: "post-3", _rev: "2-b" }]);
  await event(upTo(3, [{ id: "post-1", rev: "2-b" }, { id: "post-3", rev: "2-b" }]));
  assert.deepEqual(["/1", "/2"].map((key) => ask(registry, key)), ["group-changed", '"1"']);
  // It may have been another one in between: this costs one run of the handler.
  assert.equal(ask(registry, "/3"), "group-changed");
});

test("followOnDemand: nothing is applied before the end is reached", async () => {
  const { registry, follower, event, upTo, clock, at } = setUp();
  await event(upTo(1));
  keep(registry, "/", ["post-1"]);
  const feed = new PushedFeed();
  const pending = follower.catchUp(feed, { timeout: 5 });
  feed.reader.push(live(clock, [{ id: "post-1" }], { ...at(2), state: "catching-up" }));
  assert.equal(await pending, true, "the last contact is still good");
  assert.equal(follower.since, 1);
  assert.deepEqual([(follower.error as ChangesError).code, ask(registry, "/")], ["timeout", '"1"']);
  await event(upTo(2, [{ id: "post-1" }]));
  assert.deepEqual([follower.error, ask(registry, "/")], [undefined, "group-changed"]);
});

test("followOnDemand: a loss is waited out, a gap empties the registry, and a fault is no exception", async () => {
  const { registry, follower, errors, event, upTo, clock, at } = setUp();
  await event(upTo(1));
  keep(registry, "/", ["post-1"]);
  await event(live(clock, [], { ...at(1), state: "lost" }), upTo(2));
  assert.equal(ask(registry, "/"), '"1"');
  await event(live(clock, [], { ...at(0), state: "lost", reset: "recreated" }), upTo(1));
  assert.equal(ask(registry, "/"), "miss");

  const feed = new PushedFeed();
  const failing = follower.catchUp(feed);
  const fault = new ChangesError("unauthorized", "refused");
  feed.reader.fail(fault);
  assert.equal(await failing, true);
  const ended = new PushedFeed();
  const ending = follower.catchUp(ended);
  ended.reader.end();
  await ending;
  assert.deepEqual(errors.map((error) => (error as ChangesError).code), ["unauthorized", "truncated"]);
});

test("followOnDemand: a request that is aborted gives its catch-up up, and that is no fault", async () => {
  const { follower, errors } = setUp();
  const request = new AbortController();
  const feed = new PushedFeed();
  const pending = follower.catchUp(feed, { signal: request.signal });
  request.abort();
  assert.equal(await pending, false);
  assert.deepEqual([errors, feed.reader.returned], [[], 1]);
});

test("followOnDemand: of two events at once, the one that asked earlier does not undo what the other knows", async () => {
  const { registry, follower, clock, upTo, event } = setUp();
  await event(upTo(1));
  const [slow, quick] = [new PushedFeed(), new PushedFeed()];
  const slowly = follower.catchUp(slow);
  const old = upTo(2, [{ id: "post-1", rev: "2-b" }]);
  clock.advance(1);
  const quickly = follower.catchUp(quick);
  quick.reader.push(upTo(3, [{ id: "post-1", rev: "3-c" }]));
  await quickly;
  slow.reader.push(old);
  assert.equal(await slowly, true);
  assert.deepEqual([follower.since, follower.lag], [3, 0]);
  assert.equal(keep(registry, "/", [{ _id: "post-1", _rev: "2-b" }]), "superseded");
  assert.equal(typeof keep(registry, "/", [{ _id: "post-1", _rev: "3-c" }]), "object");
});

test("followOnDemand: of two events at once, the one that asked later is applied, though it ends later", async () => {
  const { registry, follower, clock, upTo, event } = setUp();
  await event(upTo(1));
  const [first, second] = [new PushedFeed(), new PushedFeed()];
  const pending = [follower.catchUp(first), follower.catchUp(second)];
  first.reader.push(upTo(2, [{ id: "post-1", rev: "2-b" }]));
  await pending[0];
  keep(registry, "/", [{ _id: "post-1", _rev: "2-b" }]);
  clock.advance(1);
  second.reader.push(upTo(3, [{ id: "post-1", rev: "3-c" }]));
  await pending[1];
  assert.deepEqual([follower.since, ask(registry, "/")], [3, "group-changed"]);
});

test("followOnDemand: where a clock stands still, one event after the other is applied all the same", async () => {
  const { registry, follower, upTo, event } = setUp();
  await event(upTo(1));
  keep(registry, "/", [{ _id: "post-1", _rev: "1-a" }]);
  await event(upTo(2, [{ id: "post-1", rev: "2-b" }]));
  assert.deepEqual([follower.since, ask(registry, "/")], [2, "group-changed"]);
});

test("followOnDemand: where both clocks were set back, the age of the contact is unknown, and the registry begins anew", async () => {
  const { registry, follower, clock, upTo, event } = setUp();
  await event(upTo(1));
  keep(registry, "/", ["post-1"]);
  clock.advance(-1);
  const failing = new PushedFeed();
  const pending = follower.catchUp(failing);
  failing.reader.fail(new Error("down"));
  assert.deepEqual([await pending, ask(registry, "/")], [false, "suspended"]);
  const { feed } = await event(upTo(2));
  assert.deepEqual([feed.from, ask(registry, "/")], [[undefined], "miss"]);
});

test("followOnDemand: more than maxChanges are not read: the registry is emptied and begins at the end", async () => {
  const { registry, follower, clock, upTo, event, at } = setUp({ maxChanges: 2 });
  await event(upTo(1));
  keep(registry, "/", ["post-9"]);
  const feed = new PushedFeed();
  const pending = follower.catchUp(feed);
  const ids = ["a", "b", "c"].map((id) => ({ id }));
  feed.reader.push(live(clock, ids, { ...at(4), state: "catching-up" }));
  await settled();
  assert.deepEqual([feed.from.length, feed.anew], [2, [false, true]]);
  feed.reader.push(upTo(90));
  assert.equal(await pending, true);
  assert.deepEqual([follower.since, ask(registry, "/")], [90, "miss"]);
});

test("followOnDemand: within renewAfter nothing is asked", async () => {
  const { clock, event, upTo, follower } = setUp({ renewAfter: 100 });
  await event(upTo(1));
  clock.advance(99);
  const unread = new PushedFeed();
  assert.deepEqual([await follower.catchUp(unread), unread.from], [true, []]);
  clock.advance(1);
  assert.equal((await event(upTo(2))).feed.from.length, 1);
});

test("followOnDemand: a restart of the registry voids what is being read", async () => {
  const { registry, follower, upTo, event } = setUp();
  await event(upTo(1));
  const feed = new PushedFeed();
  const pending = follower.catchUp(feed);
  registry.restart();
  feed.reader.push(upTo(2));
  assert.deepEqual([await pending, follower.since], [false, undefined]);
});

test("followOnDemand: a snapshot carries the position from one process to the next", async () => {
  const clock = new SettableClock();
  const options = { ...clock, version: "1" };
  const read = async (registry: EtagRegistry, batch: ChangeBatch) => {
    const feed = new PushedFeed();
    const pending = followOnDemand(registry).catchUp(feed);
    feed.reader.push(batch);
    await pending;
    return feed;
  };
  const at = (since: number) => ({ position: { since, source: "blog" } });
  const before = new EtagRegistry(options);
  await read(before, live(clock, [], at(7)));
  keep(before, "/1", ["post-1"]);
  keep(before, "/2", ["post-2"]);
  const stored = await new Response(before.snapshot()).blob();
  const after = await EtagRegistry.restore(stored.stream(), options);
  const feed = await read(after, live(clock, [{ id: "post-2" }], at(8)));
  assert.deepEqual(feed.from, [{ since: 7, source: "blog" }]);
  assert.deepEqual([ask(after, "/1"), ask(after, "/2")], ['"1"', "group-changed"]);
});

test("followOnDemand: a group remembers from one event to the next what was in it", async () => {
  const posts = group<DocumentChange<{ type: string }>>("posts", ({ doc }) => doc?.type === "post");
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const follower = followOnDemand<DocumentChange<{ type: string }>>(registry, { groups: [posts] });
  const event = async (changes: (DocumentChange<{ type: string }> & { revs: string[] })[], since: number) => {
    const feed = new PushedFeed();
    const pending = follower.catchUp(feed as ChangesFeed);
    feed.reader.push(live(clock, changes, { position: { since, source: "blog" } }));
    await pending;
    return ask(registry, "/");
  };
  const user = { id: "user-1", rev: "1-a", revs: ["1-a"], doc: { type: "user" } };
  await event([user], 1);
  keep(registry, "/", [posts]);
  assert.equal(
    await event([{ ...user, rev: "2-b", revs: ["2-b"] }], 2),
    '"1"',
    "it was none of them, and is none",
  );
  assert.equal(
    await event([{ id: "post-1", rev: "1-a", revs: ["1-a"], doc: { type: "post" } }], 3),
    "group-changed",
  );
});

test("OnDemandFollower.close: suspends, and follow() goes on from its position", async () => {
  const { registry, follower, event, upTo } = setUp();
  await event(upTo(4));
  follower.close();
  assert.deepEqual([registry.live, await follower.catchUp(new PushedFeed())], [false, false]);
  const feed = new PushedFeed();
  const follows = follow(registry, feed);
  assert.deepEqual(feed.from, [{ since: 4, source: "blog" }]);
  await follows.close();
});

test("followOnDemand: what is no feed of all documents, and illegal options, throw", async () => {
  const registry = new EtagRegistry();
  for (const name of ["maxLag", "renewAfter", "replicaLag", "maxChanges"]) {
    assert.throws(() => followOnDemand(registry, { [name]: -1 }), RangeError, name);
  }
  const follower = followOnDemand(registry);
  assert.throws(() => followOnDemand(registry), /"changes" is followed already/);
  await assert.rejects(
    follower.catchUp([] as never),
    /catchUp\(\) takes a feed .* not an iterable of changes/,
  );
  await assert.rejects(follower.catchUp(new PushedFeed(["a"])), /feed of all documents/);
  await assert.rejects(follower.catchUp(new PushedFeed(), { timeout: NaN }), RangeError);
});

test("followOnDemand: the requests of one catch-up, where nothing has changed and where something has", async () => {
  let sequence = 1;
  const asked: string[] = [];
  const row = () => ({ seq: `${sequence}-x`, id: "post-1", changes: [{ rev: `${sequence}-a` }] });
  const fetch = (href: string) => {
    const { pathname, searchParams } = new URL(href);
    asked.push(pathname);
    const identity = { purge_seq: "0-x", instance_start_time: "1", update_seq: `${sequence}-x` };
    if (!pathname.endsWith("_changes")) return Promise.resolve(Response.json(identity));
    const isNew = searchParams.get("since") !== `${sequence}-x`;
    const results = isNew ? [row()] : [];
    return Promise.resolve(Response.json({ results, last_seq: `${sequence}-x`, pending: 0 }));
  };
  const registry = new EtagRegistry();
  const follower = followOnDemand(registry, { onError: (error) => assert.fail(String(error)) });
  const requests = async () => {
    asked.length = 0;
    const feed = changes("http://localhost:5984/blog", { fetch, feed: "normal", ...systemClock });
    assert.equal(await follower.catchUp(feed), true);
    return asked.length;
  };
  await requests();
  keep(registry, "/", [{ _id: "post-1", _rev: "1-a" }]);
  const idle = await requests();
  assert.equal(ask(registry, "/"), '"1"');
  sequence++;
  const busy = await requests();
  assert.equal(ask(registry, "/"), "group-changed");
  assert.deepEqual([idle, busy], [6, 3], "as docs/edges.md says");
});
