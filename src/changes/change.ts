/**
 * What a feed of changes and the registry agree upon: one change, a batch of them, a feed. Types only.
 *
 * @module
 */
import type { Instant } from "./clock.ts";

export type { Instant } from "./clock.ts";

/**
 * A position in a feed: opaque JSON, which is sent back as it came, and never compared, sorted or parsed.
 *
 * Strings since CouchDB 2, numbers in CouchDB 1 and PouchDB, arrays in BigCouch.
 */
export type Since = string | number | readonly unknown[];

/**
 * One change, from any feed.
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
  /** Winning revision, unquoted; absent where the feed has none. */
  readonly rev?: string;
  /** True if the document was deleted. */
  readonly deleted?: boolean;
}

/** A change from CouchDB or PouchDB (CouchDB documentation, `GET /{db}/_changes`). */
export interface CouchChange<Doc = unknown> extends Change {
  /** The position of the change. Rows may share one, where the server sends null in its place. */
  readonly seq: Since;
  /** Winning revision: the `ETag` of a GET of the document, without the quotes. */
  readonly rev: string;
  /** Whether the winning revision is a deletion. */
  readonly deleted: boolean;
  /** The body of the winning revision, with `includeDocs` and where the server sends it. */
  readonly doc?: Doc;
  /** All leaf revisions, the winning one first; only with `style: "all_docs"`. */
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

/** Where a reader is in a feed, and what this position belongs to. */
export interface Position {
  /** Resume after this. */
  readonly since: Since;
  /** The database with its identity, and the selection, that `since` belongs to: opaque, compared as a whole. */
  readonly source: string;
}

/**
 * Why everything known before is void.
 *
 * - `deleted`: the database does not exist any more.
 * - `recreated`: it was deleted and created again.
 * - `purged`: documents were purged, which the feed does not report.
 * - `rolled-back`: a change that was known is missing, as after restoring older files.
 * - `rewound`: the position is beyond the newest change; only where positions are numbers.
 * - `since-refused`: the position was refused, or belongs to another database or selection.
 * - `restarted`: the server was started again, restored or replaced, so that commits may be undone.
 * - `schema`: a table that is followed was altered, or what watches it.
 * - `connected`: a source of one's own was connected, and cannot resume.
 * - `overflow`: more changes were waiting to be read than may.
 * - `map-threw`: the function given to `map` threw, so that it is not known what changed.
 */
export type ResetReason =
  | "deleted"
  | "recreated"
  | "rolled-back"
  | "since-refused"
  | "rewound"
  | "purged"
  | "restarted"
  | "schema"
  | "connected"
  | "overflow"
  | "map-threw";

/**
 * Which fault. A transient one is reported by events, and the feed tries again after a while; a final one is thrown.
 */
export type ChangesErrorCode =
  | "network"
  | "timeout"
  | "truncated"
  | "server-error"
  | "not-json"
  | "too-many-requests"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "bad-request"
  | "since-refused"
  | "bad-row"
  | "too-large"
  | "aborted";

/**
 * Whether a reader has yielded all changes. Only while it is `"live"` may anything be answered.
 *
 * - `catching-up`: changes arrive, and more may be pending: before the first contact, and after a loss.
 * - `live`: nothing was pending at the last contact.
 * - `lost`: the contact is lost, and changes may be missing.
 */
export type FeedState = "catching-up" | "live" | "lost";

/**
 * At most 1,000 changes that arrived together. A batch may be empty: it then reports a contact, a loss, or rows that
 * came again.
 */
export interface ChangeBatch<C extends Change = Change> {
  /** In the order of arrival. */
  readonly changes: readonly C[];
  /**
   * Changes that had been yielded before and came again with the same revision: the document is at this revision still,
   * or at this revision again, after others that were never reported. What was built from it at another revision is
   * void. Applies before `changes`.
   *
   * They are no part of `changes`, so that a program that handles one change after the other sees each of them once.
   */
  readonly repeated?: readonly C[];
  /** Where to resume once all of `changes` have been processed; undefined where the feed cannot resume. */
  readonly position: Position | undefined;
  /** The reader's state after `changes`. */
  readonly state: FeedState;
  /**
   * When a probe, or a token of one's own feed, that showed the feed to be complete up to here was sent; undefined
   * before the first time. Bytes are no contact.
   */
  readonly contact: Instant | undefined;
  /** On the first batch after a gap: everything known before is void. Applies before `changes`. */
  readonly reset?: ResetReason;
  /**
   * With the state `"lost"`: what was met, as it was thrown, so that its message may hold a secret. Each attempt that
   * fails gives a batch of its own. Absent where no fault was the cause, and where the feed does not tell.
   */
  readonly fault?: unknown;
  /** Copies that the database keeps of each document (CouchDB, `cluster.n`): above 1, reads may lag behind the feed. */
  readonly replicas?: number;
}

/** What a feed finds when the registry asks it, before it answers. */
export interface FeedLook<C extends Change = Change> {
  /** What was committed after the position that was asked for. */
  readonly changes: readonly C[];
  /** Where the next look begins. */
  readonly position: Position;
  /** Everything known before is void. */
  readonly reset?: ResetReason | undefined;
}

/** How the batches of a feed are read. */
export interface BatchOptions {
  /** ms: how old the contact may become; the feed renews it at least twice in that time. */
  readonly maxLag?: number;
  /**
   * Whether the feed begins now, whatever it was made with and wherever an earlier reader left off: the position of that
   * reader may be beyond files that have been restored. Default false.
   */
  readonly anew?: boolean;
}

/**
 * A feed whose batches report its state. One reader at a time: a second throws `TypeError`. `break` closes the socket.
 */
export interface ChangesFeed<C extends Change = Change> extends AsyncIterable<C>, AsyncDisposable {
  /**
   * The batches from a position on.
   *
   * @param from The position; default: the feed's own start. One that belongs to another feed yields a reset.
   * @param options How they are read.
   */
  batches(from?: Position, options?: BatchOptions): AsyncIterableIterator<ChangeBatch<C>>;
  /** The position after the last change that the consumer has processed: after which it has asked for another. */
  readonly position: Position | undefined;
  /**
   * Whose changes are reported. Absent: those of all documents. A list: those of the documents with these ids.
   * `"filtered"`: those that a filter accepts, so that a document which no longer matches vanishes without a change.
   */
  readonly documents?: readonly string[] | "filtered" | undefined;
  /**
   * Names of the tables whose rows are reported, and of their columns by which lists are told apart (`"posts"`,
   * `"posts?author"`): what `row()` and `rows()` name has to be among them. It may grow while the feed is read. Absent:
   * no table is reported.
   */
  readonly sources?: ReadonlySet<string> | undefined;
  /**
   * Looks at once, for a source in reach of the process: the registry asks before each answer, so that it is true as of
   * its own request, and not only as of the last batch. If it throws, that request is not answered from the registry.
   *
   * @param from The position after the last batch or look that was applied.
   * @returns What was committed since; undefined: nothing.
   */
  look?(from: Position | undefined): FeedLook<C> | undefined;
}

/** A feed whose changes can be replaced: any that this package makes. */
export interface MappableFeed<C extends Change = Change> extends ChangesFeed<C> {
  /**
   * The feed with each change replaced; for instance, with ids prefixed, so that two databases can share a registry. It
   * is read in place of this one. If `transform` throws, everything known before is void.
   */
  map<D extends Change>(transform: (change: C) => D): MappableFeed<D>;
}
