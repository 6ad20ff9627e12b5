/** The two kinds of documents in the blog's database. */

/** One post: `post-2026-11-20-3000`. Ids sort by date, so the newest posts are a range of ids. */
export interface Post {
  readonly _id: string;
  readonly _rev?: string;
  readonly title: string;
  /** Calendar date, `2026-11-20`. */
  readonly published: string;
  /** Id of the author's document. */
  readonly author: string;
  readonly tags: readonly string[];
  /** Paragraphs, separated by blank lines. */
  readonly body: string;
}

/** Who writes: `author-017`. */
export interface Author {
  readonly _id: string;
  readonly _rev?: string;
  readonly name: string;
  readonly about: string;
}

/** A document as the database gave it: it has a revision. */
export type Stored<Doc> = Doc & { readonly _rev: string };

/** Whether this is the id of a post: `post-`, a date, and something after it. */
export function isPostId(id: string): boolean {
  return /^post-\d{4}-\d{2}-\d{2}-[\w-]+$/.test(id);
}

/**
 * Reads what a client sent as a post.
 *
 * @throws {TypeError} naming the first field that is missing or of the wrong kind
 */
export function parsePost(id: string, input: unknown): Post {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw new TypeError("a post is an object");
  }
  const fields = input as Readonly<Record<string, unknown>>;
  const text = (name: string, pattern = /\S/): string => {
    const value = fields[name];
    if (typeof value !== "string" || !pattern.test(value)) {
      throw new TypeError(`a post has a ${name}: ${pattern}`);
    }
    return value;
  };
  const { tags = [], _rev } = fields;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === "string")) {
    throw new TypeError("tags are strings");
  }
  if (fields["_id"] !== undefined && fields["_id"] !== id) {
    throw new TypeError(`the _id is not that of the URL, ${id}`);
  }
  return {
    _id: id,
    ...(_rev === undefined ? {} : { _rev: text("_rev") }),
    title: text("title"),
    published: text("published", /^\d{4}-\d{2}-\d{2}$/),
    author: text("author", /^author-[\w-]+$/),
    tags,
    body: text("body"),
  };
}
