/**
 * The state that a tag of ours tells: the documents, and the revisions, that its representation was built from. It stands
 * apart from what tells representations from one another, so that a write can be judged by the documents alone, whichever
 * page, build or media type its tag is of.
 *
 * A tag is `"unique.state.representation"`; the tag of a page that its revisions identify has no `unique`. The state is
 * `2-abc+1-def.DIGEST+DIGEST`, revisions and a digest of each id; or `:DIGEST+DIGEST`, a digest of each document at its
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
  /** The revisions, where they are spelled out. */
  readonly revs: readonly string[] | undefined;
  /** Of each id where the revisions are spelled out, else of each document at its revision. */
  readonly digests: readonly string[];
}

/** What a coder on the way writes behind a tag: Apache httpd `-gzip`, others `;gzip` or `--gzip` (and the like of `br`). */
const CODING = /(?:--?|;)(?:gzip|x-gzip|br|zstd|deflate)"$/;

/** A tag without the coding that was written behind it; undefined where there is none. */
export function withoutCoding(tag: string): string | undefined {
  return CODING.test(tag) ? tag.replace(CODING, '"') : undefined;
}

/**
 * Reads the state out of a tag.
 *
 * @param tag In quotes, without `W/`.
 * @returns Without digests where the tag tells no document; undefined where it is not of our making.
 */
export function tagState(tag: string): TagState | undefined {
  const parts = tag.slice(1, -1).split(".", 5);
  if (parts.length > 4 || parts.pop()!.length !== SHORT) return undefined;
  const last = parts.pop();
  if (last === undefined) return undefined;
  if (last.startsWith(":")) {
    const digests = last.slice(1).split("+");
    return parts.length < 2 && isState(digests)
      ? { isWhole: parts.length === 0, revs: undefined, digests }
      : undefined;
  }
  const revs = parts.pop()?.split("+");
  if (revs === undefined) return { isWhole: false, revs, digests: [] };
  const digests = last.split("+");
  if (revs.length !== digests.length || !isState(digests) || !revs.every((rev) => PLAIN.test(rev))) {
    return undefined;
  }
  return { isWhole: parts.length === 0, revs, digests };
}

function isState(digests: readonly string[]): boolean {
  return digests.every(({ length }) => length === SHORT || length === WHOLE);
}

/** Whether a tag has the form of those that are made here. */
export function isOurTag(tag: string): boolean {
  return tagState(tag) !== undefined || DIGEST.test(tag);
}

/** The tag of a body, or of documents of which none can be told. */
const DIGEST = /^"[0-9A-Za-z_-]{43}"$/;
