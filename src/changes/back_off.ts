/**
 * How long to wait before the next attempt: exponential, capped, and with full jitter, so that many clients of one
 * database do not arrive together when it is back.
 *
 * @module
 */

/** Ceiling of the first wait, in milliseconds. */
const FIRST = 500;

/**
 * Ceiling of every wait, in milliseconds: when the source is back, it is asked within this time, and a feed is live
 * again in less than five seconds.
 */
const LONGEST = 4_000;

/**
 * The least wait before an attempt, in milliseconds, apart from the first after a connection that was good: whatever
 * the jitter is, a source is not asked again and again at the speed of the network.
 */
export const LEAST_WAIT = 100;

/** The waits of one reader. */
export class BackOff {
  readonly #random: () => number;
  readonly #longest: number;
  #attempt = 0;

  /**
   * @param random A number from 0 up to, not including, 1.
   * @param longest The ceiling of every wait, in milliseconds.
   */
  constructor(random: () => number, longest: number = LONGEST) {
    this.#random = random;
    this.#longest = longest;
  }

  /**
   * Milliseconds to wait before the next attempt.
   *
   * @param atLeast What the server asked for, in milliseconds.
   */
  next(atLeast = 0): number {
    const ceiling = Math.min(this.#longest, FIRST * 2 ** this.#attempt++);
    const drawn = this.#random();
    // An option of the user: what is no share of the ceiling counts as all of it.
    const jitter = drawn >= 0 && drawn < 1 ? drawn : 1;
    return Math.max(LEAST_WAIT, atLeast, jitter * ceiling);
  }

  /** The same, but 0 for the first attempt after a success. */
  nextEager(): number {
    if (this.#attempt > 0) return this.next();
    this.#attempt = 1;
    return 0;
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.#attempt = 0;
  }
}
