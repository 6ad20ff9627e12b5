/**
 * Lists of entity tags: the values of `If-Match` and `If-None-Match` (RFC 9110 §13.1.1, §13.1.2), and the characters of
 * one tag (§8.8.3). Any field value costs linear time and constant memory.
 *
 * @module
 */
import { skipOws, skipOwsBackwards } from "./white_space.ts";

const DQUOTE = 0x22;
const ASTERISK = 0x2a;
const COMMA = 0x2c;
const SLASH = 0x2f;
const UPPER_W = 0x57;

/**
 * Members that are read, empty ones included. No client keeps more copies of one resource, and a longer field must not
 * cost more work (RFC 9110 §5.6.1.2 asks for a reasonable number of empty members, not for any number).
 */
const MOST_MEMBERS = 1_000;

/** `etagc = %x21 / %x23-7E / obs-text`; false for NaN, which `charCodeAt` gives past the end. */
function isEtagc(code: number): boolean {
  return code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
}

/** The index of the opening quote: behind a `W/` (case-sensitive) at `start`, if there is one. */
export function startOfOpaque(text: string, start: number): number {
  return text.charCodeAt(start) === UPPER_W && text.charCodeAt(start + 1) === SLASH ? start + 2 : start;
}

/** Whether the whole text is one legal tag whose opening quote is at `open`. */
export function isOpaqueTag(text: string, open: number): boolean {
  if (text.charCodeAt(open) !== DQUOTE) return false;
  let at = open + 1;
  while (isEtagc(text.charCodeAt(at))) at++;
  return at === text.length - 1 && text.charCodeAt(at) === DQUOTE;
}

/** The next index of a character, or the end of the field. Members are short, where `indexOf` costs several times as much. */
function next(field: string, code: number, from: number): number {
  let at = from;
  while (at < field.length && field.charCodeAt(at) !== code) at++;
  return at;
}

/**
 * The comma that ends the member whose opening quote, if it is a tag, is at `open`; or the end of the field. A comma
 * between the quotes of a tag is part of it, whatever else stands there; an unterminated quote reaches to the end.
 */
function endOfMember(field: string, open: number): number {
  return next(field, COMMA, field.charCodeAt(open) === DQUOTE ? next(field, DQUOTE, open + 1) : open);
}

/**
 * Whether the value of an `If-Match` or `If-None-Match` field is the `*` form (RFC 9110 §13.1.1, §13.1.2).
 *
 * A `*` among other members (`*, "a"`, or two field lines `*`) is not: the grammar has no such member.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isWildcard } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(isWildcard(" * "), true);
 * assert.equal(isWildcard('*, "a"'), false);
 * ```
 *
 * @param field The field value, several lines joined by `, `.
 */
export function isWildcard(field: string): boolean {
  const at = skipOws(field, 0);
  return field.charCodeAt(at) === ASTERISK && skipOws(field, at + 1) === field.length;
}

/**
 * Whether a list of entity tags holds one tag (RFC 9110 §13.1.1, §13.1.2); `*` is no list and holds none.
 *
 * A comma may stand inside a tag, empty members are legal (§5.6.1.2), and a malformed member is skipped: up to the
 * next comma, or, if it begins like a tag, up to the next comma after its closing quote. The field is read once,
 * forwards, nothing is copied out of it, and of more than 1,000 members the first 1,000 count.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { matchesList } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(matchesList('"a,b", W/"c"', '"c"', true), true);
 * assert.equal(matchesList('"a,b", W/"c"', '"c"', false), false);
 * ```
 *
 * @param field The field value, several lines joined by `, `.
 * @param etag The tag to look for, on the wire; one that is malformed is in no list.
 * @param weak Compare weakly, as `If-None-Match` does, rather than strongly, as `If-Match` does.
 */
export function matchesList(field: string, etag: string, weak: boolean): boolean {
  const open = startOfOpaque(etag, 0);
  if (!isOpaqueTag(etag, open) || (open > 0 && !weak)) return false;
  // A legal tag with its quotes can only occur as a whole member, so the members' own grammar need not be checked.
  const opaque = etag.slice(open);
  for (let at = skipOws(field, 0), left = MOST_MEMBERS; at < field.length && left > 0; left--) {
    const start = startOfOpaque(field, at);
    if (field.charCodeAt(start) !== DQUOTE) {
      at = skipOws(field, next(field, COMMA, start) + 1);
      continue;
    }
    const close = next(field, DQUOTE, start + 1);
    const end = skipOws(field, close + 1);
    const whole = end >= field.length || field.charCodeAt(end) === COMMA;
    if (
      whole && close - start === opaque.length - 1 && (weak || start === at) &&
      field.startsWith(opaque, start)
    ) {
      return true;
    }
    at = skipOws(field, (whole ? end : next(field, COMMA, end)) + 1);
  }
  return false;
}

/**
 * Whether some tag of a list fulfils a condition: for tags that are told by more than being equal.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { someListedTag } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(someListedTag('"1-a", W/"2-b"', true, (tag) => tag.startsWith('"2-')), true);
 * assert.equal(someListedTag('"1-a", W/"2-b"', false, (tag) => tag.startsWith('"2-')), false);
 * ```
 *
 * @param field The field value, several lines joined by `, `; malformed members are skipped.
 * @param weak Whether weak tags count, as in `If-None-Match`; they are given without their `W/`.
 * @param condition Called with each tag in quotes, and whether it was marked weak, until it is true.
 */
export function someListedTag(
  field: string,
  weak: boolean,
  condition: (tag: string, isWeak: boolean) => boolean,
): boolean {
  for (let at = skipOws(field, 0), left = MOST_MEMBERS; at < field.length && left > 0; left--) {
    const start = startOfOpaque(field, at);
    const end = endOfMember(field, start);
    if ((weak || start === at) && field.charCodeAt(start) === DQUOTE) {
      const tag = field.slice(start, skipOwsBackwards(field, end));
      if (isOpaqueTag(tag, 0) && condition(tag, start > at)) return true;
    }
    at = skipOws(field, end + 1);
  }
  return false;
}

/** Whether a field, if there is one, has more members than are read. */
export function hasTooManyMembers(field: string | null): boolean {
  // Each member but the last takes a comma, so a shorter field cannot have that many.
  if (field === null || field.length < MOST_MEMBERS) return false;
  let at = skipOws(field, 0);
  for (let left = MOST_MEMBERS; left > 0 && at < field.length; left--) {
    at = skipOws(field, endOfMember(field, startOfOpaque(field, at)) + 1);
  }
  return at < field.length;
}
