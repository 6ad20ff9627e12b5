import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { parseStringList, type StringItem } from "../../src/http/structured_field_list.ts";

type Plain = readonly (readonly [value: string, parameters: Readonly<Record<string, string | undefined>>])[];

function plain(items: readonly StringItem[] | undefined): Plain | undefined {
  return items?.map(({ value, parameters }) => [value, Object.fromEntries(parameters)] as const);
}

const LEGAL: readonly (readonly [section: string, field: string, expected: Plain])[] = [
  ["4.2", "", []],
  ["4.2", "   ", []],
  ["4.2", '  "a"  ', [["a", {}]]],
  ["4.2.1", '"a"', [["a", {}]]],
  ["4.2.1", '"a","b"', [["a", {}], ["b", {}]]],
  ["4.2.1", '"a" \t,\t "b"', [["a", {}], ["b", {}]]],
  ["4.2.1", '"a"\t', [["a", {}]]],
  ["4.2.1", '"a", "a"', [["a", {}], ["a", {}]]],
  ["4.2.5", '""', [["", {}]]],
  ["4.2.5", '"a, b;c=d"', [["a, b;c=d", {}]]],
  ["4.2.5", '"\\"\\\\"', [['"\\', {}]]],
  ["4.2.5", '"a\\"b\\\\c"', [['a"b\\c', {}]]],
  ["4.2.5", '" ~"', [[" ~", {}]]],
  ["4.2.3.2", '"a";rev="1-x", "b"', [["a", { rev: "1-x" }], ["b", {}]]],
  ["4.2.3.2", '"a";  k="v";l="w"', [["a", { k: "v", l: "w" }]]],
  ["4.2.3.2", '"a";k="1";k="2"', [["a", { k: "2" }]]],
  ["4.2.3.2", '"a";k="1";k=2', [["a", { k: undefined }]]],
  ["4.2.3.2", '"a";k', [["a", { k: undefined }]]],
  ["4.2.3.2", '"a";k;l="v"', [["a", { k: undefined, l: "v" }]]],
  ["4.2.3.3", '"a";*k_-.*0="v"', [["a", { "*k_-.*0": "v" }]]],
  ["4.2.4", '"a";k=0', [["a", { k: undefined }]]],
  ["4.2.4", '"a";k=-999999999999999', [["a", { k: undefined }]]],
  ["4.2.4", '"a";k=123456789012.123', [["a", { k: undefined }]]],
  ["4.2.6", '"a";k=token', [["a", { k: undefined }]]],
  ["4.2.6", '"a";k=*t:/!#$%&\'*+-.^_`|~0', [["a", { k: undefined }]]],
  ["4.2.7", '"a";k=:aGVsbG8=:', [["a", { k: undefined }]]],
  ["4.2.7", '"a";k=::', [["a", { k: undefined }]]],
  ["4.2.8", '"a";k=?1;l=?0', [["a", { k: undefined, l: undefined }]]],
  ["4.2.9", '"a";k=@1659578233', [["a", { k: undefined }]]],
  ["4.2.9", '"a";k=@-1', [["a", { k: undefined }]]],
  ["4.2.10", '"a";k=%"f%c3%bc \\ %22";l="v"', [["a", { k: undefined, l: "v" }]]],
];

const ILLEGAL: readonly (readonly [section: string, field: string])[] = [
  ["4.2", '\t"a"'],
  ["4.2", '"a" b'],
  ["4.2.1", '"a",'],
  ["4.2.1", '"a", '],
  ["4.2.1", ',"a"'],
  ["4.2.1", '"a",,"b"'],
  ["4.2.1", '"a" "b"'],
  ["4.2.1", '"a";k="v" ;l="w"'],
  ["4.2.1.2", '("a" "b")'],
  ["4.2.3.1", "a"],
  ["4.2.3.1", "1"],
  ["4.2.3.1", "?1"],
  ["4.2.3.1", '"a", b'],
  ["4.2.5", '"'],
  ["4.2.5", '"a'],
  ["4.2.5", '"a\\'],
  ["4.2.5", '"a\\"'],
  ["4.2.5", '"\\a"'],
  ["4.2.5", '"\t"'],
  ["4.2.5", '"\x7f"'],
  ["4.2.5", '"\xe9"'],
  ["4.2.5", '"\u0100"'],
  ["4.2.5", "'a'"],
  ["4.2.3.2", '"a";'],
  ["4.2.3.2", '"a";;k'],
  ["4.2.3.2", '"a";\tk'],
  ["4.2.3.2", '"a";k='],
  ["4.2.3.2", '"a";k= "v"'],
  ["4.2.3.2", '"a";k ="v"'],
  ["4.2.3.2", '"a";k="v'],
  ["4.2.3.2", '"a";k=("v")'],
  ["4.2.3.3", '"a";K="v"'],
  ["4.2.3.3", '"a";1="v"'],
  ["4.2.3.3", '"a";="v"'],
  ["4.2.4", '"a";k=-'],
  ["4.2.4", '"a";k=1.'],
  ["4.2.4", '"a";k=1.1234'],
  ["4.2.4", '"a";k=1234567890123456'],
  ["4.2.4", '"a";k=1234567890123.1'],
  ["4.2.4", '"a";k=+1'],
  ["4.2.6", '"a";k=t"'],
  ["4.2.7", '"a";k=:aGVsbG8='],
  ["4.2.7", '"a";k=:a b:'],
  ["4.2.8", '"a";k=?'],
  ["4.2.8", '"a";k=?2'],
  ["4.2.8", '"a";k=?10'],
  ["4.2.9", '"a";k=@'],
  ["4.2.9", '"a";k=@1.5'],
  ["4.2.9", '"a";k=@1234567890123456'],
  ["4.2.10", '"a";k=%"%C3%BC"'],
  ["4.2.10", '"a";k=%"%c3"'],
  ["4.2.10", '"a";k=%"%"'],
  ["4.2.10", '"a";k=%"a'],
  ["4.2.10", '"a";k=%a'],
];

