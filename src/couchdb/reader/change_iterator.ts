/**
 * One change at a time, derived from batches.
 *
 * @module
 */
import type { CouchChange, Position } from "../../changes/change.ts";
import type { BatchIterator } from "./batch_iterator.ts";
import type { CouchBatch } from "./cursor.ts";

type Result = IteratorResult<CouchChange, undefined>;

/** Iterates over the changes in batches. Written by hand: an async generator takes twice as long per change. */
export class ChangeIterator implements AsyncIterableIterator<CouchChange, undefined> {
  readonly #batches: BatchIterator;
  #batch: CouchBatch | undefined;
  /** Changes of the batch that have been handed out; the consumer is done with all but the last. */
  #handedOut = 0;
  /** The last call that had to wait; further ones queue behind it. */
  #waiting: Promise<Result> | undefined;

  /** @param batches Read by nobody else. */
  constructor(batches: BatchIterator) {
    this.#batches = batches;
  }

  /** After the last change that the consumer has finished with. */
  get position(): Position | undefined {
    const last = this.#batch?.changes[this.#handedOut - 2];
    const source = this.#batch?.position?.source;
    if (last === undefined || source === undefined) return this.#batches.position;
    return { since: last.seq, source };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#waiting === undefined) {
      const change = this.#batch?.changes[this.#handedOut];
      if (change !== undefined) {
        this.#handedOut++;
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
      const change = this.#batch?.changes[this.#handedOut];
      if (change !== undefined) {
        this.#handedOut++;
        return { done: false, value: change };
      }
      const next = this.#batches.next();
      // The consumer is done with all of the last batch, even if none follows.
      this.#batch = undefined;
      this.#handedOut = 0;
      const result = await next;
      this.#batch = result.value;
      if (result.done) return result;
    }
  }
}
