/**
 * The batches of a reader, and the position after those that have been processed.
 *
 * @module
 */
import type { Position } from "../../changes/change.ts";
import type { CouchBatch } from "./cursor.ts";
import type { Settings } from "../connection/options.ts";
import type { Reader } from "./reader.ts";
import { ClosableIterator } from "./closable_iterator.ts";

/** What a batch iterator is made of. */
export interface BatchIteratorInit {
  /** Where the batches come from. */
  readonly reader: Reader;
  readonly settings: Settings;
  /** The position before the first of them, where it is known. */
  readonly position: Position | undefined;
  /** Called once, when it has ended. */
  readonly onEnd: () => void;
}

/** Iterates over what a reader yields, up to the limit. */
export class BatchIterator extends ClosableIterator<CouchBatch> {
  #position: Position | undefined;

  constructor({ reader, settings, position, onEnd }: BatchIteratorInit) {
    const { limit, signal, monitor } = settings;
    super({
      generator: limit === Infinity ? reader.batches() : limited(reader.batches(), limit),
      close: () => reader.close(),
      signal,
      onItem: (batch) => monitor.noteBatch(batch),
      onFinished: (batch) => this.#position = batch.position ?? this.#position,
      onEnd: () => {
        monitor.emit({ type: "closed" });
        onEnd();
      },
    });
    this.#position = position;
  }

  /** After the last batch that the consumer has finished with. */
  get position(): Position | undefined {
    return this.#position;
  }
}

/** Batches with `limit` changes in all. */
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
