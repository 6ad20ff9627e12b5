import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import {
  type EntityTag,
  formatEntityTag,
  isWildcard,
  matchesList,
  parseEntityTag,
  strongMatch,
  weakMatch,
} from "../../src/http/entity_tag.ts";

/** The grammar of RFC 9110 §8.8.3 once more, as a regular expression. */
const GRAMMAR = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

const etagc = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x22 && code !== 0x7f)
  .map((code) => String.fromCharCode(code));
const opaque = fc.oneof(
  fc.constantFrom("", "a", "ab", ",", "*", "W/"),
  fc.string({ unit: etagc, maxLength: 6 }),
);
const entityTag: fc.Arbitrary<EntityTag> = fc.record({ weak: fc.boolean(), opaque }, {
  noNullPrototype: true,
});
const wire = entityTag.map(formatEntityTag);
/** Anything a header can hold, with the characters that matter more often than not. */
const latin1 = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', ",", " ", "\t", "W", "/", "W/", '"a"', "a", "*"),
    fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
  ),
  maxLength: 24,
});

/** A field value that counts how often it is looked at. */
class CountingField extends String {
  steps = 0;
  override charCodeAt(index: number): number {
    this.steps++;
    return super.charCodeAt(index);
  }
  override indexOf(text: string, from: number): number {
    const found = super.indexOf(text, from);
    this.steps += (found === -1 ? this.length : found) - from + 1;
    return found;
  }
  override startsWith(text: string, from: number): boolean {
    let equal = 0;
    while (equal < text.length && super.charCodeAt(from + equal) === text.charCodeAt(equal)) equal++;
    this.steps += equal + 1;
    return equal === text.length;
  }
}

const LEGAL: readonly (readonly [wire: string, weak: boolean, opaque: string])[] = [
  ['""', false, ""],
  ['W/""', true, ""],
  ['"xyzzy"', false, "xyzzy"],
  ['W/"xyzzy"', true, "xyzzy"],
  ['"W/"', false, "W/"],
  ['"a,b"', false, "a,b"],
  ['"*"', false, "*"],
  ['"!#~"', false, "!#~"],
  ['"\\"', false, "\\"],
  ['"\x80\xe9\xff"', false, "\x80\xe9\xff"],
];

const ILLEGAL = [
  "",
  '"',
  "a",
  "*",
  "W/",
  'W/"',
  '"a',
  'a"',
  "'a'",
  'w/"a"',
  'W"a"',
  'W/ "a"',
  'W/W/"a"',
  ' "a"',
  '"a" ',
  '"a", "b"',
  '"a"b',
  '"a"b"',
  '"a b"',
  '"\t"',
  '"\x00"',
  '"\x1f"',
  '"\x7f"',
  '"\u0100"',
  '"\u{1f600}"',
];

test("parseEntityTag: what the grammar allows (RFC 9110 §8.8.3)", () => {
  for (const [text, weak, opaque] of LEGAL) assert.deepEqual(parseEntityTag(text), { weak, opaque }, text);
});

test("parseEntityTag: nothing else", () => {
  for (const text of ILLEGAL) assert.equal(parseEntityTag(text), undefined, JSON.stringify(text));
});

test("parseEntityTag: agrees with the grammar as a regular expression", () => {
  fc.assert(fc.property(latin1, (text) => {
    const found = GRAMMAR.exec(text);
    const expected = found === null ? undefined : { weak: found[1] !== undefined, opaque: found[2] };
    assert.deepEqual(parseEntityTag(text), expected);
  }));
});

test("formatEntityTag: parseEntityTag reads it back", () => {
  fc.assert(fc.property(entityTag, (tag) => assert.deepEqual(parseEntityTag(formatEntityTag(tag)), tag)));
});

test("formatEntityTag: refuses an illegal opaque part and names it", () => {
  for (const opaque of ['say "x"', "a b", "\n", "\x7f", "\u0100", '"']) {
    assert.throws(
      () => formatEntityTag({ weak: false, opaque }),
      (error: unknown) => error instanceof TypeError && error.message.includes(JSON.stringify(opaque)),
    );
  }
});

test("strongMatch, weakMatch: the table of RFC 9110 §8.8.3.2", () => {
  const rows: readonly (readonly [string, string, boolean, boolean])[] = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
    ['"a"', '"A"', false, false],
    ["1", "1", false, false],
    ['w/"1"', 'w/"1"', false, false],
    ["W/1", "W/1", false, false],
    ["", "", false, false],
    ["*", "*", false, false],
  ];
  for (const [a, b, strong, weak] of rows) {
    assert.equal(strongMatch(a, b), strong, `${a} ${b}`);
    assert.equal(strongMatch(b, a), strong, `${b} ${a}`);
    assert.equal(weakMatch(a, b), weak, `${a} ${b}`);
    assert.equal(weakMatch(b, a), weak, `${b} ${a}`);
  }
});

