/**
 * A feed with each of its changes replaced.
 *
 * @module
 */
import type {
  BatchOptions,
  Change,
  ChangeBatch,
  ChangesFeed,
  FeedLook,
  MappableFeed,
  Position,
  ResetReason,
} from "./change.ts";

/**
 * Replaces each change of a feed, and keeps its batches with their states, contacts, resets and positions. The method
 * `map` of a feed does this; a feed that is written by hand can call it.
 *
 * If `transform` throws, or returns no change, the batch carries the reset `"map-threw"`: what has changed is unknown,
 * so everything before is void. A reader of single changes gets the error instead.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow, mapFeed, ownFeed } from "@stillfresh/etag";
 *
 * const users = ownFeed(() => {}, { onlyWriter: true });
 * const registry = new EtagRegistry();
 * // The ids of two databases that share a registry must not meet.
 * const follower = follow(registry, mapFeed(users, (change) => ({ ...change, id: `users/${change.id}` })));
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * ```
 *
 * @param feed Read by its result alone from now on.
 * @param transform Gives the change to report in place of another.
 */
export function mapFeed<C extends Change, D extends Change>(
  feed: ChangesFeed<C>,
  transform: (change: C) => D,
): MappableFeed<D> {
  return new MappedFeed(feed, transform);
}

class MappedFeed<C extends Change, D extends Change> implements MappableFeed<D> {
  readonly #feed: ChangesFeed<C>;
  readonly #transform: (change: C) => D;
  /** Absent, where the feed cannot be asked. */
  readonly look?: (from: Position | undefined) => FeedLook<D> | undefined;

  constructor(feed: ChangesFeed<C>, transform: (change: C) => D) {
    if (typeof transform !== "function") {
      throw new TypeError(`map() takes a function from a change to a change, not ${String(transform)}`);
    }
    this.#feed = feed;
    this.#transform = transform;
    if (feed.look === undefined) return;
    this.look = (from) => {
      const look = feed.look!(from);
      return look && this.#mapLook(look);
    };
  }

  get position(): Position | undefined {
    return this.#feed.position;
  }

  /** The list of documents is in the ids before `transform`, which says nothing of the ids after it. */
  get documents(): "filtered" | undefined {
    return this.#feed.documents === undefined ? undefined : "filtered";
  }

  batches(from?: Position, options?: BatchOptions): AsyncIterableIterator<ChangeBatch<D>> {
    return iterate(this.#feed.batches(from, options), (batch) => this.#mapBatch(batch));
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<D> {
    return iterate(this.#feed[Symbol.asyncIterator](), (change) => this.#map(change));
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#feed[Symbol.asyncDispose]();
  }

  map<E extends Change>(transform: (change: D) => E): MappableFeed<E> {
    return mapFeed(this, transform);
  }

  toString(): string {
    return String(this.#feed);
  }

  #map(change: C): D {
    const mapped = this.#transform(change);
    if (typeof mapped?.id === "string") return mapped;
    throw new TypeError(`map() needs a change with a string id, not ${String(mapped?.id)}`);
  }

  #mapBatch({ repeated, ...batch }: ChangeBatch<C>): ChangeBatch<D> {
    const again = this.#mapChanges(repeated ?? []);
    const mapped = this.#mapLook(batch);
    if (repeated === undefined) return mapped;
    const threw = again.threw ? { reset: batch.reset ?? "map-threw" } as const : {};
    return { ...mapped, repeated: again.mapped, ...threw };
  }

  /** A batch is a look too. */
  #mapLook<T extends { readonly changes: readonly C[]; readonly reset?: ResetReason | undefined }>(
    look: T,
  ): Omit<T, "changes"> & { changes: D[] } {
    const { mapped, threw } = this.#mapChanges(look.changes);
    return { ...look, changes: mapped, ...(threw ? { reset: look.reset ?? "map-threw" } : {}) };
  }

  #mapChanges(changes: readonly C[]): { mapped: D[]; threw: boolean } {
    const mapped: D[] = [];
    let threw = false;
    for (const change of changes) {
      try {
        mapped.push(this.#map(change));
      } catch {
        threw = true;
      }
    }
    return { mapped, threw };
  }
}

/** The items of an iterator, mapped. By hand: a generator would hold `return()` back until its `next()` settles. */
function iterate<T, U>(iterator: AsyncIterator<T>, transform: (item: T) => U): AsyncIterableIterator<U> {
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await iterator.next();
      if (result.done) return result;
      try {
        return { done: false, value: transform(result.value) };
      } catch (error) {
        // `for await` calls return() where its body throws, but not where next() does.
        await iterator.return?.();
        throw error;
      }
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
