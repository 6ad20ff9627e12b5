/**
 * The changes of a PouchDB in this process, without HTTP.
 *
 * @module
 */
import type { Since } from "./changes/change.ts";
import { ChangesError } from "./changes/changes_error.ts";
import type { CouchChangesFeed, FeedOptions } from "./couchdb/changes.ts";
import type { Database } from "./couchdb/connection/database.ts";
import { LongpollStream } from "./couchdb/connection/longpoll.ts";
import { resolveOptions, type Settings } from "./couchdb/connection/options.ts";
import type { Stream } from "./couchdb/connection/stream.ts";
import { openFeed } from "./couchdb/reader/feed.ts";
import { type DatabaseInfo, parseDatabaseInfo } from "./couchdb/wire/database_info.ts";
import { type Page, toPage } from "./couchdb/wire/page.ts";
import { holdsAll, revisionQuery } from "./couchdb/wire/revs_diff.ts";

export { ChangesError } from "./couchdb/changes.ts";

/** The part of a PouchDB that is used. */
export interface PouchDatabase {
  /** Its name. */
  readonly name: string;
  /** A random name, new for each database. Optional, because `@types/pouchdb-core` does not declare it. */
  id?(): Promise<string>;
  /** An object with its position, `update_seq`. */
  info(): Promise<object>;
  /** Which of these revisions it does not have. Without it, a feed that may have been rolled back counts as such. */
  revsDiff?(revisions: object): Promise<object>;
  /** Its feed. */
  changes(options: object): PouchChanges;
}

/** The feed that `changes()` of a PouchDB returns: an emitter of changes, and a promise of them all. */
export interface PouchChanges extends PromiseLike<object> {
  /** Ends it. */
  cancel(): void;
  /** Adds a listener. */
  on(event: "change", listener: () => void): unknown;
}

/** Options of a PouchDB's feed; names are CouchDB's, times are milliseconds. */
export interface PouchChangesOptions extends FeedOptions {
  /** `"continuous"` (the default); `"normal"`: everything up to now, and the end. */
  readonly feed?: "continuous" | "normal";
  /** Newest first: with `feed: "normal"` only. */
  readonly descending?: boolean;
}

/**
 * Follows a PouchDB in this process, without HTTP, with the same batches, states and positions as `changes()` of
 * `./couchdb`. Its rows are read in pages, and a slow consumer is waited for.
 *
 * When the database is destroyed, the feed yields the reset `"deleted"`. The handle is of no use afterwards: close the
 * feed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/pouchdb";
 *
 * // Stands in for `new PouchDB("blog")` with one document.
 * const page = { results: [{ seq: 1, id: "post-1", changes: [{ rev: "1-a" }] }], last_seq: 1 };
 * const blog = {
 *   name: "blog",
 *   id: () => Promise.resolve("random"),
 *   info: () => Promise.resolve({ db_name: "blog", update_seq: 1 }),
 *   changes: () => Object.assign(Promise.resolve(page), { cancel: () => {}, on: () => {} }),
 * };
 *
 * for await (const change of changes(blog, { since: 0 })) {
 *   assert.deepEqual(change, { seq: 1, id: "post-1", rev: "1-a", deleted: false });
 *   break;
 * }
 * ```
 *
 * @param database A PouchDB.
 * @param options Where to start (default `"now"`), and how.
 * @returns The feed. Nothing is read from the database before it is iterated over.
 * @throws {TypeError | RangeError} At once, if this is no PouchDB or an option is illegal.
 * @throws {ChangesError} While it is read, if the fault is final.
 * @see PouchDB documentation, `db.changes()`
 */
export function changes(database: PouchDatabase, options: PouchChangesOptions = {}): CouchChangesFeed {
  requirePouch(database);
  const settings = resolveOptions(options);
  return openFeed(new PouchClient(database, settings), settings);
}

/** PouchDB's options of a feed that ends. */
type PageOptions = Readonly<Record<string, unknown>> & { readonly since?: Since; readonly limit?: number };

/** A PouchDB with all the methods that are called. */
type Pouch = PouchDatabase & Required<Pick<PouchDatabase, "id">>;

/** @throws {TypeError} If a method that the feed calls is missing. */
function requirePouch(database: PouchDatabase): asserts database is Pouch {
  for (const method of ["id", "info", "changes"] as const) {
    if (typeof database?.[method] !== "function") {
      throw new TypeError(`Expected a PouchDB: it has no ${method}()`);
    }
  }
}

