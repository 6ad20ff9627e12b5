import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dependsOn,
  EtagRegistry,
  type EtagRegistryOptions,
  follow,
  type RestoreOptions,
  type SnapshotRefusal,
  withEtag,
} from "../../mod.ts";
import type { Position } from "../../src/changes/change.ts";
import { coreOf } from "../../src/registry/core.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live } from "../support/registrations.ts";
import { from, keysOf, linesOf, restored, saved } from "../support/snapshots.ts";

const position: Position = { since: "5-x", source: "blog" };
const clock = new SettableClock();

const settings = { manual: true, version: "1", now: clock.now, monotonic: clock.monotonic };

function fresh(options: EtagRegistryOptions = {}): EtagRegistry {
  return new EtagRegistry({ ...settings, ...options });
}

/** A registry that begins with a snapshot. */
function warm(snapshot: Uint8Array, options: RestoreOptions = {}): Promise<EtagRegistry> {
  return restored(snapshot, { ...settings, ...options });
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

test("snapshot: restored, it answers nothing until the feed is followed and has replayed what was missed", async () => {
  const before = await filled();
  const minted = ask(before, "/list");
  const registry = await warm(await saved(before));
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
  const registry = await warm(await saved(await filled()));
  const feed = new PushedFeed();
  follow(registry, feed);
  feed.reader.push(live(clock, [], { position, reset: "recreated" }));
  await settled();
  assert.deepEqual([registry.size, registry.live, ask(registry, "/list")], [0, true, "miss"]);
});

test("snapshot: a feed without a position cannot resume, so it begins anew", async () => {
  const registry = await warm(await saved(await filled()));
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

  const registry = await warm(await saved(before));
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
  assert.deepEqual(keysOf(await saved(registry)), ["/a", "\u00003:bob/me"]);

  const unfollowed = fresh();
  keep(unfollowed, "/a", ["a"]);
  assert.deepEqual(keysOf(await saved(unfollowed)), []);

  const own = fresh();
  const feed = new PushedFeed();
  follow(own, feed);
  feed.reader.push(live(clock));
  await settled();
  keep(own, "/a", ["a"]);
  assert.deepEqual(keysOf(await saved(own)), []);
});

const encoded = (text: string): Uint8Array => new TextEncoder().encode(text);
const written = (lines: readonly string[]): Uint8Array => encoded(lines.map((line) => `${line}\n`).join(""));

/** What may become of the lines of a good snapshot, and why it is refused then. */
const REFUSED: Readonly<
  Record<string, readonly [(lines: readonly string[]) => Uint8Array, SnapshotRefusal]>
> = {
  "nothing": [() => encoded(""), "cut-short"],
  "its first byte": [() => encoded("{"), "cut-short"],
  "its header": [(lines) => written(lines.slice(0, 1)), "cut-short"],
  "all but the digest": [(lines) => written(lines.slice(0, -1)), "cut-short"],
  "all but the last byte": [(lines) => written(lines).subarray(0, -1), "cut-short"],
  "an entry less": [(lines) => written([lines[0]!, ...lines.slice(2)]), "altered"],
  "an entry twice": [(lines) => written([...lines.slice(0, 2), ...lines.slice(1)]), "altered"],
  "another tag": [(lines) => written(lines.map((line) => line.replace('\\"a\\"', '\\"b\\"'))), "altered"],
  "another position": [(lines) => written(lines.map((line) => line.replace("5-x", "6-x"))), "altered"],
  "no positions": [(lines) => written([...lines.slice(0, -2), lines.at(-1)!]), "altered"],
  "another digest": [(lines) => written([...lines.slice(0, -1), '"x"']), "altered"],
  "a digest that is no JSON": [(lines) => written([...lines.slice(0, -1), '"x']), "altered"],
  "a line more": [(lines) => written([...lines, "[]"]), "altered"],
  "a byte more": [(lines) => encoded(`${lines.join("\n")}\n `), "altered"],
  "itself again": [(lines) => written([...lines, ...lines]), "altered"],
  "a line that is no JSON": [(lines) => written([lines[0]!, "[", ...lines.slice(1)]), "altered"],
  "an entry of another shape": [(lines) => written([lines[0]!, "[1,2,3]", ...lines.slice(1)]), "altered"],
  "bytes that are no UTF-8": [
    (lines) => Uint8Array.from([...written(lines.slice(0, 2)), 0xff, 10, ...written(lines.slice(2))]),
    "altered",
  ],
  "another build": [
    (lines) => written(lines.map((line) => line.replace('"version":"1"', '"version":"2"'))),
    "another-build",
  ],
  "no build": [
    (lines) => written([lines[0]!.replace(',"version":"1"', ',"x":1'), ...lines.slice(1)]),
    "another-build",
  ],
  "a format of the future": [
    (lines) => written(lines.map((line) => line.replace("snapshot-5", "snapshot-6"))),
    "another-format",
  ],
  "the format of before": [
    () =>
      encoded(
        '{"format":"stillfresh-snapshot-4","version":"1","subscriptions":[],"entries":[],"digest":"x"}',
      ),
    "another-format",
  ],
  "something else": [() => encoded("null"), "another-format"],
  "a byte order mark": [(lines) => Uint8Array.from([0xef, 0xbb, 0xbf, ...written(lines)]), "another-format"],
};

for (const [what, [change, expected]] of Object.entries(REFUSED)) {
  test(`snapshot: with ${what} it is refused, and the registry is as good as new`, async () => {
    const good = await saved(await filled());
    const bad = change(linesOf(good));
    assert.notDeepEqual(bad, good);
    for (const size of [bad.length, 1, 7, 100]) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bad.length; at += size) pieces.push(bad.subarray(at, at + size));
      const told: unknown[] = [];
      const evicted: string[] = [];
      const registry = await EtagRegistry.restore(from(...pieces), {
        ...settings,
        onRefused: (...refused) => told.push(refused),
        onEvict: (key) => evicted.push(key),
      });
      assert.deepEqual(told, [[expected, undefined]]);
      assert.deepEqual([registry.size, registry.bytes, registry.live], [0, 0, true]);
      assert.deepEqual(registry.stats, { ...fresh().stats, "snapshot-refused": 1 });
      assert.deepEqual(evicted, []);
      const feed = new PushedFeed();
      const follower = follow(registry, feed);
      assert.deepEqual(feed.from, [undefined], "no position is left");
      await follower.close();
    }
  });
}

