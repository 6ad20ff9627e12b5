import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { SharedHeaders } from "../../src/registry/shared_headers.ts";

test("SharedHeaders: equal fields share one object", () => {
  const shared = new SharedHeaders();
  const headers = shared.acquire({ "cache-control": "no-cache", vary: "accept" }, {
    isPublic: true,
    anyOrigin: true,
  }, false);
  assert.deepEqual(headers.fields, { "cache-control": "no-cache", vary: "accept" });
  assert.equal(
    shared.acquire(
      { "cache-control": "no-cache", vary: "accept" },
      { isPublic: true, anyOrigin: true },
      false,
    ),
    headers,
  );
  assert.equal(shared.size, 1);
});

test("SharedHeaders: what is public is told apart from what is not", () => {
  const shared = new SharedHeaders();
  const headers = shared.acquire({ vary: "accept" }, { isPublic: true, anyOrigin: true }, false);
  const other = shared.acquire({ vary: "accept" }, { isPublic: false, anyOrigin: true }, false);
  assert.deepEqual([headers.isPublic, other.isPublic, shared.size], [true, false, 2]);
  shared.release(headers);
  assert.equal(shared.acquire({ vary: "accept" }, { isPublic: false, anyOrigin: true }, false), other);
});

test("SharedHeaders: what is for any Origin is told apart from what is not", () => {
  const shared = new SharedHeaders();
  const some = shared.acquire({}, { isPublic: true, anyOrigin: false }, false);
  const any = shared.acquire({}, { isPublic: true, anyOrigin: true }, false);
  assert.deepEqual([some.anyOrigin, any.anyOrigin, shared.size], [false, true, 2]);
});

test("SharedHeaders: different fields do not", () => {
  const shared = new SharedHeaders();
  const all = [{}, { a: "" }, { a: "b" }, { b: "a" }, { a: "b", c: "" }, { ab: "" }].map((fields) =>
    shared.acquire(fields, { isPublic: true, anyOrigin: true }, false)
  );
  assert.equal(new Set(all).size, all.length);
});

test("SharedHeaders: any two sets of field values that differ are told apart", () => {
  const value = fc.string().map((text) => text.replaceAll(/[\0\r\n]/g, ""));
  const fields = fc.dictionary(fc.constantFrom("a", "b", "a-b", "vary"), value, { noNullPrototype: true });
  fc.assert(fc.property(fields, fields, (one, other) => {
    const shared = new SharedHeaders();
    const same = shared.acquire(one, { isPublic: true, anyOrigin: true }, false) ===
      shared.acquire(other, { isPublic: true, anyOrigin: true }, false);
    if (same) assert.deepEqual(one, other);
    assert.deepEqual(shared.acquire(other, { isPublic: true, anyOrigin: true }, false).fields, other);
  }));
});

test("SharedHeaders: headers are forgotten with its last use, and its bytes with it", () => {
  const shared = new SharedHeaders();
  const headers = shared.acquire({ vary: "accept" }, { isPublic: true, anyOrigin: true }, false);
  const { bytes } = shared;
  assert.ok(bytes > 0);
  shared.acquire({ vary: "accept" }, { isPublic: true, anyOrigin: true }, false);
  assert.equal(shared.bytes, bytes, "shared, so counted once");
  shared.release(headers);
  assert.equal(shared.size, 1);
  shared.release(headers);
  assert.deepEqual([shared.size, shared.bytes], [0, 0]);
});

test("SharedHeaders: longer fields count for more bytes", () => {
  const bytes = (value: string) => {
    const shared = new SharedHeaders();
    shared.acquire({ "content-security-policy": value }, { isPublic: true, anyOrigin: true }, false);
    return shared.bytes;
  };
  assert.ok(bytes("x".repeat(5_000)) - bytes("") >= 5_000);
});

test("SharedHeaders: forgets all at once", () => {
  const shared = new SharedHeaders();
  shared.acquire({ a: "b" }, { isPublic: true, anyOrigin: true }, false);
  shared.clear();
  assert.deepEqual([shared.size, shared.bytes], [0, 0]);
});
