/**
 * HTTP Cache Groups (RFC 9875) as they stand on the wire: the `Cache-Groups` and `Cache-Group-Invalidation` fields, each
 * a List of Strings.
 *
 * A name is percent-encoded where a field of any kind could not hold it, so that it has one spelling in all of them.
 *
 * @module
 */
import { decodeGroupName, encodeGroupName } from "./group_name.ts";
import { parseStringList } from "./structured_field_list.ts";

/**
 * Writes the value of either field (RFC 9875 §2, §3).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatCacheGroups } from "@stillfresh/etag/cache-groups";
 *
 * assert.equal(formatCacheGroups(["post-1", "all posts"]), '"post-1", "all%20posts"');
 * ```
 *
 * @param groups Names of groups.
 * @returns The field value, each name once, in the order given.
 * @throws {TypeError} If a name has half a surrogate pair, which has no UTF-8.
 */
export function formatCacheGroups(groups: Iterable<string>): string {
  return Array.from(new Set(groups), (group) => `"${encodeGroupName(group)}"`).join(", ");
}

/**
 * Reads the value of either field (RFC 9875 §2, §3): the inverse of {@linkcode formatCacheGroups}.
 *
 * One malformed member voids the field: what is no String, an empty name, a percent sign that encodes nothing, bytes
 * that are no UTF-8. Parameters are ignored.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseCacheGroups } from "@stillfresh/etag/cache-groups";
 *
 * assert.deepEqual(parseCacheGroups('"post-1", "all%20posts"'), ["post-1", "all posts"]);
 * assert.equal(parseCacheGroups('"post-1", all posts'), undefined);
 * ```
 *
 * @param field The field value, several lines joined by `, `.
 * @returns The names in their order, at least one; undefined where the field names none, or is malformed.
 */
export function parseCacheGroups(field: string): readonly string[] | undefined {
  const items = parseStringList(field);
  if (items === undefined || items.length === 0) return undefined;
  const groups: string[] = [];
  for (const { value } of items) {
    const group = decodeGroupName(value);
    if (!group) return undefined;
    groups.push(group);
  }
  return groups;
}
