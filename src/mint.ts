/**
 * Entity tags out of nothing, for responses that nothing else identifies.
 *
 * @module
 */
import { base64url } from "./sha256.ts";

/** 128 random bits in URL-safe Base64. */
export function randomId(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * A strong entity tag that no other response has ever had.
 *
 * @param representation What tells this representation from others of the same resource, in etagc.
 */
export function mintTag(representation: string): string {
  return `"${randomId()}.${representation}"`;
}

/** Whether a minted tag is of this representation. */
export function isMintedFor(tag: string, representation: string): boolean {
  return tag.endsWith(`.${representation}"`);
}
