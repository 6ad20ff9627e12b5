import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { SharedHeaders } from "../../src/registry/shared_headers.ts";

test("SharedHeaders: equal fields share one init of a 304", () => {
  const inits = new SharedHeaders();
  const init = inits.acquire({ "cache-control": "no-cache", vary: "accept" }, true, false);
  assert.deepEqual(init.headers, { "cache-control": "no-cache", vary: "accept" });
  assert.equal(init.status, 304);
  assert.equal(inits.acquire({ "cache-control": "no-cache", vary: "accept" }, true, false), init);
  assert.equal(inits.size, 1);
});

test("SharedHeaders: what is public is told apart from what is not", () => {
  const inits = new SharedHeaders();
  const init = inits.acquire({ vary: "accept" }, true, false);
  const other = inits.acquire({ vary: "accept" }, false, false);
  assert.deepEqual([init.isPublic, other.isPublic, inits.size], [true, false, 2]);
  inits.release(init);
  assert.equal(inits.acquire({ vary: "accept" }, false, false), other);
});

test("SharedHeaders: different fields do not", () => {
  const inits = new SharedHeaders();
  const all = [{}, { a: "" }, { a: "b" }, { b: "a" }, { a: "b", c: "" }, { ab: "" }].map((fields) =>
    inits.acquire(fields, true, false)
  );
  assert.equal(new Set(all).size, all.length);
});

test("SharedHeaders: any two sets of field values that differ are told apart", () => {
  const value = fc.string().map((text) => text.replaceAll(/[\0\r\n]/g, ""));
  const fields = fc.dictionary(fc.constantFrom("a", "b", "a-b", "vary"), value, { noNullPrototype: true });
  fc.assert(fc.property(fields, fields, (one, other) => {
    const inits = new SharedHeaders();
    const same = inits.acquire(one, true, false) === inits.acquire(other, true, false);
    if (same) assert.deepEqual(one, other);
    assert.deepEqual(inits.acquire(other, true, false).headers, other);
  }));
});

test("SharedHeaders: an init is forgotten with its last use, and its bytes with it", () => {
  const inits = new SharedHeaders();
  const init = inits.acquire({ vary: "accept" }, true, false);
  const { bytes } = inits;
  assert.ok(bytes > 0);
  inits.acquire({ vary: "accept" }, true, false);
  assert.equal(inits.bytes, bytes, "shared, so counted once");
  inits.release(init);
  assert.equal(inits.size, 1);
  inits.release(init);
  assert.deepEqual([inits.size, inits.bytes], [0, 0]);
});

test("SharedHeaders: longer fields count for more bytes", () => {
  const bytes = (value: string) => {
    const inits = new SharedHeaders();
    inits.acquire({ "content-security-policy": value }, true, false);
    return inits.bytes;
  };
  assert.ok(bytes("x".repeat(5_000)) - bytes("") >= 5_000);
});

test("SharedHeaders: forgets all at once", () => {
  const inits = new SharedHeaders();
  inits.acquire({ a: "b" }, true, false);
  inits.clear();
  assert.deepEqual([inits.size, inits.bytes], [0, 0]);
});
