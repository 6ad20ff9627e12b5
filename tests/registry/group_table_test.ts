import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copied, Dependent, distinctGroups, GroupTable } from "../../src/registry/group_table.ts";

function dependent(groups: readonly number[], validAt: number): Dependent {
  return new Dependent(groups, validAt);
}

test("GroupTable: all who depend on a group share one number", () => {
  const groups = new GroupTable();
  const first = groups.acquire("a");
  assert.equal(groups.acquire("a"), first);
  assert.notEqual(groups.acquire("b"), first);
  assert.equal(groups.nameOf(first), "a");
});

test("GroupTable: a change is one write, seen by all who depend on the group", () => {
  const groups = new GroupTable();
  const held = [groups.acquire("a"), groups.acquire("b")];
  assert.equal(groups.change("b", 7), true);
  assert.equal(groups.lastChange, 7);
  assert.equal(groups.isValid(dependent(held, 6)), false);
  assert.equal(groups.isValid(dependent(held, 7)), true, "built at the mark of the change: it was seen");
  assert.equal(groups.isValid(dependent(held.slice(0, 1), 0)), true);
});

test("GroupTable: a change of what nobody depends on is nobody's", () => {
  const groups = new GroupTable();
  assert.equal(groups.change("a", 7), false);
  assert.equal(groups.lastChange, 0);
});

test("GroupTable: a group leaves with its last dependent, and its bytes with it", () => {
  const groups = new GroupTable();
  const name = "a-name-of-some-length";
  const group = groups.acquire(name);
  groups.acquire(name);
  const bytes = groups.bytes;
  assert.ok(bytes > name.length);
  groups.release(group);
  assert.equal(groups.bytes, bytes);
  assert.equal(groups.change(name, 1), true);
  groups.release(group);
  assert.equal(groups.bytes, 0);
  assert.equal(groups.change(name, 2), false);
});

test("GroupTable: a number that is free again has nothing of whose it was", () => {
  const groups = new GroupTable();
  const previous = groups.acquire("previous");
  groups.change("previous", 5);
  groups.release(previous);
  const young = groups.acquire("young");
  assert.equal(young, previous, "it is used again");
  assert.equal(groups.nameOf(young), "young");
  assert.equal(groups.isValid(dependent([young], 0)), true);
  assert.equal(groups.change("previous", 6), false);
});

test("GroupTable: after all have been forgotten, a namesake begins anew", () => {
  const groups = new GroupTable();
  groups.acquire("a");
  groups.change("a", 1);
  groups.clear();
  assert.equal(groups.bytes, 0);
  assert.equal(groups.change("a", 2), false);
  const young = groups.acquire("a");
  assert.equal(groups.isValid(dependent([young], 0)), true);
  assert.equal(groups.change("a", 3), true);
  assert.equal(groups.isValid(dependent([young], 2)), false);
});

/** What a step does to the group of a number. */
const step = fc.tuple(fc.constantFrom("acquire", "acquire", "release", "change"), fc.nat(200));

const bad = (name: string) => ({ low: name.length, high: name.charCodeAt(name.length - 1) % 2 });

for (const [what, hash] of [["a good hash", undefined], ["a bad one, which may void more", bad]] as const) {
  test(`GroupTable: hold and stamp what a Map of names would, with ${what}`, () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const groups = new GroupTable(hash);
      const twin = new Map<string, { group: number; dependents: number; changedAt: number }>();
      for (const [index, [what, n]] of steps.entries()) {
        const name = `group-${n}`;
        const known = twin.get(name);
        if (what === "acquire") {
          const group = groups.acquire(name);
          if (known === undefined) twin.set(name, { group, dependents: 1, changedAt: 0 });
          else {
            assert.equal(group, known.group);
            known.dependents++;
          }
        } else if (what === "release") {
          if (known === undefined) continue;
          groups.release(known.group);
          if (--known.dependents === 0) twin.delete(name);
        } else {
          const stamped = groups.change(name, index + 1);
          if (known !== undefined) known.changedAt = index + 1;
          if (known !== undefined || hash === undefined) assert.equal(stamped, known !== undefined);
        }
      }
      assert.equal(new Set([...twin.values()].map(({ group }) => group)).size, twin.size);
      for (const [name, { group, changedAt }] of twin) {
        assert.equal(groups.nameOf(group), name);
        assert.equal(groups.isValid(dependent([group], changedAt - 1)), false);
        if (hash === undefined) assert.equal(groups.isValid(dependent([group], changedAt)), true);
      }
    }));
  });
}

