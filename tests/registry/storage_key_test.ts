import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { varyFields } from "../../src/http/vary.ts";
import {
  callerOf,
  resourceOf,
  storageKey,
  variantKey,
  variantValues,
} from "../../src/registry/storage_key.ts";

for (
  const [field, expected] of [
    ["", []],
    [" , ,", []],
    ["Accept", ["accept"]],
    ["accept-language, Accept ,ACCEPT", ["accept", "accept-language"]],
    ["*", ["*"]],
  ] as const
) {
  test(`varyFields: ${JSON.stringify(field)} (RFC 9110 §12.5.5)`, () => {
    assert.deepEqual(varyFields(field), expected);
  });
}

test("varyFields: what cannot be a field name may have meant any", () => {
  for (const field of ["accept encoding, accept", "é", "a:b", "accept; origin"]) {
    assert.equal(varyFields(field), undefined, field);
  }
});

test("varyFields: whatever a handler sends, its members can be looked up", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."aZ-,, :é*\0\n") }), (field) => {
    variantKey("/", varyFields(field) ?? [], new Headers());
  }));
});

// Strings that look like the composed keys themselves, so that a separator mistaken for content would be found.
const part = fc.oneof(
  fc.string(),
  fc.array(fc.constantFrom("\0", "\0v", "1", ":", "0:", "a", "\n", "=", "\0\0"), { maxLength: 6 }).map((
    parts,
  ) => parts.join("")),
);
const value = part.map((text) => text.replaceAll(/[^\x20-\x7e]/g, "").trim());

test("storageKey: no two pairs of a resource and a caller share one", () => {
  const who = fc.option(part, { nil: undefined });
  fc.assert(
    fc.property(part, who, part, who, (key, caller, otherKey, otherCaller) => {
      const same = storageKey(key, caller) === storageKey(otherKey, otherCaller);
      assert.equal(same, key === otherKey && caller === otherCaller);
    }),
    { numRuns: 1_000 },
  );
});

test("callerOf, variantValues: find the caller and the values in whatever was composed of them", () => {
  const who = fc.option(part, { nil: undefined });
  const given = fc.option(value, { nil: null });
  fc.assert(
    fc.property(part, who, given, given, (key, caller, accept, cookie) => {
      const place = storageKey(key, caller);
      const headers = new Headers();
      if (accept !== null) headers.set("accept", accept);
      if (cookie !== null) headers.set("cookie", cookie);
      const variant = variantKey(place, ["accept", "cookie"], headers);
      assert.deepEqual([callerOf(place), callerOf(variant)], [caller, caller]);
      assert.deepEqual(variantValues(variant), [accept, cookie]);
      if (!place.startsWith("\0v")) assert.deepEqual(variantValues(place), []);
    }),
    { numRuns: 1_000 },
  );
});

test("resourceOf: finds the resource in whatever was composed of it", () => {
  const who = fc.option(part, { nil: undefined });
  fc.assert(
    fc.property(part, who, value, (key, caller, accept) => {
      const place = storageKey(key, caller);
      assert.equal(resourceOf(place), key);
      assert.equal(resourceOf(variantKey(place, ["accept"], new Headers({ accept }))), key);
    }),
    { numRuns: 1_000 },
  );
});

test("storageKey: a resource that is named like a composed key is set apart", () => {
  const composed = storageKey("/page", "ann");
  assert.notEqual(storageKey(composed, undefined), composed);
  assert.notEqual(storageKey("/page", ""), storageKey("/page", undefined));
  assert.notEqual(storageKey("b/page", "a"), storageKey("/page", "ab"));
  assert.equal(
    storageKey("https://example.org/", undefined),
    "https://example.org/",
    "the common case costs nothing",
  );
});

test("variantKey: no two variants of any two resources share one, nor one with a resource", () => {
  const base = fc.tuple(part, fc.option(part, { nil: undefined })).map((pair) => storageKey(...pair));
  const values = fc.tuple(fc.option(value), fc.option(value));
  const select = (pair: readonly (string | null)[]) => {
    const headers = new Headers();
    pair.forEach((one, i) => one !== null && headers.set(`x-${i}`, one));
    return headers;
  };
  const fields = ["x-0", "x-1"];
  fc.assert(
    fc.property(base, values, base, values, (one, its, other, others) => {
      const same = variantKey(one, fields, select(its)) === variantKey(other, fields, select(others));
      assert.equal(same, one === other && its[0] === others[0] && its[1] === others[1]);
      assert.notEqual(variantKey(one, fields, select(its)), other);
    }),
    { numRuns: 1_000 },
  );
});

test("variantKey: an absent field and an empty one are different values", () => {
  const fields = ["accept"];
  assert.notEqual(
    variantKey("/", fields, new Headers()),
    variantKey("/", fields, new Headers({ accept: "" })),
  );
});

test("variantKey: a resource whose name goes on like a variant is not one of it", () => {
  const none = new Headers();
  assert.notEqual(variantKey("/\n", ["accept"], none), variantKey("/", ["accept", "accept-language"], none));
  assert.notEqual(variantKey("/=1\n", [], none), variantKey("/", ["x"], new Headers({ x: "1" })));
});
