/** What each document has been, by the feeds' clock: which copies a registry may confirm. */

/** From a moment on, the states that are right, as a mask. */
interface Period {
  readonly from: number;
  readonly states: number;
}

const named = (mask: number): string =>
  [0, 1, 2, 3, 4].filter((state) => mask >> state & 1).map((state) => `${state}`).join(" or ");

export class History {
  readonly #periods: Period[][];
  /** The moment of the last write of this process that was answered. */
  readonly #ownWrites = new Map<number, number>();

  /** @param states What each document is at first. */
  constructor(states: readonly number[]) {
    this.#periods = states.map((state) => [{ from: 0, states: 1 << state }]);
  }

  /** From now on, these states of a document are right. */
  note(document: number, from: number, states: number): void {
    this.#periods[document]!.push({ from, states });
  }

  /** The response to a write was sent: who asks from now on has to see it. @param at When it was in the database. */
  noteOwnWrite(document: number, at: number): void {
    this.#ownWrites.set(document, at);
  }

  /**
   * Why a copy of a document must not be confirmed; undefined: it may.
   *
   * @param copies What all copies show that have the tag, as a mask.
   * @param contact When the feed was last complete.
   */
  problemOf(document: number, copies: number, contact: number): string | undefined {
    const right = this.since(document, contact);
    if ((copies & ~right) !== 0) {
      return `document ${document} was ${named(right)} since the contact, and a copy shows ${named(copies)}`;
    }
    const write = this.#ownWrites.get(document);
    if (write !== undefined && (copies & ~this.since(document, write)) !== 0) {
      return `document ${document}: a copy shows ${named(copies)}, from before the site's own write`;
    }
    return undefined;
  }

  /** What a document was from a moment on, as a mask. */
  since(document: number, moment: number): number {
    const periods = this.#periods[document]!;
    const first = periods.findLastIndex(({ from }) => from <= moment);
    return periods.slice(Math.max(0, first)).reduce((mask, { states }) => mask | states, 0);
  }
}
