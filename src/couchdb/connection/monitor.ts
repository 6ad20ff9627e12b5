/**
 * What a program can observe of a feed: its state, its lag, its counters, its events.
 *
 * @module
 */
import type { ChangeBatch, ChangesErrorCode, FeedState, Instant, ResetReason } from "../../changes/change.ts";
import { ignoreRejection } from "../../changes/callback.ts";
import type { ChangesError } from "../../changes/changes_error.ts";
import { type Clock, instant, possiblyElapsed } from "../../changes/clock.ts";

/**
 * What happened to a feed. `error` is the fault that was the cause, whose own `cause` is what the platform said; `code`
 * is that of the error. Both are absent where no fault was the cause.
 *
 * - `connected`: the database has begun to send its live feed.
 * - `live`: a probe was complete.
 * - `buffered`: the database answers, but nothing of its continuous feed arrives: a proxy on the way holds back what is
 *   not complete. The feed goes on by long polls until the next loss.
 * - `lost`: the connection broke, or the contact could not be renewed.
 * - `retrying`: the next attempt is made in `ms` milliseconds.
 * - `reset`: everything known before is void.
 * - `closed`: the iteration has ended; with an error, if a final fault or the signal ended it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes, type FeedEvent } from "@stillfresh/etag/couchdb";
 *
 * const told: string[] = [];
 * const onEvent = (event: FeedEvent) => {
 *   if ("error" in event) told.push(`${event.type}: ${event.error?.message}`);
 * };
 * // Stands in for a server that knows no such database.
 * const fetch = () =>
 *   Promise.resolve(Response.json({ error: "not_found", reason: "no_db_file" }, { status: 404 }));
 *
 * const feed = changes("http://localhost:5984/blgo", { fetch, onEvent });
 * await assert.rejects(feed.batches().next(), { code: "not-found" });
 * assert.deepEqual(told, ["closed: The database answered 404: not_found (no_db_file)"]);
 * ```
 */
export type FeedEvent =
  | { readonly type: "connected" | "live" | "buffered" }
  | { readonly type: "lost" | "closed"; readonly code?: ChangesErrorCode; readonly error?: ChangesError }
  | {
    readonly type: "retrying";
    readonly ms: number;
    readonly code?: ChangesErrorCode;
    readonly error?: ChangesError;
  }
  | { readonly type: "reset"; readonly reason: ResetReason };

/** The fault that was the cause of an event, as the event holds it. */
export function faultFields(
  error: ChangesError | undefined,
): { readonly code?: ChangesErrorCode; readonly error?: ChangesError } {
  return error === undefined ? {} : { code: error.code, error };
}

/** Totals over the life of a feed. */
export interface FeedCounters {
  /** Live connections opened; with long polls, requests sent. */
  readonly connections: number;
  /** Bytes read of all responses. */
  readonly bytes: number;
  /** Changes yielded. */
  readonly changes: number;
  /** Rows of a probe that had been yielded before, and were not yielded again. */
  readonly replays: number;
  /** Chunks of a live feed that held heartbeats and nothing else. */
  readonly heartbeats: number;
}

/** State, counters and events of one feed, written by each of its parts. */
export class FeedMonitor {
  /** The state of the last batch that was yielded. */
  state: FeedState = "catching-up";
  /** Incremented by the parts that count. */
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
   * @param clock Reads the time for the lag.
   * @param onEvent Called with every event.
   */
  constructor(clock: Clock, onEvent?: (event: FeedEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** Milliseconds that may have passed since the last contact; Infinity before the first. */
  get lag(): number {
    return this.#contact === undefined ? Infinity : possiblyElapsed(this.#contact, instant(this.#clock));
  }

  /** Notes that a live connection was opened. */
  noteConnected(): void {
    this.counters.connections++;
    this.emit({ type: "connected" });
  }

  /** Notes a batch that is about to be yielded. */
  noteBatch({ changes, state, contact, reset }: ChangeBatch): void {
    this.counters.changes += changes.length;
    this.#contact = contact;
    const before = this.state;
    this.state = state;
    if (reset !== undefined) this.emit({ type: "reset", reason: reset });
    if (state === "live" && before !== "live") this.emit({ type: "live" });
  }

  /** Hands an event to the listener. */
  emit(event: FeedEvent): void {
    try {
      ignoreRejection(this.#onEvent?.(event));
    } catch {
      // An exception of the listener must not end the feed.
    }
  }
}
