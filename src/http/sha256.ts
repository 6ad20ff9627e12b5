/**
 * SHA-256 (FIPS 180-4), synchronous: `crypto.subtle` is asynchronous only, and a handler that answers synchronously
 * shall go on doing so when its response gets an entity tag.
 *
 * @module
 */

/** Fractional parts of roots of the first primes, as FIPS 180-4 §4.2.2 and §5.3.3 define both tables. */
function primeRoots(count: number, root: (prime: number) => number): Int32Array {
  const words = new Int32Array(count);
  for (let candidate = 2, found = 0; found < count; candidate++) {
    let divisor = 2;
    while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
    if (divisor * divisor <= candidate) continue;
    const value = root(candidate);
    words[found++] = (value - Math.floor(value)) * 2 ** 32;
  }
  return words;
}

// Everything below works in place, on words that are signed and buffers that are kept: it runs on every miss.
const ROUND: Int32Array = /* @__PURE__ */ primeRoots(64, Math.cbrt);
const INITIAL: Int32Array = /* @__PURE__ */ primeRoots(8, Math.sqrt);
const state: Int32Array = /* @__PURE__ */ new Int32Array(8);
const schedule: Int32Array = /* @__PURE__ */ new Int32Array(64);
const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();
/** A message up to this many bytes is padded in a buffer that is kept. */
const KEPT = 4_096;
const kept: Uint8Array = /* @__PURE__ */ new Uint8Array(KEPT);

function extend(bytes: Uint8Array, offset: number): void {
  for (let i = 0, at = offset; i < 16; i++, at += 4) {
    schedule[i] = bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
  }
  for (let i = 16; i < 64; i++) {
    const a = schedule[i - 15]!;
    const b = schedule[i - 2]!;
    const s0 = (a >>> 7 | a << 25) ^ (a >>> 18 | a << 14) ^ (a >>> 3);
    const s1 = (b >>> 17 | b << 15) ^ (b >>> 19 | b << 13) ^ (b >>> 10);
    schedule[i] = (schedule[i - 16]! + s0 + schedule[i - 7]! + s1) | 0;
  }
}

function compress(): void {
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i]! + schedule[i]!) | 0;
    const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g, g = f, f = e, e = (d + t1) | 0, d = c, c = b, b = a, a = (t1 + t2) | 0;
  }
  state[0]! += a, state[1]! += b, state[2]! += c, state[3]! += d;
  state[4]! += e, state[5]! += f, state[6]! += g, state[7]! += h;
}

/** A text's UTF-8 bytes, in a buffer with room for the padding, and how many they are. */
function encode(text: string): { readonly bytes: Uint8Array; readonly length: number } {
  // A code unit takes three bytes at most, the padding 72.
  const most = 3 * text.length + 72;
  const bytes = most <= KEPT ? kept : new Uint8Array(most);
  return { bytes, length: encoder.encodeInto(text, bytes).written };
}

/**
 * Pads a message and digests it.
 *
 * @param from The state after the blocks before it.
 * @param before The bytes of these.
 */
function digest(bytes: Uint8Array, length: number, from: Int32Array, before: number): Uint8Array {
  const end = (length + 72) & ~63;
  bytes.fill(0, length, end);
  bytes[length] = 0x80;
  for (let i = 1, bits = (before + length) * 8; i <= 8; i++, bits = Math.floor(bits / 256)) {
    bytes[end - i] = bits;
  }
  state.set(from);
  for (let offset = 0; offset < end; offset += 64) {
    extend(bytes, offset);
    compress();
  }
  const digest = new Uint8Array(32);
  for (let i = 0; i < 32; i++) digest[i] = state[i >> 2]! >>> (24 - 8 * (i & 3));
  return digest;
}

/** The SHA-256 of a text's UTF-8 bytes, as 32 bytes (FIPS 180-4 §6.2). */
export function sha256(text: string): Uint8Array {
  const { bytes, length } = encode(text);
  return digest(bytes, length, INITIAL, 0);
}

const BLOCK = 64;

/** SHA-256 of bytes that come in pieces. */
export class Sha256 {
  readonly #state: Int32Array = INITIAL.slice();
  /** What has come since the last whole block. */
  readonly #rest: Uint8Array = new Uint8Array(BLOCK);
  #length = 0;

  /** Takes the next bytes in. */
  update(bytes: Uint8Array): void {
    const held = this.#length % BLOCK;
    let offset = Math.min(bytes.length, (BLOCK - held) % BLOCK);
    this.#rest.set(bytes.subarray(0, offset), held);
    this.#length += bytes.length;
    if (held + offset < BLOCK && held > 0) return;
    state.set(this.#state);
    if (held > 0) {
      extend(this.#rest, 0);
      compress();
    }
    for (; offset + BLOCK <= bytes.length; offset += BLOCK) {
      extend(bytes, offset);
      compress();
    }
    this.#state.set(state);
    this.#rest.set(bytes.subarray(offset));
  }

  /** The digest of all that has come, as 32 bytes. */
  digest(): Uint8Array {
    const held = this.#length % BLOCK;
    const last = new Uint8Array(2 * BLOCK);
    last.set(this.#rest.subarray(0, held));
    return digest(last, held, this.#state, this.#length - held);
  }
}

/** HMAC-SHA-256 (RFC 2104) under one key. Its first blocks are digested once, so that it costs one block more than SHA-256. */
export class HmacSha256 {
  readonly #inner: Int32Array;
  readonly #outer: Int32Array;

  /** @param key Its UTF-8 bytes are the key. */
  constructor(key: string) {
    const bytes = encoder.encode(key);
    const short = bytes.length > BLOCK ? sha256(key) : bytes;
    this.#inner = stateAfter(short, 0x36);
    this.#outer = stateAfter(short, 0x5c);
  }

  /** The code of a text's UTF-8 bytes, as 32 bytes. */
  sign(text: string): Uint8Array {
    const { bytes, length } = encode(text);
    const inner = digest(bytes, length, this.#inner, BLOCK);
    kept.set(inner);
    return digest(kept, inner.length, this.#outer, BLOCK);
  }
}

/** The state after the block of a key. */
function stateAfter(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK).fill(pad);
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!;
  state.set(INITIAL);
  extend(block, 0);
  compress();
  return state.slice();
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Bytes in the URL-safe alphabet without padding (RFC 4648 §5): every character is legal in an entity tag.
 *
 * @param length Characters; default: as many as say all.
 */
export function base64url(bytes: Uint8Array, length: number = Math.ceil(bytes.length * 4 / 3)): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    const at = 6 * i >> 3;
    const pair = bytes[at]! << 8 | (bytes[at + 1] ?? 0);
    text += ALPHABET[pair >> (10 - (6 * i & 7)) & 63];
  }
  return text;
}
