/** What a client keeps, and what it was built from, as pages and documents of the demo tell it themselves. */

/** A document's revision; null: there is none. */
export type State = string | null;

/** A page or document as a client keeps it. */
export interface Copy {
  readonly path: string;
  readonly etag: string;
  /** What it was built from, absent documents included. */
  readonly states: ReadonlyMap<string, State>;
  /** For a list: the ids of its posts, from the newest that it could show down to the oldest that it does. */
  readonly range: { readonly from: string; readonly to: string } | undefined;
}

const everything = "post-\uffff";

/** Reads a copy. `authorOf` tells who wrote a post, also where that author's document is missing. */
export function readCopy(path: string, etag: string, text: string, authorOf: (post: string) => string): Copy {
  if (path.startsWith("/api/")) {
    const { _id, _rev } = JSON.parse(text) as { readonly _id: string; readonly _rev: string };
    return { path, etag, states: new Map([[_id, _rev]]), range: undefined };
  }
  const listed = /data-documents="([^"]*)"/.exec(text)![1]!.split(" ").filter((item) => item !== "");
  const states = new Map<string, State>(listed.map((item) => item.split("@", 2) as [string, string]));
  const posts = [...states.keys()].filter((id) => id.startsWith("post-"));
  for (const author of posts.map(authorOf)) if (!states.has(author)) states.set(author, null);
  if (path.startsWith("/posts/")) return { path, etag, states, range: undefined };
  const from = new URLSearchParams(path.slice(2)).get("from") ?? everything;
  const isLast = !/href="\/\?from=/.test(text);
  return { path, etag, states, range: { from, to: isLast ? "post-" : posts.toSorted()[0]! } };
}

/** The states of a copy, to compare and to print. */
export function statesOf({ states }: Copy): string {
  return JSON.stringify([...states].toSorted(([a], [b]) => a < b ? -1 : 1));
}
