import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeBatch, ChangesFeed } from "../../src/changes/change.ts";
import { mapFeed } from "../../src/changes/map_feed.ts";
import { ownFeed } from "../../src/changes/own_feed.ts";
import { changes, type ChangesOptions } from "../../src/couchdb/changes.ts";
import { follow } from "../../src/registry/follow.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live } from "../support/registrations.ts";

const prefixed = (change: Change): Change => ({ ...change, id: `blog/${change.id}` });

test("mapFeed: each change is replaced, and all else of a batch is kept", async () => {
  const feed = new PushedFeed();
  const batches = mapFeed(feed, prefixed).batches({ since: "5-x", source: "db" }, { maxLag: 400 });
  assert.deepEqual([feed.from, feed.maxLags], [[{ since: "5-x", source: "db" }], [400]]);
  const kept = {
    position: { since: "7-x", source: "db" },
    state: "live",
    contact: { wall: 5, monotonic: 7 },
    reset: "purged",
    replicas: 3,
    "a field of the future": true,
  } as const;
  feed.reader.push({ ...kept, changes: [{ id: "a", rev: "1-a" }, { id: "b", deleted: true }] });
  assert.deepEqual((await batches.next()).value, {
    ...kept,
    changes: [{ id: "blog/a", rev: "1-a" }, { id: "blog/b", deleted: true }],
  });
  const lost = { position: undefined, state: "lost", contact: undefined, fault: new Error("cut") } as const;
  feed.reader.push({ ...lost, changes: [] });
  assert.deepEqual((await batches.next()).value, { ...lost, changes: [] });
});

test("mapFeed: ends as the feed does, and passes return() and faults on", async () => {
  const feed = new PushedFeed();
  const mapped = mapFeed(feed, prefixed);
  let batches = mapped.batches();
  const pending = batches.next();
  await batches.return!();
  assert.deepEqual([feed.reader.returned, await pending], [1, { done: true, value: undefined }]);
  batches = mapped.batches();
  feed.reader.fail(new Error("gone"));
  await assert.rejects(batches.next(), /gone/);
});

/** Functions that give no change. */
const broken: Record<string, (change: Change) => unknown> = {
  "throws": () => {
    throw new Error("no such field");
  },
  "gives nothing": () => undefined,
  "gives a change without an id": () => ({ rev: "1-a" }),
  "gives a promise": (change) => Promise.resolve(change),
};

for (const [name, transform] of Object.entries(broken)) {
  test(`mapFeed: a function that ${name} voids everything, and the feed goes on`, async () => {
    const feed = new PushedFeed();
    const mapped = mapFeed(feed, (change) => (change.id === "b" ? transform(change) : change) as Change);
    const clock = new SettableClock();
    const registry = new EtagRegistry({ ...clock });
    const follower = follow(registry, mapped);
    feed.reader.push(live(clock));
    await follower.ready;
    keep(registry, "/", ["unrelated"]);
    keep(registry, "/c", ["c"]);
    feed.reader.push(live(clock, [{ id: "a" }, { id: "b" }, { id: "c" }]));
    await settled();
    assert.deepEqual([ask(registry, "/"), registry.live, registry.stats.reset], ["miss", true, 2]);
    keep(registry, "/", ["unrelated"]);
    feed.reader.push(live(clock, [{ id: "a" }]));
    await settled();
    assert.deepEqual([ask(registry, "/"), follower.error], ['"1"', undefined]);
    await follower.close();
  });
}

test("mapFeed: a reset of the feed is not hidden by one of its own", async () => {
  const feed = new PushedFeed();
  const batches = mapFeed(feed, (): Change => assert.fail()).batches();
  const batch: ChangeBatch = { ...live(new SettableClock(), [{ id: "a" }, { id: "b" }]), reset: "recreated" };
  feed.reader.push(batch);
  assert.deepEqual((await batches.next()).value, { ...batch, changes: [] });
});

