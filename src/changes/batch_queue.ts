/**
 * Between a source that pushes changes and a consumer that pulls batches.
 *
 * @module
 */
import type { Change, ChangeBatch, FeedState, Instant, ResetReason } from "./change.ts";

/** Most changes of one batch, as {@linkcode ChangeBatch} promises. */
const MOST_CHANGES = 1_000;

type Result<C extends Change> = IteratorResult<ChangeBatch<C>, undefined>;
interface Settle<C extends Change> {
  readonly resolve: (result: Result<C>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/**
 * Holds what was pushed and has not been read as one batch, to which everything that follows is added. So it needs no
 * order among changes, resets and states: a batch applies its reset first and its state last.
 */
export class BatchQueue<C extends Change> {
  readonly #limit: number;
  #changes: C[] = [];
  #reset: ResetReason | undefined;
  #state: FeedState = "catching-up";
  #contact: Instant | undefined;
  /** What was met at the last loss. */
  #fault: unknown;
  /** What the last batch that was read has said. */
  #told: Pick<ChangeBatch, "state" | "contact" | "fault"> = { state: "catching-up", contact: undefined };
  /** Whether there is anything to read. */
  #pending = false;
  /** Calls of `next()` that have not been answered. */
  #waiting: Settle<C>[] = [];
  #end: { readonly error?: unknown } | undefined;

  /** @param limit Most changes that wait to be read; if there are more, they are dropped for a reset. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a change. */
  push(change: C): void {
    if (this.#changes.length === this.#limit) {
      this.#changes = [];
      this.#reset ??= "overflow";
    }
    this.#changes.push(change);
    this.#deliver();
  }

  /**
   * The source has proved to be complete.
   *
   * @param contact As of when.
   * @param reset On the first proof of a connection: nothing from before it counts.
   */
  prove(contact: Instant, reset?: ResetReason): void {
    this.#state = "live";
    this.#contact = contact;
    this.#reset ??= reset;
    this.#deliver();
  }

  /**
   * The source is lost, or could not be connected to again.
   *
   * @param fault What was met.
   */
  lose(fault: unknown): void {
    this.#state = "lost";
    this.#fault = fault;
    this.#deliver();
  }

  /** Ends with an error, once what is pending has been read. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#settle();
  }

  /** Ends, whatever is pending. */
  close(): void {
    this.#end = {};
    this.#pending = false;
    this.#settle();
  }

  /** What is pending, or else what comes next. */
  next(): Promise<Result<C>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#settle();
    });
  }

  #deliver(): void {
    if (this.#end !== undefined) return;
    this.#pending = true;
    this.#settle();
  }

  #settle(): void {
    while (this.#waiting.length > 0 && (this.#pending || this.#end !== undefined)) {
      const { resolve, reject } = this.#waiting.shift()!;
      if (this.#pending) resolve({ done: false, value: this.#take() });
      else if ("error" in this.#end!) {
        reject(this.#end.error);
        this.#end = {};
      } else resolve(DONE);
    }
  }

  #take(): ChangeBatch<C> {
    const changes = this.#changes.splice(0, MOST_CHANGES);
    this.#pending = this.#changes.length > 0;
    // A loss is told at once, and a contact only behind all the changes that came before it.
    if (this.#state === "lost") {
      this.#told = { state: this.#state, contact: this.#contact, fault: this.#fault };
    } else if (!this.#pending) this.#told = { state: this.#state, contact: this.#contact };
    const reset = this.#reset;
    this.#reset = undefined;
    return { changes, position: undefined, ...this.#told, ...(reset === undefined ? {} : { reset }) };
  }
}
