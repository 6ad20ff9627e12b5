import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { type Hash, seededHash } from "../../src/registry/hash.ts";
import { HashTable } from "../../src/registry/hash_table.ts";

/** All ids under a hash, in the order of their slots. */
function idsOf(ids: HashTable, hash: Hash): number[] {
  const found: number[] = [];
  for (let slot = ids.find(hash); slot >= 0; slot = ids.find(hash, slot + 1)) found.push(ids.idAt(slot));
  return found;
}

/** Hashes that meet: in the bits that choose a slot, in all of `low`, or altogether. */
const hash = fc.record({
  low: fc.constantFrom(0, 1, 15, 16, -1, 31, 1 << 20),
  high: fc.constantFrom(0, 1, -7),
});

test("HashTable: finds what a list of pairs holds, wherever hashes meet", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), hash, fc.nat()), { maxLength: 120 });
  fc.assert(fc.property(steps, (steps) => {
    const ids = new HashTable();
    const pairs: { readonly hash: Hash; readonly id: number }[] = [];
    for (const [index, [adding, hash, pick]] of steps.entries()) {
      const leaving = pairs[pick % Math.max(1, pairs.length)];
      if (adding || leaving === undefined) {
        pairs.push({ hash, id: index + 1 });
        ids.add(hash, index + 1);
      } else {
        let slot = ids.find(leaving.hash);
        while (ids.idAt(slot) !== leaving.id) slot = ids.find(leaving.hash, slot + 1);
        ids.remove(slot);
        pairs.splice(pairs.indexOf(leaving), 1);
      }
      for (const { hash: asked } of [...pairs, { hash }]) {
        const wanted = pairs.filter((pair) => pair.hash.low === asked.low && pair.hash.high === asked.high);
        assert.deepEqual(idsOf(ids, asked).sort(), wanted.map(({ id }) => id).sort());
      }
    }
  }));
});

test("seededHash: texts that differ in one place differ in both halves, under any seed", () => {
  for (const seed of [[0, 0], [1, -1], [0x12345678, 0x7fffffff]] as const) {
    const names = Array.from({ length: 20_000 }, (_, n) => `post-${n}`);
    const hashes = names.map(seededHash(seed));
    assert.equal(new Set(hashes.map(({ low, high }) => `${low} ${high}`)).size, names.length);
    // Of 20,000 in 65,536 places, 17,237 are to be expected.
    for (const half of ["low", "high"] as const) {
      const places = new Set(hashes.map((hash) => hash[half] & 0xffff));
      assert.ok(places.size > 16_800, `${half}: ${places.size}`);
    }
    const tables = new Set(hashes.map(({ high }) => high >>> 28));
    assert.equal(tables.size, 16);
  }
  assert.notDeepEqual(seededHash([0, 0])("a"), seededHash([1, 0])("a"));
});
