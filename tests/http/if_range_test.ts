import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { evaluateIfRange } from "../../src/http/if_range.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const BOTH = { etag: '"a"', lastModified: DATE };

/** RFC 9110 §13.1.5, §8.8.3.2. */
const ROWS = [
  ['"a"', BOTH, true],
  [' "a"\t', BOTH, true],
  ['"b"', BOTH, false],
  ['W/"a"', BOTH, false],
  ['W/"a"', { etag: 'W/"a"' }, false],
  ['"a"', { etag: 'W/"a"' }, false],
  ['"a", "b"', BOTH, false],
  ['"a"', { lastModified: DATE }, false],
  ['"a"', {}, false],
  ["*", BOTH, false],
  ["a", BOTH, false],
  ["", BOTH, false],
  [DATE, BOTH, true],
  ["Sunday, 06-Nov-94 08:49:37 GMT", BOTH, true],
  [DATE, { lastModified: new Date(DATE) }, true],
  ["Sun, 06 Nov 1994 08:49:36 GMT", BOTH, false],
  ["Sun, 06 Nov 1994 08:49:38 GMT", BOTH, false],
  [DATE, { etag: '"a"' }, false],
  [DATE, { lastModified: "yesterday" }, false],
] as const;

for (const [field, current, expected] of ROWS) {
  test(`evaluateIfRange: ${JSON.stringify(field)} for ${JSON.stringify(current)}: ${expected}`, () => {
    assert.equal(evaluateIfRange(field, current), expected);
  });
}

test("evaluateIfRange: never throws, and is true for one tag and one second only", () => {
  fc.assert(fc.property(fc.string({ maxLength: 40 }), (field) => {
    assert.equal(evaluateIfRange(field, BOTH), field.trim() === '"a"' && !/[^\s"a]/.test(field));
  }));
});
