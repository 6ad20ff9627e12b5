/**
 * Following a feed: each of its batches is applied to a registry.
 *
 * @module
 */
import type { Change, ChangeBatch, ChangesFeed, Since } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { coreOf } from "./core.ts";
import { type FollowedGroups, followedGroups } from "./followed_groups.ts";
import { type Group, group, type GroupOptions } from "./group.ts";
import { groupBy, type GroupFamily, type GroupMember } from "./group_by.ts";
import type { EtagRegistry } from "./registry.ts";
import type { Subscription } from "./subscription.ts";

export { type Group, group, groupBy, type GroupFamily, type GroupMember, type GroupOptions };

/** How a feed is followed. It must not be filtered: a document that stops matching would vanish without a change. */
export interface FollowOptions<C extends Change = Change> {
  /**
   * Groups a change touches, besides its id: what {@linkcode group} and {@linkcode groupBy} made, or a function that
   * names them. A function sees only what the change shows, and not what the document was in before; if it throws,
   * everything is void.
   */
  readonly groups?: readonly (Group<C> | GroupFamily<C>)[] | ((change: C) => Iterable<string>);
  /**
   * ms without contact after which nothing is answered; default 25,000. A plain iterable has no contact: it counts as
   * live until it ends or throws.
   */
  readonly maxLag?: number;
  /**
   * ms a change goes on counting against responses that begin after it, because a replica may answer them with older
   * data; default 5,000 where the database has replicas, else 0.
   */
  readonly replicaLag?: number;
  /** Tells several feeds of one registry apart; default `"changes"`. */
  readonly name?: string;
  /** Closes the follower. */
  readonly signal?: AbortSignal;
}

/** A feed being followed. */
export interface Follower extends AsyncDisposable {
  /** Resolves when first live, rejects on a final fault or when closed before; never an unhandled rejection. */
  readonly ready: Promise<void>;
  /** Whether the feed says that it is complete; the registry also asks how long ago. */
  readonly live: boolean;
  /** The position after the last batch applied; undefined before the first, or where the feed has none. */
  readonly since: Since | undefined;
  /** ms since the last applied contact; Infinity before the first. */
  readonly lag: number;
  /** The final fault; undefined while there is none. */
  readonly error: unknown;
  /** Suspends the registry at once, and ends the feed. */
  close(): Promise<void>;
}

function isBatched<C extends Change>(feed: AsyncIterable<C> | ChangesFeed<C>): feed is ChangesFeed<C> {
  return typeof (feed as ChangesFeed<C>).batches === "function";
}

function milliseconds(name: string, value: number): number {
  if (!(value >= 0)) throw new RangeError(`${name} must be a number of milliseconds, not ${value}`);
  return value;
}

const NOTHING: readonly string[] = [];
const nothing = (): Iterable<string> => NOTHING;

/** ms of applying in a row, after which requests and timers have their turn. */
const MOST_WORK = 1;

class FeedFollower<C extends Change> implements Follower {
  readonly #subscription: Subscription;
  readonly #groups: FollowedGroups<C>;
  readonly #iterator: AsyncIterator<ChangeBatch<C>> | AsyncIterator<C>;
  readonly #batched: boolean;
  readonly ready: Promise<void>;
  #ready!: { resolve: () => void; reject: (reason: unknown) => void };
  #error: unknown;
  /** {@linkcode Subscription.spent} when requests and timers last had a turn. */
  #restedAt = 0;

