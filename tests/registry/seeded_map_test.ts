import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { SeededMap } from "../../src/registry/seeded_map.ts";

const key = fc.oneof(fc.constantFrom("", "a", "b", "__proto__"), fc.string({ maxLength: 20 }));
const operation = fc.tuple(fc.constantFrom("set", "set", "set", "delete", "clear"), key, fc.nat());

/** @param already Keys that are in before the first operation. */
function doesWhatAMapDoes(already: number, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const seeded = new SeededMap<number>();
      const map = new Map<string, number>();
      for (let index = 0; index < already; index++) {
        seeded.set(`already-${index}`, index);
        map.set(`already-${index}`, index);
      }
      for (const [what, name, value] of operations) {
        if (what === "set") {
          seeded.set(name, value);
          map.set(name, value);
        }
        if (what === "delete") assert.equal(seeded.delete(name), map.delete(name));
        if (what === "clear" && value % 8 === 0) {
          seeded.clear();
          map.clear();
        }
        assert.equal(seeded.get(name), map.get(name));
        assert.equal(seeded.size, map.size);
      }
      for (const [name, value] of map) {
        if (seeded.get(name) !== value) assert.equal(seeded.get(name), value);
      }
    }),
    { numRuns },
  );
}

test("SeededMap: does what a Map does", () => doesWhatAMapDoes(0, 100));

test("SeededMap: does what a Map does when it holds many keys", () => {
  doesWhatAMapDoes(10_000, 20);
});

test("SeededMap: its bytes grow with it, and go when it is empty", () => {
  const map = new SeededMap<number>();
  assert.equal(map.bytes, 0);
  for (let n = 0; n < 5_000; n++) map.set(`key-${n}`, n);
  assert.ok(map.bytes > 5_000 * 30 && map.bytes < 5_000 * 90, `${map.bytes}`);
  for (let n = 0; n < 5_000; n++) map.delete(`key-${n}`);
  assert.deepEqual([map.size, map.bytes], [0, 0]);
});

/** Strings that have one hash in a Map of the platform: {@linkcode costs} shows how it takes that. */
const sameHash: Readonly<Record<string, (n: number) => string>> = {
  // JavaScriptCore multiplies the first eight bytes, less these, with the eight that follow: nothing of those is left.
  "texts for JavaScriptCore": (n) => `\xa3\xd4\x33\xd4\x2e\xa6\x33\x4b${hex(n)}0123456789abcdef`,
  // V8 took the low bits of the number that digits spell.
  "digits for V8": (n) => String(2 ** 30 + n * 2 ** 18),
};
const hex = (n: number): string => n.toString(16).padStart(8, "0");

/** ms that it takes to put so many keys into a map and to find them again; the least of three. */
function costs(makeMap: () => SeededMap<number>, keys: readonly string[]): number {
  return Math.min(...[1, 2, 3].map(() => {
    const map = makeMap();
    const start = performance.now();
    for (const [n, key] of keys.entries()) map.set(key, n);
    for (const [n, key] of keys.entries()) assert.equal(map.get(key), n);
    return performance.now() - start;
  }));
}

for (const [name, make] of Object.entries(sameHash)) {
  test(`SeededMap: ${name} that collide in a Map cost what others do`, () => {
    const count = 10_000;
    const attack = Array.from({ length: count }, (_, n) => make(n));
    // Texts of the same lengths.
    const others = attack.map((key, n) => `${hex(n)}-q`.repeat(4).slice(0, key.length));
    const ratio = costs(() => new SeededMap(), attack) / costs(() => new SeededMap(), others);
    // A Map took 50 to 300 times as long for 20,000.
    assert.ok(ratio < 8, `${ratio} times as long`);
  });
}

test("SeededMap: keys under one hash are told apart, and taken out one by one", () => {
  const map = new SeededMap<string>(() => ({ low: 1, high: 2 }));
  const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);
  for (const key of keys) map.set(key, key);
  for (const key of keys.slice(0, 20)) assert.equal(map.delete(key), true);
  assert.equal(map.delete("key-0"), false);
  assert.deepEqual(keys.map((key) => map.get(key)), keys.map((key, n) => n < 20 ? undefined : key));
});
