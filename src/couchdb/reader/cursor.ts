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
import { type Information, sourceOf, type Subject } from "../wire/database_info.ts";
import { beforeLast, type Landmark, unmarked } from "./anchor.ts";
import type { Reset } from "./gap.ts";
import type { Selection } from "../wire/filter.ts";

/** What a reader of CouchDB's feed yields. */
export type Batch = ChangeBatch<CouchChange>;

/** One reader's place in the feed. Everything up to `since` has been yielded. */
export class Cursor {
  /** Where the next connection may resume. */
  since: Since;
  /** Where the next probe starts: one row earlier. */
  landmark: Landmark;
  /** When the feed was last shown to be complete up to here. */
  contact: Instant | undefined;
  /** As of the last batch. */
  state: FeedState = "catching-up";
  /** How many changes have been yielded. */
  yielded = 0;
  readonly #subject: Subject;
  readonly #selection: Selection;
  #information: Information;
  #source: string;

  /**
   * @param name The database, without credentials.
   * @param selection What is asked for.
   * @param since The start; the reader knows none of the rows before.
   * @param information The database's life that `since` belongs to.
   */
  constructor(name: string, selection: Selection, since: Since, information: Information) {
    this.#subject = { name, identity: selection.identity };
    this.#selection = selection;
    this.since = since;
    this.landmark = unmarked(since);
    this.#information = information;
    this.#source = sourceOf(this.#subject, information);
  }

  /** The database's life that all of this belongs to. */
  get information(): Information {
    return this.#information;
  }

  set information(information: Information) {
    this.#information = information;
    this.#source = sourceOf(this.#subject, information);
  }

  /** Notes rows that are about to be yielded, `before` being the position before the first of them. */
  advance(before: Since, changes: readonly CouchChange[], since: Since): void {
    // Under a filter, a document may never come again: its landmark is no row of the feed.
    if (changes.length > 0 && !this.#selection.filtered) this.landmark = beforeLast(before, changes);
    this.since = since;
  }

  /** A purge leaves the positions as they are; anything else may have reused them, so all comes again. */
  reset({ reason, information = this.information }: Reset): void {
    this.information = information;
    if (reason !== "purged") this.since = 0;
    this.landmark = unmarked(this.since);
  }

  /** A batch that ends here. */
  batch(changes: readonly CouchChange[], since: Since = this.since, reset?: ResetReason): Batch {
    const { state, contact } = this;
    const { replicas } = this.#information;
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
  *batches(rows: readonly CouchChange[], size: number, since: Since): Generator<Batch, void, undefined> {
    const changes = this.#selection.leaves ? rows.map(withLeaves) : rows;
    this.yielded += changes.length;
    if (changes.length > 0 && this.state === "lost") this.state = "catching-up";
    for (let start = 0; start < changes.length; start += size) {
      const slice = changes.length > size ? changes.slice(start, start + size) : changes;
      const last = start + size >= changes.length;
      yield this.batch(slice, last ? since : slice[size - 1]?.seq ?? since);
    }
  }
}

/** A document without conflicts has one leaf. */
export function withLeaves(change: CouchChange): CouchChange {
  return change.revs === undefined ? { ...change, revs: [change.rev] } : change;
}