for (const [section, field, expected] of LEGAL) {
  test(`parseStringList: reads ${JSON.stringify(field)} (RFC 9651 §${section})`, () => {
    assert.deepEqual(plain(parseStringList(field)), expected);
  });
}

for (const [section, field] of ILLEGAL) {
  test(`parseStringList: ignores ${JSON.stringify(field)} (RFC 9651 §${section})`, () => {
    assert.equal(parseStringList(field), undefined);
  });
}

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});
const key = fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,5}$/);
const items = fc.array(fc.record({
  value: printable,
  parameters: fc.array(fc.tuple(key, printable), { maxLength: 3 }).map((entries) => new Map(entries)),
}));

/** The canonical form (RFC 9651 §4.1.1). */
function serialize(list: readonly StringItem[]): string {
  const quoted = (text: string | undefined) => `"${text!.replace(/["\\]/g, "\\$&")}"`;
  return list.map(({ value, parameters }) =>
    quoted(value) + Array.from(parameters, ([name, text]) => `;${name}=${quoted(text)}`).join("")
  ).join(", ");
}

test("parseStringList: reads back what is written in canonical form", () => {
  fc.assert(fc.property(items, (list) => {
    assert.deepEqual(plain(parseStringList(serialize(list))), plain(list));
  }));
});

test("parseStringList: whatever is sent, it answers", () => {
  const unit = fc.oneof(
    fc.constantFrom('"', "\\", ",", ";", "=", "k", "%", " "),
    fc.string({ maxLength: 1 }),
  );
  fc.assert(fc.property(fc.string({ unit, maxLength: 30 }), (field) => {
    const list = parseStringList(field);
    if (list === undefined) return;
    for (const { value } of list) assert.match(value, /^[\x20-\x7e]*$/);
  }));
});

const MEGA = 1 << 20;
const HOSTILE:
  readonly (readonly [name: string, head: string, unit: string, tail: string, legal: boolean])[] = [
    ["one string", '"', "a", '"', true],
    ["escapes", '"', '\\"', '"', true],
    ["an unterminated string", '"', "a", "", false],
    ["members", '"a"', ',"a"', "", true],
    ["members before a comma", '"a"', ',"a"', ",", false],
    ["parameters", '"a"', ";k", "", true],
    ["one key", '"a";', "k", "", true],
    ["one token", '"a";k=', "t", "", true],
    ["one number", '"a";k=', "1", "", false],
    ["an unterminated byte sequence", '"a";k=:', "a", "", false],
    ["a byte sequence", '"a";k=:', "a", ":", true],
    ["a display string", '"a";k=%"', "a", '"', true],
    ["an escaped display string", '"a";k=%"', "%c3%bc", '"', true],
    ["an unterminated display string", '"a";k=%"', "%", "", false],
    ["white space", '"a"', " ", "", true],
    ["white space between", '"a"', " ", '"b"', false],
    ["quotes", "", '"', "", false],
    ["semicolons", '"a"', ";", "", false],
  ];

for (const [name, head, unit, tail, legal] of HOSTILE) {
  test(`parseStringList: comes to the end of a megabyte of ${name}`, () => {
    const field = head + unit.repeat(MEGA / unit.length) + tail;
    assert.equal(parseStringList(field) !== undefined, legal);
  });
}