test("snapshot: pieces of any size restore the same", async () => {
  const good = await saved(await filled());
  for (const size of [1, 2, 3, 63, 64, 65, 1_000]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < good.length; at += size) pieces.push(good.subarray(at, at + size));
    const registry = await EtagRegistry.restore(from(...pieces), settings);
    assert.deepEqual([registry.size, registry.stats["snapshot-refused"]], [5, 0]);
    assert.deepEqual(keysOf(await saved(registry)), keysOf(good));
  }
});

test("snapshot: a restored registry gives the same snapshot again", async () => {
  const good = await saved(await filled());
  assert.deepEqual(linesOf(await saved(await warm(good))), linesOf(good));
});

test("restore: a web stream is as good as any iterable", async () => {
  const good = await saved(await filled());
  const { body } = new Response(good as BlobPart);
  assert.equal((await EtagRegistry.restore(body!, settings)).size, 5);
});

test("restore: nothing is read on after a refusal, and the source is told", async () => {
  let pulled = 0;
  let cancelled = 0;
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoded(pulled++ === 0 ? "something else" : "more of it\n")),
    cancel: () => void cancelled++,
  }, { highWaterMark: 0 });
  const registry = await EtagRegistry.restore(source, settings);
  assert.deepEqual([registry.stats["snapshot-refused"], pulled, cancelled], [1, 1, 1]);
});

test("restore: a source that fails is refused with its fault", async () => {
  const good = await saved(await filled());
  const fault = new Error("no such disk");
  async function* source(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(good.subarray(0, 300));
    throw fault;
  }
  const told: unknown[] = [];
  const registry = await EtagRegistry.restore(source(), {
    ...settings,
    onRefused: (...refused) => {
      told.push(refused);
      throw new Error("ignored");
    },
  });
  assert.deepEqual(told, [["unreadable", fault]]);
  assert.deepEqual([registry.size, registry.live], [0, true]);
});

