/**
 * Whether page after page leads on: a cache that ignores the query, or a broken server, may send the same ones for
 * ever.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { LEAST_WAIT } from "../../changes/back_off.ts";
import type { Rows } from "../wire/rows.ts";
import { isSamePosition } from "./anchor.ts";

/** The longest wait between two pages, in milliseconds. */
const LONGEST_WAIT = 1_000;

/** Pages in a row that may be short of rows, as on a busy database, before the next is waited for. */
const MOST_SHORT = 10;

/** Watches the pages of one pass, from an anchor until nothing is pending. */
export class Progress {
  /** A position that was passed. It is replaced after 1, 2, 4, 8 … pages, so that a circle of any length meets it. */
  #mark: Since;
  #pages = 0;
  #nextMark = 1;
  /** How many pages in a row were not full, although more were said to be pending. */
  #short = 0;

  /** @param since Where the pass starts. */
  constructor(since: Since) {
    this.#mark = since;
  }

  /**
   * Notes the rows of a page after which more are pending.
   *
   * @param limit The number of rows that was asked for.
   * @returns Milliseconds to wait before the next is asked for. A server that has more rows sends as many as were asked
   * for, and is not waited for; one that says so and does not is asked once a second in the end.
   * @throws {ChangesError} `server-error` if it leads to where an earlier one led.
   */
  note({ changes, since }: Rows, limit: number): number {
    if (isSamePosition(since, this.#mark)) {
      throw new ChangesError("server-error", "The database sends the same page of changes again and again");
    }
    if (++this.#pages === this.#nextMark) {
      this.#mark = since;
      this.#nextMark *= 2;
    }
    this.#short = changes.length < limit ? this.#short + 1 : 0;
    const waits = this.#short - MOST_SHORT;
    return waits <= 0 ? 0 : Math.min(LONGEST_WAIT, LEAST_WAIT * 2 ** (waits - 1));
  }
}
