/**
 * An iterator over a generator that can be closed while the generator waits.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";

type Result<T> = IteratorResult<T, undefined>;

/** A call of `next()` that waits for the generator. */
interface PendingNext<T> {
  readonly resolve: (result: Result<T>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/** What a closable iterator needs. */
export interface ClosableIteratorInit<T> {
  /** Where the items come from. */
  readonly generator: AsyncGenerator<T, void, undefined>;
  /** Interrupts what the generator waits for. */
  readonly close: () => void;
  /** Ends the iteration with the error `aborted`. */
  readonly signal: AbortSignal | undefined;
  /** Called when an item is yielded. */
  readonly onItem: (item: T) => void;
  /**
   * Called when the consumer asks for the next item, so that the last one is processed: not after an error or `break`.
   */
  readonly onProcessed: (item: T) => void;
  /** Called once, when the iteration has ended; with the error that ended it, if one did. */
  readonly onEnd: (error?: ChangesError) => void;
}

/**
 * Iterates over what a generator yields. A generator by itself answers `return()` only once its pending `next()` has
 * settled; here `return()`, and an abort, settle every pending `next()` at once.
 */
export class ClosableIterator<T> implements AsyncIterableIterator<T, undefined> {
  readonly #init: ClosableIteratorInit<T>;
  readonly #waiting = new Set<PendingNext<T>>();
  #last: { readonly item: T } | undefined;
  #ended = false;
  #abortion: ChangesError | undefined;

  constructor(init: ClosableIteratorInit<T>) {
    this.#init = init;
    init.signal?.addEventListener("abort", this.#abort);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<T>> {
    if (this.#last !== undefined) this.#init.onProcessed(this.#last.item);
    this.#last = undefined;
    if (this.#init.signal?.aborted && !this.#ended) this.#abort();
    if (this.#ended) return this.#afterEnd();
    return new Promise((resolve, reject) => {
      const pending = { resolve, reject };
      this.#waiting.add(pending);
      this.#init.generator.next().then(
        (result) => this.#deliver(pending, result),
        (error) => this.#fail(pending, error),
      );
    });
  }

  return(): Promise<Result<T>> {
    this.#end();
    for (const { resolve } of this.#waiting) resolve(DONE);
    this.#waiting.clear();
    return Promise.resolve(DONE);
  }

  #deliver(pending: PendingNext<T>, result: IteratorResult<T, void>): void {
    if (!this.#waiting.delete(pending)) return;
    if (result.done) {
      this.#end();
      pending.resolve(DONE);
    } else {
      this.#last = { item: result.value };
      this.#init.onItem(result.value);
      pending.resolve(result);
    }
  }

  #fail(pending: PendingNext<T>, error: unknown): void {
    if (!this.#waiting.delete(pending)) return;
    this.#end(error instanceof ChangesError ? error : undefined);
    pending.reject(error);
  }

  /** An abort while no `next()` was pending is reported by the following `next()`, once. */
  #afterEnd(): Promise<Result<T>> {
    const error = this.#abortion;
    this.#abortion = undefined;
    return error === undefined ? Promise.resolve(DONE) : Promise.reject(error);
  }

  readonly #abort = (): void => {
    const error = new ChangesError("aborted", "The feed was aborted", { cause: this.#init.signal?.reason });
    this.#end(error);
    if (this.#waiting.size === 0) this.#abortion = error;
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  };

  #end(error?: ChangesError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#init.signal?.removeEventListener("abort", this.#abort);
    this.#init.close();
    // Runs the `finally` blocks of the generator. The iteration is over: an error of theirs is ignored.
    this.#init.generator.return().catch(() => {});
    this.#init.onEnd(error);
  }
}
