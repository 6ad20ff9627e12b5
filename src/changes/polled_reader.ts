/**
 * Reads a source that has to be asked: looks at it again and again, and says after each look what has changed.
 *
 * @module
 */
import { BackOff } from "./back_off.ts";
import type { Change, ChangeBatch, FeedState, Instant, Position, ResetReason } from "./change.ts";
import { ChangesError } from "./changes_error.ts";
import { type Clock, instant } from "./clock.ts";
import { FINAL } from "./final_faults.ts";
import { deadline, EXPIRED, type Sleep } from "./timing.ts";

/** What one look has found. */
export interface Look {
  /** What has changed since the look before; without an order. */
  readonly changes: readonly Change[];
  /** Where the next look begins. */
  readonly position: Position;
  /** What makes everything void that was known before. */
  readonly reset?: ResetReason | undefined;
  /** ms: how long before it was sent the look may have seen the source; default 0. */
  readonly age?: number;
}

/** How a source is looked at. */
export interface PolledSource {
  /**
   * Looks once.
   *
   * @param from Where the look before has ended; undefined: nothing is known yet.
   * @param isWhole Whether the look has to find everything that may have happened. A quick one may leave out what is
   * found seldom, and is no contact.
   * @throws {ChangesError} With a code in {@linkcode FINAL}, where waiting does not help at the start.
   */
  look(from: Position | undefined, isWhole: boolean): Promise<Look>;
  /** Called when the reader begins: `wake` makes it look at once. */
  listen?(wake: () => void): void;
  /** Called when the reader ends. */
  close?(): void;
}

/**
 * What happens to a feed that is read by looks.
 *
 * - `live`: a look was complete.
 * - `reset`: everything known before is void.
 * - `lost`: a look has failed, and is tried again.
 * - `unpruned`: old changes could not be taken out of the change table, which grows.
 */
export type PolledFeedEvent =
  | { readonly type: "live" }
  | { readonly type: "reset"; readonly reason: ResetReason }
  | { readonly type: "lost" | "unpruned"; readonly error: unknown };

/** Bounds and clocks. */
export interface PollSettings {
  /** ms between two looks. */
  readonly poll: number;
  /** ms: how old the contact may become; a whole look is made every quarter of it. */
  readonly maxLag: number;
  readonly onEvent: (event: PolledFeedEvent) => void;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: () => number;
}

/** Most changes of one batch, as {@linkcode ChangeBatch} promises. */
const MOST_CHANGES = 1_000;

/** ms that a look may take, however small `maxLag` is. */
const LEAST_PATIENCE = 1_000;

/** Looks until it is closed. */
export class PolledReader implements AsyncIterableIterator<ChangeBatch, undefined> {
  readonly #source: PolledSource;
  readonly #settings: PollSettings;
  readonly #closing = new AbortController();
  readonly #onEnd: () => void;
  readonly #batches: AsyncGenerator<ChangeBatch, undefined, undefined>;
  /** Ends the present rest, or the next one. */
  #wake: AbortController = new AbortController();
  #ended = false;
  /** Where the next look begins. */
  #position: Position | undefined;

  /**
   * @param from Where an earlier reader has ended.
   * @param onEnd Called once it has ended.
   */
  constructor(source: PolledSource, settings: PollSettings, from: Position | undefined, onEnd: () => void) {
    this.#source = source;
    this.#settings = settings;
    this.#onEnd = onEnd;
    this.#position = from;
    this.#batches = this.#read();
    source.listen?.(() => this.wake());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Looks at once, or as soon as the look of now is over. */
  wake(): void {
    this.#wake.abort();
  }

  /** Leaves out what the consumer has found by a look of its own, from the position that this reader gave it last. */
  advance(from: Position | undefined, { position, reset }: Look): void {
    if (reset !== undefined) this.#tell({ type: "reset", reason: reset });
    if (this.#position === from) this.#position = position;
  }

  async next(): Promise<IteratorResult<ChangeBatch, undefined>> {
    try {
      const result = await this.#batches.next();
      if (result.done) this.#end();
      return result;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<ChangeBatch, undefined>> {
    this.#end();
    return await this.#batches.return(undefined);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closing.abort();
    this.#wake.abort();
    this.#source.close?.();
    this.#onEnd();
  }

  async *#read(): AsyncGenerator<ChangeBatch, undefined, undefined> {
    const { clock, random, maxLag } = this.#settings;
    const { signal } = this.#closing;
    const backOff = new BackOff(random);
    let state: FeedState = "catching-up";
    let contact: Instant | undefined;
    /** Whether it has ever been live: from then on every fault is waited out. */
    let wasLive = false;
    let wholeAt = -Infinity;
    while (!signal.aborted) {
      const sent = instant(clock);
      const isWhole = state !== "live" || sent.monotonic - wholeAt >= maxLag / 4;
      let look: Look;
      try {
        look = await this.#look(this.#position, isWhole);
      } catch (error) {
        if (signal.aborted) break;
        if (!wasLive && error instanceof ChangesError && FINAL.has(error.code)) throw error;
        if (state !== "lost") this.#tell({ type: "lost", error });
        state = "lost";
        yield { changes: [], position: this.#position, state, contact, fault: error };
        await this.#rest(backOff.next());
        continue;
      }
      backOff.reset();
      if (look.reset !== undefined) this.#tell({ type: "reset", reason: look.reset });
      if (state !== "live") this.#tell({ type: "live" });
      const told = { state, contact, position: this.#position };
      this.#position = look.position;
      state = "live";
      wasLive = true;
      // Every commit that was acknowledged before the look was sent is in it, or before the transaction it ran in began.
      if (isWhole) [contact, wholeAt] = [before(sent, look.age ?? 0), sent.monotonic];
      yield* inBatches(look, told, { state, contact, position: look.position });
      await this.#rest(this.#settings.poll);
    }
    return undefined;
  }

  async #look(from: Position | undefined, isWhole: boolean): Promise<Look> {
    const { maxLag, sleep } = this.#settings;
    const patience = Math.max(LEAST_PATIENCE, maxLag / 2);
    const looking = this.#source.look(from, isWhole);
    looking.catch(() => {});
    const look = await deadline(looking, patience, sleep, this.#closing.signal);
    if (look === EXPIRED) throw new ChangesError("timeout", "The database did not answer in time");
    return look;
  }

  async #rest(ms: number): Promise<void> {
    if (!this.#wake.signal.aborted) await this.#settings.sleep(ms, this.#wake.signal).catch(() => {});
    this.#wake = new AbortController();
  }

  #tell(event: PolledFeedEvent): void {
    try {
      this.#settings.onEvent(event);
    } catch {
      // What the listener does with it must not harm the feed.
    }
  }
}

function before({ wall, monotonic }: Instant, ms: number): Instant {
  return { wall: wall - ms, monotonic: monotonic - ms };
}

/** What is told in one batch besides changes. */
type Told = Pick<ChangeBatch, "state" | "contact" | "position">;

/** The batches of one look: until the last, nothing is said of what came after the look before. */
function* inBatches({ changes, reset }: Look, before: Told, after: Told): Generator<ChangeBatch> {
  const first = reset === undefined ? {} : { reset };
  for (let at = 0; at === 0 || at < changes.length; at += MOST_CHANGES) {
    const isLast = at + MOST_CHANGES >= changes.length;
    yield {
      changes: changes.slice(at, at + MOST_CHANGES),
      ...(isLast ? after : before),
      ...(at === 0 ? first : {}),
    };
  }
}
