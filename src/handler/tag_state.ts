/**
 * The state that a tag of ours tells: the documents, and the revisions, that its representation was built from. It stands
 * apart from what tells representations from one another, so that a write can be judged by the documents alone, whichever
 * page, build or media type its tag is of.
 *
 * A tag is `"unique.state.representation"`; the tag of a page that its revisions identify has no `unique`. The state is
 * `2-abc+1-def.DIGEST+DIGEST`, revisions and a digest of each id, no revision where the page depends on a name alone; or `:DIGEST+DIGEST`, a digest of each document at its
 * revision; of very many documents only the first has one, and the second stands for all.
 *
 * @module
 */

/** Characters of a digest in a tag: 66 bits. */
export const SHORT = 11;
/** Characters of a digest that stands for all documents: 256 bits. */
export const WHOLE = 43;
/** A revision without the separators `.`, `+` and `:` can be spelled out. CouchDB's are a number, a dash and 32 hex digits. */
export const PLAIN: RegExp = /^[0-9A-Za-z_-]+$/;

/** What a tag tells. */
export interface TagState {
  /** Whether the tag tells all that its page was built from, so that a document that it does not tell is none of them. */
  readonly isWhole: boolean;
  /** The revisions, where they are spelled out; "" for a name. */
  readonly revs: readonly string[] | undefined;
  /** Of each id where the revisions are spelled out, else of each document at its revision. */
  readonly digests: readonly string[];
}

/** What a coder on the way writes behind a tag: Apache httpd `-gzip`, others `;gzip` or `--gzip` (and the like of `br`). */
const CODINGS: readonly RegExp[] = [
  /-(?:gzip|br|zstd|deflate)"$/,
  /--(?:gzip|br|zstd|deflate)"$/,
  /;(?:gzip|br|zstd|deflate)"$/,
];

/** What a tag may be without the coding behind it. Several, because a digest may end with a dash. */
export function withoutCoding(tag: string): readonly string[] {
  return CODINGS.filter((coding) => coding.test(tag)).map((coding) => tag.replace(coding, '"'));
}

/** What makes a registration unique, or a body. */
const UNIQUE = /^(?:[0-9A-Za-z_-]{22}|[0-9A-Za-z_-]{43})$/;

/**
 * Reads the state out of a tag.
 *
 * @param tag In quotes, without `W/`.
 * @returns Without digests where the tag tells no document; undefined where it is not of our making.
 */
export function tagState(tag: string): TagState | undefined {
  const parts = tag.slice(1, -1).split(".", 5);
  if (parts.length > 4 || !isDigest(parts.pop()!, SHORT)) return undefined;
  const last = parts.pop();
  if (last === undefined) return undefined;
  const isDigested = last.startsWith(":");
  const revs = isDigested ? undefined : parts.pop()?.split("+");
  const [unique] = parts;
  if (parts.length > 1 || (unique !== undefined && !UNIQUE.test(unique))) return undefined;
  const isWhole = unique === undefined;
  if (isDigested) {
    const digests = last.slice(1).split("+");
    return digests.every((digest) => isDigest(digest, SHORT) || isDigest(digest, WHOLE))
      ? { isWhole, revs, digests }
      : undefined;
  }
  if (revs === undefined) return UNIQUE.test(last) ? { isWhole: false, revs, digests: [] } : undefined;
  const digests = last.split("+");
  return revs.length === digests.length && digests.every((digest) => isDigest(digest, SHORT)) &&
      revs.every((rev) => PLAIN.test(rev) || (rev === "" && !isWhole))
    ? { isWhole, revs, digests }
    : undefined;
}

function isDigest(text: string, length: number): boolean {
  return text.length === length && PLAIN.test(text);
}

/** Whether a tag has the form of those that are made here. */
export function isOurTag(tag: string): boolean {
  return isDigest(tag.slice(1, -1), WHOLE) || tagState(tag) !== undefined;
}
