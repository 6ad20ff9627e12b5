/**
 * True time, and the two clocks that a process reads instead. Both lie in their own way: the wall clock is set, the
 * monotonic one stands still while the machine sleeps.
 *
 * Time is counted in ticks of 1/1024 ms, which a double holds exactly together with the milliseconds since 1970: so
 * boundaries can be hit to the tick.
 *
 * @module
 */
import type { Instant } from "../../src/changes/clock.ts";

/** Ticks in a millisecond. */
export const MS = 1024;

const WALL_START = Date.UTC(2026, 0, 1) * MS;
const MONOTONIC_START = 5_000 * MS;

/** From `from` on, this is how far the clocks are off. */
interface Stretch {
  readonly from: number;
  readonly wallOffset: number;
  readonly stoodStill: number;
}

/** One machine's clocks. */
export class Clocks {
  /** True time in ticks. */
  time = 0;
  readonly #stretches: Stretch[] = [{ from: 0, wallOffset: 0, stoodStill: 0 }];

  readonly now = (): number => (WALL_START + this.time + this.#stretches.at(-1)!.wallOffset) / MS;
  readonly monotonic = (): number => (MONOTONIC_START + this.time - this.#stretches.at(-1)!.stoodStill) / MS;

  /** Somebody sets the wall clock, forward or back. */
  jump(ticks: number): void {
    const { wallOffset, stoodStill } = this.#stretches.at(-1)!;
    this.#stretches.push({ from: this.time, wallOffset: wallOffset + ticks, stoodStill });
  }

  /** The machine sleeps from now on, for so long; nobody may read a clock before it wakes. */
  standStill(ticks: number): void {
    const { wallOffset, stoodStill } = this.#stretches.at(-1)!;
    this.#stretches.push({ from: this.time + ticks, wallOffset, stoodStill: stoodStill + ticks });
  }

  /**
   * When both clocks showed this, or the earlier of two moments when one of them did: for an instant that was computed
   * from another, between which a clock may have been set.
   */
  notAfter(instant: Instant): number {
    const times = this.#stretches.flatMap(({ wallOffset, stoodStill }) => [
      instant.monotonic * MS - MONOTONIC_START + stoodStill,
      instant.wall * MS - WALL_START - wallOffset,
    ]);
    return this.trueTime(instant) ?? Math.min(...times);
  }

  /** When both clocks showed this; undefined if they never did. */
  trueTime({ wall, monotonic }: Instant): number | undefined {
    let end = this.time;
    for (let i = this.#stretches.length - 1; i >= 0; i--) {
      const { from, wallOffset, stoodStill } = this.#stretches[i]!;
      const time = monotonic * MS - MONOTONIC_START + stoodStill;
      if (time >= from && time <= end && WALL_START + time + wallOffset === wall * MS) return time;
      end = from;
    }
    return undefined;
  }
}
