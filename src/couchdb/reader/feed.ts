/**
 * The feed that a program holds: it opens one reader at a time, and keeps the position between two of them.
 *
 * @module
 */
import type {
  BatchOptions,
  Change,
  CouchChange,
  FeedState,
  MappableFeed,
  Position,
  Since,
} from "../../changes/change.ts";
import { mapFeed } from "../../changes/map_feed.ts";
import type { Database } from "../connection/database.ts";
import type { FeedCounters } from "../connection/monitor.ts";
import { requireMaxLag, requireSince, type Settings } from "../connection/options.ts";
import { BatchIterator } from "./batch_iterator.ts";
import { ChangeIterator } from "./change_iterator.ts";
import { Reader } from "./reader.ts";

/**
 * The changes of a database: one at a time by `for await`, or as they arrive by `batches()`.
 *
 * A second reader starts where the first left off, so that nothing between the two is lost.
 */
export interface CouchChangesFeed extends MappableFeed<CouchChange> {
  /** The `since` of `position`, which is enough to resume where database, filter and style never change. */
  readonly since: Since | undefined;
  /** The state of the last batch that was yielded. */
  readonly state: FeedState;
  /** Milliseconds that may have passed since the feed was last shown to be complete; Infinity before the first time. */
  readonly lag: number;
  /** Totals since the feed was made. */
  readonly counters: FeedCounters;
  /** Names the database, without credentials: `changes of http://localhost:5984/blog`. */
  toString(): string;
}

/** Makes the feed of a database. Nothing is requested before it is read. */
export function openFeed(database: Database, settings: Settings): CouchChangesFeed {
  return new Feed(database, settings);
}

class Feed implements CouchChangesFeed {
  readonly #database: Database;
  readonly #settings: Settings;
  #reader: BatchIterator | ChangeIterator | undefined;
  #position: Position | undefined;

  constructor(database: Database, settings: Settings) {
    this.#database = database;
    this.#settings = settings;
  }

  get position(): Position | undefined {
    return this.#reader?.position ?? this.#position;
  }

  get since(): Since | undefined {
    return this.position?.since;
  }

  get documents(): readonly string[] | "filtered" | undefined {
    const { filtered, parameters } = this.#settings.selection;
    return filtered ? (parameters["doc_ids"] as readonly string[] | undefined) ?? "filtered" : undefined;
  }

  get state(): FeedState {
    return this.#settings.monitor.state;
  }

  get lag(): number {
    return this.#settings.monitor.lag;
  }

  get counters(): FeedCounters {
    return { ...this.#settings.monitor.counters };
  }

  batches(from?: Position, options: BatchOptions = {}): BatchIterator {
    const maxLag = Math.min(requireMaxLag(options.maxLag ?? Infinity), this.#settings.maxLag);
    if (options.anew) this.#forgetPosition();
    const since = options.anew ? "now" : this.#settings.since;
    const iterator = this.#open(from, { ...this.#settings, since, maxLag }, options.anew);
    this.#reader = iterator;
    return iterator;
  }

  [Symbol.asyncIterator](): ChangeIterator {
    const iterator = new ChangeIterator(this.#open(undefined, this.#settings));
    this.#reader = iterator;
    return iterator;
  }

  map<D extends Change>(transform: (change: CouchChange) => D): MappableFeed<D> {
    return mapFeed(this, transform);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.return();
  }

  toString(): string {
    return `changes of ${this.#database.name}`;
  }

  /** Unless a reader is open, which is an error that follows. */
  #forgetPosition(): void {
    if (this.#reader === undefined) this.#position = undefined;
  }

  #open(from: Position | undefined, settings: Settings, isAnew: boolean = false): BatchIterator {
    if (this.#reader !== undefined) {
      throw new TypeError(`The ${this} are being read already: one reader at a time`);
    }
    if (from !== undefined) requirePosition(from);
    const position = from ?? this.#position;
    return new BatchIterator({
      reader: new Reader(this.#database, settings, position, isAnew),
      settings,
      position,
      onEnd: () => {
        this.#position = this.position;
        this.#reader = undefined;
      },
    });
  }
}

function requirePosition(from: Position): void {
  requireSince(from?.since);
  if (from.since === "now" || typeof from.source !== "string") {
    throw new TypeError(`Expected a position of this feed, not ${JSON.stringify(from)}`);
  }
}
