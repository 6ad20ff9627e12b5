/**
 * What can be seen of a feed from outside: its state, its counters, its events.
 *
 * @module
 */
import type { ChangeBatch, ChangesErrorCode, FeedState, Instant, ResetReason } from "../../changes/change.ts";
import { type Clock, instant, possiblyElapsed } from "../../changes/clock.ts";

/**
 * What happens to a feed; `code` is absent where no fault was the cause.
 *
 * - `connected`: the database sends its live feed.
 * - `live`: a probe was complete.
 * - `lost`: the connection is gone, or the contact could not be renewed.
 * - `retrying`: the next attempt is made in `ms` milliseconds.
 * - `reset`: everything known before is void.
 * - `closed`: the reader has ended.
 */
export type FeedEvent =
  | { readonly type: "connected" | "live" | "closed" }
  | { readonly type: "lost"; readonly code?: ChangesErrorCode }
  | { readonly type: "retrying"; readonly ms: number; readonly code?: ChangesErrorCode }
  | { readonly type: "reset"; readonly reason: ResetReason };

/** Totals over the life of a feed. */
export interface FeedCounters {
  /** Live connections made, or live requests where each brings one answer. */
  readonly connections: number;
  /** Bytes of answers read. */
  readonly bytes: number;
  /** Changes handed out. */
  readonly changes: number;
  /** Rows of a probe that were known already, and not handed out again. */
  readonly replays: number;
  /** Pieces of a live feed that said only that it is alive. */
  readonly heartbeats: number;
}

/** One feed's gauges, shared by all that work for it. */
export class FeedMonitor {
  /** As of the last batch handed out. */
  state: FeedState = "catching-up";
  /** Written by those that count. */
  readonly counters: { -readonly [Name in keyof FeedCounters]: number } = {
    connections: 0,
    bytes: 0,
    changes: 0,
    replays: 0,
    heartbeats: 0,
  };
  readonly #clock: Clock;
  readonly #onEvent: ((event: FeedEvent) => void) | undefined;
  #contact: Instant | undefined;

  /**
   * @param clock For the lag.
   * @param onEvent Told every event.
   */
  constructor(clock: Clock, onEvent?: (event: FeedEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** Milliseconds that may have passed since the last contact; Infinity before the first. */
  get lag(): number {
    return this.#contact === undefined ? Infinity : possiblyElapsed(this.#contact, instant(this.#clock));
  }

  /** A live connection stands. */
  noteConnected(): void {
    this.counters.connections++;
    this.emit({ type: "connected" });
  }

  /** A batch is handed out. */
  noteBatch({ changes, state, contact, reset }: ChangeBatch): void {
    this.counters.changes += changes.length;
    this.#contact = contact;
    const before = this.state;
    this.state = state;
    if (reset !== undefined) this.emit({ type: "reset", reason: reset });
    if (state === "live" && before !== "live") this.emit({ type: "live" });
  }

  /** Tells an event. What the listener does with it must not harm the feed. */
  emit(event: FeedEvent): void {
    try {
      this.#onEvent?.(event);
    } catch {
      // Its own affair, as with an event target.
    }
  }
}
