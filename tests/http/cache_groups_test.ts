import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { formatCacheGroups, parseCacheGroups } from "../../src/http/cache_groups.ts";
import { parseStringList } from "../../src/http/structured_field_list.ts";

test("formatCacheGroups: names in their order, each once (RFC 9875 §2)", () => {
  assert.equal(formatCacheGroups(["b", "a", "b"]), '"b", "a"');
  assert.equal(formatCacheGroups([]), "");
  assert.throws(() => formatCacheGroups(["a\ud800"]), TypeError);
});

test("parseCacheGroups: names, percent-decoded, and parameters ignored", () => {
  assert.deepEqual(parseCacheGroups('"b";x=1, "c"'), ["b", "c"]);
  assert.deepEqual(parseCacheGroups('"all%20posts"'), ["all posts"]);
  assert.deepEqual(parseCacheGroups('"all posts"'), ["all posts"]);
  assert.deepEqual(parseCacheGroups('"%c3%a9"'), ["é"]);
  assert.deepEqual(parseCacheGroups('"a\\"b"'), ['a"b']);
  assert.deepEqual(parseCacheGroups('"a", "a"'), ["a", "a"]);
});

test("parseCacheGroups: one malformed member voids the field", () => {
  for (
    const field of [
      "",
      " ",
      "a",
      '("a")',
      '"a',
      '"é"',
      '""',
      '"%"',
      '"50%"',
      '"%4"',
      '"%zz"',
      '"%c3"',
      '"%ed%a0%80"',
    ]
  ) {
    assert.equal(parseCacheGroups(field), undefined, field);
    assert.equal(parseCacheGroups(`"ok", ${field}`), undefined, field);
  }
});

const group = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) =>
  text.isWellFormed()
);

test("parseCacheGroups: the inverse of formatCacheGroups", () => {
  fc.assert(fc.property(fc.array(group, { minLength: 1, maxLength: 5 }), (groups) => {
    const field = formatCacheGroups(groups);
    assert.deepEqual(parseCacheGroups(field), [...new Set(groups)]);
    assert.equal(parseStringList(field)?.length, new Set(groups).size);
    assert.match(field, /^[\x20-\x7e]+$/);
  }));
});

test("parseCacheGroups: a name of a megabyte", () => {
  assert.deepEqual(parseCacheGroups(`"${"a".repeat(1 << 20)}"`)?.length, 1);
  assert.equal(parseCacheGroups(`"${"%".repeat(1 << 20)}"`), undefined);
});
