/**
 * Time by two clocks, because each of them can be wrong: the wall clock can be set, and the monotonic clock stands
 * still while the machine sleeps. Where acting too early would be wrong, the smaller elapsed time counts; where acting
 * too late would be, the larger.
 *
 * @module
 */

/**
 * A moment, as both clocks show it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { Instant } from "@stillfresh/etag/change";
 *
 * const start: Instant = { wall: 1_000, monotonic: 5 };
 * assert.equal(start.wall, 1_000);
 * ```
 */
export interface Instant {
  /** Milliseconds since the epoch, as `Date.now()` gives them. */
  readonly wall: number;
  /** Milliseconds since an arbitrary start, as `performance.now()` gives them. */
  readonly monotonic: number;
}

/** The two clocks; tests bring their own. */
export interface Clock {
  /** Wall clock in milliseconds; default `Date.now`. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds; default `performance.now`. */
  readonly monotonic: () => number;
}

/** The platform's two clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Reads both clocks. */
export function instant(clock: Clock): Instant {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/** Milliseconds that have surely passed between two instants: the smaller difference. */
export function surelyElapsed(from: Instant, to: Instant): number {
  return Math.min(to.wall - from.wall, to.monotonic - from.monotonic);
}

/** Milliseconds that may have passed between two instants: the larger difference. */
export function possiblyElapsed(from: Instant, to: Instant): number {
  return Math.max(to.wall - from.wall, to.monotonic - from.monotonic);
}
