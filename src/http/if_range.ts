/**
 * `If-Range` (RFC 9110 §13.1.5): whether a client's copy is the one that a part is to be added to.
 *
 * @module
 */
import { strongMatch } from "./entity_tag.ts";
import { parseHttpDate } from "./http_date.ts";
import { type Validators, validatorSeconds } from "./selected_representation.ts";
import { trimOws } from "./white_space.ts";

/** Whether the value of a field begins like an entity tag, rather than like a date. */
function isLikeTag(field: string): boolean {
  return field.startsWith('"') || field.startsWith("W/");
}

/**
 * Whether the condition is true. A tag is compared strongly, a date has to be the very same second, and what is neither
 * names no state: then the `Range` is to be ignored, because a part of another state would be added to the copy.
 *
 * @param field The value of `If-Range`.
 * @param current The validators of the current representation. Leave out a date that is no strong validator (§8.8.2.2).
 */
export function evaluateIfRange(field: string, current: Validators): boolean {
  const value = trimOws(field);
  const { etag, lastModified } = current;
  if (isLikeTag(value)) return etag !== undefined && strongMatch(value, etag);
  const date = parseHttpDate(value);
  return date !== undefined && lastModified !== undefined && validatorSeconds(lastModified) === date;
}
