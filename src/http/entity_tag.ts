/**
 * Entity tags (RFC 9110 §8.8.3): the grammar of one, the two comparisons, and the lists of `If-Match` and
 * `If-None-Match`.
 *
 * A tag travels as its wire string, `"x"` or `W/"x"`, in the Latin-1 decoding that `Headers` gives, one character
 * for each octet. Any value that a client sends costs linear time and constant memory, and none throws.
 *
 * @module
 */
import { isOpaqueTag, startOfOpaque } from "./entity_tag_list.ts";

export { isWildcard, matchesList, someListedTag } from "./entity_tag_list.ts";

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
