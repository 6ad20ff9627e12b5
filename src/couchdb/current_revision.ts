/**
 * The revision of one document, for judging a write before it runs.
 *
 * @module
 */
import { type FetchFunction, platformFetch } from "./connection/fetch.ts";
import { parseDatabaseUrl } from "./wire/database_url.ts";

/** How the database is asked. */
export interface CurrentRevisionOptions {
  /** Sent with the request; an `Authorization` here replaces the URL's credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the platform's. */
  readonly fetch?: FetchFunction;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/**
 * Asks CouchDB for a document's revision with one HEAD, whose ETag it is: an answer for `withEtag`'s `current`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { currentRevision } from "@stillfresh/etag/couchdb";
 *
 * // Stands in for a database with that document.
 * const fetch = () => Promise.resolve(new Response(null, { headers: { etag: '"2-abc"' } }));
 * const current = await currentRevision("http://localhost:5984/blog", "post-1", { fetch });
 * assert.deepEqual(current, { _id: "post-1", _rev: "2-abc" });
 * ```
 *
 * @param database The database; credentials in it are sent as `Authorization: Basic`.
 * @param id The document.
 * @param options Headers, `fetch`, a signal.
 * @returns The document at its revision; null if there is none; undefined if the database cannot tell now.
 * @throws {TypeError} If the URL is no database's.
 * @see CouchDB documentation, `HEAD /{db}/{docid}`
 */
export async function currentRevision(
  database: string | URL,
  id: string,
  options: CurrentRevisionOptions = {},
): Promise<{ readonly _id: string; readonly _rev: string } | null | undefined> {
  const { href, authorization } = parseDatabaseUrl(database);
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...options.headers };
  const { fetch = platformFetch, signal = null } = options;
  try {
    const url = `${href}/${encodeURIComponent(id)}`;
    const response = await fetch(url, {
      method: "HEAD",
      headers,
      signal,
      redirect: "error",
      cache: "no-store",
    });
    if (response.status === 404) return null;
    const rev = response.status === 200
      ? /^"([^"]+)"$/.exec(response.headers.get("etag") ?? "")?.[1]
      : undefined;
    return rev === undefined ? undefined : { _id: id, _rev: rev };
  } catch {
    return undefined;
  }
}
