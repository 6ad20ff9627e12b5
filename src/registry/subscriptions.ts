/**
 * All followers of one registry together: nothing may be answered unless each of them is live and recently in
 * contact.
 *
 * @module
 */
import type { Clock } from "../changes/clock.ts";
import { Seat, type SeatHost } from "./subscription.ts";
import type { SavedSeat } from "./snapshot.ts";

/** The seats of a registry, by name. */
export class Seats {
  readonly #byName: Map<string, Seat> = new Map();
  readonly #clock: Clock;
  #settle = 0;
  // Beyond either nothing is answered. Kept as moments, so that a look-up only compares.
  #wallDeadline = Infinity;
  #monotonicDeadline = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True while every seat is live and within its `maxLag`, by both clocks; without seats, always. */
  get live(): boolean {
    return this.#wallDeadline === Infinity ||
      (this.#clock.now() <= this.#wallDeadline && this.#clock.monotonic() <= this.#monotonicDeadline);
  }

  /** ms: the longest `settle` of any seat. */
  get settle(): number {
    return this.#settle;
  }

  /**
   * Takes a seat; a closed one of the same name hands its position over.
   *
   * @throws {TypeError} If somebody sits there.
   */
  take(host: SeatHost, name: string, maxLag: number, settle: number | undefined): Seat {
    const former = this.#byName.get(name);
    if (former !== undefined && !former.closed) {
      throw new TypeError(
        `A feed named ${JSON.stringify(name)} is followed already; give this one another name`,
      );
    }
    const seat = new Seat(host, this.#clock, name, maxLag, settle, former);
    this.#byName.set(name, seat);
    this.judge();
    return seat;
  }

  /** Seats of an earlier process, closed: nothing is answered until each is taken again and has caught up. */
  restore(host: SeatHost, saved: readonly SavedSeat[]): void {
    for (const former of saved) {
      const seat = new Seat(host, this.#clock, former.name, 0, undefined, former);
      seat.close();
      this.#byName.set(former.name, seat);
    }
    this.judge();
  }

  /** Where each feed is; undefined where one of them, or the lack of any, could not be resumed. */
  save(): readonly SavedSeat[] | undefined {
    const seats: SavedSeat[] = [];
    for (const { name, settle, position } of this.#byName.values()) {
      if (position === undefined) return undefined;
      seats.push({ name, settle, position });
    }
    return seats.length === 0 ? undefined : seats;
  }

  /** Works out anew until when answers may be given. */
  judge(): void {
    this.#settle = 0;
    this.#wallDeadline = this.#monotonicDeadline = Infinity;
    for (const { settle, contact, maxLag } of this.#byName.values()) {
      this.#settle = Math.max(this.#settle, settle);
      this.#wallDeadline = Math.min(
        this.#wallDeadline,
        contact === undefined ? -Infinity : contact.wall + maxLag,
      );
      this.#monotonicDeadline = Math.min(
        this.#monotonicDeadline,
        contact === undefined ? -Infinity : contact.monotonic + maxLag,
      );
    }
  }
}
