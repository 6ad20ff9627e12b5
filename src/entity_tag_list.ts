/**
 * Lists of entity tags: the values of `If-Match` and `If-None-Match` (RFC 9110 §13.1.1, §13.1.2). Linear time and
 * constant memory, whatever is sent.
 *
 * @module
 */
import { isOpaqueTag, startOfOpaque } from "./etagc.ts";

const HTAB = 0x09;
const SPACE = 0x20;
const DQUOTE = 0x22;
const ASTERISK = 0x2a;
const COMMA = 0x2c;

function skipOws(field: string, from: number): number {
  let at = from;
  for (let code = field.charCodeAt(at); code === SPACE || code === HTAB;) code = field.charCodeAt(++at);
  return at;
}

/** Where white space begins that ends at `end`: not `trimEnd()`, to which obs-text %xA0 is white space too. */
function endOfContent(field: string, end: number): number {
  let at = end;
  for (let code = field.charCodeAt(at - 1); code === SPACE || code === HTAB;) {
    code = field.charCodeAt(--at - 1);
  }
  return at;
}

/** The first character of the next member; empty members are legal (RFC 9110 §5.6.1.2). */
function startOfMember(field: string, from: number): number {
  let at = skipOws(field, from);
  while (field.charCodeAt(at) === COMMA) at = skipOws(field, at + 1);
  return at;
}

/**
 * The comma that ends the member at `start`, or the end of the field. A comma between the quotes of a tag is part
 * of it, whatever else stands there; an unterminated quote reaches to the end.
 */
function endOfMember(field: string, start: number): number {
  const open = startOfOpaque(field, start);
  let from = start;
  if (field.charCodeAt(open) === DQUOTE) {
    const close = field.indexOf('"', open + 1);
    if (close === -1) return field.length;
    from = close + 1;
  }
  const comma = field.indexOf(",", from);
  return comma === -1 ? field.length : comma;
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
 * forwards, and nothing is copied out of it.
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
  // With its quotes, a legal tag is found nowhere but as a whole: the grammar of the members need not be checked.
  const opaque = etag.slice(open);
  let at = startOfMember(field, 0);
  while (at < field.length) {
    const start = weak ? startOfOpaque(field, at) : at;
    if (field.startsWith(opaque, start)) {
      const next = skipOws(field, start + opaque.length);
      if (next === field.length || field.charCodeAt(next) === COMMA) return true;
    }
    at = startOfMember(field, endOfMember(field, at));
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
 * @param condition Called with each tag in quotes, until it is true.
 */
export function someListedTag(field: string, weak: boolean, condition: (tag: string) => boolean): boolean {
  let at = startOfMember(field, 0);
  while (at < field.length) {
    const end = endOfMember(field, at);
    const tag = field.slice(weak ? startOfOpaque(field, at) : at, endOfContent(field, end));
    if (isOpaqueTag(tag, 0) && condition(tag)) return true;
    at = startOfMember(field, end);
  }
  return false;
}
