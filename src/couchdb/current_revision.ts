/**
 * The current revision of one document, against which the preconditions of a write are evaluated.
 *
 * @module
 */
import { deadline, EXPIRED, systemSleep } from "../changes/timing.ts";
import { type FetchFunction, platformFetch, uncachedRequest } from "./connection/fetch.ts";
import { parseDatabaseUrl } from "./wire/database_url.ts";
import { uncached } from "./wire/query.ts";

/** Milliseconds in which the database has to answer. */
const LONGEST = 10_000;

/** Options of `currentRevision()`. */
export interface CurrentRevisionOptions {
  /** Sent with the request; an `Authorization` here replaces the URL's credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the platform's. */
  readonly fetch?: FetchFunction;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

/**
 * Asks CouchDB for a document's revision, which is the `ETag` of a HEAD: for `withEtag`'s option `current`.
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
 * @returns The document at its revision; null if it does not exist; undefined if the database did not answer that within
 * ten seconds.
 * @throws {TypeError} If this is no http(s) URL of a database, or no id of a document: nothing is asked then, because the
 * answer would tell of something else, such as the `ETag` of a view.
 * @see CouchDB documentation, `HEAD /{db}/{docid}`
 */
export async function currentRevision(
  database: string | URL,
  id: string,
  options: CurrentRevisionOptions = {},
): Promise<{ readonly _id: string; readonly _rev: string } | null | undefined> {
  const { href, authorization } = parseDatabaseUrl(database);
  requireDocumentId(id);
  const headers = { ...(authorization === undefined ? {} : { authorization }), ...options.headers };
  const { fetch = platformFetch, signal } = options;
  const request = new AbortController();
  const stop = () => request.abort(signal?.reason);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    const url = uncached(`${href}/${pathOf(id)}`);
    const asked = fetch(url, {
      method: "HEAD",
      headers,
      signal: request.signal,
      redirect: "error",
      ...uncachedRequest(),
    });
    const response = await deadline(Promise.resolve(asked), LONGEST, systemSleep, request.signal);
    if (response === EXPIRED) return undefined;
    if (response.status === 404) return null;
    const rev = response.status === 200
      ? /^"([^"]{1,1000})"$/.exec(response.headers.get("etag") ?? "")?.[1]
      : undefined;
    return rev === undefined ? undefined : { _id: id, _rev: rev };
  } catch {
    return undefined;
  } finally {
    signal?.removeEventListener("abort", stop);
    request.abort(EXPIRED);
  }
}

/** No dot segment, which a URL cannot carry, nothing that CouchDB reserves, and no half of a surrogate pair. */
const DOCUMENT_ID = /^(?!\.\.?$)(?!_(?!(?:design|local)\/.))\P{Cs}+$/su;

/** @throws {TypeError} If CouchDB can have no document of that id. */
function requireDocumentId(id: unknown): void {
  if (typeof id === "string" && DOCUMENT_ID.test(id)) return;
  throw new TypeError(
    "currentRevision() takes the id of a document: text, and with _ in front only _design/… or _local/…",
  );
}

/**
 * The path of a document. CouchDB redirects from `_design%2fx`, and knows no `_local%2fx`: the slash after these two
 * names stays as it is (CouchDB documentation, `/{db}/_design/{ddoc}` and `/{db}/_local/{docid}`).
 */
function pathOf(id: string): string {
  return encodeURIComponent(id).replace(/^(_design|_local)%2F/, "$1/");
}
