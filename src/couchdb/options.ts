/**
 * What a reader of the feed can be told, and what it does if not.
 *
 * @module
 */
import type { Since } from "../change.ts";
import { type Clock, systemClock } from "../clock.ts";
import { isSince } from "./rows.ts";
import { type Sleep, systemSleep } from "./timing.ts";

/** Request fields, or what gives them anew for every request: for tokens that expire. */
export type HeadersOption =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** Options of `changes()`; names are CouchDB's, times are milliseconds. */
export interface ChangesOptions {
  /** Where to start: `"now"` (the default), `0` for everything, or a stored `seq` (CouchDB, `since`). */
  readonly since?: Since;
  /** How often the server says that it is there; default 10,000 (CouchDB, `heartbeat`; it sends at least one a minute). */
  readonly heartbeat?: number;
  /** Most rows of one request while catching up, and most changes of one batch: 1 to 1,000, the default. */
  readonly batchSize?: number;
  /** How old the last contact may become; a probe renews it every half of that. Default 25,000. */
  readonly maxLag?: number;
  /** Ends every reader: its pending `next()` rejects with a `ChangesError` `aborted`. */
  readonly signal?: AbortSignal;
  /** Sent with every request; an `Authorization` here replaces the URL's credentials. */
  readonly headers?: HeadersOption;
  /** Default: the platform's, looked up at each request. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Wall clock; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
  /** Default: a timer. */
  readonly sleep?: Sleep;
  /** Jitter of the back-off, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
}

/** Options, checked and completed. */
export interface Settings {
  readonly since: Since;
  readonly heartbeat: number;
  readonly batchSize: number;
  readonly maxLag: number;
  readonly signal: AbortSignal | undefined;
  readonly headers: HeadersOption;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: () => number;
}

/**
 * Completes the options.
 *
 * @throws {TypeError | RangeError} If one is illegal, naming it and its value.
 */
export function settle(options: ChangesOptions): Settings {
  const { since = "now", heartbeat = 10_000, batchSize = 1_000, maxLag = 25_000, headers = {} } = options;
  requireSince(since);
  requireInteger("heartbeat", heartbeat, 1, Number.MAX_SAFE_INTEGER);
  requireInteger("batchSize", batchSize, 1, 1_000);
  requireMaxLag(maxLag);
  if (typeof headers !== "function") fieldsOf(headers);
  return {
    since,
    heartbeat,
    batchSize,
    maxLag,
    signal: options.signal,
    headers,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    clock: {
      now: options.now ?? systemClock.now,
      monotonic: options.monotonic ?? systemClock.monotonic,
    },
    sleep: options.sleep ?? systemSleep,
    random: options.random ?? Math.random,
  };
}

/** @throws {TypeError} If this cannot be a position. */
export function requireSince(since: unknown): void {
  const number = typeof since === "number";
  if (!isSince(since) || since === "" || (number && !(Number.isInteger(since) && since >= 0))) {
    throw new TypeError(`since must be "now", 0 or a seq of the feed, not ${show(since)}`);
  }
}

/** @throws {RangeError} If this is no time to wait for a contact. */
export function requireMaxLag(maxLag: number): number {
  if (typeof maxLag === "number" && maxLag > 0) return maxLag;
  throw new RangeError(`maxLag must be a positive number of milliseconds, not ${show(maxLag)}`);
}

function requireInteger(name: string, value: unknown, least: number, most: number): void {
  const legal = Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!legal) throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${show(value)}`);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/**
 * Request fields; the platform's own message about an illegal one would show its value, which may be a secret.
 *
 * @throws {TypeError} If a name or value is illegal, naming the field only.
 */
export function fieldsOf(record: Readonly<Record<string, string>>): Headers {
  const fields = new Headers();
  for (const [name, value] of Object.entries(record)) {
    try {
      fields.set(name, value);
    } catch {
      throw new TypeError(`headers: ${JSON.stringify(name)} is no legal field, or its value is none`);
    }
  }
  return fields;
}
