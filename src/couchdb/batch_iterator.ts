/**
 * The consumer's end of a reader: every `next()` settles, whatever happens to the reader.
 *
 * @module
 */
import type { Position } from "../change.ts";
import { ChangesError } from "../changes_error.ts";
import type { Batch } from "./cursor.ts";
import type { Reader } from "./reader.ts";

type Result = IteratorResult<Batch, undefined>;
type Settle = { readonly resolve: (result: Result) => void; readonly reject: (error: unknown) => void };

const DONE: Result = { done: true, value: undefined };

/** What a batch iterator is made of. */
export interface BatchIteratorInit {
  /** Where the batches come from. */
  readonly reader: Reader;
  /** The position before the first of them, where it is known. */
  readonly position: Position | undefined;
  /** Ends the iteration with an error. */
  readonly signal: AbortSignal | undefined;
  /** Called once, when it has ended. */
  readonly onEnd: () => void;
}

/** Iterates over what a reader yields. An async generator would hold `return()` back until its `next()` settles. */
export class BatchIterator implements AsyncIterableIterator<Batch, undefined> {
  readonly #init: BatchIteratorInit;
  readonly #source: AsyncGenerator<Batch, void, undefined>;
  readonly #waiting = new Set<Settle>();
  #last: Batch | undefined;
  #position: Position | undefined;
  #ended = false;
  #abortion: ChangesError | undefined;

  constructor(init: BatchIteratorInit) {
    this.#init = init;
    this.#position = init.position;
    this.#source = init.reader.batches();
    init.signal?.addEventListener("abort", this.#abort);
  }

  /** After the last batch that the consumer has finished with. */
  get position(): Position | undefined {
    return this.#position;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    // To ask for the next is to be done with the last: an error or a `break` never gets here.
    this.#position = this.#last?.position ?? this.#position;
    this.#last = undefined;
    if (this.#init.signal?.aborted && !this.#ended) this.#abort();
    if (this.#ended) return this.#afterEnd();
    return new Promise((resolve, reject) => {
      const settle = { resolve, reject };
      this.#waiting.add(settle);
      this.#source.next().then(
        (result) => this.#deliver(settle, result),
        (error) => this.#fail(settle, error),
      );
    });
  }

  return(): Promise<Result> {
    this.#end();
    for (const { resolve } of this.#waiting) resolve(DONE);
    this.#waiting.clear();
    return Promise.resolve(DONE);
  }

  #deliver(settle: Settle, result: IteratorResult<Batch, void>): void {
    if (!this.#waiting.delete(settle)) return;
    if (result.done) {
      this.#end();
      settle.resolve(DONE);
    } else {
      this.#last = result.value;
      settle.resolve(result);
    }
  }

  #fail(settle: Settle, error: unknown): void {
    if (!this.#waiting.delete(settle)) return;
    this.#end();
    settle.reject(error);
  }

  /** The one error that a consumer who was not waiting has not seen yet. */
  #afterEnd(): Promise<Result> {
    const error = this.#abortion;
    this.#abortion = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  readonly #abort = (): void => {
    this.#end();
    const error = new ChangesError("aborted", "The feed was aborted", { cause: this.#init.signal?.reason });
    if (this.#waiting.size === 0) this.#abortion = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  };

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#init.signal?.removeEventListener("abort", this.#abort);
    this.#init.reader.close();
    // Runs its `finally` blocks; a fault on the way out concerns nobody any more.
    this.#source.return().catch(() => {});
    this.#init.onEnd();
  }
}
