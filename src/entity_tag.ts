/**
 * Entity tags (RFC 9110 §8.8.3): the grammar of one, the two comparisons, and the lists of `If-Match` and
 * `If-None-Match`.
 *
 * A tag travels as its wire string, `"x"` or `W/"x"`, in the Latin-1 decoding that `Headers` gives, one character
 * for each octet. Whatever a client sends costs linear time and constant memory, and never throws.
 *
 * @module
 */

const HTAB = 0x09;
const SPACE = 0x20;
const DQUOTE = 0x22;
const ASTERISK = 0x2a;
const COMMA = 0x2c;
const SLASH = 0x2f;
const UPPER_W = 0x57;

/**
 * A parsed entity tag (RFC 9110 §8.8.3).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type EntityTag, formatEntityTag } from "@stillfresh/etag/entity-tag";
 *
 * const tag: EntityTag = { weak: true, opaque: "2-abc" };
 * assert.equal(formatEntityTag(tag), 'W/"2-abc"');
 * ```
 */
export interface EntityTag {
  /** Whether it is marked `W/`: equal tags mean equivalent, not byte-for-byte equal, representations. */
  readonly weak: boolean;
  /** What stands between the quotes: any number of `etagc`, none included. */
  readonly opaque: string;
}

/** `etagc = %x21 / %x23-7E / obs-text`; false for NaN, which is what `charCodeAt` says past the end. */
function isEtagc(code: number): boolean {
  return code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
}

/** Where the opening quote belongs: past a `W/` (case-sensitive) at `start`, if there is one. */
function startOfOpaque(text: string, start: number): number {
  return text.charCodeAt(start) === UPPER_W && text.charCodeAt(start + 1) === SLASH ? start + 2 : start;
}

/** Whether the whole text is one legal tag whose opening quote is at `open`. */
function isOpaqueTag(text: string, open: number): boolean {
  if (text.charCodeAt(open) !== DQUOTE) return false;
  let at = open + 1;
  while (isEtagc(text.charCodeAt(at))) at++;
  return at === text.length - 1 && text.charCodeAt(at) === DQUOTE;
}

/**
 * Parses one entity tag, strictly (RFC 9110 §8.8.3): no white space around it, `W/` in upper case only.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseEntityTag } from "@stillfresh/etag/entity-tag";
 *
 * assert.deepEqual(parseEntityTag('W/"2-abc"'), { weak: true, opaque: "2-abc" });
 * assert.equal(parseEntityTag("2-abc"), undefined);
 * ```
 *
 * @param wire The tag as it was sent.
 * @returns The tag, or undefined where the grammar does not allow it.
 */
export function parseEntityTag(wire: string): EntityTag | undefined {
  const open = startOfOpaque(wire, 0);
  if (!isOpaqueTag(wire, open)) return undefined;
  return { weak: open > 0, opaque: wire.slice(open + 1, -1) };
}

/**
 * Writes an entity tag as it is sent (RFC 9110 §8.8.3).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatEntityTag } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(formatEntityTag({ weak: false, opaque: "2-abc" }), '"2-abc"');
 * assert.throws(() => formatEntityTag({ weak: false, opaque: 'say "x"' }), TypeError);
 * ```
 *
 * @returns Its wire string.
 * @throws {TypeError} Where the opaque part holds a quote, white space, a control character or one beyond Latin-1.
 */
export function formatEntityTag(tag: EntityTag): string {
  const quoted = `"${tag.opaque}"`;
  if (!isOpaqueTag(quoted, 0)) {
    throw new TypeError(`An entity tag cannot hold the opaque part ${JSON.stringify(tag.opaque)}`);
  }
  return tag.weak ? `W/${quoted}` : quoted;
}

/**
 * Strong comparison (RFC 9110 §8.8.3.2): equal, and neither is weak.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { strongMatch } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(strongMatch('"1"', '"1"'), true);
 * assert.equal(strongMatch('W/"1"', 'W/"1"'), false);
 * ```
 *
 * @param a A tag on the wire; one that is malformed matches nothing.
 */
export function strongMatch(a: string, b: string): boolean {
  return a === b && isOpaqueTag(a, 0);
}

/**
 * Weak comparison (RFC 9110 §8.8.3.2): equal opaque parts, whether weak or not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { weakMatch } from "@stillfresh/etag/entity-tag";
 *
 * assert.equal(weakMatch('W/"1"', '"1"'), true);
 * assert.equal(weakMatch('W/"1"', 'W/"2"'), false);
 * ```
 *
 * @param a A tag on the wire; one that is malformed matches nothing.
 */
export function weakMatch(a: string, b: string): boolean {
  const opaque = a.slice(startOfOpaque(a, 0));
  return opaque === b.slice(startOfOpaque(b, 0)) && isOpaqueTag(opaque, 0);
}

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
