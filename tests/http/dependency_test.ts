import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { declared } from "../support/registrations.ts";
import {
  type DeclaredDependency,
  declaredIn,
  type Dependency,
  DEPENDS_ON,
  dependsOn,
  FOLLOWED,
  GUARD,
  guard,
  INVALIDATES,
  invalidates,
  readDeclaration,
  removeDeclarations,
  withoutDeclarations,
} from "../../src/http/dependency.ts";

/** The field that a declaration is made of. */
function fieldOf(record: Readonly<Record<string, string>>): string {
  const [[, field]] = Object.entries(record) as [[string, string], ...unknown[]];
  return field;
}

/** What is read of it again. */
const readBack = (record: Readonly<Record<string, string>>) => readDeclaration(fieldOf(record));

/** What a declaration says behind its token. */
const saidIn = (record: Readonly<Record<string, string>>): string =>
  fieldOf(record).split(" ").slice(1).join(" ");

/** What plain JavaScript may pass. */
const untyped = (value: unknown): Dependency => value as Dependency;

function typeErrorNaming(text: string): (error: unknown) => boolean {
  return (error) => error instanceof TypeError && error.message.includes(text);
}

test("dependsOn, invalidates: each has a field of our own, and one that no other call has", () => {
  for (const [declare, field] of [[dependsOn, DEPENDS_ON], [invalidates, INVALIDATES]] as const) {
    const [first, second] = [Object.keys(declare("posts")), Object.keys(declare("posts"))];
    assert.deepEqual([first.length, first[0], second[0]], [2, field, field]);
    assert.ok(first[1]!.startsWith(`${field}-`));
    assert.notEqual(first[1], second[1]);
  }
});

test("declaredIn: declarations that were spread into one another, or appended, add up", () => {
  const headers = new Headers({
    ...dependsOn("a"),
    ...dependsOn({ _id: "b", _rev: "1-x" }),
    ...dependsOn("c", "a"),
  });
  for (const [name, value] of Object.entries(dependsOn("d"))) headers.append(name, value);
  const found = readDeclaration(declaredIn(headers, DEPENDS_ON)!)!;
  assert.deepEqual(
    new Set(found.map((one) => JSON.stringify(one))),
    new Set(['{"_id":"a"}', '{"_id":"b","_rev":"1-x"}', '{"_id":"c"}', '{"_id":"d"}']),
  );
  assert.equal(found.length, 4);
  removeDeclarations(headers);
  assert.deepEqual([...headers], []);
  assert.equal(declaredIn(headers, DEPENDS_ON), null);
});

test("dependsOn: names, documents and revisions, in their order", () => {
  assert.equal(saidIn(dependsOn("posts")), "posts");
  assert.equal(saidIn(dependsOn({ _id: "b", _rev: "1-x" }, "c", { _id: "a" })), "b;1-x c a");
  assert.equal(saidIn(dependsOn({ _id: "a", _rev: undefined })), "a");
  assert.equal(saidIn(dependsOn("_design/blog")), "_design/blog");
});

test("dependsOn: takes whole documents, and nothing else of them", () => {
  const document = { _id: "a", _rev: "1-x", title: 'say "x"', _attachments: {} };
  assert.equal(saidIn(dependsOn(document)), "a;1-x");
});

test("dependsOn: equal dependencies once, two revisions of one document twice", () => {
  const old = { _id: "a", _rev: "1-x" };
  assert.equal(saidIn(dependsOn("a", "b", "a", { _id: "b" })), "a b");
  assert.equal(saidIn(dependsOn(old, { ...old }, { _id: "a", _rev: "2-y" }, old)), "a;1-x a;2-y");
  assert.equal(saidIn(dependsOn("a", old)), "a a;1-x");
});

test("dependsOn: the parameters are a plain array", () => {
  const list: Parameters<typeof dependsOn> = ["a"];
  list.push({ _id: "b", _rev: "1-x" });
  assert.equal(saidIn(dependsOn(...list)), "a b;1-x");
});

test("dependsOn, invalidates: percent-encode what separates, and what a header cannot hold", () => {
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
    ["a,b;c=d", "a%2Cb%3Bc=d"],
    ["!#$&'()*+-./:<=>?@[]^_`{|}~", "!#$&'()*+-./:<=>?@[]^_`{|}~"],
  ];
  for (const [id, encoded] of rows) {
    assert.equal(saidIn(dependsOn(id)), encoded);
    assert.equal(saidIn(invalidates(id)), encoded);
  }
});

