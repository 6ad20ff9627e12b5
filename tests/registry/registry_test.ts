import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { EtagRegistry, type EtagRegistryOptions } from "../../src/registry/registry.ts";
import type { Lease } from "../../src/registry/lease.ts";
import { zeroCounters } from "../../src/registry/reason.ts";
import { SettableClock } from "../support/clock.ts";
import { ask, keep, live, NO_FIELDS, noGroups, offer } from "../support/registrations.ts";
import { coreOf } from "../../src/registry/core.ts";

function setUp(options: EtagRegistryOptions = {}) {
  const clock = new SettableClock();
  const left: string[] = [];
  const registry = new EtagRegistry({
    manual: true,
    ...clock,
    onEvict: (key, reason) => left.push(`${key} ${reason}`),
    ...options,
  });
  return { clock, registry, left };
}

const register = (registry: EtagRegistry, lease: Lease, sources = ["a"]) => {
  const entry = coreOf(registry).register(lease, offer(sources), NO_FIELDS);
  return typeof entry === "string" ? entry : entry.etag;
};

for (const name of ["maxEntries", "maxBytes", "maxVariants"] as const) {
  test(`EtagRegistry: ${name} is a number above 0`, () => {
    for (const wrong of [0, -1, NaN]) {
      assert.throws(
        () => new EtagRegistry({ manual: true, [name]: wrong }),
        (error) =>
          error instanceof RangeError && error.message.includes(name) && error.message.includes(`${wrong}`),
      );
    }
  });
}

test("EtagRegistry: what was registered answers for its resource, with what a 304 needs", () => {
  const { registry } = setUp();
  const fields = { "cache-control": "no-cache" };
  keep(registry, "/", ["a"], { etag: 'W/"x"', fields, lastModified: 7, isPublic: false });
  const entry = coreOf(registry).lookup("/", NO_FIELDS);
  assert.ok(typeof entry !== "string");
  assert.deepEqual(
    [entry.etag, entry.lastModified, entry.headers.isPublic, entry.headers.fields["cache-control"]],
    ['W/"x"', 7, false, "no-cache"],
  );
  assert.equal(registry.size, 1);
});

test("keyed by resource: equal tags of two resources do not stand for each other", () => {
  const { registry } = setUp();
  keep(registry, "/one", ["a"], { etag: '"same"' });
  keep(registry, "/two", ["b"], { etag: '"same"' });
  registry.invalidate("a");
  assert.equal(ask(registry, "/one"), "group-changed");
  assert.equal(ask(registry, "/two"), '"same"');
  assert.equal(ask(registry, "/three"), "miss");
});

test("keyed by resource and caller: one caller's answer is nobody else's", () => {
  const { registry } = setUp();
  keep(registry, "/", ["a"], { caller: "ann", etag: '"ann"' });
  assert.equal(ask(registry, "/", {}, "ann"), '"ann"');
  assert.equal(ask(registry, "/", {}, "bob"), "miss");
  assert.equal(ask(registry, "/"), "miss");
});

test("lease: a change while the handler runs, of a group nobody knew, keeps the response out", () => {
  const { registry } = setUp();
  const lease = coreOf(registry).lease("/");
  registry.invalidate("a");
  assert.equal(register(registry, lease), "lease-broken");
  assert.equal(ask(registry, "/"), "miss");
  assert.equal(register(registry, coreOf(registry).lease("/")), '"1"');
});

test("lease: a change of another group does not", () => {
  const { registry } = setUp();
  const lease = coreOf(registry).lease("/");
  registry.invalidate("b");
  assert.equal(register(registry, lease), '"1"');
});

test("lease: good for one registration", () => {
  const { registry } = setUp();
  const lease = coreOf(registry).lease("/");
  assert.equal(register(registry, lease), '"1"');
  assert.equal(register(registry, lease), "lease-broken");
  const released = coreOf(registry).lease("/");
  released.release();
  assert.equal(register(registry, released), "lease-broken");
});

for (
  const [what, overtake] of [
    ["delete of its resource", (registry: EtagRegistry) => registry.delete("/")],
    ["invalidate of a group", (registry: EtagRegistry) => registry.invalidate("b", "a")],
    ["clear", (registry: EtagRegistry) => registry.clear()],
  ] as const
) {
  for (const caller of [undefined, "ann"]) {
    test(`lease: conflict by ${what}, ${caller === undefined ? "anybody's" : "a caller's"}`, () => {
      const { registry } = setUp();
      const lease = coreOf(registry).lease("/", caller);
      overtake(registry);
      assert.equal(register(registry, lease), "lease-broken");
      assert.equal(ask(registry, "/", {}, caller), "miss");
    });
  }
}

