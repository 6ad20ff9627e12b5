import assert from "node:assert/strict";
import { test } from "node:test";
import { copied, textBytes } from "../../src/registry/kept_text.ts";

test("copied: the same text", () => {
  for (const text of ["", "a", "ab", "half a \ud800 pair", "x".repeat(100).slice(3)]) {
    assert.equal(copied(text), text);
  }
});

test("textBytes: one wide character makes all of a text take two bytes each", () => {
  const [narrow, latin, wide] = ["x".repeat(100), "\xff".repeat(100), `${"x".repeat(99)}\u0416`];
  assert.equal(textBytes(narrow) - textBytes(""), 100);
  assert.equal(textBytes(latin) - textBytes(""), 100);
  assert.equal(textBytes(wide) - textBytes(""), 200);
});
