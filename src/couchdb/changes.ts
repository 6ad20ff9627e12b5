/**
 * The `_changes` feed of a CouchDB database as an async iterable, on `fetch` and streams alone. It loses no change: it
 * pins where it starts, resumes after what was processed, and proves by probing that nothing is missing.
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
import type { ChangesFeed, CouchChange, Position } from "../change.ts";
import { BatchIterator } from "./batch_iterator.ts";
import { ChangeIterator } from "./change_iterator.ts";
import { Client } from "./client.ts";
import { parseDatabaseUrl } from "./database_url.ts";
import { type ChangesOptions, requireMaxLag, requireSince, type Settings, settle } from "./options.ts";
import { Reader } from "./reader.ts";

export type {
  Change,
  ChangeBatch,
  ChangesFeed,
  CouchChange,
  FeedState,
  Position,
  ResetReason,
  Since,
} from "../change.ts";
export { ChangesError, type ChangesErrorCode } from "../changes_error.ts";
export type { Instant } from "../clock.ts";
export { currentRevision, type CurrentRevisionOptions } from "./current_revision.ts";
export type { ChangesOptions, HeadersOption } from "./options.ts";
export type { Sleep } from "./timing.ts";

/**
 * A database's changes: one at a time by `for await`, or as they arrive by `batches()`.
 *
 * A second reader starts where the first left off, so that nothing between the two is lost.
 */
export interface CouchChangesFeed extends ChangesFeed<CouchChange> {
  /** Names the database, without credentials. */
  toString(): string;
}

/**
 * Follows a database: catches up in pages, then stays on a continuous feed, through every fault that passes.
 *
 * Each change is yielded at least once, in no order among documents, and only the latest of a document. The position
 * moves when the consumer asks for the next item, so an error or a `break` in the loop skips nothing. Nothing is read
 * ahead of the consumer.
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
 * @param options Where to start, and how; times are milliseconds.
 * @returns The feed. Nothing is requested before it is read.
 * @throws {TypeError | RangeError} At once, if the URL or an option is illegal.
 * @throws {ChangesError} While it is read, if the fault is final: the database does not exist or refuses the
 * credentials at the start (`not-found`, `unauthorized`, `forbidden`), a row that cannot be read (`bad-row`), a request
 * that the server does not understand or sends to another origin (`bad-request`), the signal (`aborted`).
 * @see CouchDB documentation, `GET /{db}/_changes`
 */
export function changes(url: string | URL, options: ChangesOptions = {}): CouchChangesFeed {
  const settings = settle(options);
  return new Feed(new Client(parseDatabaseUrl(url), settings), settings);
}

class Feed implements CouchChangesFeed {
  readonly #client: Client;
  readonly #settings: Settings;
  #reader: BatchIterator | ChangeIterator | undefined;
  #position: Position | undefined;

  constructor(client: Client, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
  }

  get position(): Position | undefined {
    return this.#reader?.position ?? this.#position;
  }

  batches(from?: Position, options: { readonly maxLag?: number } = {}): BatchIterator {
    const maxLag = Math.min(requireMaxLag(options.maxLag ?? Infinity), this.#settings.maxLag);
    const iterator = this.#open(from, { ...this.#settings, maxLag });
    this.#reader = iterator;
    return iterator;
  }

  [Symbol.asyncIterator](): ChangeIterator {
    const iterator = new ChangeIterator(this.#open(undefined, this.#settings));
    this.#reader = iterator;
    return iterator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.return();
  }

  toString(): string {
    return `changes of ${this.#client.href}`;
  }

  #open(from: Position | undefined, settings: Settings): BatchIterator {
    if (this.#reader !== undefined) {
      throw new TypeError(`The ${this} are being read already: one reader at a time`);
    }
    if (from !== undefined) requirePosition(from);
    const position = from ?? this.#position;
    return new BatchIterator({
      reader: new Reader(this.#client, settings, position),
      position,
      signal: settings.signal,
      onEnd: () => {
        this.#position = this.position;
        this.#reader = undefined;
      },
    });
  }
}

function requirePosition(from: Position): void {
  requireSince(from?.since);
  if (from.since === "now" || typeof from.source !== "string") {
    throw new TypeError(`Expected a position of this feed, not ${JSON.stringify(from)}`);
  }
}