test("lease: deleting another resource does not overtake it", () => {
  const { registry } = setUp();
  const lease = coreOf(registry).lease("/");
  registry.delete("/other");
  assert.equal(register(registry, lease), '"1"');
});

test("lease: the handler that began before a change does not undo one that began after it", () => {
  const { registry } = setUp();
  const slow = coreOf(registry).lease("/");
  registry.invalidate("a");
  keep(registry, "/", ["a"], { etag: '"new"' });
  assert.equal(register(registry, slow), "lease-broken");
  assert.equal(ask(registry, "/"), '"new"');
});

test("floor: a follower's start position voids entries and leases of before", () => {
  const { registry, clock, left } = setUp();
  keep(registry, "/", ["a"]);
  const lease = coreOf(registry).lease("/late");
  coreOf(registry).subscribe("changes", 1_000).apply(live(clock), noGroups);
  assert.deepEqual(left, ["/ reset"]);
  assert.equal(register(registry, lease), "lease-broken");
  assert.equal(registry.live, true);
});

test("floor: clear() and resets settle like a change of everything", () => {
  for (const how of ["clear", "reset"] as const) {
    const { registry, clock } = setUp();
    const subscription = coreOf(registry).subscribe("changes", 60_000, 5_000);
    subscription.apply(live(clock), noGroups);
    clock.advance(5_000);
    assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "1-a" }]), "object");
    if (how === "clear") registry.clear();
    else subscription.apply(live(clock, [], { reset: "purged" }), noGroups);
    assert.equal(keep(registry, "/", [{ _id: "a", _rev: "1-a" }]), "settling");
    clock.advance(5_000);
    assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "1-a" }]), "object");
  }
});

test("settling: a read that may be older than the feed is not registered", () => {
  const { registry, clock } = setUp();
  const subscription = coreOf(registry).subscribe("changes", 60_000, 5_000);
  subscription.apply(live(clock), noGroups);
  clock.advance(5_000);
  subscription.apply(live(clock, [{ id: "a", rev: "2-b" }]), () => ["list"]);
  assert.equal(keep(registry, "/", [{ _id: "a", _rev: "1-a" }]), "revision-differs");
  assert.equal(keep(registry, "/", ["a"]), "settling");
  assert.equal(keep(registry, "/", ["list", { _id: "a", _rev: "2-b" }]), "settling");
  assert.equal(typeof keep(registry, "/", [{ _id: "a", _rev: "2-b" }]), "object");
  clock.advance(5_000);
  assert.equal(typeof keep(registry, "/", ["list", "a"]), "object");
});

test("settling: a group that this process invalidates settles too, as long as any feed asks for it; a resource never", () => {
  const { registry, clock } = setUp();
  coreOf(registry).subscribe("one", 60_000, 0).apply(live(clock), noGroups);
  coreOf(registry).subscribe("two", 60_000, 5_000).apply(live(clock), noGroups);
  clock.advance(5_000);
  registry.invalidate("a");
  registry.delete("/page");
  assert.equal(keep(registry, "/", ["a"]), "settling");
  assert.equal(typeof keep(registry, "/page", ["b"]), "object");
  assert.equal(typeof keep(registry, "/", ["b"]), "object");
  clock.advance(5_000);
  assert.equal(typeof keep(registry, "/page", ["a"]), "object");
});

test("suspended: nothing is answered from that instant, and the entries are kept", () => {
  const { registry, clock } = setUp();
  const subscription = coreOf(registry).subscribe("changes", 1_000);
  subscription.apply(live(clock), noGroups);
  keep(registry, "/", ["a"]);
  subscription.apply(live(clock, [], { state: "lost" }), noGroups);
  assert.deepEqual([ask(registry, "/"), registry.size], ["suspended", 1]);
  subscription.apply(live(clock), noGroups);
  assert.equal(ask(registry, "/"), '"1"');
  clock.advance(1_000);
  assert.equal(ask(registry, "/"), '"1"');
  clock.wall += 1;
  assert.equal(ask(registry, "/"), "suspended", "judged at the look-up, by the larger clock");
});

