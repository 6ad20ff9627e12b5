import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptEntry } from "../src/entry.ts";
import { copied, type Group, groupNames, Groups, isOutdated } from "../src/groups.ts";

function dependent(groups: readonly Group[], validAt: number): KeptEntry {
  const init = {
    status: 304,
    headers: { etag: "" },
    ...{ isPublic: true, minted: false, signature: "", uses: 1 },
  } as const;
  const from = { etag: "", lastModified: undefined, init, storageKey: "/", variants: undefined };
  return new KeptEntry(from, groups, validAt);
}

test("Groups: all who depend on a group share one object", () => {
  const groups = new Groups();
  const first = groups.acquire("a");
  assert.equal(groups.acquire("a"), first);
  assert.notEqual(groups.acquire("b"), first);
  assert.equal(first.dependents, 2);
});

test("Groups: a change is one write, seen by all who depend on the group", () => {
  const groups = new Groups();
  const held = [groups.acquire("a"), groups.acquire("b")];
  assert.equal(groups.change("b", 7), true);
  assert.equal(groups.changedAt, 7);
  assert.equal(isOutdated(dependent(held, 6)), true);
  assert.equal(isOutdated(dependent(held, 7)), false, "built at the mark of the change: it was seen");
  assert.equal(isOutdated(dependent(held.slice(0, 1), 0)), false);
});

test("Groups: a change of what nobody depends on is nobody's", () => {
  const groups = new Groups();
  assert.equal(groups.change("a", 7), false);
  assert.equal(groups.changedAt, 0);
});

test("Groups: a group leaves with its last dependent, and its bytes with it", () => {
  const groups = new Groups();
  const group = groups.acquire("a-name-of-some-length");
  groups.acquire("a-name-of-some-length");
  const bytes = groups.bytes;
  assert.ok(bytes > "a-name-of-some-length".length);
  groups.release(group);
  assert.equal(groups.bytes, bytes);
  assert.equal(groups.change(group.name, 1), true);
  groups.release(group);
  assert.equal(groups.bytes, 0);
  assert.equal(groups.change(group.name, 2), false);
});

test("Groups: a group from before everything was forgotten does not take its namesake with it", () => {
  const groups = new Groups();
  const old = groups.acquire("a");
  groups.clear();
  assert.equal(groups.bytes, 0);
  const young = groups.acquire("a");
  const { bytes } = groups;
  groups.release(old);
  assert.equal(groups.bytes, bytes);
  assert.equal(groups.change("a", 3), true);
  assert.equal(young.changedAt, 3);
});

test("KeptEntry: holds any number of groups, and is outdated by a change of any one", () => {
  for (let count = 0; count < 7; count++) {
    for (let changed = 0; changed < count; changed++) {
      const groups = new Groups();
      const held = Array.from({ length: count }, (_, n) => groups.acquire(`g${n}`));
      const entry = dependent(held, 0);
      assert.deepEqual(entry.groups, held);
      assert.equal(isOutdated(entry), false);
      groups.change(`g${changed}`, 1);
      assert.equal(isOutdated(entry), true, `${changed} of ${count}`);
    }
  }
});

test("groupNames: each once, in their order, however many", () => {
  for (const count of [0, 1, 3, 8, 9, 100]) {
    const names = Array.from({ length: count }, (_, n) => `g${n}`);
    const sources = names.flatMap((name) => [name, { _id: name, _rev: "1-x" }]);
    assert.deepEqual(groupNames(sources), names);
  }
});

test("copied: the same text", () => {
  for (const text of ["", "a", "ab", "half a \ud800 pair", "x".repeat(100).slice(3)]) {
    assert.equal(copied(text), text);
  }
});
