import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { cacheDirectives } from "../../src/http/cache_control.ts";

/** RFC 9111 §5.2: `1#( token [ "=" ( token / quoted-string ) ] )`. */
const TABLE: readonly (readonly [field: string | null, directives: readonly string[]])[] = [
  [null, []],
  ["", []],
  [" , ,", []],
  ["public", ["public"]],
  ["PUBLIC, No-Cache", ["public", "no-cache"]],
  ["\tpublic\t,\tmax-age=60 ", ["public", "max-age"]],
  ["public,public", ["public"]],
  ["max-age=60, private", ["max-age", "private"]],
  ["max-age=public", ["max-age"]],
  ['private="set-cookie, x-y"', ["private"]],
  ['no-cache="a, public", no-store', ["no-cache", "no-store"]],
  ['no-cache="a\\", public", no-store', ["no-cache", "no-store"]],
  ['no-cache="a\\\\", public', ["no-cache", "public"]],
  ['no-cache="a, public', ["no-cache"]],
  ['no-cache="a, public\\', ["no-cache"]],
  ['no-cache="', ["no-cache"]],
  ['"public"', ['"public"']],
  ['"public', ['"public']],
  ["=public", []],
  ["public=", ["public"]],
  ["public ; private", ["public ; private"]],
  ["x-public, publicity, not public", ["x-public", "publicity", "not public"]],
  ["__proto__, constructor", ["__proto__", "constructor"]],
  ["\\, public", ["\\", "public"]],
];

for (const [field, directives] of TABLE) {
  test(`cacheDirectives: ${JSON.stringify(field)}`, () => {
    assert.deepEqual([...cacheDirectives(field)], directives);
  });
}

const name = fc.constantFrom("public", "private", "no-store", "max-age", "no-cache", "x-Y");
const argument = fc.oneof(
  fc.constantFrom("", "=60", "=public"),
  fc.stringMatching(/^[ -~]{0,12}$/).map((text) => `="${text.replace(/["\\]/g, "\\$&")}"`),
);
const gap = fc.constantFrom(",", ", ", " ,\t", ",,");

test("cacheDirectives: names what was written, whatever the arguments hold", () => {
  fc.assert(fc.property(fc.array(fc.tuple(name, argument, gap)), (directives) => {
    const field = directives.map((parts) => parts.join("")).join("");
    assert.deepEqual([...cacheDirectives(field)], [
      ...new Set(directives.map(([name]) => name.toLowerCase())),
    ]);
  }));
});

test("cacheDirectives: never throws, and an appended directive outside quotes is always seen", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    cacheDirectives(text);
    const plain = text.replaceAll('"', "");
    assert.ok(cacheDirectives(`${plain},no-store`).has("no-store"));
  }));
});
