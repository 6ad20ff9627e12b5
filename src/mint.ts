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

/** What is asked of the entry that a response replaces. */
interface Former {
  readonly etag: string;
  readonly minted: boolean;
  readonly groups: readonly { readonly name: string }[];
}

/**
 * The minted tag of a still valid entry, if a new response may keep it. It means one registration, so it stays only
 * where the same groups say that nothing has changed since, and for the same representation.
 */
export function tagToKeep(
  former: Former | undefined,
  names: ReadonlySet<string>,
  representation: string,
): string | undefined {
  if (former === undefined || !former.minted || former.groups.length !== names.size) return undefined;
  if (!former.etag.endsWith(`.${representation}"`)) return undefined;
  return former.groups.every((group) => names.has(group.name)) ? former.etag : undefined;
}