for (const when of ["before", "while it is read"]) {
  test(`restore: a source that never ends is given up by a signal ${when}`, async () => {
    const good = await saved(await filled());
    const control = new AbortController();
    let returned = 0;
    const iterator: AsyncIterableIterator<Uint8Array> = {
      next: () =>
        returned === 0 && asked++ === 0
          ? Promise.resolve({ done: false, value: good.subarray(0, 300) })
          : new Promise(() => {}),
      return: () => {
        returned++;
        return new Promise(() => {});
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    let asked = 0;
    const told: unknown[] = [];
    if (when === "before") control.abort("enough");
    const restoring = EtagRegistry.restore(iterator, {
      ...settings,
      signal: control.signal,
      onRefused: (...refused) => told.push(refused),
    });
    await settled();
    control.abort("enough");
    const registry = await restoring;
    assert.deepEqual(told, [["aborted", "enough"]]);
    assert.deepEqual([registry.size, returned], [0, 1]);
  });
}

test("restore: what is no source of bytes is a mistake of the program", async () => {
  for (const source of [undefined, null, 1, {}, { entries: [] }] as never[]) {
    assert.throws(
      () => EtagRegistry.restore(source, settings),
      /from a stream or an iterable of bytes, not from/,
    );
  }
  async function* texts(): AsyncGenerator<string> {
    yield await Promise.resolve("{");
  }
  await assert.rejects(
    EtagRegistry.restore(texts() as never, settings),
    /from bytes, as Uint8Array, not from .*string/,
  );
});

test("snapshot: without a version it would outlive a deploy, so there is none", () => {
  assert.throws(() => new EtagRegistry({ manual: true }).snapshot(), /version/);
  assert.throws(() => EtagRegistry.restore(from(), { manual: true }), /version/);
  assert.throws(() => withEtag(() => new Response(), { version: "2", registry: fresh() }), /"2".*"1"/);
});

/** Reads pieces of one entry, and does something after some of them. */
async function interleaved(
  registry: EtagRegistry,
  acts: Readonly<Record<number, () => unknown>>,
): Promise<{ readonly snapshot: Uint8Array; readonly restored: EtagRegistry }> {
  const writer = coreOf(registry).snapshot(1);
  const pieces: Uint8Array[] = [];
  for (let piece = writer.next(); piece !== undefined; piece = writer.next()) {
    pieces.push(piece);
    await acts[pieces.length]?.();
  }
  const snapshot = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  const again = await EtagRegistry.restore(from(...pieces), settings);
  assert.equal(again.stats["snapshot-refused"], 0);
  return { snapshot, restored: again };
}

/** A followed registry with the pages /1 to /4, each of its own group and of "all". */
async function paged(): Promise<{ registry: EtagRegistry; feed: PushedFeed; close: () => Promise<void> }> {
  const registry = fresh();
  const feed = new PushedFeed();
  const follower = follow(registry, feed);
  feed.reader.push(live(clock, [], { position }));
  await settled();
  for (const n of [1, 2, 3, 4]) keep(registry, `/${n}`, [`${n}`, "all"], { etag: `"${n}"` });
  return { registry, feed, close: () => follower.close() };
}

function keepFrench(registry: EtagRegistry, key: string): unknown {
  const vary = ["accept-language"];
  return keep(registry, key, [key], { etag: '"fr"', vary, headers: { "accept-language": "fr" } });
}

const SEVENTH: Position = { since: "7-x", source: "blog" };

/** After two of four entries have been written: what happens then, and what is left of it. */
const MEANWHILE: Readonly<
  Record<string, readonly [(given: Awaited<ReturnType<typeof paged>>) => unknown, readonly string[]]>
> = {
  "a group is invalidated": [({ registry }) => registry.invalidate("1"), ["/2", "/3", "/4"]],
  "a group of all is invalidated": [({ registry }) => registry.invalidate("all"), []],
  "a resource is deleted": [({ registry }) => registry.delete("/2"), ["/1", "/3", "/4"]],
  "a tag is deleted": [({ registry }) => registry.deleteTag('"1"', '"4"'), ["/2", "/3"]],
  "an evicted resource is deleted": [({ registry }) => {
    registry.deleteTag('"1"');
    keep(registry, "/1", ["1"], { etag: '"new"' });
    registry.delete("/1");
  }, ["/2", "/3", "/4"]],
  "a resource is deleted and registered again": [({ registry }) => {
    registry.delete("/1");
    registry.delete("/3");
    keep(registry, "/1", ["1"], { etag: '"new"' });
  }, ["/2", "/4", "/1"]],
  "everything is cleared": [({ registry }) => {
    registry.clear();
    keep(registry, "/5", ["5"]);
  }, []],
  "the feed is at its start": [async ({ registry, feed }) => {
    feed.reader.push(live(clock, [], { position: SEVENTH, reset: "rolled-back" }));
    await settled();
    keep(registry, "/5", ["5"]);
  }, []],
  "the registry is restarted": [({ registry }) => registry.restart(), []],
  "the feed is lost": [async ({ feed }) => {
    feed.reader.push({ changes: [], state: "lost", contact: undefined, position });
    await settled();
  }, ["/1", "/2", "/3", "/4"]],
  "the follower is closed": [({ close }) => close(), ["/1", "/2", "/3", "/4"]],
  "it is closed and followed again": [async ({ registry, close }) => {
    await close();
    follow(registry, new PushedFeed());
  }, ["/3", "/4"]],
  "its name is retired": [async ({ registry, close }) => {
    await close();
    registry.retire("changes");
  }, []],
  "another feed is followed": [
    ({ registry }) => void follow(registry, new PushedFeed(), { name: "users" }),
    [],
  ],
  "a resource gets variants": [({ registry }) => void keepFrench(registry, "/1"), ["/2", "/3", "/4"]],
  "a resource that is still to come gets variants": [({ registry }) => void keepFrench(registry, "/3"), [
    "/1",
    "/2",
    "/4",
    "\0v2:/3=fr\n",
  ]],
  "the groups of an entry have a name too long to be held": [
    ({ registry }) => registry.invalidate("x".repeat(2 ** 20 + 1)),
    ["/3", "/4"],
  ],
};

for (const [what, [act, expected]] of Object.entries(MEANWHILE)) {
  test(`snapshot: ${what} while it is written`, async () => {
    const given = await paged();
    const { restored } = await interleaved(given.registry, { 2: () => act(given) });
    assert.deepEqual(keysOf(await saved(restored)), expected);
    await given.close();
  });
}

test("snapshot: a change that comes while it is written is replayed, because the position is of before", async () => {
  const { registry, feed, close } = await paged();
  const { restored } = await interleaved(registry, {
    2: async () => {
      feed.reader.push(live(clock, [{ id: "1", rev: "2-b" }], { position: SEVENTH }));
      await settled();
      assert.equal(ask(registry, "/1"), "group-changed");
    },
  });
  const again = new PushedFeed();
  const follower = follow(restored, again);
  assert.deepEqual(again.from, [position]);
  again.reader.push(live(clock, [{ id: "1", rev: "2-b" }], { position: SEVENTH }));
  await follower.ready;
  assert.deepEqual(["/1", "/2", "/3"].map((key) => ask(restored, key)), ["group-changed", '"2"', '"3"']);
  await Promise.all([close(), follower.close()]);
});

test("snapshot: after a reset the position is the new one", async () => {
  const { registry, feed, close } = await paged();
  const { snapshot } = await interleaved(registry, {
    2: async () => {
      feed.reader.push(live(clock, [], { position: SEVENTH, reset: "rolled-back" }));
      await settled();
    },
  });
  assert.deepEqual(JSON.parse(linesOf(snapshot).at(-2)!).subscriptions[0].position, SEVENTH);
  await close();
});

test("snapshot: what settles is what is known at its end", async () => {
  const { registry, feed, close } = await paged();
  const { snapshot } = await interleaved(registry, {
    2: async () => {
      feed.reader.push(live(clock, [], { position: SEVENTH, replicas: 3 }));
      await settled();
    },
  });
  assert.deepEqual(JSON.parse(linesOf(snapshot).at(-2)!).subscriptions, [
    { name: "changes", replicaLag: 5_000, position },
  ]);
  await close();
});

for (const before of [true, false]) {
  test(`snapshot: a resource that ${before ? "had" : "gets"} variants, once all before have been evicted`, async () => {
    const registry = fresh({ maxEntries: 4 });
    const feed = new PushedFeed();
    const follower = follow(registry, feed);
    feed.reader.push(live(clock, [], { position }));
    await settled();
    const plain = () => keep(registry, "/v", ["v"], { etag: '"plain"' });
    const french = () => keepFrench(registry, "/v");
    if (before) french();
    else plain();
    for (const n of [1, 2, 3]) keep(registry, `/${n}`, [`${n}`], { etag: `"${n}"` });
    const { restored, snapshot } = await interleaved(registry, {
      1: () => {
        keep(registry, "/x", ["x"]);
        if (before) plain();
        else french();
        registry.deleteTag('"2"', '"3"');
      },
    });
    const variant = "\0v2:/v=fr\n";
    assert.deepEqual(keysOf(snapshot), before ? [variant, "/x", "/v"] : ["/v", "/x", variant]);
    assert.deepEqual(keysOf(await saved(restored)), before ? ["/x", "/v"] : ["/x", variant]);
    assert.equal(restored.delete("/v"), true);
    assert.equal(restored.delete("/x"), true);
    assert.equal(restored.bytes, 0);
    await follower.close();
  });
}

test("snapshot: of two responses to one request the later one is restored", async () => {
  const { registry, close } = await paged();
  const { restored, snapshot } = await interleaved(registry, {
    1: () => {
      registry.deleteTag('"2"');
      keep(registry, "/1", ["1"], { etag: '"again"' });
    },
  });
  assert.deepEqual(keysOf(snapshot), ["/1", "/3", "/4", "/1"]);
  assert.equal(restored.hasTag('"again"'), true);
  for (const key of ["/1", "/3", "/4"]) assert.equal(restored.delete(key), true);
  assert.deepEqual([restored.size, restored.bytes], [0, 0]);
  await close();
});

test("snapshot: it ends, however many entries come while it is written", async () => {
  const { registry, close } = await paged();
  let n = 5;
  const acts = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [at, () => keep(registry, `/${n}`, [`${n++}`])]),
  );
  const { restored } = await interleaved(registry, acts);
  assert.equal(restored.size, 4);
  await close();
});

