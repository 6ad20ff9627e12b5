import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, type EtagRegistryOptions, follow, withEtag } from "../../mod.ts";
import type { Position } from "../../src/changes/change.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live } from "../support/registrations.ts";

const position: Position = { since: "5-x", source: "blog" };
const clock = new SettableClock();

function fresh(options: EtagRegistryOptions = {}): EtagRegistry {
  return new EtagRegistry({
    manual: true,
    version: "1",
    now: clock.now,
    monotonic: clock.monotonic,
    ...options,
  });
}

/** A registry with a live feed at `position`, two plain entries, variants and one of a caller. */
async function filled(): Promise<EtagRegistry> {
  const registry = fresh();
  const feed = new PushedFeed();
  follow(registry, feed);
  feed.reader.push(live(clock, [], { position }));
  await settled();
  keep(registry, "/a", [{ _id: "a", _rev: "1-a" }], { etag: '"a"', fields: { "cache-control": "no-cache" } });
  keep(registry, "/list", ["list"], { etag: undefined });
  keep(registry, "/v", ["v"], {
    etag: '"fr"',
    vary: ["accept-language"],
    headers: { "accept-language": "fr" },
  });
  keep(registry, "/v", ["v"], {
    etag: '"de"',
    vary: ["accept-language"],
    headers: { "accept-language": "de" },
  });
  keep(registry, "/me", ["me"], { etag: '"bob"', caller: "bob" });
  return registry;
}

function travelled(registry: EtagRegistry): unknown {
  return JSON.parse(JSON.stringify(registry.snapshot()));
}

test("snapshot: restored, it answers nothing until the feed is followed and has replayed what was missed", async () => {
  const before = await filled();
  const minted = ask(before, "/list");
  const registry = fresh({ snapshot: travelled(before) });
  assert.deepEqual([registry.size, registry.live, registry.stats["snapshot-refused"]], [5, false, 0]);
  assert.equal(ask(registry, "/a"), "suspended");

  const feed = new PushedFeed();
  const follower = follow(registry, feed);
  assert.deepEqual(feed.from, [position]);
  feed.reader.push(live(clock, [{ id: "a", rev: "2-a" }], { position, state: "catching-up" }));
  await settled();
  assert.equal(ask(registry, "/list"), "suspended");
  feed.reader.push(live(clock, [], { position: { since: "9-x", source: "blog" } }));
  await follower.ready;

  assert.equal(ask(registry, "/a"), "group-changed");
  assert.equal(ask(registry, "/list"), minted);
  assert.equal(ask(registry, "/v", { "accept-language": "fr" }), '"fr"');
  assert.equal(ask(registry, "/v", { "accept-language": "de" }), '"de"');
  assert.equal(ask(registry, "/v", { "accept-language": "it" }), "variant");
  assert.equal(ask(registry, "/me", {}, "bob"), '"bob"');
  assert.equal(ask(registry, "/me"), "miss");
  assert.equal(registry.delete("/v"), true);
  assert.equal(ask(registry, "/v", { "accept-language": "fr" }), "miss");
});

test("snapshot: a feed that finds another database, or a gap, empties what was restored", async () => {
  const registry = fresh({ snapshot: travelled(await filled()) });
  const feed = new PushedFeed();
  follow(registry, feed);
  feed.reader.push(live(clock, [], { position, reset: "recreated" }));
  await settled();
  assert.deepEqual([registry.size, registry.live, ask(registry, "/list")], [0, true, "miss"]);
});

test("snapshot: a feed without a position cannot resume, so it begins anew", async () => {
  const registry = fresh({ snapshot: travelled(await filled()) });
  const feed = new PushedFeed();
  follow(registry, feed);
  feed.reader.push(live(clock));
  await settled();
  assert.equal(registry.size, 0);
});

