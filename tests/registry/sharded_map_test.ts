import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { ShardedMap } from "../../src/registry/sharded_map.ts";

const key = fc.oneof(fc.constantFrom("", "a", "b", "__proto__"), fc.string({ maxLength: 20 }));
const operation = fc.tuple(fc.constantFrom("set", "set", "set", "delete", "clear"), key, fc.nat());

/** @param already Keys that are in before the first operation. */
function doesWhatAMapDoes(already: number, numRuns: number): void {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const sharded = new ShardedMap<number>();
      const map = new Map<string, number>();
      for (let index = 0; index < already; index++) {
        sharded.set(`already-${index}`, index);
        map.set(`already-${index}`, index);
      }
      for (const [what, name, value] of operations) {
        if (what === "set") {
          sharded.set(name, value);
          map.set(name, value);
        }
        if (what === "delete") assert.equal(sharded.delete(name), map.delete(name));
        if (what === "clear" && value % 8 === 0) {
          sharded.clear();
          map.clear();
        }
        assert.equal(sharded.get(name), map.get(name));
        assert.equal(sharded.size, map.size);
      }
      for (const [name, value] of map) {
        if (sharded.get(name) !== value) assert.equal(sharded.get(name), value);
      }
    }),
    { numRuns },
  );
}

test("ShardedMap: does what a Map does", () => doesWhatAMapDoes(0, 100));

test("ShardedMap: does what a Map does when it holds many keys", () => {
  doesWhatAMapDoes(10_000, 20);
});