test("snapshot: a cancelled one is forgotten, and one that was never read was never begun", async () => {
  const { registry, close } = await paged();
  registry.snapshot();
  const reader = registry.snapshot().getReader();
  await reader.read();
  await reader.cancel();
  assert.deepEqual(await reader.read(), { done: true, value: undefined });
  registry.invalidate("x".repeat(2 ** 21));
  assert.equal((await warm(await saved(registry))).size, 4);
  await close();
});

test("snapshot: two of one registry do not disturb each other", async () => {
  const { registry, close } = await paged();
  const [first, second] = [coreOf(registry).snapshot(1), coreOf(registry).snapshot(2)];
  const pieces: [Uint8Array[], Uint8Array[]] = [[], []];
  for (let n = 0; n < 20; n++) {
    for (const [at, writer] of [first, second].entries()) {
      const piece = writer.next();
      if (piece !== undefined) pieces[at]!.push(piece);
    }
    if (n === 1) registry.delete("/1");
  }
  for (const each of pieces) {
    const restored = await EtagRegistry.restore(from(...each), settings);
    assert.deepEqual(keysOf(await saved(restored)), ["/2", "/3", "/4"]);
  }
  await close();
});

test("snapshot: timers have their turn between pieces, written and read", async () => {
  const { registry, close } = await paged();
  for (let n = 0; n < 2_000; n++) keep(registry, `/many/${n}`, [`${n}`, "all"]);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 0);
  const pieces: Uint8Array[] = [];
  const reader = registry.snapshot().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  const written = ticks;
  assert.ok(pieces.length > 3, `${pieces.length}`);
  assert.ok(written > 0);
  const whole = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  ticks = 0;
  // One large piece is taken apart.
  assert.equal((await warm(whole)).size, 2_004);
  assert.ok(ticks > 0);
  clearInterval(timer);
  await close();
});

test("snapshot: it does not restore more than fits", async () => {
  const registry = await warm(await saved(await filled()), { maxEntries: 2 });
  assert.equal(registry.size, 2);
});

test("snapshot: a restart counts as a change, settling included", async () => {
  const before = fresh();
  const feed = new PushedFeed();
  follow(before, feed);
  feed.reader.push(live(clock, [], { position, replicas: 3 }));
  await settled();
  const registry = await warm(await saved(before));
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
