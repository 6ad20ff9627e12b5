/**
 * The `_changes` feed from a nano database handle: its URL, its headers, its cookies.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/nano";
 *
 * // As `nano("http://localhost:5984").use("blog")` gives it.
 * const blog = { config: { url: "http://localhost:5984", db: "blog" } };
 * assert.equal(String(changes(blog)), "changes of http://localhost:5984/blog");
 * ```
 *
 * @module
 */
import { changes as changesOf, type ChangesOptions, type CouchChangesFeed } from "./couchdb/changes.ts";
import { platformFetch } from "./couchdb/connection/fetch.ts";
import { parseDatabaseUrl } from "./couchdb/wire/database_url.ts";

export { ChangesError } from "./couchdb/changes.ts";

/** The part of a nano database handle (nano 11, `nano(url).use(name)`) that is read. */
export interface NanoDatabase {
  /** Where it is. */
  readonly config: {
    /** The server; may carry credentials. */
    readonly url: string;
    /** The database. */
    readonly db?: string;
  };
  /** The server handle that it was made from. */
  readonly server?: {
    /** What the server handle was made with: a {@linkcode NanoServerConfig}, which nano's own types do not declare. */
    readonly config?: object;
  };
}

/** The parts of a nano server handle's configuration that its requests are made from. */
export interface NanoServerConfig {
  /** Sent with every request. */
  readonly headers?: object;
  /** Sent as `Cookie`. */
  readonly cookie?: string;
  /** The cookies that the server has set. */
  readonly cookieJar?: { getCookieString(url: string): string };
  /** Given to `fetch` as `dispatcher`. */
  readonly agent?: unknown;
}

/**
 * Follows the database of a nano handle, as `changes()` of `./couchdb` follows a URL. nano itself makes none of the
 * requests; its headers and cookies are read for each of them, so that a renewed cookie is used.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/nano";
 *
 * const blog = { config: { url: "http://reader:secret@localhost:5984", db: "blog" } };
 * const feed = changes(blog, { since: 0 });
 * assert.equal(String(feed), "changes of http://localhost:5984/blog");
 * ```
 *
 * @param database A database handle of nano 11.
 * @param options As for a URL. `headers` are added to those of nano, and replace fields of the same name.
 * @returns The feed. Nothing is requested before it is read.
 * @throws {TypeError | RangeError} At once, if the handle names no database or an option is illegal.
 * @throws {ChangesError} While it is read, if the fault is final.
 * @see CouchDB documentation, `GET /{db}/_changes`
 */
export function changes(database: NanoDatabase, options: ChangesOptions = {}): CouchChangesFeed {
  const { url, db } = database.config;
  // A URL in the place of the name may hold a password, and is shown as part of the feed's.
  if (typeof url !== "string" || typeof db !== "string" || !/^[^@%:]+$/.test(db)) {
    throw new TypeError("Expected a nano database handle, as nano(url).use(name) gives it");
  }
  const server: NanoServerConfig = database.server?.config ?? {};
  const location = `${url.replace(/\/+$/, "")}/${encodeURIComponent(db)}`;
  const { href } = parseDatabaseUrl(location);
  const { fetch = platformFetch, headers = {} } = options;
  return changesOf(location, {
    ...options,
    headers: async () => ({
      ...nanoHeaders(server, href),
      ...(typeof headers === "function" ? await headers() : headers),
    }),
    fetch: server.agent === undefined
      ? fetch
      : (url, init) => fetch(url, { ...init, dispatcher: server.agent } as RequestInit),
  });
}

/** The fields that nano would send: its headers, overridden by a cookie of the jar, or else by its cookie. */
function nanoHeaders({ headers, cookie, cookieJar }: NanoServerConfig, href: string): Record<string, string> {
  const jar = cookieJar?.getCookieString(href);
  const sent = jar || cookie;
  return { ...headers as Record<string, string> | undefined, ...(sent ? { cookie: sent } : {}) };
}