test("snapshot: fields of the 304 survive, byte for byte", async () => {
  const before = fresh();
  const feed = new PushedFeed();
  follow(before, feed);
  feed.reader.push(live(clock, [], { position }));
  await settled();
  const headers = {
    "cache-control": "public, no-cache",
    "access-control-allow-origin": "*",
    ...dependsOn("a"),
  };
  const handler = (registry: EtagRegistry) => withEtag(() => new Response("page", { headers }), { registry });
  const url = "http://localhost/";
  const etag = (await handler(before)(new Request(url))).headers.get("etag")!;

  const registry = fresh({ snapshot: travelled(before) });
  const again = new PushedFeed();
  follow(registry, again);
  again.reader.push(live(clock, [], { position }));
  await settled();
  const answer = await handler(registry)(new Request(url, { headers: { "if-none-match": etag } }));
  const sent = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("stillfresh")));
  assert.deepEqual([answer.status, Object.fromEntries(answer.headers)], [304, { ...sent, etag }]);
  assert.equal(registry.stats.hit, 1);
});

test("snapshot: what a change has voided is not in it, nor anything without a feed that can be resumed", async () => {
  const registry = await filled();
  registry.invalidate("v", "list");
  assert.equal((travelled(registry) as { entries: unknown[] }).entries.length, 2);

  const unfollowed = fresh();
  keep(unfollowed, "/a", ["a"]);
  assert.deepEqual((travelled(unfollowed) as { entries: unknown[] }).entries, []);

  const own = fresh();
  const feed = new PushedFeed();
  follow(own, feed);
  feed.reader.push(live(clock));
  await settled();
  keep(own, "/a", ["a"]);
  assert.deepEqual((travelled(own) as { entries: unknown[] }).entries, []);
});

test("snapshot: truncated, edited, foreign or future ones are refused, and the registry is empty", async () => {
  const good = travelled(await filled()) as Record<string, unknown>;
  const edited = structuredClone(good) as { entries: { etag: string }[] };
  edited.entries[0]!.etag = '"other"';
  const text = JSON.stringify(good);
  const bad: unknown[] = [
    null,
    "snapshot",
    text.slice(0, -2),
    {},
    { ...good, entries: (good["entries"] as unknown[]).slice(1) },
    { ...good, subscriptions: [] },
    edited,
    { ...good, format: "stillfresh-snapshot-5" },
    { ...good, digest: undefined },
    { ...good, version: "2" },
    travelled(new EtagRegistry({ manual: true, version: "2" })),
  ];
  for (const snapshot of bad) {
    const registry = fresh({ snapshot });
    const what = JSON.stringify(snapshot)?.slice(0, 60);
    assert.deepEqual([registry.size, registry.stats["snapshot-refused"], registry.live], [0, 1, true], what);
  }
});

test("snapshot: without a version it would outlive a deploy, so there is none", () => {
  assert.throws(() => new EtagRegistry({ manual: true }).snapshot(), /version/);
  assert.throws(() => new EtagRegistry({ manual: true, snapshot: {} }), /version/);
  assert.throws(() => withEtag(() => new Response(), { version: "2", registry: fresh() }), /"2".*"1"/);
});

test("snapshot: it does not restore more than fits", async () => {
  const registry = fresh({ snapshot: travelled(await filled()), maxEntries: 2 });
  assert.equal(registry.size, 2);
});

test("snapshot: a restart counts as a change, settling included", async () => {
  const before = fresh();
  const feed = new PushedFeed();
  follow(before, feed);
  feed.reader.push(live(clock, [], { position, replicas: 3 }));
  await settled();
  const registry = fresh({ snapshot: travelled(before) });
  const again = new PushedFeed();
  follow(registry, again);
  again.reader.push(live(clock, [], { position, replicas: 3 }));
  await settled();
  assert.equal(keep(registry, "/a", [{ _id: "a", _rev: "1-a" }]), "settling");
  clock.advance(5_000);
  again.reader.push(live(clock, [], { position, replicas: 3 }));
  await settled();
  assert.equal(typeof keep(registry, "/a", [{ _id: "a", _rev: "1-a" }]), "object");
});