test("suspended: what is registered meanwhile still hears of the changes it missed", () => {
  const { registry, clock } = setUp();
  const subscription = coreOf(registry).subscribe("changes", 1_000);
  subscription.apply(live(clock), noGroups);
  subscription.apply(live(clock, [], { state: "lost" }), noGroups);
  keep(registry, "/a", ["a"]);
  keep(registry, "/b", ["b"]);
  subscription.apply(live(clock, [{ id: "a" }]), noGroups);
  assert.deepEqual([ask(registry, "/a"), ask(registry, "/b")], ["group-changed", '"1"']);
});

test("minted tag: kept for a registered response that declares exactly the same groups", () => {
  const { registry } = setUp();
  const mint = (sources: string[]) => {
    const entry = keep(registry, "/", sources, { etag: undefined });
    assert.ok(typeof entry !== "string");
    return entry.etag;
  };
  const first = mint(["a", "b"]);
  assert.match(first, /^"[\w-]{22}\.r"$/);
  assert.equal(mint(["b", "a"]), first);
  const fewer = mint(["a"]);
  assert.notEqual(fewer, first);
  const more = mint(["a", "b"]);
  assert.notEqual(more, fewer);
  assert.notEqual(more, first);
  assert.notEqual(mint(["a", "c"]), more, "as many, but others");
});

test("minted tag: not kept once a group has changed, nor in the place of a tag that is not minted", () => {
  const { registry } = setUp();
  const mint = () => (keep(registry, "/", ["a"], { etag: undefined }) as { etag: string }).etag;
  const first = mint();
  registry.invalidate("a");
  const second = mint();
  assert.notEqual(second, first);
  keep(registry, "/", ["a"], { etag: '"own"' });
  const third = mint();
  assert.notEqual(third, '"own"');
  assert.notEqual(third, second);
  registry.clear();
  assert.notEqual(mint(), third);
});

test("minted tag: not kept for another representation", () => {
  const { registry } = setUp();
  const mint = (representation: string) =>
    (keep(registry, "/", ["a"], { etag: undefined, representation }) as { etag: string }).etag;
  const first = mint("html");
  assert.equal(mint("html"), first);
  assert.notEqual(mint("json"), first);
});

test("minted tag: one for each resource, variant and caller", () => {
  const { registry } = setUp();
  const vary = ["accept"];
  const tags = [
    keep(registry, "/", ["a"], { etag: undefined, vary, headers: { accept: "1" } }),
    keep(registry, "/", ["a"], { etag: undefined, vary, headers: { accept: "2" } }),
    keep(registry, "/", ["a"], { etag: undefined, vary, headers: { accept: "1" }, caller: "ann" }),
    keep(registry, "/other", ["a"], { etag: undefined }),
  ].map((entry) => (entry as { etag: string }).etag);
  assert.equal(new Set(tags).size, 4);
});

test("minted tag: a response that was conflict does not get the entry's", () => {
  const { registry } = setUp();
  const slow = coreOf(registry).lease("/");
  registry.invalidate("a");
  const entry = keep(registry, "/", ["a"], { etag: undefined }) as { etag: string };
  assert.equal(coreOf(registry).register(slow, offer(["a"], { etag: undefined }), NO_FIELDS), "lease-broken");
  assert.equal(ask(registry, "/"), entry.etag);
});

test("invalidate: voids all that depend on a group, and counts each as it is found", () => {
  const { registry, left } = setUp();
  for (let i = 0; i < 3; i++) keep(registry, `/${i}`, ["a", `only ${i}`]);
  registry.invalidate("a", "nobody's");
  assert.equal(registry.size, 3, "looked at when they are asked for");
  for (let i = 0; i < 3; i++) assert.equal(ask(registry, `/${i}`), "group-changed");
  assert.deepEqual([registry.size, registry.bytes, registry.stats["group-changed"]], [0, 0, 3]);
  assert.deepEqual(left, ["/0 outdated", "/1 outdated", "/2 outdated"]);
  assert.equal(ask(registry, "/0"), "miss");
});

test("hasTag and deleteTag: by tag, whatever the resource; what is void is not there", () => {
  const { registry, left } = setUp();
  keep(registry, "/1", ["a"], { etag: '"x"' });
  keep(registry, "/2", ["b"], { etag: '"x"' });
  keep(registry, "/3", ["c"], { etag: '"y"' });
  registry.invalidate("a");
  assert.equal(registry.hasTag('"x"'), true);
  registry.invalidate("b");
  assert.equal(registry.hasTag('"x"'), false);
  assert.equal(registry.hasTag('"y"'), true);
  assert.equal(registry.hasTag('W/"y"'), false);
  assert.equal(registry.deleteTag('"y"', '"z"'), 1);
  assert.deepEqual(left, ["/3 deleted"]);
  assert.equal(ask(registry, "/3"), "miss");
});

