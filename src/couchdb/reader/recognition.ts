/**
 * The rows that follow an anchor, compared with those that are known.
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";
import { type Anchor, isSamePosition, type KnownRow, ownPosition } from "./anchor.ts";

/** Rows of one response, each in one of three lists, in the order of arrival. */
export interface SortedRows {
  /** Rows that are not known. */
  readonly news: readonly CouchChange[];
  /** Known rows that came again with the known revision: the document is at it still, or again. */
  readonly repeated: readonly CouchChange[];
  /** Those that came at their known position as well, so that nothing was written to the document in between. */
  readonly unmoved: readonly CouchChange[];
}

const NONE: readonly CouchChange[] = [];

/** Looks for the known rows of one anchor, response after response. */
export class Recognition {
  readonly #known: Map<string, KnownRow>;
  readonly #last: string | undefined;
  #came: boolean;
  #isExact: boolean;

  constructor({ rows, last }: Anchor) {
    this.#known = new Map(rows);
    this.#last = last;
    this.#came = this.#isExact = rows.size === 0;
  }

  /** Whether the row that must come has come, in whatever revision; or none is known. */
  get came(): boolean {
    return this.#came;
  }

  /** Whether it has come with the known revision. */
  get isExact(): boolean {
    return this.#isExact;
  }

  /**
   * Sorts the rows of a response.
   *
   * @param before The position before the first of them.
   */
  sort(before: Since, changes: readonly CouchChange[]): SortedRows {
    if (this.#known.size === 0) return { news: changes, repeated: NONE, unmoved: NONE };
    const [news, repeated, unmoved]: [CouchChange[], CouchChange[], CouchChange[]] = [[], [], []];
    let previous = before;
    for (const change of changes) {
      const known = this.#known.get(change.id);
      const isKnown = this.#note(change, known);
      if (!isKnown) news.push(change);
      else if (isUnmoved(known?.seq, ownPosition(change.seq, previous))) unmoved.push(change);
      else repeated.push(change);
      previous = change.seq;
    }
    return { news, repeated, unmoved };
  }

  /** Notes a row that came; true if it has the known revision. A second row of its document is none that is known. */
  #note({ id, rev }: CouchChange, known: KnownRow | undefined): boolean {
    if (known === undefined) return false;
    this.#known.delete(id);
    const isExact = known.rev === rev;
    if (this.#last === undefined || this.#last === id) {
      this.#came = true;
      this.#isExact ||= isExact;
    }
    return isExact;
  }
}

function isUnmoved(known: Since | undefined, again: Since | undefined): boolean {
  return known !== undefined && again !== undefined && isSamePosition(known, again);
}
