import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { base64url, HmacSha256, Sha256, sha256 } from "../../src/http/sha256.ts";

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

test("sha256: the examples of FIPS 180-4", () => {
  assert.equal(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert.equal(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(
    hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  );
});

test("sha256: agrees with crypto.subtle at every length around a block", async () => {
  for (let length = 0; length < 200; length++) {
    const text = "é".repeat(length % 3) + "x".repeat(length);
    const expected = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    assert.equal(hex(sha256(text)), hex(new Uint8Array(expected)), `length ${length}`);
  }
});

test("sha256: agrees with crypto.subtle on any text", async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary", maxLength: 500 }), async (text) => {
    const expected = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    assert.equal(hex(sha256(text)), hex(new Uint8Array(expected)));
  }));
});

test("Sha256: pieces of any length digest as the whole does", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 });
  fc.assert(fc.property(pieces, (pieces) => {
    const digest = new Sha256();
    for (const piece of pieces) digest.update(piece);
    const expected = createHash("sha256").update(Buffer.concat(pieces)).digest("hex");
    assert.equal(hex(digest.digest()), expected);
    assert.equal(hex(digest.digest()), expected, "asked twice");
  }));
});

test("HmacSha256: the examples of RFC 4231", () => {
  const rows: readonly [string, string, string][] = [
    ["\v".repeat(20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      "Jefe",
      "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
  ];
  for (const [key, text, code] of rows) assert.equal(hex(new HmacSha256(key).sign(text)), code);
});

test("HmacSha256: agrees with node:crypto under any key on any text, whatever was signed in between", () => {
  const other = new HmacSha256("another key");
  const text = fc.string({ unit: "grapheme", maxLength: 2_000 });
  fc.assert(fc.property(text, text, (key, message) => {
    const hmac = new HmacSha256(key);
    other.sign(message);
    const expected = createHmac("sha256", key).update(message).digest("hex");
    assert.deepEqual([hex(hmac.sign(message)), hex(hmac.sign(message))], [expected, expected]);
  }));
});

test("base64url: RFC 4648 §5 without padding", () => {
  assert.equal(base64url(new Uint8Array([0xfb, 0xff, 0xfe])), "-__-");
  assert.equal(base64url(new Uint8Array([0])), "AA");
});

test("base64url: of any bytes as node:buffer writes them, and cut short on request", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(40), (bytes, length) => {
    const whole = Buffer.from(bytes).toString("base64url");
    assert.equal(base64url(bytes), whole);
    assert.equal(base64url(bytes, Math.min(length, whole.length)), whole.slice(0, length));
  }));
});

test("sha256: agrees with crypto.subtle where a message outgrows the kept buffer", async () => {
  for (const length of [1340, 1341, 1342, 4000, 4096, 5000, 70_000]) {
    const text = "é".repeat(length);
    const expected = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    assert.equal(hex(sha256(text)), hex(new Uint8Array(expected)), `length ${length}`);
    assert.equal(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
});
