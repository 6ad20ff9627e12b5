/**
 * How long a server may be silent. The runtimes' own limits are of no use: they range from 300 s to none at all.
 *
 * @module
 */

/** Milliseconds that a connection may take beyond the server's own period: to connect, and for delays on the way. */
const SLACK = 10_000;

/**
 * The limit never grows beyond this, in milliseconds: three times CouchDB's `changes_timeout`, which no heartbeat
 * exceeds.
 */
const LONGEST = 180_000;

/**
 * Milliseconds of silence after which a connection counts as dead: three heartbeats, or one heartbeat and ten seconds,
 * whichever is longer.
 *
 * @param period Milliseconds between the server's heartbeats.
 */
export function idleTimeout(period: number): number {
  return Math.max(3 * period, period + SLACK);
}

/** The idle timeout of one feed. It adapts, because servers may send heartbeats less often than they were asked to. */
export class Watchdog {
  /** The longest that a healthy connection has needed so far. */
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

  /** Notes bytes that came after `gap` milliseconds of silence: a longer timeout is taken back. */
  noteBytes(gap: number): void {
    this.#needed = Math.max(this.#needed, Math.min(gap + SLACK, LONGEST));
    this.#idleTimeout = this.#needed;
  }

  /** Notes a connection that was given up: doubles the timeout, in case the server is only slow. */
  noteExpired(): void {
    this.#idleTimeout = Math.max(this.#idleTimeout, Math.min(2 * this.#idleTimeout, LONGEST));
  }
}
