/**
 * The options of a feed, their defaults and their checks.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { type Clock, systemClock } from "../../changes/clock.ts";
import { requireInteger, show } from "../wire/checks.ts";
import { resolveSelection, type Selection, type SelectionOptions } from "../wire/filter.ts";
import { isSince } from "../wire/rows.ts";
import { type FetchFunction, platformFetch } from "./fetch.ts";
import { type FeedEvent, FeedMonitor } from "./monitor.ts";
import { type Sleep, systemSleep } from "../../changes/timing.ts";
import { RequestBudget } from "./request_budget.ts";
import { Watchdog } from "./watchdog.ts";

/** Request fields, or a function that is called for every request: for tokens that expire. */
export type HeadersOption =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** Options of a feed from any source; names are CouchDB's, times are milliseconds. */
export interface FeedOptions extends SelectionOptions {
  /** Where to start: `"now"` (the default), `0` for everything, or a stored `seq` (CouchDB, `since`). */
  readonly since?: Since;
  /** The number of changes after which the iteration ends; default: none. */
  readonly limit?: number;
  /**
   * The most rows of one request while catching up, and the most changes of one batch: from 1 to 1,000, the default.
   */
  readonly batchSize?: number;
  /** How old the last contact may become: a probe renews it when half of this has passed. Default 25,000. */
  readonly maxLag?: number;
  /** Ends every reader: its pending `next()` rejects with a `ChangesError` `aborted`. */
  readonly signal?: AbortSignal;
  /** Called with what happens to the connection; what it throws is ignored. */
  readonly onEvent?: (event: FeedEvent) => void;
  /** Wall clock; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
  /** Waits between attempts and for deadlines; default: a timer. */
  readonly sleep?: Sleep;
  /** Jitter of the back-off, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
}

/** Options of `changes()`; names are CouchDB's, times are milliseconds. */
export interface ChangesOptions extends FeedOptions {
  /**
   * How the changes come: `"continuous"` (the default), rows on one connection; `"longpoll"`, one request after
   * another, where a proxy holds responses back until they are complete; `"normal"`, everything up to now, and the end.
   */
  readonly feed?: "continuous" | "longpoll" | "normal";
  /** Newest first, with `feed: "normal"` only. It is one response without a position, so set `limit`. */
  readonly descending?: boolean;
  /**
   * Period of the heartbeats that the server is asked for; default 10,000 (CouchDB, `heartbeat`, which sends at least one
   * a minute).
   */
  readonly heartbeat?: number;
  /**
   * Instead of `heartbeat`: how long a connection without changes lasts, which then ends with the position it reached.
   */
  readonly timeout?: number;
  /** Sent with every request; an `Authorization` here replaces the URL's credentials. */
  readonly headers?: HeadersOption;
  /** Default: the platform's, looked up at each request. */
  readonly fetch?: FetchFunction;
}

/** Options that have been checked and completed. */
export interface Settings {
  readonly since: Since;
  readonly feed: "continuous" | "longpoll" | "normal";
  readonly descending: boolean;
  readonly limit: number;
  /** The longest silence of a healthy server: between heartbeats, or until a connection without changes ends. */
  readonly heartbeat: number;
  /** Whether a connection without changes ends: whether `timeout` was given. */
  readonly endsWhenIdle: boolean;
  readonly selection: Selection;
  readonly batchSize: number;
  readonly maxLag: number;
  readonly monitor: FeedMonitor;
  readonly watchdog: Watchdog;
  readonly budget: RequestBudget;
  readonly signal: AbortSignal | undefined;
  readonly headers: HeadersOption;
  readonly fetch: FetchFunction;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: () => number;
}

/**
 * Completes the options.
 *
 * @throws {TypeError | RangeError} If one is illegal, naming it and its value.
 */
export function resolveOptions(options: ChangesOptions): Settings {
  requireCompatible(options);
  const { since = "now", feed = "continuous", descending = false, limit = Infinity } = options;
  const { heartbeat = 10_000, timeout, batchSize = 1_000, maxLag = 25_000, headers = {} } = options;
  requireSince(since);
  requireInteger("heartbeat", heartbeat, 1);
  if (timeout !== undefined) requireInteger("timeout", timeout, 1);
  if (limit !== Infinity) requireInteger("limit", limit, 1);
  requireInteger("batchSize", batchSize, 1, 1_000);
  requireMaxLag(maxLag);
  if (typeof headers !== "function") toHeaders(headers);
  const clock = {
    now: options.now ?? systemClock.now,
    monotonic: options.monotonic ?? systemClock.monotonic,
  };
  const sleep = options.sleep ?? systemSleep;
  return {
    since,
    feed,
    descending,
    limit,
    heartbeat: timeout ?? heartbeat,
    endsWhenIdle: timeout !== undefined,
    selection: resolveSelection(options),
    batchSize: Math.min(batchSize, limit),
    maxLag,
    monitor: new FeedMonitor(clock, options.onEvent),
    watchdog: new Watchdog(timeout ?? heartbeat),
    budget: new RequestBudget(clock, sleep),
    signal: options.signal,
    headers,
    fetch: options.fetch ?? platformFetch,
    clock,
    sleep,
    random: options.random ?? Math.random,
  };
}

/** @throws {TypeError} If one option contradicts another, saying which. */
function requireCompatible(options: ChangesOptions): void {
  const { since, feed = "continuous", descending, heartbeat, timeout } = options;
  if (!["continuous", "longpoll", "normal"].includes(feed)) {
    throw new TypeError(`feed must be "continuous", "longpoll" or "normal", not ${show(feed)}`);
  }
  if ("since" in options && since === undefined) {
    throw new TypeError("since is undefined: leave it out to start now, or a lost position goes unnoticed");
  }
  if (heartbeat !== undefined && timeout !== undefined) {
    throw new TypeError("timeout contradicts heartbeat: a connection that is kept alive does not end");
  }
  if (timeout !== undefined && feed === "normal") {
    throw new TypeError('timeout contradicts feed: "normal", which ends by itself');
  }
  if (!descending) return;
  if (feed !== "normal") throw new TypeError(`descending needs feed: "normal", not ${show(feed)}`);
  if (since !== undefined) {
    throw new TypeError("descending contradicts since: it starts at the newest change");
  }
}

/** @throws {TypeError} If this cannot be a position. */
export function requireSince(since: unknown): void {
  const number = typeof since === "number";
  if (!isSince(since) || since === "" || (number && !(Number.isInteger(since) && since >= 0))) {
    throw new TypeError(`since must be "now", 0 or a seq of the feed, not ${show(since)}`);
  }
}

/** @throws {RangeError} If this is no positive number of milliseconds. */
export function requireMaxLag(maxLag: number): number {
  if (typeof maxLag === "number" && maxLag > 0) return maxLag;
  throw new RangeError(`maxLag must be a positive number of milliseconds, not ${show(maxLag)}`);
}

/**
 * Request fields. The platform's own message about an illegal field would show its value, which may be a secret.
 *
 * @throws {TypeError} If a name or value is illegal, naming the field only.
 */
export function toHeaders(record: Readonly<Record<string, string>>): Headers {
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
