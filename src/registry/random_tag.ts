/**
 * Entity tags out of nothing, for responses that nothing else identifies.
 *
 * @module
 */
import { base64url } from "../http/sha256.ts";

/** Random bits for 64 ids: asking for few at a time costs as much as asking for many. */
const pool = new Uint8Array(1_024);
let used = pool.length;

/** 128 random bits in URL-safe Base64. */
export function randomId(): string {
  if (used === pool.length) {
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

/** What is asked of the entry that a response replaces. */
interface Previous {
  readonly etag: string;
  readonly minted: boolean;
}

/**
 * The minted tag of a still valid entry, if a new response may keep it. It means one registration, so it stays only
 * where the same groups say that nothing has changed since, and for the same representation.
 *
 * @param groups The names of the entry's groups.
 * @param names Those of the new response's.
 */
export function tagToKeep(
  { etag, minted }: Previous,
  groups: readonly string[],
  names: readonly string[],
  representation: string,
): string | undefined {
  if (!minted || groups.length !== names.length || !etag.endsWith(`.${representation}"`)) return undefined;
  const wanted = new Set(names);
  return groups.every((group) => wanted.has(group)) ? etag : undefined;
}
