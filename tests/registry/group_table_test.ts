import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { declared } from "../support/registrations.ts";
import { Dependent, distinctGroups, GroupTable } from "../../src/registry/group_table.ts";
import type { Hash } from "../../src/registry/hash.ts";

/** Whether a response that was built at this moment, from groups with these ids, is still valid. */
function isValid(table: GroupTable, groups: readonly number[], builtAt: number): boolean {
  return table.isValid(new Dependent(groups, builtAt));
}

test("GroupTable: entries that depend on the same group get the same id", () => {
  const table = new GroupTable();
  const posts = table.acquire("posts");
  assert.equal(table.acquire("posts"), posts);
  assert.notEqual(table.acquire("authors"), posts);
  assert.equal(table.nameOf(posts), "posts");
});

test("GroupTable: a change voids what was built before it from that group, and nothing else", () => {
  const table = new GroupTable();
  const [posts, authors] = [table.acquire("posts"), table.acquire("authors")];
  assert.equal(table.change("authors", 7), true);
  assert.equal(table.lastChange, 7);
  const rows = [
    ["a page of both, built before", [posts, authors], 6, false],
    ["a page of both, built at the change, which it has seen", [posts, authors], 7, true],
    ["a page of the other group", [posts], 0, true],
    ["a page of no group", [], 0, true],
  ] as const;
  for (const [page, groups, builtAt, valid] of rows) {
    assert.equal(isValid(table, groups, builtAt), valid, page);
  }
});

test("GroupTable: a page that was found valid stays so, until a later change of its group", () => {
  const table = new GroupTable();
  const page = new Dependent([table.acquire("posts")], 0);
  table.acquire("authors");
  table.change("authors", 1);
  assert.equal(table.isValid(page), true);
  table.change("posts", 2);
  assert.equal(table.isValid(page), false);
});

test("GroupTable: a change of a group that no entry depends on is not recorded", () => {
  const table = new GroupTable();
  assert.equal(table.change("posts", 7), false);
  assert.equal(table.lastChange, 0);
});

test("GroupTable: a group leaves with its last entry, and its bytes with it", () => {
  const table = new GroupTable();
  const name = "a-name-of-some-length";
  const group = table.acquire(name);
  table.acquire(name);
  const { bytes } = table;
  assert.ok(bytes > name.length);

  table.release(group);
  assert.equal(table.bytes, bytes, "one entry is left");
  assert.equal(table.change(name, 1), true);

  table.release(group);
  assert.equal(table.bytes, 0);
  assert.equal(table.change(name, 2), false);
});

test("GroupTable: an id that is used again has nothing of the group that had it before", () => {
  const table = new GroupTable();
  const previous = table.acquire("previous");
  table.change("previous", 5);
  table.release(previous);

  const next = table.acquire("next");
  assert.equal(next, previous, "the id is used again");
  assert.equal(table.nameOf(next), "next");
  assert.equal(isValid(table, [next], 0), true);
  assert.equal(table.change("previous", 6), false);
});

test("GroupTable: after clear() a group of the same name begins anew", () => {
  const table = new GroupTable();
  table.acquire("posts");
  table.change("posts", 1);
  table.clear();
  assert.equal(table.bytes, 0);
  assert.equal(table.change("posts", 2), false);

  const posts = table.acquire("posts");
  assert.equal(isValid(table, [posts], 0), true);
  assert.equal(table.change("posts", 3), true);
  assert.equal(isValid(table, [posts], 2), false);
});

test("GroupTable: names with the same hash are two groups, and a change of one voids the pages of both", () => {
  const table = new GroupTable(() => ({ low: 7, high: 7 }));
  const [posts, authors] = [table.acquire("posts"), table.acquire("authors")];
  assert.notEqual(posts, authors);
  assert.deepEqual([posts, authors].map((group) => table.nameOf(group)), ["posts", "authors"]);
  assert.equal(table.change("posts", 1), true);
  assert.deepEqual([posts, authors].map((group) => isValid(table, [group], 0)), [false, false]);

  table.release(posts);
  assert.equal(table.change("authors", 2), true);
  assert.equal(isValid(table, [authors], 1), false);
  table.release(authors);
  assert.equal(table.change("authors", 3), false);
  assert.equal(table.bytes, 0);
});

