/** Two clocks that stand still until told, and can be made to disagree. */
import type { Clock, Instant } from "../../src/changes/clock.ts";

export class SettableClock implements Clock {
  /** ms since the epoch. */
  wall: number = Date.UTC(2026, 0, 1);
  /** ms since an arbitrary start. */
  mono = 1_000;

  readonly now = (): number => this.wall;
  readonly monotonic = (): number => this.mono;

  /** Both readings at this moment. */
  get instant(): Instant {
    return { wall: this.wall, monotonic: this.mono };
  }

  /** Lets time pass on both. */
  advance(ms: number): void {
    this.wall += ms;
    this.mono += ms;
  }
}
