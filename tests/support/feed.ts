/** Feeds whose items a test pushes by hand. */
import type { BatchOptions, Change, ChangeBatch, ChangesFeed, Position } from "../../src/changes/change.ts";

/** An iterator over what is pushed; it can also end, fail, or not answer `return()`. */
export class Pushed<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = [];
  readonly #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (reason: unknown) => void }[] =
    [];
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  /** How often the reader asked for the next item. */
  asked = 0;
  /** How often the reader let go. */
  returned = 0;

  push(item: T): void {
    const reader = this.#waiting.shift();
    if (reader === undefined) this.#items.push(item);
    else reader.resolve({ done: false, value: item });
  }

  end(): void {
    this.#ended = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    this.#failure = { error };
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  next(): Promise<IteratorResult<T>> {
    this.asked++;
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift()! });
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.returned++;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** A feed with batches, each reader of which is fed by the test. */
export class PushedFeed implements ChangesFeed {
  /** Where each reader was asked to begin. */
  readonly from: (Position | undefined)[] = [];
  /** Whether each reader was asked to begin anew. */
  readonly anew: boolean[] = [];
  /** The `maxLag` that each reader announced. */
  readonly maxLags: (number | undefined)[] = [];
  readonly position: Position | undefined = undefined;
  readonly documents: ChangesFeed["documents"];
  reader: Pushed<ChangeBatch> = new Pushed();

  /** @param documents Whose changes it says that it reports. */
  constructor(documents?: ChangesFeed["documents"]) {
    this.documents = documents;
  }

  batches(from?: Position, options?: BatchOptions): Pushed<ChangeBatch> {
    this.from.push(from);
    this.anew.push(options?.anew ?? false);
    this.maxLags.push(options?.maxLag);
    return this.reader = new Pushed();
  }

  [Symbol.asyncIterator](): AsyncIterator<Change> {
    throw new Error("a feed with batches is read by batches");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** Resolves once everything that is ready to run has run: a task of its own follows all promise jobs. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