/** A group as a plain Map keeps it: the model that the table is compared with. */
interface ModelGroup {
  readonly id: number;
  entries: number;
  changedAt: number;
}

/** Two names of the same length that end alike share it, so a change may void more than it has to. */
const collidingHash = (name: string): Hash => ({
  low: name.length,
  high: name.charCodeAt(name.length - 1) % 2,
});

for (
  const [which, hash] of [["its own hash", undefined], [
    "a hash with many collisions",
    collidingHash,
  ]] as const
) {
  test(`GroupTable: whatever happens, it knows what a Map of names knows, with ${which}`, () => {
    const step = fc.tuple(fc.constantFrom("acquire", "acquire", "release", "change"), fc.nat(200));
    fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const table = new GroupTable(hash);
      const model = new Map<string, ModelGroup>();
      for (const [index, [what, n]] of steps.entries()) {
        const [name, now] = [`group-${n}`, index + 1];
        const known = model.get(name);
        if (what === "acquire") {
          const id = table.acquire(name);
          if (known === undefined) model.set(name, { id, entries: 1, changedAt: 0 });
          else {
            assert.equal(id, known.id);
            known.entries++;
          }
        } else if (what === "release" && known !== undefined) {
          table.release(known.id);
          if (--known.entries === 0) model.delete(name);
        } else if (what === "change") {
          const recorded = table.change(name, now);
          if (known !== undefined) known.changedAt = now;
          // Where hashes collide, the change of an unknown group may be recorded for a known one.
          if (known !== undefined || hash === undefined) assert.equal(recorded, known !== undefined);
        }
      }
      assert.equal(new Set([...model.values()].map(({ id }) => id)).size, model.size, "no id twice");
      for (const [name, { id, changedAt }] of model) {
        assert.equal(table.nameOf(id), name);
        assert.equal(isValid(table, [id], changedAt - 1), false, name);
        if (hash === undefined) assert.equal(isValid(table, [id], changedAt), true, name);
      }
    }));
  });
}

test("Dependent: has all of its groups, however many, and is void by a change of any one", () => {
  for (let count = 0; count <= 6; count++) {
    const table = new GroupTable();
    const groups = Array.from({ length: count }, (_, n) => table.acquire(`group-${n}`));
    assert.deepEqual(new Dependent(groups, 0).groups, groups);
    for (const [index] of groups.entries()) {
      const page = new Dependent(groups, index);
      assert.equal(table.isValid(page), true);
      table.change(`group-${index}`, index + 1);
      assert.equal(table.isValid(page), false, `group ${index} of ${count}`);
    }
  }
});

/** What a report means to those who depend on its group. */
const REVISION = { _id: "a", _rev: "2-b" };

test("repeat: spares a group whose dependents all declare the revision", () => {
  const groups = new GroupTable();
  const held = [groups.acquire(REVISION._id, REVISION._rev)];
  groups.acquire(REVISION._id, REVISION._rev);
  assert.equal(groups.repeat("a", 5, "2-b", 1), false);
  assert.equal(isValid(groups, held, 4), true);
  assert.equal(groups.repeat("a", 6, "1-a", 1), true, "another revision");
  assert.equal(isValid(groups, held, 5), false);
});

for (const other of [{ _id: "a", _rev: undefined }, { _id: "a", _rev: "3-c" }]) {
  test(`repeat: voids a group of which something declares ${JSON.stringify(other)}`, () => {
    for (const order of [[REVISION, other], [other, REVISION]]) {
      const groups = new GroupTable();
      const held = order.map(({ _id, _rev }) => groups.acquire(_id, _rev));
      assert.equal(groups.repeat("a", 5, "2-b", 1), true);
      assert.equal(isValid(groups, held, 4), false);
      groups.acquire(REVISION._id, REVISION._rev);
      assert.equal(groups.repeat("a", 6, "2-b", 1), false, "what declares otherwise is void");
      groups.change("a", 7);
      groups.acquire("a", "1-a");
      assert.equal(groups.repeat("a", 8, "1-a", 1), false, "since the last change, only this");
    }
  });
}

