/** Where the blog's posts and authors are: what the handlers read and write, whichever database holds them. */
import type { ChangesFeed } from "../../src/changes/change.ts";
import type { Author, Post, Stored } from "./documents.ts";

/** A database, and the feed of its changes: both name a post and an author by the `_id`. */
export interface Source {
  readonly store: Store;
  readonly feed: ChangesFeed;
}

/** What the handlers need of the database. */
export interface Store {
  /** A post, or null where there is none. */
  post(id: string): Promise<Stored<Post> | null>;
  /** The same with its author, or undefined where there is none. */
  signedPost(id: string): Promise<SignedPost | null>;
  /** Posts with their authors, newest first, starting at this id if one is given. */
  signedPosts(limit: number, from?: string): Promise<SignedPost[]>;
  /** Writes a post over its `_rev`, or a new one, and gives the new revision. Throws a 409 if it is not current. */
  put(post: Post): Promise<string>;
  /** Deletes a post at a revision. Throws a 409 if it is not current. */
  delete(id: string, rev: string): Promise<void>;
}

/** A post and who wrote it, as far as that is known. */
export interface SignedPost {
  readonly post: Stored<Post>;
  readonly author: Stored<Author> | undefined;
}

/** What the client of CouchDB throws where another write came first; the other stores do the same. */
export function conflict(): Error {
  return Object.assign(new Error("Document update conflict"), { statusCode: 409 });
}
