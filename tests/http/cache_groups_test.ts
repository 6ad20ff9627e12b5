import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { dependsOn, invalidates, parseCacheGroups, type Source } from "../../src/http/cache_groups.ts";
import { parseStringList } from "../../src/http/structured_field_list.ts";

const declared = (...sources: readonly Source[]): string => dependsOn(...sources)["cache-groups"];
const invalidated = (...sources: readonly Source[]): string =>
  invalidates(...sources)["cache-group-invalidation"];

/** What plain JavaScript may pass. */
const untyped = (value: unknown): Source => value as Source;

function typeErrorNaming(text: string): (error: unknown) => boolean {
  return (error) => error instanceof TypeError && error.message.includes(text);
}

test("dependsOn: names, documents and revisions, in their order (RFC 9875 §2)", () => {
  assert.deepEqual(dependsOn("posts"), { "cache-groups": '"posts"' });
  assert.equal(declared({ _id: "b", _rev: "1-x" }, "c", { _id: "a" }), '"b";rev="1-x", "c", "a"');
  assert.equal(declared({ _id: "a", _rev: undefined }), '"a"');
  assert.equal(declared("_design/blog"), '"_design/blog"');
});

test("dependsOn: takes whole documents, and nothing else of them", () => {
  const document = { _id: "a", _rev: "1-x", title: 'say "x"', _attachments: {} };
  assert.equal(declared(document), '"a";rev="1-x"');
});

test("dependsOn: equal sources once, two revisions of one document twice", () => {
  const old = { _id: "a", _rev: "1-x" };
  assert.equal(declared("a", "b", "a", { _id: "b" }), '"a", "b"');
  assert.equal(declared(old, { ...old }, { _id: "a", _rev: "2-y" }, old), '"a";rev="1-x", "a";rev="2-y"');
  assert.equal(declared("a", old), '"a", "a";rev="1-x"');
});

test("dependsOn: percent-encodes what a string or a header cannot hold", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["a b", "a%20b"],
    ["50%", "50%25"],
    ["%41", "%2541"],
    ['"', "%22"],
    ["\\", "%5C"],
    ["\n", "%0A"],
    ["\x7f", "%7F"],
    ["é", "%C3%A9"],
    ["😀", "%F0%9F%98%80"],
    ["a,b;c=d", "a,b;c=d"],
    ["!#$&'()*+,-./:;<=>?@[]^_`{|}~", "!#$&'()*+,-./:;<=>?@[]^_`{|}~"],
  ];
  for (const [id, encoded] of rows) {
    assert.equal(declared(id), `"${encoded}"`);
    assert.equal(invalidated(id), `"${encoded}"`);
  }
});

test("dependsOn, invalidates: refuse what is no source, and name it", () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [undefined, "undefined"],
    [null, "null"],
    [17, "17"],
    [Symbol("s"), "Symbol(s)"],
    [{ error: "not_found", reason: "missing" }, '{"error":"not_found","reason":"missing"}'],
    [{ _id: 17 }, '{"_id":17}'],
    [[{ _id: "a" }], '[{"_id":"a"}]'],
    [Promise.resolve(), "[object Promise]"],
    [{ id: 1n }, "[object Object]"],
    [{ id: "x".repeat(1000) }, "…"],
    [() => "a", "=>"],
    ["", '""'],
    [{ _id: "" }, '{"_id":""}'],
    ["_local/x", '"_local/x"'],
    [{ _id: "_local/x", _rev: "0-1" }, '"_local/x"'],
    ["a\ud800", '"a\\ud800"'],
    ["\udc00\ud800", '"\\udc00\\ud800"'],
  ];
  for (const [value, text] of rows) {
    for (const call of [dependsOn, invalidates]) {
      assert.throws(() => call("ok", untyped(value)), typeErrorNaming(text), text);
    }
  }
});

test("dependsOn, invalidates: refuse to say nothing", () => {
  assert.throws(() => dependsOn(), typeErrorNaming("dependsOn()"));
  assert.throws(() => invalidates(), typeErrorNaming("invalidates()"));
});

test("dependsOn: refuses a revision that no entity tag could hold", () => {
  for (const rev of ["", "1 x", '1"x', "1\\x", "1-é", "1-\n", "1-\x7f", 1, null, {}]) {
    assert.throws(() => dependsOn(untyped({ _id: "a", _rev: rev })), typeErrorNaming('"a"'), String(rev));
  }
});