test("repeat: a number that is free again has nothing declared", () => {
  const groups = new GroupTable();
  groups.release(groups.acquire("previous"));
  groups.acquire(REVISION._id, REVISION._rev);
  assert.equal(groups.repeat("a", 5, "2-b", 1), false);
});

test("isSuperseded: the last reported revision counts, whether something depends on the group or not", () => {
  for (const inUse of [true, false]) {
    const groups = new GroupTable();
    if (inUse) groups.acquire("a");
    const superseded = () => ["1-a", "2-b"].map((rev) => groups.isSuperseded("a", rev));
    assert.deepEqual(superseded(), [false, false], "nothing was reported");
    groups.change("a", 1, "2-b", 1);
    assert.deepEqual(superseded(), [true, false]);
    groups.change("a", 2, "1-a", 1);
    assert.deepEqual(superseded(), [false, true], "an old row that comes again");
    groups.repeat("a", 3, "2-b", 1);
    assert.deepEqual(superseded(), [true, false], "is put right by the next");
    groups.change("a", 4);
    assert.deepEqual(superseded(), [false, false], "changed by the site, to what has not been reported");
    groups.change("a", 5, "2-b", 1);
    groups.change("a", 6, "9-z", 2);
    assert.deepEqual(superseded(), [false, false], "two feeds have documents of this name");
    groups.change("a", 7, "2-b", 1);
    assert.deepEqual(superseded(), [false, false]);
    groups.clear();
    groups.change("a", 8, "2-b", 1);
    assert.deepEqual(superseded(), [true, false], "forgotten with everything else");
  }
});

test("isSuperseded: a group keeps its report when its last dependent leaves, and when it is in use again", () => {
  const groups = new GroupTable();
  const group = groups.acquire("a");
  groups.change("a", 1, "2-b", 1);
  groups.release(group);
  assert.equal(groups.isSuperseded("a", "1-a"), true);
  groups.change("a", 2, "3-c", 1);
  groups.acquire("a");
  assert.deepEqual(["2-b", "3-c"].map((rev) => groups.isSuperseded("a", rev)), [true, false]);
});

test("isSuperseded: many groups later, what was reported of one is forgotten, never taken for another's", () => {
  const groups = new GroupTable();
  for (let n = 0; n < 20_000; n++) groups.change(`g${n}`, n + 1, `2-${n}`, 1);
  let remembered = 0;
  for (let n = 0; n < 20_000; n++) {
    assert.equal(groups.isSuperseded(`g${n}`, `2-${n}`), false);
    if (groups.isSuperseded(`g${n}`, `1-${n}`)) remembered++;
  }
  assert.equal(remembered, 4_096, "the latest");
  assert.ok(groups.bytes > 100_000 && groups.bytes < 2 ** 18, `${groups.bytes} bytes, counted and bounded`);
  groups.clear();
  assert.equal(groups.bytes, 0);
});

test("distinctGroups: without a revision, if it is named without one", () => {
  const sources = [REVISION, "b", "a", { _id: "b", _rev: "1-x" }].map(declared);
  assert.deepEqual(distinctGroups(sources), ["a", "b"].map(declared));
  assert.deepEqual(distinctGroups([REVISION, REVISION]), [REVISION]);
});

test("distinctGroups: each once, in their order, however many", () => {
  for (const count of [0, 1, 3, 8, 9, 100]) {
    const names = Array.from({ length: count }, (_, n) => `g${n}`);
    const sources = names.flatMap((name) => [{ _id: name }, { _id: name, _rev: "1-x" }]);
    assert.deepEqual(distinctGroups(sources), names.map((_id) => ({ _id })));
  }
});
