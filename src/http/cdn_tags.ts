/**
 * The groups of a response in the fields that caches in front understand, so that they can drop the same pages.
 *
 * @module
 */
import { type Dependency, requireGroup } from "./dependency.ts";
import { encodeGroupName } from "./group_name.ts";

/** A field that carries the groups on, by lower-case name. */
export type PurgeField = "cache-groups" | "cache-tag" | "surrogate-key" | "xkey";

/** How a field lists its members, and how much of it its cache takes. */
interface Grammar {
  readonly quote: string;
  readonly separator: string;
  /** Characters of one member. */
  readonly member: number;
  /** Characters of the field. */
  readonly field: number;
}

/**
 * RFC 9875 §2 sets no limit, so ours is what servers take of one field. Cloudflare's documentation of `Cache-Tag`: 1,024
 * characters a tag and 16 KB; Fastly's of `Surrogate-Key`: 1,024 bytes a key and 16,384; Varnish's `xkey`: one header
 * line, 8 KB by default.
 */
const GRAMMARS: Readonly<Record<PurgeField, Grammar>> = {
  "cache-groups": { quote: '"', separator: ", ", member: 8_000, field: 8_000 },
  "cache-tag": { quote: "", separator: ",", member: 1_024, field: 16_000 },
  "surrogate-key": { quote: "", separator: " ", member: 1_024, field: 16_384 },
  "xkey": { quote: "", separator: " ", member: 8_000, field: 8_000 },
};

/**
 * The spelling of a group in each purge field: what a cache in front is asked to purge.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { purgeKey } from "@stillfresh/etag";
 *
 * assert.equal(purgeKey("all posts"), "all%20posts");
 * assert.equal(purgeKey({ _id: "post-1", _rev: "2-abc" }), "post-1");
 * ```
 *
 * @param group A name, or a document.
 * @returns Percent-encoded, without quotes.
 * @throws {TypeError} If it is neither.
 */
export function purgeKey(group: Dependency): string {
  return encodeGroupName(requireGroup(group, "purgeKey"));
}

/** All fields there are. */
export const purgeFieldNames: readonly string[] = /* @__PURE__ */ Object.keys(GRAMMARS);

/**
 * The value of one field for these groups. Undefined where it would be too large: cut short, it would leave a page in
 * the cache in front that has to go.
 */
export function purgeField(field: PurgeField, groups: Iterable<string>): string | undefined {
  const { quote, separator, member, field: limit } = GRAMMARS[field];
  const members = Array.from(new Set(groups), (group) => `${quote}${encodeGroupName(group)}${quote}`);
  const value = members.join(separator);
  return value.length <= limit && members.every((one) => one.length <= member) ? value : undefined;
}
