/** The blog in CouchDB, through nano. */
import nano from "nano";
import { changes } from "../../src/couchdb/changes.ts";
import type { Author, Post, Stored } from "./documents.ts";
import type { SignedPost, Source, Store } from "./store.ts";

/** The source in a database of CouchDB; `url` names it, and may hold credentials. */
export function couchSource(url: URL): Source {
  return { store: openStore(url), feed: changes(url) };
}

function openStore(url: URL): Store {
  const { server, name } = locate(url);
  const database = nano(server.href).use<Post | Author>(name);
  async function get(id: string): Promise<Stored<Post> | null> {
    try {
      return await database.get(id) as Stored<Post>;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  }
  /** Each with its author: one request for all of them. */
  async function signed(posts: readonly Stored<Post>[]): Promise<SignedPost[]> {
    const keys = [...new Set(posts.map(({ author }) => author))];
    const { rows } = keys.length === 0 ? { rows: [] } : await database.fetch({ keys });
    const found = rows.flatMap((row) => "doc" in row && row.doc ? [row.doc as Stored<Author>] : []);
    const authors = new Map(found.map((author) => [author._id, author]));
    return posts.map((post) => ({ post, author: authors.get(post.author) }));
  }
  return {
    post: get,
    async signedPost(id) {
      const post = await get(id);
      return post === null ? null : (await signed([post]))[0]!;
    },
    async signedPosts(limit, from = "post-\ufff0") {
      const range = { startkey: from, endkey: "post-", descending: true, include_docs: true, limit };
      const { rows } = await database.list(range);
      return await signed(rows.flatMap((row) => row.doc === undefined ? [] : [row.doc as Stored<Post>]));
    },
    put: async (post) => (await database.insert(post)).rev,
    async delete(id, rev) {
      try {
        await database.destroy(id, rev);
      } catch (error) {
        // CouchDB answers a stale revision with 409, PouchDB one that it never had with 404.
        throw statusOf(error) === 404 ? Object.assign(error as Error, { statusCode: 409 }) : error;
      }
    },
  };
}

/** Splits `http://user:password@host/base/blog` into the server and the database's name, by default `blog`. */
export function locate(url: URL): { readonly server: URL; readonly name: string } {
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const name = decodeURIComponent(segments.pop() ?? "blog");
  const server = new URL(url);
  server.pathname = segments.join("/");
  return { server, name };
}

function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}
