import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { EntryStore } from "../../src/registry/entry_store.ts";
import type { Registration } from "../../src/registry/entry.ts";
import { distinctGroups } from "../../src/registry/group_table.ts";
import { REFERENCE_BYTES } from "../../src/registry/memory_cost.ts";
import { declared, NO_FIELDS, offer } from "../support/registrations.ts";

function setUp(limits: { maxEntries?: number; maxBytes?: number; maxVariants?: number } = {}) {
  const left: string[] = [];
  const entries = new EntryStore(
    { maxEntries: 100, maxBytes: 1_000_000, maxVariants: 3, ...limits },
    (entry, reason) => left.push(`${entry.key} ${reason}`),
  );
  let sequence = 0;
  const add = (
    base: string,
    sources: string[],
    more: Partial<Registration> = {},
    headers: HeadersInit = {},
  ) => {
    const tagFor = () => more.etag ?? '"1"';
    return entries.add(
      base,
      offer(sources, more),
      distinctGroups(sources.map(declared)),
      sequence,
      new Headers(headers),
      tagFor,
    );
  };
  const find = (base: string, headers: HeadersInit = {}) => {
    const entry = entries.find(base, new Headers(headers));
    if (typeof entry === "string") return entry;
    return entries.isValid(entry) ? entry.etag : "void";
  };
  const change = (group: string) => entries.change(group, ++sequence);
  return { entries, left, add, find, change };
}

test("EntryStore: an entry is valid until one of its groups changes", () => {
  const { add, find, change } = setUp();
  add("/", ["a", "b"]);
  change("c");
  assert.equal(find("/"), '"1"');
  change("b");
  assert.equal(find("/"), "void");
  add("/", ["a", "b"]);
  assert.equal(find("/"), '"1"', "made after the change");
});

test("EntryStore: a change stays seen after other changes were looked at", () => {
  const { add, find, change } = setUp();
  add("/a", ["a"]);
  add("/b", ["b"]);
  change("b");
  assert.equal(find("/a"), '"1"');
  assert.equal(find("/b"), "void");
  change("a");
  assert.equal(find("/a"), "void");
});

test("EntryStore: a newer response takes the place of the previous, which leaves", () => {
  const { entries, add, find, left } = setUp();
  add("/", ["a"]);
  add("/", ["b"], { etag: '"2"' });
  assert.equal(find("/"), '"2"');
  assert.deepEqual(left, ["/ replaced"]);
  assert.equal(entries.size, 1);
});

test("EntryStore: the tag is asked for with the previous entry only while that is valid", () => {
  const { entries, change } = setUp();
  const formers: (string | undefined)[] = [];
  const add = (sequence: number) =>
    entries.add(
      "/",
      offer(["a"]),
      [{ _id: "a" }],
      sequence,
      NO_FIELDS,
      (previous) => {
        formers.push(previous?.etag);
        return `"${formers.length}"`;
      },
    );
  add(0);
  add(0);
  change("a");
  add(1);
  assert.deepEqual(formers, [undefined, '"1"', undefined]);
});

test("EntryStore: at the bound on entries somebody leaves for each who comes", () => {
  const { entries, add, left } = setUp({ maxEntries: 3 });
  for (let i = 0; i < 5; i++) add(`/${i}`, ["a"]);
  assert.equal(entries.size, 3);
  assert.deepEqual(left, ["/0 evicted", "/1 evicted"]);
});

test("EntryStore: the bound on bytes holds, groups and replayed fields included", () => {
  const { entries, add } = setUp({ maxBytes: 20_000 });
  for (let i = 0; i < 100; i++) {
    add(`/${i}`, [`${i}`.repeat(100)], { fields: { "content-location": `/${i}`.repeat(100) } });
    assert.ok(entries.bytes <= 20_000, `${entries.bytes} bytes`);
  }
  assert.ok(entries.size > 5);
});

test("EntryStore: bytes say what is kept: field values that no entry shares, and who asks", () => {
  const long = "x".repeat(4_000);
  const bytes = (base: string, fields: Record<string, string>) => {
    const { entries } = setUp();
    entries.add(
      base,
      offer(["a"], { fields }),
      [{ _id: "a" }],
      0,
      NO_FIELDS,
      () => '"1"',
    );
    return entries.bytes;
  };
  const plain = bytes("/", {});
  assert.ok(bytes("/", { "content-location": long }) - plain >= long.length);
  assert.ok(bytes(`\0caller ${long}`, {}) - plain >= long.length);
});

