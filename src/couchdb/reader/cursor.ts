/**
 * How far a reader has come, and what it knows of the database there.
 *
 * @module
 */
import type {
  ChangeBatch,
  CouchChange,
  FeedState,
  Instant,
  ResetReason,
  Since,
} from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";
import type { Selection } from "../wire/filter.ts";
import { type Anchor, beforeLast, emptyAnchor } from "./anchor.ts";
import type { FeedGap } from "./gap.ts";
import { PurgeCounts } from "./purge_counts.ts";
import { type FeedScope, sourceOf } from "./position_source.ts";

/** A batch of CouchDB's feed. */
export type CouchBatch = ChangeBatch<CouchChange>;

/** A reader's place in the feed: everything up to `since` has been yielded. */
export class Cursor {
  /** Where the next connection resumes. */
  since: Since;
  /** Where the next probe starts: one row before `since`. */
  anchor: Anchor;
  /** When a probe last showed the feed to be complete; undefined before the first one. */
  contact: Instant | undefined;
  /** The state of the last batch that was yielded. */
  state: FeedState = "catching-up";
  /** The most rows of the next page: fewer after one that did not arrive in time. */
  pageSize: number;
  /** How many rows have been yielded, known ones that came again included. */
  yielded = 0;
  readonly #scope: FeedScope;
  readonly #selection: Selection;
  #info: DatabaseInfo;
  /** Those of the database's present life. */
  #purgeCounts = new PurgeCounts();
  #source: string;

  /**
   * @param scope What positions of this feed belong to.
   * @param selection Which changes are asked for.
   * @param since The start; no row before it is known.
   * @param info The database as it was when `since` was pinned or checked.
   * @param pageSize The most rows of a page.
   */
  constructor(
    scope: FeedScope,
    selection: Selection,
    since: Since,
    info: DatabaseInfo,
    pageSize: number = 1_000,
  ) {
    this.pageSize = pageSize;
    this.#scope = scope;
    this.#selection = selection;
    this.since = since;
    this.anchor = emptyAnchor(since);
    this.#info = info;
    this.#purgeCounts.note(info);
    this.#source = sourceOf(this.#scope, info);
  }

  /** The database as it was read last: the identity that `since` and `anchor` belong to. */
  get info(): DatabaseInfo {
    return this.#info;
  }

  set info(info: DatabaseInfo) {
    if (info.instanceStartTime !== this.#info.instanceStartTime) this.#purgeCounts = new PurgeCounts();
    this.#info = info;
    this.#purgeCounts.note(info);
    this.#source = sourceOf(this.#scope, info);
  }

  /** How the identity of the database has changed since it was read last; undefined if it has not. */
  identityChange(current: DatabaseInfo): ResetReason | undefined {
    if (this.#info.instanceStartTime !== current.instanceStartTime) return "recreated";
    return this.#purgeCounts.isPurge(this.#info, current) ? "purged" : undefined;
  }

  /**
   * Moves past rows that are about to be yielded.
   *
   * @param before The position before the first of them.
   * @param changes The rows.
   * @param since The position after the last of them.
   */
  advance(before: Since, changes: readonly CouchChange[], since: Since): void {
    // Under a filter, a known row may rightly not come again; the probe finds an anchor by other means.
    if (changes.length > 0 && !this.#selection.filtered) this.anchor = beforeLast(before, changes);
    this.since = since;
  }

  /**
   * Moves back to the start, because positions may have been used again. Only a purge leaves them as they are; but files may
   * have been rolled back as well, so the anchor has to come all the same.
   */
  reset({ reason, info = this.info }: FeedGap): void {
    this.info = info;
    if (reason !== "purged") this.since = 0;
    if (reason !== "purged" || this.since === 0) this.anchor = emptyAnchor(this.since);
  }

  /** A batch with the reader's state, whose position is `since`. */
  batch(changes: readonly CouchChange[], since: Since = this.since, reset?: ResetReason): CouchBatch {
    const { state, contact } = this;
    const { replicas } = this.#info;
    return {
      changes,
      position: { since, source: this.#source },
      state,
      contact,
      ...(reset === undefined ? {} : { reset }),
      ...(replicas === undefined ? {} : { replicas }),
    };
  }

  /**
   * Rows in batches of at most `size` changes, the last of which has the position `since`.
   *
   * @param repeated Known rows that came again. The first batch holds them; without other rows, it has no changes.
   */
  batches(
    rows: readonly CouchChange[],
    size: number,
    since: Since,
    repeated: readonly CouchChange[] = [],
  ): CouchBatch[] {
    const changes = this.#selection.leaves ? rows.map(withLeaves) : rows;
    this.yielded += changes.length + repeated.length;
    if (changes.length > 0 && this.state === "lost") this.state = "catching-up";
    const batches: CouchBatch[] = [];
    for (let start = 0; start < changes.length; start += size) {
      const slice = changes.length > size ? changes.slice(start, start + size) : changes;
      const last = start + size >= changes.length;
      batches.push(this.batch(slice, last ? since : slice[size - 1]?.seq ?? since));
    }
    if (repeated.length === 0) return batches;
    const [first = this.batch([], since), ...others] = batches;
    return [{ ...first, repeated: this.#selection.leaves ? repeated.map(withLeaves) : repeated }, ...others];
  }
}

/** A change with its leaf revisions: without conflicts, the server sends one. */
export function withLeaves(change: CouchChange): CouchChange {
  return change.revs === undefined ? { ...change, revs: [change.rev] } : change;
}
