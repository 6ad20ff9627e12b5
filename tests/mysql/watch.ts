/** What a feed tells look by look. */
import type { ChangeBatch, Position } from "../../src/changes/change.ts";
import { changes, type MysqlOptions, type Query } from "../../src/mysql/changes.ts";

/** ms: the waits of the back-off are shorter. */
const LONGEST_REST = 5_000;

/** What one look has told. */
export interface Told {
  /** Ids, sorted. */
  readonly ids: readonly string[];
  readonly state: string;
  readonly reset: string | undefined;
}

/** Looks one by one: the feed's rests end when the next look is asked for. */
export class Watch {
  readonly events: string[] = [];
  /** Of the last loss. */
  error: Error | undefined;
  readonly sources: ReadonlySet<string>;
  readonly #reader: AsyncIterator<ChangeBatch>;
  /** Of the look before. */
  position: Position | undefined;
  contact: number | undefined;
  /** ms by which the feed's clocks are ahead. */
  ahead = 0;

  constructor(query: Query, options: MysqlOptions, from?: Position) {
    const feed = changes(query, {
      sleep: (ms, signal) => this.#sleep(ms, signal),
      now: () => Date.now() + this.ahead,
      monotonic: () => performance.now() + this.ahead,
      onEvent: (event) => {
        if (event.type === "lost") this.error = event.error as Error;
        this.events.push(event.type === "reset" ? `reset ${event.reason}` : event.type);
      },
      keep: 0,
      ...options,
    });
    this.sources = feed.sources;
    this.#reader = feed.batches(from);
  }

  /** A rest takes no time, and so much on the feed's clocks that each look is a whole one; a deadline does not come. */
  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > LONGEST_REST) return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
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
      this.position = value.position;
      this.contact = value.contact?.monotonic;
      if (value.changes.length < 1_000) return { ids: ids.toSorted(), state: value.state, reset };
    }
  }

  async close(): Promise<void> {
    await this.#reader.return?.();
  }
}