test("dependsOn, invalidates: refuse what is no dependency, and name it", () => {
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

test("dependsOn, invalidates: of nothing declare nothing", () => {
  assert.deepEqual([dependsOn(), invalidates()], [{}, {}]);
});

test("dependsOn: refuses a revision that no entity tag could hold", () => {
  for (const rev of ["", "1 x", '1"x', "1\\x", "1-é", "1-\n", "1-\x7f", 1, null, {}]) {
    assert.throws(() => dependsOn(untyped({ _id: "a", _rev: rev })), typeErrorNaming('"a"'), String(rev));
  }
});

test("invalidates: groups without revisions", () => {
  assert.equal(saidIn(invalidates("a", { _id: "b", _rev: "1-x" })), "a b");
  assert.equal(saidIn(invalidates({ _id: "a", _rev: "1-x" }, { _id: "a", _rev: "2-y" }, "a")), "a");
});

test("withoutDeclarations: the other fields, cookies apart, and the given ones as they were", () => {
  const headers = new Headers({ ...dependsOn("a"), ...dependsOn("b"), ...invalidates("c"), vary: "accept" });
  for (const cookie of ["a=1", "b=2"]) headers.append("set-cookie", cookie);
  const others = withoutDeclarations(headers);
  assert.deepEqual([...others].map(String).sort(), ["set-cookie,a=1", "set-cookie,b=2", "vary,accept"]);
  assert.equal([...headers].length, 8);
});

test("readDeclaration: two declarations that were appended add up", () => {
  const headers = new Headers(dependsOn({ _id: "a", _rev: "1-x" }));
  headers.append(DEPENDS_ON, fieldOf(dependsOn("b")));
  assert.deepEqual(readDeclaration(headers.get(DEPENDS_ON)!), [{ _id: "a", _rev: "1-x" }, "b"].map(declared));
});

test("readDeclaration: what this process has not made declares nothing", () => {
  for (const field of ["", "posts", "token posts", '"post-1";rev="2-abc"']) {
    assert.deepEqual(readDeclaration(field), [], field);
  }
});

test("readDeclaration: one malformed member voids the whole", () => {
  const field = fieldOf(dependsOn("ok"));
  const [token] = field.split(" ");
  const members = [
    "%",
    "50%",
    "%4",
    "%zz",
    "%c3",
    "%ed%a0%80",
    "_local/x",
    "%5flocal/x",
    ";1-x",
    "a;",
  ];
  const more = ["a;%20", "a;1-x;2-y", "a;%c3", " b"];
  for (const member of [...members, ...more]) {
    assert.equal(readDeclaration(`${field} ${member}`), undefined, member);
    assert.equal(readDeclaration(`${token} ${member} ok`), undefined, member);
  }
  assert.equal(readDeclaration(token!), undefined);
  assert.equal(readDeclaration(`${token}  ok`), undefined, "an empty name");
  assert.equal(readDeclaration(`${field}, other posts`), undefined, "a foreign one beside ours");
  assert.equal(readDeclaration(`other posts, ${field}`), undefined, "a foreign one before ours");
});

const id = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 })
  .filter((text) => text.isWellFormed() && !text.startsWith("_local/"));
const rev = fc.stringMatching(/^[!#-[\]-~]{1,8}$/);
const dependency: fc.Arbitrary<Dependency> = fc.oneof(
  id,
  fc.record({ _id: id, _rev: rev }, { noNullPrototype: true }),
);

test("readDeclaration: the inverse of dependsOn, over a Headers object", () => {
  fc.assert(fc.property(fc.array(dependency, { minLength: 1, maxLength: 5 }), (dependencies) => {
    const field = new Response(null, { headers: dependsOn(...dependencies) }).headers.get(DEPENDS_ON) ?? "";
    const texts = dependencies.map((one) => JSON.stringify(one));
    const once = dependencies.filter((_, n) => texts.indexOf(texts[n] ?? "") === n);
    assert.deepEqual(readDeclaration(field), once.map(declared));
  }));
});

test("readDeclaration: the inverse of invalidates, but for revisions", () => {
  fc.assert(fc.property(fc.array(dependency, { minLength: 1, maxLength: 5 }), (dependencies) => {
    const groups = new Set(dependencies.map((one) => typeof one === "string" ? one : one._id));
    assert.deepEqual(readBack(invalidates(...dependencies)), [...groups].map(declared));
  }));
});

test("dependsOn: always visible ASCII and single spaces", () => {
  fc.assert(
    fc.property(dependency, (one) => assert.match(fieldOf(dependsOn(one)), /^[\x21-\x7e]+ [\x21-\x7e]+$/)),
  );
});

test("dependsOn, readDeclaration: ten thousand dependencies, and a name of a megabyte", () => {
  const dependencies = Array.from({ length: 10_000 }, (_, n) => ({ _id: `post ${n}`, _rev: `${n}-x` }));
  assert.deepEqual(readBack(dependsOn(...dependencies)), dependencies);
  const long = "é%".repeat(1 << 19);
  assert.deepEqual(readBack(dependsOn(long)), [declared(long)]);
});

test("guard: the same dependency, marked", () => {
  const followed = Object.freeze({ _id: "posts", [FOLLOWED]: "posts" }) as Dependency;
  const member = Object.freeze({ _id: "posts/ann", [FOLLOWED]: "posts" }) as Dependency;
  const rows: readonly [Dependency, readonly DeclaredDependency[]][] = [
    ["session", [{ _id: "session", _rev: undefined, [GUARD]: true }]],
    [{ _id: "ses;sion", _rev: "1-a%" }, [{ _id: "ses;sion", _rev: "1-a%", [GUARD]: true }]],
    [followed, [{ _id: "posts", [FOLLOWED]: "posts", [GUARD]: true }]],
    [member, [{ _id: "posts", [FOLLOWED]: "posts", [GUARD]: true }, {
      _id: "posts/ann",
      _rev: undefined,
      [GUARD]: true,
    }]],
  ];
  for (const [dependency, expected] of rows) {
    assert.deepEqual(readBack(dependsOn(guard(dependency))), expected);
    assert.deepEqual(readBack(dependsOn(guard(guard(dependency)))), expected);
    assert.deepEqual(readBack(invalidates(guard(dependency))), readBack(invalidates(dependency)));
  }
  assert.deepEqual(readBack(dependsOn("a", guard("a"))), [declared("a"), {
    _id: "a",
    _rev: undefined,
    [GUARD]: true,
  }]);
});

test("guard: refuses what dependsOn refuses, naming itself", () => {
  for (const wrong of [undefined, null, "", "_local/x", { _id: 7 }, Promise.resolve({})]) {
    assert.throws(() => guard(untyped(wrong)), typeErrorNaming("guard()"));
  }
  assert.throws(() => dependsOn(guard(untyped({ _id: "a", _rev: 'a"b' }))), typeErrorNaming("a"));
});
