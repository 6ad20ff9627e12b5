/**
 * The changes of batches, one at a time.
 *
 * @module
 */
import type { CouchChange, Position } from "../../changes/change.ts";
import type { BatchIterator } from "./batch_iterator.ts";
import type { CouchBatch } from "./cursor.ts";

type Result = IteratorResult<CouchChange, undefined>;

/** Iterates over the changes in batches. Written by hand, because an async generator takes twice as long for each. */
export class ChangeIterator implements AsyncIterableIterator<CouchChange, undefined> {
  readonly #batches: BatchIterator;
  #batch: CouchBatch | undefined;
  /** How many changes of the batch have been yielded; the consumer has processed all of them but the last. */
  #yielded = 0;
  /** The last call of `next()` that waits for a batch; later ones wait for it. */
  #waiting: Promise<Result> | undefined;

  /** @param batches Must not be read by other means. */
  constructor(batches: BatchIterator) {
    this.#batches = batches;
  }

  /** The position after the last change that the consumer has processed. */
  get position(): Position | undefined {
    const last = this.#batch?.changes[this.#yielded - 2];
    const source = this.#batch?.position?.source;
    if (last === undefined || source === undefined) return this.#batches.position;
    return { since: last.seq, source };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#waiting === undefined) {
      const change = this.#batch?.changes[this.#yielded];
      if (change !== undefined) {
        this.#yielded++;
        return Promise.resolve({ done: false, value: change });
      }
    }
    return this.#queue();
  }

  async return(): Promise<Result> {
    await this.#batches.return();
    return { done: true, value: undefined };
  }

  #queue(): Promise<Result> {
    const before = this.#waiting;
    const result = before === undefined ? this.#pull() : before.then(() => this.#pull(), () => this.#pull());
    this.#waiting = result;
    const finished = () => {
      if (this.#waiting === result) this.#waiting = undefined;
    };
    result.then(finished, finished);
    return result;
  }

  async #pull(): Promise<Result> {
    for (;;) {
      const change = this.#batch?.changes[this.#yielded];
      if (change !== undefined) {
        this.#yielded++;
        return { done: false, value: change };
      }
      const next = this.#batches.next();
      // The consumer has processed all of the last batch, even if none follows.
      this.#batch = undefined;
      this.#yielded = 0;
      const result = await next;
      this.#batch = result.value;
      if (result.done) return result;
    }
  }
}