test("isWildcard: a lone asterisk, white space aside (RFC 9110 §13.1.1)", () => {
  for (const field of ["*", " *", "*\t", " \t* "]) assert.equal(isWildcard(field), true, field);
  for (const field of ["", " ", '"*"', "**", "*, *", '*, "a"', '"a", *', "*,", ",*"]) {
    assert.equal(isWildcard(field), false, field);
  }
});

test("matchesList: agrees with both comparisons on well-formed lists", () => {
  const separator = fc.stringMatching(/^[ \t]{0,2},[ \t,]{0,3}$/);
  const list = fc.array(fc.tuple(wire, separator), { maxLength: 6 });
  fc.assert(fc.property(list, wire, fc.stringMatching(/^[ \t,]{0,3}$/), (members, etag, lead) => {
    const field = lead + members.map((member) => member.join("")).join("");
    const tags = members.map(([tag]) => tag);
    assert.equal(matchesList(field, etag, true), tags.some((tag) => weakMatch(tag, etag)), field);
    assert.equal(matchesList(field, etag, false), tags.some((tag) => strongMatch(tag, etag)), field);
    for (const tag of tags) assert.equal(matchesList(field, tag, true), true, field);
  }));
});

test("matchesList: finds only what stands there as a member, in any field", () => {
  fc.assert(fc.property(latin1, wire, (field, etag) => {
    for (const weak of [true, false]) {
      if (!matchesList(field, etag, weak)) continue;
      const opaque = weak ? etag.replace(/^W\//, "") : etag;
      // Every place where it occurs, with what may come before and after a member.
      const places = field.split(opaque).slice(1).map((_, n, rests) => rests.slice(n).join(opaque));
      assert.ok(places.some((rest) => /^[ \t]*(,|$)/.test(rest)), field);
    }
  }));
});

test("matchesList: a malformed member costs itself, not its neighbours", () => {
  const malformed = fc.constantFrom(
    "x",
    "*",
    "W/",
    "'y'",
    'w/"x"',
    '"x y"',
    '"x, y"',
    'x"',
    '"x"y',
    '"x" "y"',
    "W/W/",
  );
  fc.assert(
    fc.property(
      fc.array(malformed, { maxLength: 4 }),
      fc.array(malformed, { maxLength: 4 }),
      (before, after) => {
        assert.equal(matchesList([...before, '"here"', ...after].join(", "), '"here"', true), true);
        assert.equal(matchesList([...before, ...after].join(", "), '"here"', true), false);
      },
    ),
  );
});

test("matchesList: a tag between the quotes of a malformed one is no member", () => {
  for (const field of ['"x y,"here",z', '"x, "here"', 'W/"x y,"here"']) {
    assert.equal(matchesList(field, '"here"', true), false, field);
  }
});

test("matchesList: nothing matches a malformed tag, nor an asterisk", () => {
  for (const etag of ILLEGAL) {
    assert.equal(matchesList(`${etag}, "z"`, etag, true), false, etag);
    assert.equal(matchesList(etag, etag, false), false, etag);
  }
  assert.equal(matchesList("*", '"a"', true), false);
});

const HOSTILE: readonly (readonly [name: string, unit: string, head?: string])[] = [
  ["quotes", '"'],
  ["quotes after a letter", '"', "x"],
  ["weak prefixes", "W/"],
  ["commas", ","],
  ["white space", " "],
  ["tabs and commas", "\t,"],
  ["an unterminated tag", "a", '"'],
  ["an unterminated tag of commas", ",", '"'],
  ["empty tags", '"",'],
  ["empty tags without commas", '""'],
  ["unterminated weak tags", 'W/",'],
  ["prefixes of the tag", '"aaaaaaa",'],
  ["the tag with garbage", '"aaaaaaaa"x,'],
  ["the tag and white space", '"aaaaaaaa"        x,'],
  ["asterisks", "*,"],
  ["letters", "a"],
];

for (const [name, unit, head = ""] of HOSTILE) {
  test(`matchesList: looks at ${name} a bounded number of times each, and comes to the end of a megabyte`, () => {
    const text = head + unit.repeat((1 << 16) / unit.length);
    const long = head + unit.repeat((1 << 20) / unit.length);
    for (const etag of ['"aaaaaaaa"', `"${"a".repeat(5000)}"`]) {
      const field = new CountingField(text);
      assert.equal(matchesList(field as unknown as string, etag, true), false);
      assert.ok(field.steps > 0 && field.steps <= 6 * text.length, `${field.steps} steps`);
      assert.equal(matchesList(long, etag, true), false);
      assert.equal(matchesList(long, etag, false), false);
    }
  });
}
