/**
 * How many requests a feed may send, whatever the server does.
 *
 * @module
 */
import type { Clock } from "../../changes/clock.ts";
import type { Sleep } from "../../changes/timing.ts";

/** Requests that may be sent at once, after a while without any. */
const MOST_AT_ONCE = 24;

/** Milliseconds in which one more may be sent: with the above, 49 in any ten seconds. */
const PERIOD = 400;

/** Requests that a proof of contact takes. */
const PER_PROOF = 3;

/**
 * A token bucket. The waits of the reader and the pace of pages each bound one way to ask too often; a server that mixes
 * them is bounded by this. A full page gives its token back, so that a large database is read as fast as it comes; and so
 * does a live request that ended quietly, which has taken its time.
 */
export class RequestBudget {
  readonly #clock: Clock;
  readonly #sleep: Sleep;
  #period = PERIOD;
  #left = MOST_AT_ONCE;
  /** When `#left` was true, by the monotonic clock. */
  #at: number;
  /** The last request that waits. */
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Clock, sleep: Sleep) {
    this.#clock = clock;
    this.#sleep = sleep;
    this.#at = clock.monotonic();
  }

  /** Allows for a proof of contact every `ms` milliseconds. */
  allowProofs(ms: number): void {
    this.#period = Math.min(PERIOD, ms / PER_PROOF);
  }

  /** Waits until a request may be sent. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    if (this.#waiting === 0) {
      this.#left = Math.min(MOST_AT_ONCE, this.#left + (now - this.#at) / this.#period);
      this.#at = now;
      if (this.#left >= 1) {
        this.#left--;
        return;
      }
    }
    this.#waiting++;
    const turn = this.#turn.then(() => this.#sleep(this.#period, signal));
    this.#turn = turn.then(() => {}, () => {}).then(() => {
      this.#waiting--;
      this.#at = this.#clock.monotonic();
    });
    await this.#turn;
    signal.throwIfAborted();
  }

  /** Gives back the token of a request that was no haste. */
  giveBack(): void {
    this.#left++;
  }
}