test("GroupTable: names that share a hash are two groups, and a change of one voids both", () => {
  const groups = new GroupTable(() => ({ low: 7, high: 7 }));
  const [a, b] = [groups.acquire("a"), groups.acquire("b")];
  assert.notEqual(a, b);
  assert.deepEqual([groups.acquire("a"), groups.nameOf(a), groups.nameOf(b)], [a, "a", "b"]);
  assert.equal(groups.change("a", 1), true);
  assert.deepEqual([a, b].map((group) => groups.isValid(dependent([group], 0))), [false, false]);
  groups.release(a);
  groups.release(a);
  assert.equal(groups.change("b", 2), true);
  assert.equal(groups.isValid(dependent([b], 1)), false);
  groups.release(b);
  assert.equal(groups.change("b", 3), false);
  assert.equal(groups.bytes, 0);
});

test("StoredEntry: holds any number of groups, and is outdated by a change of any one", () => {
  for (let count = 0; count < 7; count++) {
    for (let changed = 0; changed < count; changed++) {
      const groups = new GroupTable();
      const held = Array.from({ length: count }, (_, n) => groups.acquire(`g${n}`));
      const entry = dependent(held, 0);
      assert.deepEqual(entry.groups, held);
      assert.equal(groups.isValid(entry), true);
      groups.change(`g${changed}`, 1);
      assert.equal(groups.isValid(entry), false, `${changed} of ${count}`);
    }
  }
});

/** What a report means to those who depend on its group. */
const REVISION = { _id: "a", _rev: "2-b" };

test("repeat: spares a group whose dependents all declare the revision", () => {
  const groups = new GroupTable();
  const held = [groups.acquire(REVISION)];
  groups.acquire(REVISION);
  assert.equal(groups.repeat("a", 5, "2-b", 1), false);
  assert.equal(groups.isValid(dependent(held, 4)), true);
  assert.equal(groups.repeat("a", 6, "1-a", 1), true, "another revision");
  assert.equal(groups.isValid(dependent(held, 5)), false);
});

for (const other of ["a", { _id: "a", _rev: "3-c" }]) {
  test(`repeat: voids a group of which something declares ${JSON.stringify(other)}`, () => {
    for (const order of [[REVISION, other], [other, REVISION]]) {
      const groups = new GroupTable();
      const held = order.map((dependency) => groups.acquire(dependency));
      assert.equal(groups.repeat("a", 5, "2-b", 1), true);
      assert.equal(groups.isValid(dependent(held, 4)), false);
      groups.acquire(REVISION);
      assert.equal(groups.repeat("a", 6, "2-b", 1), false, "what declares otherwise is void");
      groups.change("a", 7);
      groups.acquire({ _id: "a", _rev: "1-a" });
      assert.equal(groups.repeat("a", 8, "1-a", 1), false, "since the last change, only this");
    }
  });
}

test("repeat: a number that is free again has nothing declared", () => {
  const groups = new GroupTable();
  groups.release(groups.acquire("previous"));
  groups.acquire(REVISION);
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
  assert.ok(remembered > 2_000 && remembered <= 4_096, `${remembered}`);
  assert.equal(groups.bytes, 0);
});

test("distinctGroups: without a revision, if it is named without one", () => {
  const sources = [REVISION, "b", "a", { _id: "b", _rev: "1-x" }];
  assert.deepEqual(distinctGroups(sources), ["a", "b"]);
  assert.deepEqual(distinctGroups([REVISION, REVISION]), [REVISION]);
});

test("distinctGroups: each once, in their order, however many", () => {
  for (const count of [0, 1, 3, 8, 9, 100]) {
    const names = Array.from({ length: count }, (_, n) => `g${n}`);
    const sources = names.flatMap((name) => [name, { _id: name, _rev: "1-x" }]);
    assert.deepEqual(distinctGroups(sources), names);
  }
});

test("copied: the same text", () => {
  for (const text of ["", "a", "ab", "half a \ud800 pair", "x".repeat(100).slice(3)]) {
    assert.equal(copied(text), text);
  }
});
