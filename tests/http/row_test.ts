/** Rows as dependencies: what names them, and which contents share a digest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, row, rows } from "../../mod.ts";
import { readDeclaration, REPORTED } from "../../src/http/dependency.ts";
import fc from "../support/fast_check.ts";

const idOf = (record: object, key?: string | string[]) => row("posts", record, key)._id;
const digestOf = (value: unknown) => row("posts", { id: 1, value })._rev;

test("row: the id is the table and the key's values, of which / and % are spelled out", () => {
  const cases = [
    [{ id: 7 }, undefined, "posts/7"],
    [{ id: 7n }, undefined, "posts/7"],
    [{ id: "a/b%" }, undefined, "posts/a%2Fb%25"],
    [{ post: 1, tag: "x/y" }, ["post", "tag"], "posts/1/x%2Fy"],
    [{ on: true }, "on", "posts/true"],
  ] as const;
  for (const [record, key, id] of cases) assert.equal(idOf(record, key as string[] | undefined), id);
});

test("row: values of different contents have different digests, JSON or not", () => {
  const values = [
    ...[undefined, null, "null", "", 0, -0, "0", 0n, "0n", NaN, Infinity, true, "true", "NaN"],
    ...[
      new Date(0),
      new Date(NaN),
      new Date(0).toJSON(),
      0.1 + 0.2,
      0.3,
      9007199254740993n,
      9007199254740992n,
    ],
    ...[Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 0), "00", [], [undefined], [null], [[]], [
      "a",
      "b",
    ]],
    ...["a,b", ["a,b"], {}, { a: undefined }, { a: null }, { a: 1, b: 2 }, { b: 2, a: 1 }, { "a:1,b": 2 }],
    ...["\ud800", "\udc00", "\ufffd", '"', "\\", { a: { b: 1 } }, { a: "{b:1}" }, Float32Array.of(1)],
    ...[new Uint8Array(Float32Array.of(1).buffer), Int32Array.of(1065353216)],
  ];
  const digests = values.map(digestOf);
  for (const [n, digest] of digests.entries()) {
    assert.equal(digests.indexOf(digest), n, `${n}: ${String(values[n])}`);
    assert.match(digest, /^[\w-]{22}$/);
  }
});

test("row: what is deeply equal has one digest, and what is not has two", () => {
  const value = fc.anything({
    maxDepth: 3,
    withBigInt: true,
    withDate: true,
    withTypedArray: true,
    withNullPrototype: true,
  });
  const isSame = (a: unknown, b: unknown): boolean => {
    try {
      assert.deepStrictEqual(JSON.stringify(sorted(a)), JSON.stringify(sorted(b)));
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(value, value, (a, b) => {
    const copy = structuredClone(a);
    assert.equal(digestOf(a), digestOf(copy));
    if (digestOf(a) === digestOf(b)) assert.ok(isSame(a, b));
  }));
});

/** Something that JSON tells apart wherever the digests differ for a reason that a page can show. */
function sorted(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Date || ArrayBuffer.isView(value)) {
    return value;
  }
  return Object.entries(value).map(([name, item]) => [name, sorted(item)]);
}

test("row: bytes end where they end, whatever they spell", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const rows = [
    { a: bytes('1,"b":2') },
    { a: bytes("1"), b: 2 },
    { a: bytes("") },
    { a: "bytes 0 " },
    { a: bytes('"') },
    { a: bytes("0 ") },
    { a: bytes("}"), b: bytes("") },
    { a: bytes("},b:bytes 0 ") },
  ];
  const digests = rows.map(digestOf);
  assert.equal(new Set(digests).size, rows.length);
  const [long, longer] = [4_096, 4_097, 10_000].map((length) => digestOf(new Uint8Array(length).fill(200)));
  assert.notEqual(long, longer);
  const odd = new Uint8Array(10_000).fill(200);
  odd[9_999] = 201;
  assert.notEqual(digestOf(odd), digestOf(new Uint8Array(10_000).fill(200)));
});

test("row: what JSON can tell apart has the digest that the same columns have one by one", () => {
  // An object of a class is spelled column by column.
  class Entity {}
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (columns) => {
    const plain = { ...columns, id: 1 };
    assert.equal(row("posts", plain)._rev, row("posts", Object.assign(new Entity(), plain))._rev);
    const dated = { ...plain, at: new Date(0) };
    assert.equal(row("posts", dated)._rev, row("posts", Object.assign(new Entity(), dated))._rev);
    assert.notEqual(row("posts", dated)._rev, row("posts", { ...plain, at: new Date(0).toJSON() })._rev);
  }));
});