test("delete: reaches all variants and all callers of a resource, and no other resource", () => {
  const { registry } = setUp();
  const vary = ["accept"];
  for (const accept of ["1", "2"]) {
    for (const caller of [undefined, "ann", "bob"]) {
      keep(registry, "/", ["a"], { vary, headers: { accept }, ...(caller === undefined ? {} : { caller }) });
    }
  }
  keep(registry, "/other", ["a"], { caller: "ann" });
  assert.equal(registry.delete("/"), true);
  for (const accept of ["1", "2"]) {
    assert.equal(ask(registry, "/", { accept }), "miss");
    assert.equal(ask(registry, "/", { accept }, "ann"), "group-changed");
    assert.equal(ask(registry, "/", { accept }, "bob"), "group-changed");
  }
  assert.equal(ask(registry, "/other", {}, "ann"), '"1"');
  assert.equal(registry.delete("/"), false);
});

test("clear: everything leaves, and the registry goes on", () => {
  const { registry, left } = setUp();
  keep(registry, "/", ["a"]);
  keep(registry, "/v", ["a"], { vary: ["x"] });
  registry.clear();
  assert.deepEqual([registry.size, registry.bytes, left], [0, 0, ["/ cleared", "/v cleared"]]);
  assert.equal(registry.stats.cleared, 1);
  keep(registry, "/", ["a"]);
  assert.equal(ask(registry, "/"), '"1"');
  registry.invalidate("a");
  assert.equal(ask(registry, "/"), "group-changed");
});

test("overflow: too many changes for one slow handler void its lease, but no entry", () => {
  const { registry } = setUp({ maxBytes: 4_000 });
  keep(registry, "/kept", ["a"]);
  const slow = coreOf(registry).lease("/slow");
  for (let i = 0; registry.stats.overflow === 0 && i < 1_000; i++) registry.invalidate(`g${i}`);
  assert.equal(registry.stats.overflow, 1);
  assert.equal(register(registry, slow, ["untouched"]), "lease-broken");
  assert.equal(ask(registry, "/kept"), '"1"');
  registry.invalidate("a");
  assert.equal(ask(registry, "/kept"), "group-changed");
});

test("bounded: entries, variants and bytes, each with its reason", () => {
  const { registry, left } = setUp({ maxEntries: 4, maxVariants: 2, maxBytes: 100_000 });
  for (let i = 0; i < 10; i++) keep(registry, `/${i}`, ["a"]);
  assert.equal(registry.size, 4);
  assert.equal(registry.stats.evicted, 6);
  assert.equal(left.length, 6);
  for (const x of ["1", "2", "3"]) keep(registry, "/v", ["a"], { vary: ["x"], headers: { x } });
  assert.equal(["1", "2", "3"].filter((x) => ask(registry, "/v", { x }) === '"1"').length, 2);
  assert.equal(keep(registry, "/large", ["a".repeat(100_000)]), "too-large");
  assert.equal(registry.stats["too-large"], 1);
});

test("eviction: what is asked for often survives a flood of what is asked for once", () => {
  const { registry } = setUp({ maxEntries: 100 });
  const hot = Array.from({ length: 40 }, (_, i) => `/hot${i}`);
  for (const key of hot) {
    keep(registry, key, ["a"]);
    ask(registry, key);
  }
  for (let i = 0; i < 2_000; i++) keep(registry, `/once${i}`, ["a"]);
  assert.deepEqual(hot.filter((key) => ask(registry, key) !== '"1"'), []);
});

test("eviction: what a change has voided goes before what is valid", () => {
  const { registry, left } = setUp({ maxEntries: 30 });
  for (let i = 0; i < 30; i++) {
    keep(registry, `/${i}`, [i % 3 === 0 ? "changing" : "calm"]);
    ask(registry, `/${i}`);
  }
  registry.invalidate("changing");
  for (let i = 0; i < 10; i++) keep(registry, `/new${i}`, ["calm"]);
  assert.deepEqual(left.map((line) => line.split(" ")[1]), Array(10).fill("outdated"));
  assert.equal(registry.stats.evicted, 0);
});

