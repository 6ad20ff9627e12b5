/**
 * Following a feed where nothing outlives a request: it is read up to its end once in an event, and not in between.
 *
 * @module
 */
import { ignoreRejection } from "../changes/callback.ts";
import type { Change, ChangeBatch, ChangesFeed, Since } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { deadline, EXPIRED, systemSleep } from "../changes/timing.ts";
import { coreOf } from "./core.ts";
import type { FollowOptions } from "./follow.ts";
import { shownFault } from "./feed_fault.ts";
import { discard, milliseconds, nothing, requireFeed } from "./followable.ts";
import { type FollowedGroups, followedGroups } from "./followed_groups.ts";
import type { EtagRegistry } from "./registry.ts";
import type { Subscription } from "./subscription.ts";

/** How a feed is followed on demand. */
export interface OnDemandOptions<C extends Change = Change> {
  /** Groups a change touches, besides its id: as in {@linkcode FollowOptions.groups}. */
  readonly groups?: NonNullable<FollowOptions<C>["groups"]>;
  /** ms after a catch-up during which requests may be answered without another one; default 25,000. */
  readonly maxLag?: number;
  /** ms after a contact in which `catchUp` asks nothing; default 0: each one asks. At most `maxLag`. */
  readonly renewAfter?: number;
  /** As in {@linkcode FollowOptions.replicaLag}. */
  readonly replicaLag?: number;
  /** Tells several feeds of one registry apart, and is kept by a snapshot; default `"changes"`. */
  readonly name?: string;
  /** Changes that one catch-up reads; with more, the registry is emptied and begins at the end; default 10,000. */
  readonly maxChanges?: number;
  /** Called with the fault of each catch-up that failed. Default: the console shows the first. What it throws is ignored. */
  readonly onError?: (error: unknown) => unknown;
}

/** How one catch-up is made. */
export interface CatchUpOptions {
  /** ms after which it is given up; default 5,000. */
  readonly timeout?: number;
  /** Gives it up, such as the signal of the request. */
  readonly signal?: AbortSignal;
}

/** A feed that is followed on demand. */
export interface OnDemandFollower<C extends Change = Change> {
  /** The position of the last catch-up that was applied; undefined before the first. */
  readonly since: Since | undefined;
  /** ms since its contact; Infinity before the first. */
  readonly lag: number;
  /** The fault of the last catch-up; undefined where it succeeded. */
  readonly error: unknown;
  /**
   * Reads the feed from where the last catch-up ended to its end, and then applies all of it at once.
   *
   * A fault is no reason to refuse a request: the promise resolves with false, and handlers run.
   *
   * @param feed One that is made for this event, such as `changes(url)`: an edge lets no event use the connections of another.
   * @returns Whether the registry may answer now.
   * @throws {TypeError} If this is no feed of all documents.
   * @throws {RangeError} If `timeout` is no number of milliseconds.
   */
  catchUp(feed: ChangesFeed<C>, options?: CatchUpOptions): Promise<boolean>;
  /** Suspends the registry at once. A feed that is followed under the same name goes on from here. */
  close(): void;
}

class DemandFollower<C extends Change> implements OnDemandFollower<C> {
  readonly #registry: EtagRegistry;
  readonly #subscription: Subscription;
  readonly #groups: FollowedGroups<C>;
  readonly #renewAfter: number;
  readonly #maxChanges: number;
  readonly #onError: ((error: unknown) => unknown) | undefined;
  #error: unknown;
  /** What the feed has met in the catch-up that is under way, or was last. */
  #met: unknown;
  #isToldOf = false;
  /** By the monotonic clock: the contact of what was applied last. */
  #contact = -Infinity;
  /** How often something was applied. */
  #applied = 0;
  /** How often the registry was restarted: what was being read then is of before. */
  #restarts = 0;

