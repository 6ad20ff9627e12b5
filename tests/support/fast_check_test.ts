import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "./fast_check.ts";
import { filesBelow } from "./files.ts";

test("fast-check: lists and texts are as long as maxLength says", () => {
  const longest = (values: readonly { readonly length: number }[]): number =>
    Math.max(...values.map(({ length }) => length));
  assert.ok(longest(fc.sample(fc.array(fc.nat(), { maxLength: 200 }), 100)) > 100);
  assert.ok(longest(fc.sample(fc.string({ maxLength: 200 }), 100)) > 100);
});

test("fast-check: every test takes it from here", () => {
  const tests = new URL("../", import.meta.url);
  const files = filesBelow(tests).filter((path) => path.endsWith("_test.ts"));
  assert.ok(files.length > 50, `${files.length}`);
  const takesOwn = (path: string): boolean =>
    /^import .* from "fast-check"/m.test(readFileSync(new URL(path, tests), "utf8"));
  assert.deepEqual(files.filter(takesOwn), []);
});
