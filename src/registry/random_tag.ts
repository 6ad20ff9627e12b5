/**
 * Random entity tags, for responses that nothing else identifies.
 *
 * @module
 */
import { base64url } from "../http/sha256.ts";

/** Random bytes for 64 ids at a time: asking the platform for few costs as much as asking for many. */
const POOL_BYTES = 1_024;

let pool: Uint8Array<ArrayBuffer> | undefined;
let used = 0;

/** 128 random bits in URL-safe Base64. */
export function randomId(): string {
  pool ??= new Uint8Array(POOL_BYTES);
  if (used % POOL_BYTES === 0) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  return base64url(pool.subarray(used, used += 16));
}

/**
 * A strong entity tag that no other response has ever had.
 *
 * @param representation What tells this representation from others of the same resource, in etagc.
 */
export function randomTag(representation: string): string {
  return `"${randomId()}.${representation}"`;
}

/** Whether a random tag was made for this representation. */
export function isTagOf(etag: string, representation: string): boolean {
  return etag.endsWith(`.${representation}"`);
}
