/**
 * Which numbers of changes have been seen. A transaction takes numbers while it runs, and others may commit before it: a
 * number below the highest one that was seen may still appear, unless it was rolled back.
 *
 * @module
 */

/** Numbers from one to another, both included. */
export type Range = readonly [from: number, to: number];

/** A transaction that runs, as `information_schema.innodb_trx` lists it. */
export interface Transaction {
  /** 0 until it has written. */
  readonly id: string;
  /** 0 for one that is prepared, and whose connection is gone. */
  readonly thread: string;
  /** Seconds are all that the server says. */
  readonly started: string;
}

/** Which transactions have to end before the gaps below `top` are void. */
interface Waiting {
  readonly top: number;
  readonly running: readonly Transaction[];
}

const POSITION = /^\d{1,15}(?::\d{1,15}-\d{1,15}(?:,\d{1,15}-\d{1,15})*)?$/;

/** What listings have told of the gaps. */
interface Listings {
  readonly waiting: Waiting | undefined;
  /** Up to which the gaps are void once the next look has been made. */
  readonly ended: number;
  /** Ids of the listing before, of transactions that were prepared then. */
  readonly prepared: ReadonlySet<string>;
}

const UNLISTED: Listings = { waiting: undefined, ended: 0, prepared: new Set() };

/** The numbers that were seen: all up to `top`, apart from the gaps. It does not change: a look that comes too late is void. */
export class Undecided {
  readonly top: number;
  readonly gaps: readonly Range[];
  readonly #listings: Listings;

  /**
   * @param top The highest number that was seen.
   * @param gaps Numbers below it that were not, in order.
   * @param listings Of an earlier state.
   */
  constructor(top: number, gaps: readonly Range[], listings: Listings = UNLISTED) {
    this.top = top;
    this.gaps = gaps;
    this.#listings = listings;
  }

  /** From what {@linkcode Undecided.toString} gave; undefined if it is anything else. */
  static parse(text: unknown): Undecided | undefined {
    if (typeof text !== "string" || !POSITION.test(text)) return undefined;
    const [top, gaps] = text.split(":") as [string, string?];
    return new Undecided(
      Number(top),
      (gaps?.split(",") ?? []).map((gap) => gap.split("-").map(Number) as [number, number]),
    );
  }

  toString(): string {
    const gaps = this.gaps.map(([from, to]) => `${from}-${to}`).join(",");
    return gaps === "" ? `${this.top}` : `${this.top}:${gaps}`;
  }

  /** All numbers up to this one have been seen, or will never be. */
  get decided(): number {
    return this.gaps.length === 0 ? this.top : this.gaps[0]![0] - 1;
  }

  /**
   * Takes in which transactions were running at one moment, *after* the look before and before the next one. A number that
   * was missing in the look before had been taken by then, by a transaction that is listed unless it has ended. Once each
   * listed one has ended, one more look shows what they committed, and what is missing then was rolled back.
   */
  list(running: readonly Transaction[]): Undecided {
    const { waiting, ended, prepared: known } = this.#listings;
    const prepared = new Set(running.filter(({ thread }) => thread === "0").map(({ id }) => id));
    // One that was prepared in between has lost its thread, and had no id if it had not written.
    const still = waiting === undefined
      ? running
      : running.filter((one) =>
        waiting.running.some((other) => isSame(one, other)) || (one.thread === "0" && !known.has(one.id))
      );
    const { top } = waiting ?? this;
    const listings = still.length > 0
      ? { waiting: { top, running: still }, ended, prepared }
      : { waiting: undefined, ended: top, prepared };
    return new Undecided(this.top, this.gaps, listings);
  }

  /** Takes in the numbers that a look has found: those above the top, and those of the gaps. */
  see(numbers: readonly number[]): Undecided {
    const sorted = numbers.toSorted((a, b) => a - b);
    const gaps: Range[] = [];
    let next = 0;
    const leaveOut = (from: number, to: number): void => {
      let start = from;
      for (; next < sorted.length && sorted[next]! <= to; next++) {
        if (sorted[next]! > start) gaps.push([start, sorted[next]! - 1]);
        start = sorted[next]! + 1;
      }
      if (start <= to) gaps.push([start, to]);
    };
    for (const [from, to] of this.gaps) leaveOut(from, to);
    const top = Math.max(this.top, sorted.at(-1) ?? 0);
    leaveOut(this.top + 1, top);
    return new Undecided(top, gaps.filter(([from]) => from > this.#listings.ended), this.#listings);
  }
}

function isSame(one: Transaction, other: Transaction): boolean {
  if (one.id !== "0" && one.id === other.id) return true;
  return one.thread !== "0" && one.thread === other.thread && one.started === other.started;
}
