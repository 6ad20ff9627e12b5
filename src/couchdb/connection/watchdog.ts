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
export function idleTimeout(period: number): number {
  return Math.max(3 * period, period + SLACK);
}

/** The idleTimeout of one feed. Servers may beat less often than they were asked to, so it learns. */
export class Watchdog {
  /** What healthy connections have needed. */
  #needed: number;
  #idleTimeout: number;

  /** @param period Milliseconds between the heartbeats asked for. */
  constructor(period: number) {
    this.#needed = this.#idleTimeout = idleTimeout(period);
  }

  /** Milliseconds of silence after which a connection counts as dead. */
  get idleTimeout(): number {
    return this.#idleTimeout;
  }

  /** Bytes came after `gap` milliseconds of silence. */
  noteBytes(gap: number): void {
    this.#needed = Math.max(this.#needed, Math.min(gap + SLACK, LONGEST));
    this.#idleTimeout = this.#needed;
  }

  /** A connection was given up: if the server is only slower than that, a longer wait will show it. */
  noteExpired(): void {
    this.#idleTimeout = Math.max(this.#idleTimeout, Math.min(2 * this.#idleTimeout, LONGEST));
  }
}
