import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { Sieve, type Sieved } from "../../src/registry/sieve.ts";

interface Page extends Sieved<Page> {
  readonly key: string;
  dead: boolean;
}

function setUp(keys: readonly string[] = []) {
  const sieve = new Sieve<Page>((page) => page.dead);
  const add = (key: string): Page => {
    const page: Page = { key, visited: false, dead: false, older: undefined, newer: undefined };
    sieve.set(key, page);
    return page;
  };
  const evict = (): string | undefined => {
    const victim = sieve.victim();
    if (victim !== undefined) sieve.delete(victim.key);
    return victim?.key;
  };
  keys.forEach(add);
  return { sieve, add, evict };
}

test("Sieve: nothing kept, no victim", () => {
  assert.equal(setUp().sieve.victim(), undefined);
});

test("Sieve: what was not visited leaves oldest first", () => {
  const { evict, sieve } = setUp(["a", "b", "c"]);
  assert.deepEqual([evict(), evict(), evict(), evict()], ["a", "b", "c", undefined]);
  assert.equal(sieve.size, 0);
});

test("Sieve: the hand spares what was visited, once, and goes on from where it stood", () => {
  const { evict, sieve } = setUp(["a", "b", "c", "d"]);
  sieve.get("a")!.visited = true;
  sieve.get("c")!.visited = true;
  assert.deepEqual([evict(), evict()], ["b", "d"]);
  assert.deepEqual([evict(), evict()], ["a", "c"]);
});

test("Sieve: where all were visited, one round takes the visits off and the next finds a victim", () => {
  const { evict, sieve } = setUp(["a", "b", "c"]);
  for (const page of sieve.values()) page.visited = true;
  assert.equal(evict(), "a");
});

test("Sieve: a victim stays in until it is deleted", () => {
  const { sieve } = setUp(["a"]);
  assert.equal(sieve.victim()?.key, "a");
  assert.equal(sieve.size, 1);
});

test("Sieve: what is often asked for survives a flood of what is asked for once", () => {
  const hot = Array.from({ length: 50 }, (_, i) => `hot${i}`);
  const { sieve, add, evict } = setUp(hot);
  for (const key of hot) sieve.get(key)!.visited = true;
  for (let i = 0; i < 1_000; i++) {
    if (sieve.size >= 100) evict();
    add(`once${i}`);
  }
  assert.deepEqual(hot.filter((key) => sieve.get(key) === undefined), []);
});

test("Sieve: the dead leave before the living, visited or not", () => {
  const { sieve, evict } = setUp(["a", "b", "c", "d"]);
  for (const page of sieve.values()) page.visited = true;
  sieve.get("a")!.visited = false;
  sieve.get("d")!.dead = true;
  sieve.expectDead();
  assert.equal(evict(), "d");
  assert.equal(evict(), "a");
});

test("Sieve: among many, the dead are found little by little, and all of them", () => {
  const { sieve, add, evict } = setUp(Array.from({ length: 1_000 }, (_, i) => `page${i}`));
  for (const page of sieve.values()) page.visited = true;
  const dead = Array.from({ length: 10 }, (_, i) => `page${i * 100 + 50}`);
  for (const key of dead) sieve.get(key)!.dead = true;
  sieve.expectDead();
  for (let i = 0; i < 60; i++) {
    evict();
    add(`new${i}`);
  }
  assert.deepEqual(dead.filter((key) => sieve.get(key) !== undefined), []);
});

test("Sieve: what comes in while the dead are looked for hides none of them", () => {
  const { sieve, add, evict } = setUp(["a", "b", "c", "d", "e"]);
  const kill = (key: string): void => {
    sieve.get(key)!.dead = true;
    sieve.expectDead();
  };
  sieve.get("a")!.visited = true;
  assert.equal(evict(), "b", "the hand has passed a");
  kill("c");
  assert.equal(evict(), "c", "and so has the hand that looks for the dead");
  kill("a");
  add("f");
  assert.equal(evict(), "a");
});

test("Sieve: what the hand points at may be taken out", () => {
  const { sieve, evict } = setUp(["a", "b", "c", "d"]);
  sieve.get("a")!.visited = true;
  assert.equal(sieve.victim()!.key, "b", "and the hand stands at c");
  sieve.delete("c");
  assert.deepEqual([evict(), evict(), evict(), evict()], ["d", "a", "b", undefined]);
});

test("Sieve: a value under a key that is taken comes in as the newest", () => {
  const { sieve, add } = setUp(["a", "b"]);
  const page = add("a");
  assert.deepEqual([...sieve.values()].map(({ key }) => key), ["b", "a"]);
  assert.equal(sieve.get("a"), page);
  assert.equal(sieve.size, 2);
});

test("Sieve: forgets all at once, and can be filled again", () => {
  const { sieve, add, evict } = setUp(["a", "b"]);
  sieve.victim();
  sieve.expectDead();
  sieve.clear();
  assert.equal(sieve.size, 0);
  assert.equal(evict(), undefined);
  add("c");
  assert.equal(evict(), "c");
});

test("Sieve: always has a victim among what it keeps, whatever came before", () => {
  const operation = fc.tuple(
    fc.constantFrom("add", "visit", "kill", "delete", "evict", "clear"),
    fc.nat({ max: 8 }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const { sieve, add } = setUp();
      for (const [what, n] of operations) {
        const page = sieve.get(`${n}`);
        if (what === "add" && page === undefined) add(`${n}`);
        if (what === "visit" && page !== undefined) page.visited = true;
        if (what === "kill" && page !== undefined) {
          page.dead = true;
          sieve.expectDead();
        }
        if (what === "delete") sieve.delete(`${n}`);
        if (what === "clear" && n === 0) sieve.clear();
        if (what === "evict") {
          const before = sieve.size;
          const anyDead = before <= 32 && [...sieve.values()].some(({ dead }) => dead);
          // Asked once: a victim that stayed would count as looked at, and the next would be another.
          const victim = sieve.victim();
          assert.equal(victim === undefined, before === 0);
          if (anyDead) assert.equal(victim!.dead, true, "the dead first, where one look reaches them all");
          if (victim !== undefined) assert.equal(sieve.delete(victim.key), true);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("Sieve: a walk meets each value that stays, once and oldest first, and ends whatever comes", () => {
  const act = fc.record({ what: fc.constantFrom("step", "add", "delete", "clear"), n: fc.nat({ max: 9 }) });
  fc.assert(fc.property(fc.nat({ max: 8 }), fc.array(act, { maxLength: 40 }), (size, acts) => {
    const keys = Array.from({ length: size }, (_, n) => `${n}`);
    const { sieve, add } = setUp(keys);
    const stayed = new Set(keys);
    const met: string[] = [];
    const walk = sieve.walk();
    let isOver = false;
    const step = () => {
      const page = sieve.step(walk);
      if (page === undefined) isOver = true;
      else {
        assert.equal(sieve.get(page.key), page, "it is kept");
        met.push(page.key);
      }
    };
    for (const { what, n } of acts) {
      if (what === "step" && !isOver) step();
      if (what === "add") add(`${n}`);
      if (what === "delete") sieve.delete(`${n}`);
      if (what === "add" || what === "delete") stayed.delete(`${n}`);
      if (what === "clear") {
        sieve.clear();
        stayed.clear();
      }
    }
    while (!isOver) step();
    assert.ok(met.length <= size);
    assert.deepEqual(met.filter((key) => stayed.has(key)), [...stayed]);
    assert.equal(sieve.step(walk), undefined);
  }));
});
