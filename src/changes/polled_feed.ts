/**
 * A feed over a source that has to be asked: what such feeds have in common, whatever the source.
 *
 * @module
 */
import type { BatchOptions, Change, MappableFeed, Position } from "./change.ts";
import { systemClock } from "./clock.ts";
import { mapFeed } from "./map_feed.ts";
import {
  type Look,
  type PolledFeedEvent,
  PolledReader,
  type PolledSource,
  type PollSettings,
} from "./polled_reader.ts";
import { type Sleep, systemSleep } from "./timing.ts";

/** Options of every feed that follows tables. */
export interface TableFeedOptions {
  /** The tables, by the names that the migration was given. */
  readonly tables: readonly string[];
  /** ms between two looks; default 200, or 20 for a SQLite file. */
  readonly poll?: number;
  /** ms: how old its contact may become; a whole look is made every quarter of that. Default 25,000, or less if follow says so. */
  readonly maxLag?: number;
  /** Most changes of one look; if there are more, everything counts as changed. Default 10,000. */
  readonly overflow?: number;
  /** Called with what happens to the feed; whatever it throws is ignored. */
  readonly onEvent?: (event: PolledFeedEvent) => void;
  /** Wall clock; default `Date.now`. */
  readonly now?: () => number;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
  /** Default: a timer. */
  readonly sleep?: Sleep;
  /** Jitter of the back-off, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
}

/** A feed over tables. */
export interface TableFeed extends MappableFeed {
  /** The tables, and the columns by which their lists are told apart, once the first look has found them. */
  readonly sources: ReadonlySet<string>;
}

/**
 * The tables that were named.
 *
 * @throws {TypeError} If none was.
 */
export function namedTables(options: TableFeedOptions): readonly string[] {
  const tables = options?.tables;
  if (Array.isArray(tables) && tables.length > 0) return tables;
  throw new TypeError('changes() takes the tables to follow: { tables: ["posts"] }');
}

/** A feed that one reader at a time reads by looks. */
export class PolledFeed implements TableFeed {
  readonly sources: Set<string>;
  readonly #tables: readonly string[];
  readonly #settings: PollSettings;
  readonly #open: (settings: PollSettings, sources: Set<string>) => PolledSource;
  #reader: PolledReader | undefined;
  #position: Position | undefined;

  /**
   * @param poll ms between two looks, where the options do not say.
   * @param open Gives the source that a reader looks at, which keeps `sources`.
   * @param sources Where they are kept; default: a set for them alone.
   * @throws {RangeError} If a number is illegal.
   */
  constructor(
    options: TableFeedOptions,
    poll: number,
    open: (settings: PollSettings, sources: Set<string>) => PolledSource,
    sources: Set<string> = new Set(),
  ) {
    this.sources = sources;
    this.#tables = options.tables;
    this.#open = open;
    positive("overflow", options.overflow ?? 1);
    this.#settings = {
      poll: positive("poll", options.poll ?? poll),
      maxLag: positive("maxLag", options.maxLag ?? 25_000),
      onEvent: options.onEvent ?? (() => {}),
      clock: { now: options.now ?? systemClock.now, monotonic: options.monotonic ?? systemClock.monotonic },
      sleep: options.sleep ?? systemSleep,
      random: options.random ?? Math.random,
    };
  }

  get position(): Position | undefined {
    return this.#position;
  }

  batches(from?: Position, options: BatchOptions = {}): PolledReader {
    if (this.#reader !== undefined) {
      throw new TypeError("This feed is being read already: one reader at a time");
    }
    const maxLag = Math.min(positive("maxLag", options.maxLag ?? Infinity), this.#settings.maxLag);
    const settings = { ...this.#settings, maxLag };
    const start = options.anew ? undefined : from ?? this.#position;
    const reader = new PolledReader(this.#open(settings, this.sources), settings, start, () => {
      if (this.#reader === reader) this.#reader = undefined;
    });
    return this.#reader = reader;
  }

  /** Leaves out of the next batch what a consumer has found by a look of its own. */
  advance(from: Position | undefined, look: Look): void {
    this.#reader?.advance(from, look);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change, void, undefined> {
    for await (const { changes, position } of this.batches()) {
      yield* changes;
      this.#position = position;
    }
  }

  map<D extends Change>(transform: (change: Change) => D): MappableFeed<D> {
    return mapFeed(this, transform);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader?.return();
  }

  toString(): string {
    return `changes of ${this.#tables.join(", ")}`;
  }
}

function positive(name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`${name} must be a positive number, not ${value}`);
}
