/**
 * How many handlers are running, and how long those took that have ended.
 *
 * @module
 */

/** Upper bounds of the classes of the histogram, in seconds: from a page out of memory to a report. */
export const HANDLER_TIME_BOUNDS: readonly number[] = [
  ...[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

/** The handlers of one registry. */
export class HandlerRuns {
  readonly #monotonic: () => number;
  readonly #counts: number[] = HANDLER_TIME_BOUNDS.map(() => 0).concat(0);
  #seconds = 0;
  /** How many have begun, and not ended. */
  running = 0;

  /** @param monotonic ms. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** How many took at most as long as each of {@linkcode HANDLER_TIME_BOUNDS}, and longer than the one before; last, longer. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  /** Seconds that all of them took. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Notes that a handler is called; gives the moment. */
  begin(): number {
    this.running++;
    return this.#monotonic();
  }

  /** Notes that a handler has given its response, whose body may still be under way, or has thrown. */
  end(begun: number): void {
    this.running--;
    const seconds = Math.max(0, this.#monotonic() - begun) / 1_000;
    this.#seconds += seconds;
    let at = 0;
    while (at < HANDLER_TIME_BOUNDS.length && seconds > HANDLER_TIME_BOUNDS[at]!) at++;
    this.#counts[at]!++;
  }
}
