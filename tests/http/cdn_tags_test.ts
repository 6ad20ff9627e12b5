import assert from "node:assert/strict";
import { test } from "node:test";
import { type PurgeField, purgeField } from "../../src/http/cdn_tags.ts";
import { encodeGroupName } from "../../src/http/group_name.ts";

/** What docs/http.md says of each: how members are written and separated, the characters of one, and of all. */
const FIELDS: readonly (readonly [
  field: PurgeField,
  written: (group: string) => string,
  separator: string,
  member: number,
  all: number,
])[] = [
  ["cache-groups", (group) => `"${group}"`, ", ", 8_000, 8_000],
  ["cache-tag", (group) => group, ",", 1_024, 16_000],
  ["surrogate-key", (group) => group, " ", 1_024, 16_384],
  ["xkey", (group) => group, " ", 8_000, 8_000],
];

for (const [field, written, separator, member, all] of FIELDS) {
  test(`purgeField ${field}: members in order, each once`, () => {
    assert.equal(purgeField(field, ["b", "a", "b", "a"]), [written("b"), written("a")].join(separator));
  });

  test(`purgeField ${field}: what separates or ends a member is encoded within one`, () => {
    const odd = ["a b", "a,b", 'a"b', "a\\b", "a%b", "a\nb", "\xe9", "\u{1f600}", "a\0b"];
    const value = purgeField(field, odd)!;
    assert.match(value, /^[\x21-\x7e]+(?:[ ,]+[\x21-\x7e]+)*$/);
    assert.deepEqual(value.split(separator), odd.map((name) => written(encodeGroupName(name))));
    assert.deepEqual(odd.map((name) => decodeURIComponent(encodeGroupName(name))), odd);
  });

  test(`purgeField ${field}: a member of ${member} characters, and not one more`, () => {
    const longest = "x".repeat(member - written("").length);
    assert.equal(purgeField(field, [longest]), written(longest));
    assert.equal(purgeField(field, [`${longest}x`]), undefined);
    assert.equal(purgeField(field, ["a", `${longest}x`]), undefined, "nor the rest of them");
    const encoded = "%".repeat(Math.floor(member / 3) + 1);
    assert.equal(purgeField(field, [encoded]), undefined, "counted as it is sent");
  });

  test(`purgeField ${field}: ${all} characters, and not one more`, () => {
    const names: string[] = [];
    const length = () => names.map(written).join(separator).length;
    for (let index = 0; length() < all - 600; index++) names.push(`${index}${"x".repeat(500)}`.slice(0, 500));
    const left = all - length() - separator.length - written("").length;
    const last = "z".repeat(left);
    assert.equal(purgeField(field, [...names, last])?.length, all);
    assert.equal(purgeField(field, [...names, `${last}z`]), undefined);
  });
}

test("purgeField: no source, no member", () => {
  for (const [field] of FIELDS) assert.equal(purgeField(field, []), "");
});