class PouchClient implements Database {
  readonly name: string;
  readonly #database: Pouch;
  readonly #settings: Settings;
  readonly #parameters: Readonly<Record<string, unknown>>;

  constructor(database: Pouch, settings: Settings) {
    this.#parameters = parametersOf(settings);
    // The name of a remote one is its URL, which may hold credentials.
    this.name = `pouchdb:${database.name.replace(/^\s*(https?):.*@/is, "$1://")}`;
    this.#database = database;
    this.#settings = settings;
  }

  async readInfo(): Promise<DatabaseInfo> {
    const [id, info] = await answerOf(Promise.all([this.#database.id(), this.#database.info()]));
    return parseDatabaseInfo({ ...info, instance_start_time: id });
  }

  readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page({ ...this.#parameters, since, limit }, signal);
  }

  readDescending(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page(
      { ...this.#parameters, descending: true, ...(limit < Infinity ? { limit } : {}) },
      signal,
    );
  }

  readNewest(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page({ descending: true, limit }, signal);
  }

  readDocuments(ids: readonly string[], since: Since, signal: AbortSignal): Promise<Page> {
    return this.#page({ doc_ids: ids, since }, signal);
  }

  async hasRevisions(revisions: ReadonlyMap<string, string>): Promise<boolean> {
    const answer = this.#database.revsDiff?.(revisionQuery(revisions));
    return answer !== undefined && holdsAll(await answerOf(answer));
  }

  openStream(since: Since, session: AbortController): Stream {
    return new LongpollStream((since, signal) => this.#next(since, signal), this.#settings, since, session);
  }

  /** The first page after a position, as soon as it has rows. */
  async #next(since: Since, signal: AbortSignal): Promise<Page> {
    for (;;) {
      // Listens before the page is read: a change between the two would be missed.
      const { heard, cancel } = this.#listen(since, signal);
      try {
        const page = await this.readPage(since, this.#settings.batchSize, signal);
        if (page.rows.changes.length > 0 || page.rows.fault !== undefined) return page;
        await heard;
      } finally {
        cancel();
      }
    }
  }

  /** Waits for the first change after a position, or the end of the database. */
  #listen(since: Since, signal: AbortSignal): { readonly heard: Promise<void>; cancel(): void } {
    const feed = this.#database.changes({ ...this.#parameters, live: true, since, return_docs: false });
    let interrupt = (): void => {};
    const heard = new Promise<void>((resolve, reject) => {
      interrupt = () => reject(signal.reason);
      feed.on("change", () => resolve());
      answerOf(feed).then(() => reject(goneError()), reject);
    });
    heard.catch(() => {});
    signal.addEventListener("abort", interrupt);
    return {
      heard,
      cancel: () => {
        signal.removeEventListener("abort", interrupt);
        feed.cancel();
      },
    };
  }

  async #page(options: PageOptions, signal: AbortSignal): Promise<Page> {
    const feed = this.#database.changes(options);
    const cancel = () => feed.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const body = await answerOf(feed) as Readonly<Record<string, unknown>>;
      if (body["results"] === undefined || body["last_seq"] === undefined) throw goneError();
      return toPage(body, options.since ?? 0, options.limit ?? Infinity);
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }
}

function goneError(): ChangesError {
  return new ChangesError("not-found", "The database is closed or destroyed", { status: 404 });
}

/** A selection in PouchDB's terms: `doc_ids` and `selector` imply their filter, which has no name there. */
function parametersOf({ selection }: Settings): Readonly<Record<string, unknown>> {
  const { filter, ...rest } = selection.parameters;
  if (filter === "_design" || rest["fields"] !== undefined) {
    throw new TypeError(`PouchDB has no ${filter === "_design" ? 'filter: "_design"' : "fields"}`);
  }
  return filter === undefined || filter === "_doc_ids" || filter === "_selector" ? rest : { filter, ...rest };
}

/** What PouchDB answers. @throws {ChangesError} In place of its own errors. */
async function answerOf<T>(answer: PromiseLike<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof ChangesError) throw cause;
    const { status, message = String(cause), reason } = cause as {
      readonly status?: number;
      readonly message?: string;
      readonly reason?: string;
    };
    if (/destroyed|closed/.test(message)) throw goneError();
    if (status === 400 || status === 404) {
      throw new ChangesError("bad-request", `PouchDB refuses: ${reason ?? message}`, { status, cause });
    }
    throw new ChangesError("server-error", `PouchDB failed: ${message}`, { cause });
  }
}
