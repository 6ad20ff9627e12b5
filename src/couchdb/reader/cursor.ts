/**
 * How far a reader is, and how much it knows.
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
import { type Anchor, beforeLast, emptyAnchor } from "./anchor.ts";
import type { FeedGap } from "./gap.ts";
import { type FeedScope, sourceOf } from "./position_source.ts";
import type { Selection } from "../wire/filter.ts";

/** What a reader of CouchDB's feed yields. */
export type CouchBatch = ChangeBatch<CouchChange>;

/** One reader's place in the feed. Everything up to `since` has been yielded. */
export class Cursor {
  /** Where the next connection may resume. */
  since: Since;
  /** Where the next probe starts: one row earlier. */
  anchor: Anchor;
  /** When the feed was last shown to be complete up to here. */
  contact: Instant | undefined;
  /** As of the last batch. */
  state: FeedState = "catching-up";
  /** How many changes have been yielded. */
  yielded = 0;
  readonly #scope: FeedScope;
  readonly #selection: Selection;
  #info: DatabaseInfo;
  #source: string;

  /**
   * @param scope What positions belong to.
   * @param selection What is asked for.
   * @param since The start; the reader knows none of the rows before.
   * @param info The database's life that `since` belongs to.
   */
  constructor(scope: FeedScope, selection: Selection, since: Since, info: DatabaseInfo) {
    this.#scope = scope;
    this.#selection = selection;
    this.since = since;
    this.anchor = emptyAnchor(since);
    this.#info = info;
    this.#source = sourceOf(this.#scope, info);
  }

  /** The database's life that all of this belongs to. */
  get info(): DatabaseInfo {
    return this.#info;
  }

  set info(info: DatabaseInfo) {
    this.#info = info;
    this.#source = sourceOf(this.#scope, info);
  }

  /** Notes rows that are about to be yielded, `before` being the position before the first of them. */
  advance(before: Since, changes: readonly CouchChange[], since: Since): void {
    // Under a filter, a document may never come again: its anchor is no row of the feed.
    if (changes.length > 0 && !this.#selection.filtered) this.anchor = beforeLast(before, changes);
    this.since = since;
  }

  /** A purge leaves the positions as they are; anything else may have reused them, so all comes again. */
  reset({ reason, info = this.info }: FeedGap): void {
    this.info = info;
    if (reason !== "purged") this.since = 0;
    this.anchor = emptyAnchor(this.since);
  }

  /** A batch that ends here. */
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

  /** Rows as batches of at most `size`, the last of which ends at `since`. */
  batches(rows: readonly CouchChange[], size: number, since: Since): CouchBatch[] {
    const changes = this.#selection.leaves ? rows.map(withLeaves) : rows;
    this.yielded += changes.length;
    if (changes.length > 0 && this.state === "lost") this.state = "catching-up";
    const batches: CouchBatch[] = [];
    for (let start = 0; start < changes.length; start += size) {
      const slice = changes.length > size ? changes.slice(start, start + size) : changes;
      const last = start + size >= changes.length;
      batches.push(this.batch(slice, last ? since : slice[size - 1]?.seq ?? since));
    }
    return batches;
  }
}

/** A document without conflicts has one leaf. */
export function withLeaves(change: CouchChange): CouchChange {
  return change.revs === undefined ? { ...change, revs: [change.rev] } : change;
}