test("EntryStore: what is too large by itself is refused, and nobody else leaves for it", () => {
  const { entries, add, find, left } = setUp({ maxBytes: 5_000 });
  add("/kept", ["a"]);
  const { bytes } = entries;
  assert.equal(add("/large", ["b".repeat(6_000)]), "too-large");
  assert.equal(add("/fields", ["b"], { fields: { link: "b".repeat(6_000) } }), "too-large");
  assert.equal(add(`/${"k".repeat(6_000)}`, ["b"]), "too-large");
  assert.equal(find("/kept"), '"1"');
  assert.deepEqual(left, []);
  const room = 8 * REFERENCE_BYTES;
  assert.ok(entries.bytes <= bytes + room, "nothing of it stays but room in lists");
});

test("EntryStore: the dead leave before the living, and say so", () => {
  const { entries, add, left, change, find } = setUp({ maxEntries: 3 });
  add("/a", ["a"]);
  add("/b", ["b"]);
  add("/c", ["c"]);
  for (const entry of entries.values()) entry.visited = true;
  change("c");
  add("/d", ["d"]);
  assert.deepEqual(left, ["/c outdated"]);
  assert.equal(find("/a"), '"1"');
});

test("EntryStore: variants are told apart by the fields that Vary names, and by no others", () => {
  const { add, find, entries } = setUp();
  add("/", ["a"], { vary: ["accept"], etag: '"html"' }, { accept: "text/html" });
  add("/", ["a"], { vary: ["accept"], etag: '"json"' }, { accept: "application/json" });
  assert.equal(find("/", { accept: "text/html", "accept-language": "de" }), '"html"');
  assert.equal(find("/", { accept: "application/json" }), '"json"');
  assert.equal(find("/", { accept: "text/plain" }), "variant");
  assert.equal(find("/"), "variant");
  assert.equal(entries.size, 2);
});

test("EntryStore: a Vary that names more voids what was selected by less", () => {
  const { add, find, left } = setUp();
  add("/", ["a"]);
  add("/", ["a"], { vary: ["accept"], etag: '"2"' }, { accept: "text/html" });
  assert.deepEqual(left, ["/ vary-grew"]);
  add("/", ["a"], { vary: ["accept-language"], etag: '"3"' }, {
    accept: "text/html",
    "accept-language": "de",
  });
  assert.deepEqual(left, ["/ vary-grew", "/ vary-grew"]);
  assert.equal(find("/", { accept: "text/html" }), "variant");
  assert.equal(find("/", { accept: "text/html", "accept-language": "de" }), '"3"');
});

test("EntryStore: a Vary that names less goes on being selected by all fields seen", () => {
  const { add, find, left } = setUp();
  add("/", ["a"], { vary: ["accept"], etag: '"html"' }, { accept: "text/html" });
  add("/", ["a"], { vary: [], etag: '"plain"' }, { accept: "text/plain" });
  assert.deepEqual(left, []);
  assert.equal(find("/", { accept: "text/html" }), '"html"');
  assert.equal(find("/", { accept: "text/plain" }), '"plain"');
});

test("EntryStore: one resource has so many variants and no more", () => {
  const { entries, add, left, find } = setUp({ maxVariants: 3 });
  for (let i = 0; i < 10; i++) {
    add("/", ["a"], { vary: ["x"], etag: `"${i}"` }, { x: `${i}` });
    if (i === 0) entries.find("/", new Headers({ x: "0" }));
  }
  assert.equal(entries.size, 3);
  assert.deepEqual(left, Array(7).fill("/ evicted"));
  assert.equal(find("/", { x: "9" }), '"9"');
});

