/**
 * Invalidation by a successful write (RFC 9111 §4.4, RFC 9875 §3).
 *
 * @module
 */
import { parseCacheGroups } from "./cache_groups.ts";
import { groupOf } from "./group.ts";
import { amend } from "./responses.ts";
import { isResponse, type Site } from "./site.ts";

/** After a write: what it changed is void at once, without waiting for the feed. */
export function written(site: Site, key: string | undefined, result: unknown): unknown {
  const { registry } = site;
  if (!isResponse(result) || result.status < 200 || result.status > 399) return result;
  if (key !== undefined) registry.delete(key);
  const field = result.headers.get("cache-group-invalidation");
  if (field === null) return result;
  const groups = parseCacheGroups(field);
  if (groups !== undefined) registry.invalidate(...groups.map(groupOf));
  else {
    // It may have named anything.
    registry.count("malformed");
    registry.clear();
  }
  return amend(result, undefined);
}