test("invalidates: groups without revisions (RFC 9875 §3)", () => {
  assert.deepEqual(invalidates("a", { _id: "b", _rev: "1-x" }), { "cache-group-invalidation": '"a", "b"' });
  assert.equal(invalidated({ _id: "a", _rev: "1-x" }, { _id: "a", _rev: "2-y" }, "a"), '"a"');
});

test("parseCacheGroups: reads back what was declared", () => {
  assert.deepEqual(parseCacheGroups('"b";rev="1-x", "c"'), [{ _id: "b", _rev: "1-x" }, "c"]);
  assert.deepEqual(parseCacheGroups('"all%20posts"'), ["all posts"]);
  assert.deepEqual(parseCacheGroups('"all posts"'), ["all posts"]);
  assert.deepEqual(parseCacheGroups('"%c3%a9"'), ["é"]);
  assert.deepEqual(parseCacheGroups('"a\\"b"'), ['a"b']);
  assert.deepEqual(parseCacheGroups('"a", "a"'), ["a", "a"]);
  assert.deepEqual(parseCacheGroups('"a";x=1;rev="1-x";y'), [{ _id: "a", _rev: "1-x" }]);
});

test("parseCacheGroups: one malformed member voids the field", () => {
  const fields = [
    "",
    " ",
    '"a"',
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
    '"_local/x"',
    '"%5flocal/x"',
    '"a";rev',
    '"a";rev=1',
    '"a";rev=token',
    '"a";rev=""',
    '"a";rev="1 x"',
    '"a";rev="1\\"x"',
    '"a";rev="1-x";rev=2',
    '"a";rev="1-x',
  ];
  for (const field of fields) {
    assert.equal(parseCacheGroups(field) === undefined, field !== '"a"', field);
    assert.equal(parseCacheGroups(`"ok", ${field}`) === undefined, field !== '"a"', field);
  }
});

const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 })
  .filter((text) => text.isWellFormed() && !text.startsWith("_local/"));
const rev = fc.stringMatching(/^[!#-[\]-~]{1,8}$/);
const source: fc.Arbitrary<Source> = fc.oneof(
  id,
  fc.record({ _id: id, _rev: rev }, { noNullPrototype: true }),
);

test("parseCacheGroups: the inverse of dependsOn, over a Headers object", () => {
  fc.assert(fc.property(fc.array(source, { minLength: 1, maxLength: 5 }), (sources) => {
    const field = new Response(null, { headers: dependsOn(...sources) }).headers.get("cache-groups") ?? "";
    const texts = sources.map((one) => JSON.stringify(one));
    const once = sources.filter((_, n) => texts.indexOf(texts[n] ?? "") === n);
    assert.deepEqual(parseCacheGroups(field), once);
  }));
});

test("parseCacheGroups: the inverse of invalidates, but for revisions", () => {
  fc.assert(fc.property(fc.array(source, { minLength: 1, maxLength: 5 }), (sources) => {
    const groups = new Set(sources.map((one) => typeof one === "string" ? one : one._id));
    assert.deepEqual(parseCacheGroups(invalidated(...sources)), [...groups]);
  }));
});

test("parseCacheGroups: two appended declarations are one", () => {
  const headers = new Headers(dependsOn({ _id: "a", _rev: "1-x" }));
  headers.append("cache-groups", declared("b"));
  assert.deepEqual(parseCacheGroups(headers.get("cache-groups") ?? ""), [{ _id: "a", _rev: "1-x" }, "b"]);
});

test("dependsOn: always a List of Strings in visible ASCII (RFC 9651 §3.1)", () => {
  fc.assert(fc.property(source, (one) => {
    const field = declared(one);
    assert.match(field, /^[\x21-\x7e]+$/);
    assert.equal(parseStringList(field)?.length, 1);
  }));
});

test("dependsOn, parseCacheGroups: ten thousand sources, and a name of a megabyte", () => {
  const sources = Array.from({ length: 10_000 }, (_, n) => ({ _id: `post ${n}`, _rev: `${n}-x` }));
  assert.deepEqual(parseCacheGroups(declared(...sources)), sources);
  const long = "é%".repeat(1 << 19);
  assert.deepEqual(parseCacheGroups(declared(long)), [long]);
  assert.equal(parseCacheGroups(`"${"%".repeat(1 << 20)}"`), undefined);
});