test("EntryStore: among variants the dead leave first, then what nobody asked for", () => {
  const { entries, add, left, change, find } = setUp({ maxVariants: 3 });
  for (const x of ["a", "b", "c"]) add("/", [x], { vary: ["x"], etag: `"${x}"` }, { x });
  for (const entry of entries.values()) entry.visited = entry.etag !== '"c"';
  change("b");
  add("/", ["d"], { vary: ["x"], etag: '"d"' }, { x: "d" });
  assert.deepEqual(left, ["/ outdated"]);
  assert.equal(find("/", { x: "a" }), '"a"');
  add("/", ["e"], { vary: ["x"], etag: '"e"' }, { x: "e" });
  assert.deepEqual(left, ["/ outdated", "/ evicted"]);
  assert.equal(find("/", { x: "c" }), "variant");
  assert.equal(find("/", { x: "a" }), '"a"');
});

test("EntryStore: a set of variants survives that making room empties it", () => {
  const { entries, add, find } = setUp({ maxEntries: 1 });
  add("/", ["a"], { vary: ["x"], etag: '"1"' }, { x: "1" });
  add("/", ["a"], { vary: ["x"], etag: '"2"' }, { x: "2" });
  assert.equal(find("/", { x: "2" }), '"2"');
  assert.equal(find("/", { x: "1" }), "variant");
  assert.equal(entries.size, 1);
  assert.equal(entries.dropAll("/", "deleted"), true);
  assert.equal(find("/", { x: "2" }), "miss", "with its last variant the set leaves too");
});

test("dropAll: reaches every variant, and nothing else", () => {
  const { entries, add, left, find } = setUp();
  add("/", ["a"], { vary: ["x"] }, { x: "1" });
  add("/", ["a"], { vary: ["x"] }, { x: "2" });
  add("/other", ["a"]);
  assert.equal(entries.dropAll("/", "deleted"), true);
  assert.deepEqual(left, ["/ deleted", "/ deleted"]);
  assert.equal(find("/other"), '"1"');
  assert.equal(entries.dropAll("/", "deleted"), false);
});

test("drop: an entry that has left already does not leave again", () => {
  const { entries, add, left } = setUp();
  const previous = add("/", ["a"]);
  add("/", ["a"]);
  assert.ok(typeof previous !== "string");
  const { bytes } = entries;
  entries.drop(previous, "deleted");
  assert.deepEqual(left, ["/ replaced"]);
  assert.deepEqual([entries.size, entries.bytes], [1, bytes]);
});

test("EntryStore: whatever happened, when all have left nothing is held, and the bounds held throughout", () => {
  const operation = fc.record({
    what: fc.constantFrom("add", "add", "add", "change", "visit", "drop", "clear"),
    page: fc.nat({ max: 12 }),
    vary: fc.subarray(["x", "y"]),
    x: fc.constantFrom("1", "2", "3", "4"),
    groups: fc.uniqueArray(fc.constantFrom("a", "b", "c", "d".repeat(300)), { minLength: 1 }),
    large: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const { entries, add, change } = setUp({ maxEntries: 6, maxBytes: 4_000, maxVariants: 2 });
      for (const { what, page, vary, x, groups, large } of operations) {
        if (what === "add") {
          add(`/${page}`, groups, { vary, fields: large ? { link: `${page}`.repeat(2_000) } : {} }, { x });
        }
        if (what === "change") change(groups[0]!);
        if (what === "visit") {
          for (const entry of entries.values()) entry.visited = entry.key === `/${page}`;
        }
        if (what === "drop") entries.dropAll(`/${page}`, "deleted");
        if (what === "clear" && page === 0) entries.clear();
        assert.ok(entries.size <= 6 && entries.bytes <= 4_000);
        assert.equal(entries.bytes === 0, entries.size === 0);
      }
      for (let page = 0; page <= 12; page++) entries.dropAll(`/${page}`, "deleted");
      assert.deepEqual([entries.size, entries.bytes], [0, 0]);
      assert.equal(entries.find("/0", NO_FIELDS), "miss");
    }),
    { numRuns: 200 },
  );
});

test("EntryStore: the sizes add up in any order of leaving", () => {
  const { entries, add } = setUp();
  add("/a", ["x", "y"], { vary: ["accept"] }, { accept: "1" });
  const first = entries.bytes;
  add("/b", ["y", "z"], { fields: { vary: "accept" } });
  entries.dropAll("/b", "deleted");
  assert.ok(entries.bytes <= first + 8 * REFERENCE_BYTES, "nothing stays but room in lists");
  entries.clear();
  assert.deepEqual([entries.size, entries.bytes], [0, 0]);
});
