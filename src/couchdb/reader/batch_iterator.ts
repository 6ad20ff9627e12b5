/**
 * The batches of a reader, and the position after those that the consumer has processed.
 *
 * @module
 */
import type { Position } from "../../changes/change.ts";
import { faultFields } from "../connection/monitor.ts";
import type { Settings } from "../connection/options.ts";
import { ClosableIterator } from "./closable_iterator.ts";
import type { CouchBatch } from "./cursor.ts";
import type { Reader } from "./reader.ts";

/** What a batch iterator needs. */
export interface BatchIteratorInit {
  /** Where the batches come from. */
  readonly reader: Reader;
  readonly settings: Settings;
  /** The position before the first of them; undefined if it is not known yet. */
  readonly position: Position | undefined;
  /** Called once, when it has ended. */
  readonly onEnd: () => void;
}

/** Iterates over the batches of a reader, up to the option `limit`. */
export class BatchIterator extends ClosableIterator<CouchBatch> {
  #position: Position | undefined;

  constructor({ reader, settings, position, onEnd }: BatchIteratorInit) {
    const { limit, signal, monitor } = settings;
    super({
      generator: limit === Infinity ? reader.batches() : limited(reader.batches(), limit),
      close: () => reader.close(),
      signal,
      onItem: (batch) => monitor.noteBatch(batch),
      onProcessed: (batch) => this.#position = batch.position ?? this.#position,
      onEnd: (error) => {
        // First, so that what is told may read the feed again.
        onEnd();
        monitor.emit({ type: "closed", ...faultFields(error) });
      },
    });
    this.#position = position;
  }

  /** The position after the last batch that the consumer has processed. */
  get position(): Position | undefined {
    return this.#position;
  }
}

/** The first batches, cut so that they hold `limit` changes in all. */
async function* limited(
  batches: AsyncGenerator<CouchBatch, void, undefined>,
  limit: number,
): AsyncGenerator<CouchBatch, void, undefined> {
  let left = limit;
  for await (const batch of batches) {
    const { changes, position } = batch;
    const last = changes[left - 1];
    if (last === undefined) {
      left -= changes.length;
      yield batch;
      continue;
    }
    const whole = changes.length === left;
    const since = whole ? position : position && { ...position, since: last.seq };
    yield { ...batch, changes: changes.slice(0, left), position: since };
    return;
  }
}