  constructor(registry: EtagRegistry, options: OnDemandOptions<C>) {
    const maxLag = milliseconds("maxLag", options.maxLag ?? 25_000);
    if (options.replicaLag !== undefined) milliseconds("replicaLag", options.replicaLag);
    this.#renewAfter = Math.min(maxLag, milliseconds("renewAfter", options.renewAfter ?? 0));
    this.#maxChanges = options.maxChanges ?? 10_000;
    if (!(this.#maxChanges >= 0)) {
      throw new RangeError(`maxChanges must be a number of changes, not ${options.maxChanges}`);
    }
    const core = coreOf(registry);
    this.#groups = followedGroups(options.groups ?? nothing, () => core.count("membership-unknown"));
    this.#subscription = core.subscribe(options.name ?? "changes", maxLag, options.replicaLag, {
      groups: this.#groups.names,
    });
    this.#subscription.onRestart = () => {
      this.#restarts++;
    };
    this.#registry = registry;
    this.#onError = options.onError;
  }

  get since(): Since | undefined {
    return this.#subscription.position?.since;
  }

  get lag(): number {
    return this.#subscription.lag;
  }

  get error(): unknown {
    return this.#error;
  }

  async catchUp(feed: ChangesFeed<C>, options: CatchUpOptions = {}): Promise<boolean> {
    const timeout = milliseconds("timeout", options.timeout ?? 5_000);
    requireFeed(feed, "catchUp");
    if (feed.documents !== undefined) {
      throw new TypeError("catchUp() takes a feed of all documents, not one that reports some only");
    }
    const subscription = this.#subscription;
    // Both clocks were set back, or are one and the same, as on an edge: how old the contact is cannot be known.
    if (subscription.lag < 0) subscription.restart();
    if (!subscription.closed && !(subscription.live && subscription.lag < this.#renewAfter)) {
      try {
        await this.#catchUp(feed, timeout, options.signal);
        this.#error = undefined;
      } catch (error) {
        if (!options.signal?.aborted) this.#fail(error);
      }
    }
    return this.#registry.live;
  }

  async #catchUp(feed: ChangesFeed<C>, timeout: number, signal?: AbortSignal): Promise<void> {
    this.#met = undefined;
    const [restarts, applied] = [this.#restarts, this.#applied];
    const reading = new AbortController();
    const late = () => new ChangesError("timeout", `The catch-up was not complete within ${timeout} ms`);
    const iterators: AsyncIterator<ChangeBatch<C>>[] = [];
    const open = (anew: boolean) => {
      const from = anew ? undefined : this.#subscription.position;
      const iterator = feed.batches(from, { maxLag: Math.max(1, this.#subscription.maxLag), anew });
      iterators.push(iterator);
      return iterator;
    };
    const read = async (): Promise<Reading<C>> => {
      const batches = await this.#read(open(false));
      if (batches !== undefined) return { batches, anew: false };
      await discard(iterators[0]!);
      const newest = reading.signal.aborted ? undefined : await this.#read(open(true));
      if (newest !== undefined) return { batches: newest, anew: true };
      throw new ChangesError("too-large", `The feed had more than ${this.#maxChanges} changes again`);
    };
    try {
      const result = await deadline(read(), timeout, systemSleep, signal ?? reading.signal);
      if (result === EXPIRED) throw late();
      if (restarts === this.#restarts) this.#apply(result, applied !== this.#applied);
    } finally {
      reading.abort();
      for (const iterator of iterators) void discard(iterator);
    }
  }

  /**
   * Everything up to the end of the feed, or to its end at that moment. A loss is the feed's to wait out.
   *
   * @returns Undefined if there are more changes than are read.
   */
  async #read(iterator: AsyncIterator<ChangeBatch<C>>): Promise<ChangeBatch<C>[] | undefined> {
    const batches: ChangeBatch<C>[] = [];
    let count = 0;
    for (;;) {
      const { value, done } = await iterator.next();
      if (done) throw new ChangesError("truncated", "The feed ended before it said that it was complete");
      batches.push(value);
      if (value.fault !== undefined) this.#met = value.fault;
      if (value.state === "live" && value.contact !== undefined) return batches;
      count += value.changes.length;
      if (count > this.#maxChanges) return undefined;
    }
  }

  /**
   * Applies what was read, unless another event has applied what is as new meanwhile: older rows after newer ones would
   * bring revisions back that are superseded.
   *
   * @param isOverlapped Whether another event has applied something since this one began to read.
   */
  #apply({ batches, anew }: Reading<C>, isOverlapped: boolean): void {
    const contact = batches.at(-1)!.contact!.monotonic;
    if (isOverlapped && contact <= this.#contact) return;
    if (anew) this.#subscription.restart();
    for (const batch of batches) {
      this.#subscription.apply(batch, this.#groups.touchedBy, this.#groups.forget);
    }
    this.#contact = contact;
    this.#applied++;
  }

  #fail(error: unknown): void {
    this.#error = error;
    // That the time was over says less than what the feed has met in it.
    this.#subscription.noteFault(shownFault(this.#met ?? error));
    if (this.#onError === undefined) {
      if (!this.#isToldOf) console.error(sentence(this.#subscription.name, error));
      this.#isToldOf = true;
      return;
    }
    try {
      ignoreRejection(this.#onError(error));
    } catch {
      // What the listener does with it is its own concern.
    }
  }

  close(): void {
    this.#subscription.close();
  }
}

/** What a catch-up has read. */
interface Reading<C extends Change> {
  readonly batches: readonly ChangeBatch<C>[];
  /** Whether it begins at the end of the feed. */
  readonly anew: boolean;
}

function sentence(feed: string, error: unknown): string {
  return `Stillfresh: the feed ${
    JSON.stringify(feed)
  } could not be caught up with, so handlers run until it can ` +
    `(${shownFault(error)}). This is said once: with onError, followOnDemand() tells you of each.`;
}

/**
 * Follows a feed where a connection cannot outlive a request, as on an edge: each event that wants answers from the
 * registry catches up first. The registry answers until `maxLag` after that, and nothing before the first catch-up.
 *
 * A catch-up costs about six small requests to the database when nothing has changed, so it pays with `renewAfter`, or
 * where a handler costs more than that. Where a process lives on, {@linkcode follow} is better in every respect.
 *
 * Between two catch-ups nothing is read and nothing runs. A change is reported by the next one, which begins where the
 * last one ended, so whatever was registered in between is judged by it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, followOnDemand, withEtag } from "@stillfresh/etag";
 * import { changes } from "@stillfresh/etag/couchdb";
 *
 * // Stands in for an empty database.
 * const info = { db_name: "blog", update_seq: "0-x", purge_seq: "0-x", instance_start_time: "1795354892" };
 * const fetch = (url: string) =>
 *   Promise.resolve(Response.json(url.includes("_changes") ? { results: [], last_seq: "0-x", pending: 0 } : info));
 *
 * const registry = new EtagRegistry();
 * const follower = followOnDemand(registry, { maxLag: 10_000 });
 * const handler = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry });
 *
 * const onRequest = async (request: Request) => {
 *   await follower.catchUp(changes("http://localhost:5984/blog", { fetch, feed: "normal" }));
 *   return await handler(request);
 * };
 * const etag = (await onRequest(new Request("http://localhost/"))).headers.get("etag")!;
 * const headers = { "if-none-match": etag };
 * assert.equal((await onRequest(new Request("http://localhost/", { headers }))).status, 304);
 * ```
 *
 * @param registry What to keep true.
 * @param options Groups, bounds, a name.
 * @throws {RangeError} If a time or `maxChanges` is no number from 0 on.
 * @throws {TypeError} If a feed of that name is followed already, or `groups` holds what is no group.
 */
export function followOnDemand<C extends Change = Change>(
  registry: EtagRegistry,
  options: OnDemandOptions<C> = {},
): OnDemandFollower<C> {
  return new DemandFollower(registry, options);
}
