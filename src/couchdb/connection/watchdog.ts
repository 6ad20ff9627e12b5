/**
 * How long a server may be silent. No runtime's own limit will do: they range from 300 s to none at all.
 *
 * @module
 */

/** A network may swallow a heartbeat or two, and needs some time to connect. */
const SLACK = 10_000;

/** Three times CouchDB's `changes_timeout`, which no heartbeat exceeds. */
const LONGEST = 180_000;

/**
 * Milliseconds of silence after which a connection counts as dead: three heartbeats, or one and ten seconds,
 * whichever is longer.
 *
 * @param period Milliseconds between the server's heartbeats.
 */
export function patience(period: number): number {
  return Math.max(3 * period, period + SLACK);
}

/** The patience of one feed. Servers may beat less often than they were asked to, so it learns. */
export class Watchdog {
  /** What healthy connections have needed. */
  #needed: number;
  #patience: number;

  /** @param period Milliseconds between the heartbeats asked for. */
  constructor(period: number) {
    this.#needed = this.#patience = patience(period);
  }

  /** Milliseconds of silence after which a connection counts as dead. */
  get patience(): number {
    return this.#patience;
  }

  /** Bytes came after `gap` milliseconds of silence. */
  saw(gap: number): void {
    this.#needed = Math.max(this.#needed, Math.min(gap + SLACK, LONGEST));
    this.#patience = this.#needed;
  }

  /** A connection was given up: if the server is only slower than that, a longer wait will show it. */
  expired(): void {
    this.#patience = Math.max(this.#patience, Math.min(2 * this.#patience, LONGEST));
  }
}
