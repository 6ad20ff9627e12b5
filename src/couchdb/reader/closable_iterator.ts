/**
 * The consumer's end of a generator: every `next()` settles, whatever the generator waits for.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";

type Result<T> = IteratorResult<T, undefined>;
interface PendingNext<T> {
  readonly resolve: (result: Result<T>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/** What a settling iterator is made of. */
export interface ClosableIteratorInit<T> {
  /** Where the items come from. */
  readonly generator: AsyncGenerator<T, void, undefined>;
  /** Interrupts whatever the generator waits for. */
  readonly close: () => void;
  /** Ends the iteration with an error. */
  readonly signal: AbortSignal | undefined;
  /** An item is handed out. */
  readonly onItem: (item: T) => void;
  /** The consumer has finished with an item: an error or a `break` never gets here. */
  readonly onFinished: (item: T) => void;
  /** Called once, when it has ended. */
  readonly onEnd: () => void;
}

/** Iterates over what a generator yields, which by itself would hold `return()` back until its `next()` settles. */
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
    if (this.#last !== undefined) this.#init.onFinished(this.#last.item);
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
    this.#end();
    pending.reject(error);
  }

  /** The one error that a consumer who was not waiting has not seen yet. */
  #afterEnd(): Promise<Result<T>> {
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
    this.#init.close();
    // Runs its `finally` blocks; a fault on the way out concerns nobody any more.
    this.#init.generator.return().catch(() => {});
    this.#init.onEnd();
  }
}
