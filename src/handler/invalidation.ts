/**
 * Invalidation by a successful write (RFC 9111 §4.4, RFC 9875 §3).
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { groupOf } from "../http/dependency.ts";
import { purgeField } from "../http/cdn_tags.ts";
import { withFields } from "./responses.ts";
import { type HandlerContext, isResponse } from "./context.ts";
import { explained } from "./evaluate.ts";

/** After a write: what it changed is void at once, without waiting for the feed. */
export function written(context: HandlerContext, key: string | undefined, result: unknown): unknown {
  if (!isResponse(result)) return result;
  const succeeded = result.status >= 200 && result.status < 400;
  const field = result.headers.get("cache-group-invalidation");
  const fields = succeeded ? invalidate(context, key, field) : {};
  return explained(context, withFields(result, fields), {
    why: "unsafe-method",
    handlerStatus: result.status,
  });
}

/** Voids what was written, and returns the field that tells caches in front, if they are to be told. */
function invalidate(
  { registry, purgeFields }: HandlerContext,
  key: string | undefined,
  field: string | null,
): Record<string, string> {
  if (key !== undefined) registry.delete(key);
  if (field === null) return {};
  const groups = parseCacheGroups(field);
  if (groups === undefined) {
    // It may have named anything.
    registry.count("malformed");
    registry.clear();
    return {};
  }
  registry.invalidate(...groups.map(groupOf));
  if (!purgeFields.includes("cache-groups")) return {};
  const value = purgeField("cache-groups", groups);
  if (value !== undefined) return { "cache-group-invalidation": value };
  registry.count("group-field-too-large");
  return {};
}
