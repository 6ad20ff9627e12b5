/**
 * A feed of any source that reports changes in order: a channel of a database or broker, a socket, the program itself.
 *
 * That a connection is open proves nothing: it may be dead without a sign, and many clients connect anew without a word.
 * So the feed sends a token through the source. A token that comes back shows that every change sent before it has
 * arrived.
 *
 * @module
 */
import type { BatchOptions, Change, MappableFeed, Position } from "./change.ts";
import { systemClock } from "./clock.ts";
import { mapFeed } from "./map_feed.ts";
import {
  type Connect,
  type SourceConnection,
  type SourceController,
  SourceReader,
  type SourceSettings,
} from "./source_reader.ts";
import { type Sleep, systemSleep } from "./timing.ts";

export type { SourceConnection, SourceController } from "./source_reader.ts";

/** Options of a feed of one's own. */
export interface OwnFeedOptions {
  /**
   * Whether this process alone changes the data, and calls `change` whenever it does. Then nothing can be lost on the
   * way, and no token is sent. Never for what comes out of a socket, a file, a database or another process. Default
   * false.
   */
  readonly onlyWriter?: boolean;
  /** ms: how old its contact may become; a token is sent every half of that. Default 25,000, or less if follow says so. */
  readonly maxLag?: number;
  /** Most changes that wait to be read; if there are more, a reset takes their place. Default 10,000. */
  readonly maxQueued?: number;
  /** Called at each loss with the reason; whatever it throws is ignored. */
  readonly onLost?: (reason: unknown) => void;
  /** Wall clock; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
  /** Default: a timer. */
  readonly sleep?: Sleep;
  /** Jitter of the back-off, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Makes a feed of any source that reports changes in order.
 *
 * `connect` is called when the feed is read, and again after each loss, with a capped and jittered back-off. It
 * subscribes, hands over what it hears, and returns its connection once the source listens. The feed is live when the
 * first token has come back; that is a reset, because nothing before it counts. From then on a token is sent every half
 * `maxLag`. One that does not come back by the next is a loss, and so is one that comes back through another connection.
 * A `ChangesError` with the code `"unauthorized"`, `"forbidden"`, `"not-found"` or `"bad-request"` ends the feed.
 *
 * A reader of single changes is told neither losses nor resets: read `batches()`, or follow it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow, ownFeed } from "@stillfresh/etag";
 *
 * // Stands in for a server that sends to each of its sockets what any of them sends.
 * class Socket extends EventTarget {
 *   send = (data: string) => void queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data })));
 *   close = () => this.dispatchEvent(new Event("close"));
 * }
 *
 * const feed = ownFeed(({ change, received, lost }) => {
 *   const socket = new Socket();
 *   socket.addEventListener("message", (event) => {
 *     const { token, id } = JSON.parse((event as MessageEvent<string>).data);
 *     if (token === undefined) change({ id });
 *     else received(token, socket);
 *   });
 *   socket.addEventListener("close", lost);
 *   return { send: (token) => socket.send(JSON.stringify({ token })), close: () => socket.close() };
 * });
 *
 * const registry = new EtagRegistry();
 * const follower = follow(registry, feed);
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * ```
 *
 * @param connect Connects to the source, and returns its connection once the source listens.
 * @param options Bounds and clocks.
 * @returns The feed. Nothing is connected before it is read. It has no position: it cannot resume.
 * @throws {TypeError} If `connect` is no function.
 * @throws {RangeError} If `maxLag` or `maxQueued` is illegal.
 */
export function ownFeed<C extends Change = Change>(
  connect: (controller: SourceController<C>) => SourceConnection | PromiseLike<SourceConnection>,
  options?: OwnFeedOptions,
): MappableFeed<C>;
/**
 * Makes a feed of changes that are all made by this process. It is live as soon as it is read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow, ownFeed } from "@stillfresh/etag";
 *
 * const prices = new EventTarget();
 * const feed = ownFeed(({ change, signal }) => {
 *   prices.addEventListener("tea", () => change({ id: "tea" }), { signal });
 * }, { onlyWriter: true });
 *
 * const registry = new EtagRegistry();
 * const follower = follow(registry, feed);
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * ```
 *
 * @param listen Arranges that `change` is called for each change, and returns; it must not be async.
 * @param options `onlyWriter: true`, which is never right for what comes out of a socket, a file, a database or another
 * process.
 */
export function ownFeed<C extends Change = Change>(
  listen: (controller: SourceController<C>) => void,
  options: OwnFeedOptions & { readonly onlyWriter: true },
): MappableFeed<C>;
export function ownFeed<C extends Change = Change>(
  connect: Connect<C>,
  options: OwnFeedOptions = {},
): MappableFeed<C> {
  return new OwnFeed(connect, resolveOptions(connect, options));
}

function resolveOptions(connect: unknown, options: OwnFeedOptions): SourceSettings {
  if (typeof connect !== "function") {
    throw new TypeError(
      `ownFeed() takes a function that connects to the source, not a value of type ${typeof connect}`,
    );
  }
  const { maxQueued = 10_000 } = options;
  if (!(Number.isInteger(maxQueued) && maxQueued > 0)) {
    throw new RangeError(`maxQueued must be a positive integer, not ${maxQueued}`);
  }
  return {
    onlyWriter: options.onlyWriter ?? false,
    maxLag: requireMaxLag(options.maxLag ?? 25_000),
    maxQueued,
    onLost: options.onLost ?? (() => {}),
    clock: { now: options.now ?? systemClock.now, monotonic: options.monotonic ?? systemClock.monotonic },
    sleep: options.sleep ?? systemSleep,
    random: options.random ?? Math.random,
  };
}

function requireMaxLag(maxLag: number): number {
  if (maxLag > 0) return maxLag;
  throw new RangeError(`maxLag must be a positive number of milliseconds, not ${maxLag}`);
}

class OwnFeed<C extends Change> implements MappableFeed<C> {
  readonly #connect: Connect<C>;
  readonly #settings: SourceSettings;
  #reader: SourceReader<C> | undefined;
  /** A source of one's own cannot resume. */
  readonly position: undefined;

  constructor(connect: Connect<C>, settings: SourceSettings) {
    this.#connect = connect;
    this.#settings = settings;
  }

  batches(_from?: Position, options: BatchOptions = {}): SourceReader<C> {
    if (this.#reader !== undefined) {
      throw new TypeError("This feed of your own is being read already: one reader at a time");
    }
    const maxLag = Math.min(requireMaxLag(options.maxLag ?? Infinity), this.#settings.maxLag);
    const reader = new SourceReader(this.#connect, { ...this.#settings, maxLag }, () => {
      if (this.#reader === reader) this.#reader = undefined;
    });
    return this.#reader = reader;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<C, void, undefined> {
    for await (const { changes } of this.batches()) yield* changes;
  }

  map<D extends Change>(transform: (change: C) => D): MappableFeed<D> {
    return mapFeed(this, transform);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.return();
  }
}
