/**
 * The `_changes` feed of a CouchDB database as an async iterable, with nothing but `fetch` and web streams. It loses no
 * change: it pins where it starts, resumes after what was processed, and probes whether anything is missing.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/couchdb";
 *
 * // Stands in for a database with one document.
 * const fetch = (url: string) =>
 *   Promise.resolve(Response.json(
 *     url.includes("_changes")
 *       ? { results: [{ seq: "1-x", id: "post-1", changes: [{ rev: "1-a" }] }], last_seq: "1-x", pending: 0 }
 *       : { db_name: "blog", update_seq: "1-x", purge_seq: "0-x", instance_start_time: "1795354892" },
 *   ));
 *
 * for await (const change of changes("http://localhost:5984/blog", { since: 0, fetch })) {
 *   assert.equal(change.id, "post-1");
 *   break; // closes the connection
 * }
 * ```
 *
 * @module
 */
import { Client } from "./connection/client.ts";
import { type ChangesOptions, resolveOptions } from "./connection/options.ts";
import { type CouchChangesFeed, openFeed } from "./reader/feed.ts";
import { parseDatabaseUrl } from "./wire/database_url.ts";

export { ChangesError } from "../changes/changes_error.ts";
export { currentRevision, type CurrentRevisionOptions } from "./current_revision.ts";
export {
  type DatabaseUpdate,
  type DatabaseUpdates,
  databaseUpdates,
  type DatabaseUpdatesOptions,
} from "./database_updates.ts";
export type { CouchChangesFeed } from "./reader/feed.ts";
export type { FetchFunction } from "./connection/fetch.ts";
export type { ChangesOptions, FeedOptions, HeadersOption } from "./connection/options.ts";
export type { SelectionOptions } from "./wire/filter.ts";
export { cookieSession, type CookieSessionOptions } from "./cookie_session.ts";
export type { FeedCounters, FeedEvent } from "./connection/monitor.ts";
export type { Sleep } from "../changes/timing.ts";

/**
 * Follows a database: catches up in pages, then stays on a continuous feed, through every transient fault.
 *
 * Each change is yielded at least once, in no order among documents, and only the latest of a document. The position
 * moves when the consumer asks for the next item, so an error or a `break` in the loop skips nothing. A slow consumer
 * is waited for: rows do not pile up in memory.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/couchdb";
 *
 * const feed = changes("http://reader:secret@localhost:5984/blog", { since: 0, heartbeat: 5_000 });
 * assert.equal(String(feed), "changes of http://localhost:5984/blog");
 * assert.equal(feed.position, undefined); // nothing has been asked for
 * ```
 *
 * @param url The database; credentials in it are sent as `Authorization: Basic` (RFC 7617) and never shown.
 * @param options Where to start (default `"now"`), and how; times are milliseconds.
 * @returns The feed. Nothing is requested before it is read.
 * @throws {TypeError | RangeError} At once, if the URL or an option is illegal.
 * @throws {ChangesError} While it is read, if the fault is final. Before the feed is live: the database does not exist
 * or refuses the credentials (`not-found`, `unauthorized`, `forbidden`), another server answers (`not-json`), the
 * request is not understood or sent to another origin, the URL is no database's, the filter is missing (`bad-request`).
 * At any time: a row that cannot be read (`bad-row`), the signal (`aborted`).
 * @see CouchDB documentation, `GET /{db}/_changes`
 */
export function changes(url: string | URL, options: ChangesOptions = {}): CouchChangesFeed {
  const settings = resolveOptions(options);
  return openFeed(new Client(parseDatabaseUrl(url), settings), settings);
}
