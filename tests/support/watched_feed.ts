/** A feed over tables that looks when it is asked to, and what it tells look by look. */
import type { ChangeBatch, ChangesFeed, Position } from "../../src/changes/change.ts";
import { instant, systemClock } from "../../src/changes/clock.ts";
import type { TableFeed, TableFeedOptions } from "../../src/changes/polled_feed.ts";

/** ms: the waits of the back-off are shorter. */
const LONGEST_REST = 5_000;

/** What one look has told. */
export interface Told {
  /** Ids, sorted. */
  readonly ids: readonly string[];
  readonly state: string;
  readonly reset: string | undefined;
}

/** What a feed is given so that it can be watched. */
export type WatchOptions = Required<Pick<TableFeedOptions, "sleep" | "now" | "monotonic" | "onEvent">>;

/** Looks one by one: the feed's rests end when the next look is asked for. */
export class WatchedFeed {
  readonly events: string[] = [];
  /** Of the last loss. */
  error: Error | undefined;
  readonly sources: ReadonlySet<string>;
  readonly #reader: AsyncIterator<ChangeBatch>;
  /** Of the look before. */
  position: Position | undefined;
  last: ChangeBatch | undefined;
  /** ms by which the feed's clocks are ahead. */
  ahead = 0;

  constructor(open: (options: WatchOptions) => TableFeed, from?: Position) {
    const feed = open({
      sleep: (ms, signal) => this.#sleep(ms, signal),
      now: () => Date.now() + this.ahead,
      monotonic: () => performance.now() + this.ahead,
      onEvent: (event) => {
        if (event.type === "lost") this.error = event.error as Error;
        this.events.push(event.type === "reset" ? `reset ${event.reason}` : event.type);
      },
    });
    this.sources = feed.sources;
    this.#reader = feed.batches(from);
  }

  /** A rest takes no time, and so much on the feed's clocks that each look is a whole one by default; no deadline comes. */
  #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms > LONGEST_REST) {
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
    }
    this.ahead += 10_000;
    return Promise.resolve();
  }

  /** The batches of the next look, as one. */
  async look(): Promise<Told> {
    const ids: string[] = [];
    let reset: string | undefined;
    for (;;) {
      const { value } = await this.#reader.next() as { readonly value: ChangeBatch };
      ids.push(...value.changes.map(({ id }) => id));
      reset ??= value.reset;
      this.last = value;
      this.position = value.position;
      if (value.changes.length < 1_000) return { ids: ids.toSorted(), state: value.state, reset };
    }
  }

  async close(): Promise<void> {
    await this.#reader.return?.();
  }
}

/**
 * A feed that claims contact as of another moment than it should.
 *
 * @param at The moment, by when the last look was sent; both by `performance.now()`.
 */
export function withContact(
  feed: ChangesFeed,
  sent: () => number,
  at: (sent: number) => number,
): ChangesFeed {
  async function* batches(...args: Parameters<ChangesFeed["batches"]>) {
    for await (const batch of feed.batches(...args)) {
      const now = instant(systemClock);
      const age = now.monotonic - at(sent());
      yield batch.contact === undefined
        ? batch
        : { ...batch, contact: { wall: now.wall - age, monotonic: now.monotonic - age } };
    }
  }
  return Object.create(feed, { batches: { value: batches } });
}
