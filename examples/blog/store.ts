/** The blog's database, through nano: what the handlers read and write. */
import nano from "nano";
import type { Author, Post, Stored } from "./documents.ts";

/** What the handlers need of the database. */
export interface Store {
  /** A post, or null where there is none. */
  post(id: string): Promise<Stored<Post> | null>;
  /** Posts, newest first, starting at this id if one is given. */
  posts(limit: number, from?: string): Promise<Stored<Post>[]>;
  /** The authors that exist, by id. */
  authors(ids: Iterable<string>): Promise<Map<string, Stored<Author>>>;
  /** Writes a post over its `_rev`, or a new one, and gives the new revision. Throws a 409 if it is not current. */
  put(post: Post): Promise<string>;
  /** Deletes a post at a revision. Throws a 409 if it is not current. */
  delete(id: string, rev: string): Promise<void>;
}

/** Opens the store; `url` names the database, and may hold credentials. */
export function openStore(url: URL): Store {
  const { server, name } = locate(url);
  const database = nano(server.href).use<Post | Author>(name);
  return {
    async post(id) {
      try {
        return await database.get(id) as Stored<Post>;
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    },
    async posts(limit, from = "post-\ufff0") {
      const range = { startkey: from, endkey: "post-", descending: true, include_docs: true, limit };
      const { rows } = await database.list(range);
      return rows.flatMap((row) => row.doc === undefined ? [] : [row.doc as Stored<Post>]);
    },
    async authors(ids) {
      const keys = [...new Set(ids)];
      const { rows } = keys.length === 0 ? { rows: [] } : await database.fetch({ keys });
      const found = rows.flatMap((row) => "doc" in row && row.doc ? [row.doc as Stored<Author>] : []);
      return new Map(found.map((author) => [author._id, author]));
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
