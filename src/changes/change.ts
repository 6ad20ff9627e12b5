/**
 * The seam between any source of changes and the registry: one change, a batch of them, a feed. Types only.
 *
 * @module
 */
import type { Instant } from "./clock.ts";

export type { Instant } from "./clock.ts";

/**
 * A position in a feed: opaque JSON, never compared, sorted or parsed; sent back as it came.
 *
 * Strings since CouchDB 2, numbers in CouchDB 1 and PouchDB, arrays in BigCouch.
 */
export type Since = string | number | readonly unknown[];

/**
 * One change, from any source.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Change } from "@stillfresh/etag/change";
 *
 * const change: Change = { id: "post-1", rev: "2-abc" };
 * assert.equal(change.deleted ?? false, false);
 * ```
 */
export interface Change {
  /** Document id: the group that changed. */
  readonly id: string;
  /** Winning revision, unquoted; absent where the source has none. */
  readonly rev?: string;
  /** True only for a tombstone. */
  readonly deleted?: boolean;
}

/** A row of a CouchDB-like feed (CouchDB documentation, `GET /{db}/_changes`). */
export interface CouchChange<Doc = unknown> extends Change {
  /** Never null: a null on the wire repeats the last one. */
  readonly seq: Since;
  /** Winning revision: for a plain GET, the document's ETag without the quotes. */
  readonly rev: string;
  /** Whether the winner is a tombstone. */
  readonly deleted: boolean;
  /** The winning revision's body, where asked for and sent. */
  readonly doc?: Doc;
  /** All leaves, winner first; only where `style: "all_docs"` was asked for. */
  readonly revs?: readonly string[];
}

/**
 * A change from a source that also sends the document, and what it replaced.
 *
 * A source may send `before` only if it reports each change of a document by itself. Between `before` and `doc` there
 * must have been no other state that a handler can have read: a page built from such a state would not be found.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { DocumentChange } from "@stillfresh/etag/change";
 *
 * const moved: DocumentChange<{ owner: string }> = { id: "note-1", before: { owner: "ada" }, doc: { owner: "bob" } };
 * assert.equal(moved.before?.owner, "ada");
 * ```
 */
export interface DocumentChange<Doc = unknown> extends Change {
  /** The document as it is now; absent on a tombstone. */
  readonly doc?: Doc;
  /** The document that this change replaced or deleted; null where there was none, absent where the source cannot say. */
  readonly before?: Doc | null;
}

/** Where a reader is, and in which life of which database under which filter. */
export interface Position {
  /** Resume after this. */
  readonly since: Since;
  /** Which database, life and filter `since` belongs to: opaque, compared whole. */
  readonly source: string;
}

/** Why everything known before is void. */
export type ResetReason = "deleted" | "recreated" | "rolled-back" | "since-refused" | "rewound" | "purged";

/**
 * Whether a reader may be trusted to be complete: `"live"`: nothing was pending at the last contact; `"lost"`:
 * nothing may be answered until the next `"live"`.
 */
export type FeedState = "catching-up" | "live" | "lost";

/** At most 1,000 changes that arrived together. A completed probe may be an empty batch; so is a loss, yielded at once. */
export interface ChangeBatch<C extends Change = Change> {
  /** In the order of arrival. */
  readonly changes: readonly C[];
  /** Resume here once all of `changes` are processed; undefined where the source cannot. */
  readonly position: Position | undefined;
  /** The reader's state after `changes`. */
  readonly state: FeedState;
  /** When the source was last shown to be complete up to here; undefined before the first time. Bytes are no contact. */
  readonly contact: Instant | undefined;
  /** On the first batch after a gap; applies before its `changes`. */
  readonly reset?: ResetReason;
  /** Copies of each document the database keeps (CouchDB's `cluster.n`): above 1, reads may lag behind the feed. */
  readonly replicas?: number;
}

/** A feed that reports its state in band. One reader at a time (a second throws TypeError); `break` closes the socket. */
export interface ChangesFeed<C extends Change = Change> extends AsyncIterable<C>, AsyncDisposable {
  /**
   * From `from` (a foreign `source` yields a reset), else from the feed's own start.
   *
   * @param options `maxLag`, in ms: how old its contact may become; it is renewed at least twice as often.
   */
  batches(from?: Position, options?: { readonly maxLag?: number }): AsyncIterableIterator<ChangeBatch<C>>;
  /** After the last change the consumer has finished with, i.e. asked for the next. */
  readonly position: Position | undefined;
}