test("stats: every reason has a counter, and each refusal counts once", () => {
  const { registry } = setUp();
  assert.deepEqual(Object.keys(registry.stats).sort(), Object.keys(zeroCounters()).sort());
  assert.ok(Object.values(registry.stats).every((count) => count === 0));
  ask(registry, "/");
  const lease = coreOf(registry).lease("/");
  registry.invalidate("a");
  register(registry, lease);
  keep(registry, "/", ["a"]);
  registry.invalidate("a");
  ask(registry, "/");
  const counted = Object.entries(registry.stats).filter(([, count]) => count !== 0);
  assert.deepEqual(Object.fromEntries(counted), {
    "miss": 1,
    "group-changed": 1,
    "lease-broken": 1,
    "outdated": 1,
  });
});

test("onEvict: may take further entries out without upsetting the sizes", () => {
  const registry: EtagRegistry = new EtagRegistry({ manual: true, onEvict: () => registry.deleteTag('"1"') });
  for (let i = 0; i < 5; i++) keep(registry, `/${i}`, ["a"]);
  registry.deleteTag('"1"');
  assert.deepEqual([registry.size, registry.bytes], [0, 0]);
});

test("EtagRegistry: sizes return to nothing once everything has left, whatever happened before", () => {
  const operation = fc.record({
    what: fc.constantFrom(
      "register",
      "register",
      "ask",
      "invalidate",
      "delete",
      "deleteTag",
      "lease",
      "clear",
    ),
    key: fc.constantFrom("/a", "/b", "/c", "\0v1:/"),
    caller: fc.option(fc.constantFrom("ann", "bob"), { nil: undefined }),
    x: fc.constantFrom("1", "2", "3"),
    vary: fc.subarray(["x", "y"]),
    groups: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const { registry } = setUp({ maxEntries: 5, maxBytes: 6_000, maxVariants: 2 });
      const leases: Lease[] = [];
      for (const { what, key, caller, x, vary, groups } of operations) {
        const who = caller === undefined ? {} : { caller };
        if (what === "register") {
          keep(registry, key, groups, { vary, headers: { x }, etag: `"${x}"`, ...who });
        }
        if (what === "ask") ask(registry, key, { x }, caller);
        if (what === "invalidate") registry.invalidate(groups[0]!);
        if (what === "delete") registry.delete(key);
        if (what === "deleteTag") registry.deleteTag(`"${x}"`);
        if (what === "lease") leases.push(coreOf(registry).lease(key, caller));
        if (what === "clear" && x === "1") registry.clear();
        assert.ok(registry.size <= 5 && registry.bytes <= 6_000);
      }
      for (const lease of leases) lease.release();
      registry.deleteTag('"1"', '"2"', '"3"');
      assert.deepEqual([registry.size, registry.bytes], [0, 0]);
    }),
    { numRuns: 200 },
  );
});

test("unfollowed: a registry that no feed vouches for answers nothing, and says so once", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const { registry } = setUp({ manual: false });
  assert.equal(registry.live, false);
  keep(registry, "/", ["a"]);
  keep(registry, "/b", ["a"]);
  assert.equal(ask(registry, "/"), "unfollowed");
  assert.equal(registry.stats.unfollowed, 1);
  assert.equal(warn.mock.callCount(), 1);
  assert.match(String(warn.mock.calls[0]?.arguments[0]), /follow\(registry, feed\).*manual: true/s);
});

test("unfollowed: a feed that has been followed and closed leaves the registry suspended", () => {
  const { registry, clock } = setUp({ manual: false });
  const subscription = coreOf(registry).subscribe("changes", 60_000, 0);
  subscription.apply(live(clock), noGroups);
  keep(registry, "/", ["a"]);
  assert.equal(ask(registry, "/"), '"1"');
  subscription.close();
  assert.equal(ask(registry, "/"), "suspended");
});

test("invalidate, delete, hasTag, deleteTag: check what they are given, and name it", () => {
  const { registry } = setUp();
  const untyped = registry as unknown as Record<string, (value: unknown) => unknown>;
  const post = { _id: "post", _rev: "1-a" };
  keep(registry, "/", ["post"]);
  registry.invalidate(post);
  assert.equal(ask(registry, "/"), "group-changed");
  for (
    const [door, value, said] of [
      ["invalidate", ["post"], /\["post"\]/],
      ["invalidate", 7, /not 7/],
      ["invalidate", undefined, /undefined/],
      ["invalidate", Promise.resolve("post"), /Promise/],
      ["delete", new URL("http://x/"), /http:\/\/x\//],
      ["hasTag", 7, /not 7/],
      ["hasTag", "1-a", /"1-a"/],
      ["deleteTag", "1-a", /"1-a"/],
    ] as const
  ) {
    assert.throws(
      () => untyped[door]!.call(registry, value),
      (error) => error instanceof TypeError && said.test(error.message),
      door,
    );
  }
});