  constructor(registry: EtagRegistry, feed: AsyncIterable<C> | ChangesFeed<C>, options: FollowOptions<C>) {
    const maxLag = milliseconds("maxLag", options.maxLag ?? 25_000);
    if (options.replicaLag !== undefined) milliseconds("replicaLag", options.replicaLag);
    this.#batched = isBatched(feed);
    const core = coreOf(registry);
    this.#groups = followedGroups(options.groups ?? nothing, () => core.count("membership-unknown"));
    this.#subscription = core.subscribe(
      options.name ?? "changes",
      this.#batched ? maxLag : Infinity,
      options.replicaLag,
      this.#groups.names,
    );
    this.ready = new Promise((resolve, reject) => this.#ready = { resolve, reject });
    this.ready.catch(() => {});
    try {
      this.#iterator = isBatched(feed)
        ? feed.batches(this.#subscription.position, { maxLag })
        : feed[Symbol.asyncIterator]();
    } catch (error) {
      this.#subscription.close();
      throw error;
    }
    options.signal?.addEventListener("abort", () => void this.close(), { once: true });
    if (options.signal?.aborted) void this.close();
    else void this.#pump();
  }

  get live(): boolean {
    return this.#subscription.live;
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

  async close(): Promise<void> {
    this.#end(new ChangesError("aborted", "The follower was closed before the feed was live"));
    const returned = this.#return();
    // A generator answers return() only when what it waits for has settled, so a plain iterable is not waited for.
    if (this.#batched) await returned;
  }

  async #return(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // The iterator is being discarded: errors of its `return()` are ignored.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A `next()` is always pending, so that a loss, which the feed reports in band, is known at once. */
  async #pump(): Promise<void> {
    try {
      if (!this.#batched) this.#apply(this.#subscription.unbatched());
      while (!this.#subscription.closed) {
        const pending = this.#iterator.next();
        if (this.#subscription.spent - this.#restedAt >= MOST_WORK) await this.#rest(pending);
        const { value, done } = await pending;
        if (done) break;
        this.#apply(this.#batched ? value as ChangeBatch<C> : this.#subscription.unbatched(value as C));
      }
      this.#end(new ChangesError("aborted", "The feed ended before it was live"));
    } catch (error) {
      if (!this.#subscription.closed) this.#error = error;
      this.#end(error);
    }
  }

  /** Gives requests and timers a turn, unless the next batch is a loss or a fault: those are applied at once. */
  async #rest(pending: Promise<IteratorResult<ChangeBatch<C> | C>>): Promise<void> {
    const turn = new Promise<void>((resolve) => setTimeout(resolve));
    const isLoss = ({ value }: IteratorResult<unknown>) =>
      (value as ChangeBatch | undefined)?.state === "lost";
    const lost = pending.then((next) => isLoss(next) ? undefined : turn, () => {});
    await Promise.race([turn, lost]);
    this.#restedAt = this.#subscription.spent;
  }

  #apply(batch: ChangeBatch<C>): void {
    this.#subscription.apply(batch, this.#groups.touchedBy, this.#groups.forget);
    if (this.#subscription.live) this.#ready.resolve();
  }

  #end(reason: unknown): void {
    this.#subscription.close();
    this.#ready.reject(reason);
  }
}

/**
 * Follows a feed: every change takes out of the registry what was built from it. While the feed has lost contact with
 * its source, or is older than `maxLag`, the registry answers nothing and the handlers run.
 *
 * A fault never becomes an unhandled rejection. The feed itself recovers from a fault that passes; a final one suspends
 * the registry and is kept at `error`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import type { Change } from "@stillfresh/etag/change";
 *
 * async function* feed(): AsyncGenerator<Change> {
 *   yield { id: "post-1" };
 *   await new Promise(() => {});
 * }
 *
 * const registry = new EtagRegistry();
 * const follower = follow(registry, feed(), { groups: () => ["posts"] });
 * await follower.ready;
 * assert.equal(registry.live, true);
 *
 * await follower.close();
 * assert.equal(registry.live, false);
 * ```
 *
 * @param registry What to keep true.
 * @param feed {@linkcode ChangesFeed}, or any iterable of changes.
 * @param options Groups, bounds, a name.
 * @throws {RangeError} If `maxLag` or `replicaLag` is not a number of milliseconds.
 * @throws {TypeError} If a feed of that name is followed already, or `groups` holds what is no group.
 */
export function follow<C extends Change>(
  registry: EtagRegistry,
  feed: AsyncIterable<C> | ChangesFeed<C>,
  options: FollowOptions<C> = {},
): Follower {
  return new FeedFollower(registry, feed, options);
}