test("map: two databases share a registry, and their ids do not meet", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const [posts, users] = [new PushedFeed(), new PushedFeed()];
  const followers = Object.entries({ posts, users }).map(([name, feed]) =>
    follow(registry, mapFeed(feed, (change) => ({ ...change, id: `${name}/${change.id}` })), { name })
  );
  for (const { reader } of [posts, users]) reader.push(live(clock));
  await settled();
  keep(registry, "/post", ["posts/1"]);
  keep(registry, "/user", ["users/1"]);
  posts.reader.push(live(clock, [{ id: "1" }]));
  await settled();
  assert.deepEqual([ask(registry, "/post"), ask(registry, "/user")], ["group-changed", '"1"']);
  users.reader.push(live(clock, [], { state: "lost" }));
  await settled();
  assert.equal(ask(registry, "/user"), "suspended");
  for (const follower of followers) await follower.close();
});

test("map: one change at a time, and an error of the function ends the loop and the feed", async () => {
  const feed = ownFeed(({ change }) => {
    for (const id of ["a", "b", "c"]) change({ id });
  }, { onlyWriter: true });
  const mapped = feed.map((change) => {
    if (change.id === "c") throw new Error("no such field");
    return prefixed(change);
  }).map(({ id }) => ({ id: id.toUpperCase() }));
  const ids: string[] = [];
  await assert.rejects(async () => {
    for await (const { id } of mapped) ids.push(id);
  }, /no such field/);
  assert.deepEqual(ids, ["BLOG/A", "BLOG/B"]);
  await feed.batches().return!();
});

test("map: closes the feed that it maps", async () => {
  const feed = ownFeed(() => {}, { onlyWriter: true });
  const mapped = feed.map(prefixed);
  await mapped.batches().next();
  assert.throws(() => feed.batches(), TypeError);
  await mapped[Symbol.asyncDispose]();
  await feed.batches().return!();
});

test("map: throws at once without a function", () => {
  const feed = ownFeed(() => {}, { onlyWriter: true });
  assert.throws(() => feed.map(undefined as unknown as (change: Change) => Change), TypeError);
});

/** Which documents a feed says that it reports, and the same mapped. */
const selections: Record<
  string,
  {
    readonly options: ChangesOptions;
    readonly documents: ChangesFeed["documents"];
    readonly mapped?: "filtered";
  }
> = {
  "all": { options: {}, documents: undefined },
  "all, with more in a change": { options: { includeDocs: true, style: "all_docs" }, documents: undefined },
  "_doc_ids": {
    options: { filter: "_doc_ids", docIds: ["a", "b"] },
    documents: ["a", "b"],
    mapped: "filtered",
  },
  "_doc_ids of none": { options: { filter: "_doc_ids", docIds: [] }, documents: [], mapped: "filtered" },
  "_selector": { options: { filter: "_selector", selector: {} }, documents: "filtered", mapped: "filtered" },
  "_view": { options: { filter: "_view", view: "a/b" }, documents: "filtered", mapped: "filtered" },
  "_design": { options: { filter: "_design" }, documents: "filtered", mapped: "filtered" },
  "a function": { options: { filter: "a/b" }, documents: "filtered", mapped: "filtered" },
};

for (const [name, { options, documents, mapped }] of Object.entries(selections)) {
  test(`documents: a feed says whose changes it reports, and so does its map: ${name}`, async () => {
    const feed = changes("http://localhost:5984/blog", options);
    assert.deepEqual([feed.documents, feed.map(prefixed).documents], [documents, mapped]);
    const registry = new EtagRegistry();
    if (documents === undefined) return;
    assert.throws(() => follow(registry, feed), TypeError);
    assert.throws(() => follow(registry, feed.map(prefixed), { partial: true }), TypeError);
    if (documents === "filtered") assert.throws(() => follow(registry, feed, { partial: true }), TypeError);
    await feed[Symbol.asyncDispose]();
  });
}