test("row: nothing that JSON would lose is lost deep inside of JSON", () => {
  const pairs: readonly (readonly [unknown, unknown])[] = [
    [[undefined], [null]],
    [[, 1], [null, 1]],
    [{ a: { b: undefined } }, { a: {} }],
    [{ a: [-0] }, { a: [0] }],
    [{ a: [NaN] }, { a: [null] }],
    [{ a: [new Date(0)] }, { a: [new Date(0).toJSON()] }],
    [{ a: [Uint8Array.of(1)] }, { a: [{ 0: 1 }] }],
    [{ a: { toJSON: () => 5 } }, { a: 5 }],
    [{ a: { toPostgres: () => "5" } }, { a: {} }],
    [[5n], [5]],
  ];
  for (const [one, other] of pairs) assert.notEqual(digestOf(one), digestOf(other));
  assert.throws(() => digestOf({ a: [{ b: new Set() }] }), { message: /value\.a\.0\.b: it is a Set/ });
});

test("row: a mapper's object is read by its columns; a value whose content cannot be known is refused by name", () => {
  class Post {
    id = 1;
    title: string;
    constructor(title: string) {
      this.title = title;
    }
  }
  assert.notEqual(row("posts", new Post("a"))._rev, row("posts", new Post("b"))._rev);
  const interval = { toPostgres: () => "1 day" };
  const other = { toPostgres: () => "2 days" };
  assert.notEqual(digestOf(interval), digestOf(other));
  assert.throws(() => digestOf({ deep: new Map() }), {
    name: "TypeError",
    message: /value\.deep: it is a Map/,
  });
  assert.throws(() => digestOf(() => 1), { message: /value: it is a function/ });
  assert.throws(() => digestOf([Symbol("x")]), { message: /value\.0: it is a symbol/ });
});

test("row: what lies behind accessors alone is refused, because all contents would have one digest", () => {
  class Private {
    #title: string;
    constructor(title: string) {
      this.#title = title;
    }
    get id() {
      return 1;
    }
    get title() {
      return this.#title;
    }
  }
  assert.throws(() => row("posts", new Private("a")), {
    name: "TypeError",
    message: /its column "id" is no property of its own/,
  });
  class Model extends Private {
    toJSON() {
      return { id: this.id, title: this.title };
    }
  }
  assert.notEqual(row("posts", new Model("a"))._rev, row("posts", new Model("b"))._rev);
});

test("row: bytes have one digest as the clients give them, and an array with a hole is no empty one", () => {
  assert.equal(digestOf(Uint8Array.of(1, 2).buffer), digestOf(Uint8Array.of(1, 2)), "libSQL");
  assert.equal(digestOf(Uint8Array.of(0, 1, 2).subarray(1)), digestOf(Uint8Array.of(1, 2)));
  assert.notEqual(digestOf(new Array(1)), digestOf([]));
});

test("row: mistakes are refused at once, by name", () => {
  assert.throws(() => row("", { id: 1 }), { name: "TypeError", message: /name of a table.*not ""/ });
  assert.throws(() => row("a/b", { id: 1 }), { message: /not "a\/b"/ });
  assert.throws(() => row("posts", undefined as never), { message: /not undefined: was it found/ });
  assert.throws(() => row("posts", null as never), { message: /not null/ });
  assert.throws(() => row("posts", { name: "x" }), { message: /no value in its column "id"/ });
  for (const id of [1.5, NaN, {}, null, new Date(0), Uint8Array.of(1), 2 ** 53]) {
    assert.throws(() => row("posts", { id }), { message: /in its column "id"/ });
  }
  assert.throws(() => rows("posts", {} as never), { message: /takes a list/ });
  assert.throws(() => rows("posts", [{ id: 1 }], { by: "author" }), {
    message: /no value in its column "author"/,
  });
  assert.throws(() => rows("posts", [{ id: 1, by: 5 }, { id: 2, by: 6 }], { by: "by" }), {
    message: /2 values of "by"/,
  });
});

test("rows: a list depends on its table, or on those rows alone that have a value, and on each row", () => {
  const list = [{ id: 1, by: 5 }, { id: 2, by: 5 }];
  assert.deepEqual(rows("posts", list).map(({ _id }) => _id), ["posts", "posts/1", "posts/2"]);
  assert.equal(rows("posts", list, { by: "by" })[0]._id, "posts?by=5");
  assert.equal(rows("posts", [{ id: 1, by: "a/b" }], { by: "by" })[0]._id, "posts?by=a%2Fb");
  assert.equal(rows("posts", [{ id: 1, by: null }], { by: "by" })[0]._id, "posts?by");
  assert.equal(rows("posts", [], { by: "by" })[0]._id, "posts", "an empty list shows no value");
  assert.notEqual(
    rows("posts", list)[0]._rev,
    rows("posts", list.toReversed())[0]._rev,
    "the order is shown",
  );
});

test("dependsOn: the name that a feed has to report goes with a row, whatever it is", () => {
  const table = 'odd; "name", 50%';
  const headers = dependsOn(...rows(table, [{ id: 1, "by;": 1 }], { by: "by;" }));
  const [field] = Object.values(headers);
  assert.deepEqual(readDeclaration(field!)?.map((one) => [one._id, one[REPORTED]]), [
    [`${table}?by;=1`, `${table}?by;`],
    [`${table}/1`, table],
  ]);
});
