/**
 * The last decisions about requests, while a page of the inspector is open, and for a minute after.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import type { Decision } from "../registry/decision.ts";
import type { StoredEntry } from "../registry/entry.ts";
import { copied } from "../registry/kept_text.ts";
import { cut } from "./hidden.ts";

/** Decisions that are kept; the oldest makes room. */
export const MOST_DECISIONS = 1_000;

/** ms after the last page was closed in which decisions are still noted: a reload shows them. */
const LINGER = 60_000;

/** A span, in ms, in which at most so many hits and so many others are noted: what is more is only counted. */
export const SPAN = 500;
const MOST_HITS = 10;
const MOST_OTHERS = 40;

/** A decision, and when it was made. */
export interface NotedDecision extends Omit<Decision, "request"> {
  /** Counts those that were noted, from 1 on. */
  readonly number: number;
  /** ms since the epoch. */
  readonly time: number;
  readonly method: string;
  readonly url: string;
}

/** Notes decisions of one registry while it is watched. */
export class DecisionLog {
  /** Tells it from the log of another process, whose numbers begin anew. */
  readonly id: string = crypto.randomUUID();
  readonly #core: RegistryCore;
  readonly #ring: NotedDecision[] = [];
  /** When entries were registered, as far as that was seen. */
  readonly #registered: WeakMap<StoredEntry, number> = new WeakMap();
  #number = 0;
  #watchers = 0;
  /** By the clock that is never set back, like the span. */
  #leftAt = 0;
  #stop: (() => void) | undefined;
  #spanFrom = 0;
  #hits = 0;
  #others = 0;
  #skipped = 0;

  constructor(core: RegistryCore) {
    this.#core = core;
  }

  /** How many have been noted. */
  get number(): number {
    return this.#number;
  }

  /** How many were too many to be noted. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Whether decisions are being noted. */
  get isOpen(): boolean {
    return this.#stop !== undefined;
  }

  /** When an entry was registered, in ms since the epoch; undefined: it was not seen. */
  registeredAt(entry: StoredEntry): number | undefined {
    return this.#registered.get(entry);
  }

  /** Notes decisions from now on, until the returned function has been called, and a minute more. */
  watch(): () => void {
    this.#watchers++;
    this.#stop ??= this.#core.observers.add((decision) => this.#note(decision));
    let isWatching = true;
    return () => {
      if (!isWatching) return;
      isWatching = false;
      this.#watchers--;
      this.#leftAt = this.#core.monotonic;
    };
  }

  /** Notes nothing from now on. */
  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** The latest that are kept, behind one of a number, oldest first. */
  after(number: number, most: number): readonly NotedDecision[] {
    const count = Math.min(this.#number - number, most, this.#ring.length);
    const found: NotedDecision[] = [];
    for (let next = this.#number - count + 1; next <= this.#number; next++) {
      found.push(this.#ring[next % MOST_DECISIONS]!);
    }
    return found;
  }

  /** Begins a new span. While a page is open it is called in time: a clock would be a third of what a hit costs here. */
  beginSpan(): void {
    this.#hits = this.#others = 0;
  }

  #note(decision: Decision): void {
    if (this.#watchers === 0 && !this.#lingers()) return this.close();
    if (decision.stored) this.#noteEntry();
    // Thousands of hits a second must not push out what is rare.
    if (decision.end === "hit" ? this.#hits++ >= MOST_HITS : this.#others++ >= MOST_OTHERS) {
      this.#skipped++;
      return;
    }
    const { request: { method, url }, ...made } = decision;
    // What plain JavaScript may have passed as a request.
    if (typeof url !== "string") return;
    const number = this.#number + 1;
    this.#ring[number % MOST_DECISIONS] = {
      ...{ number, time: this.#core.now, method: kept(method), url: kept(url) },
      ...made,
    };
    this.#number = number;
  }

  /** The one that was registered just now has come last. */
  #noteEntry(): void {
    const entry = this.#core.newest;
    if (entry !== undefined) this.#registered.set(entry, this.#core.now);
  }

  /**
   * Whether the last page was closed less than a minute ago. No timer ends it, which would keep a process from ending:
   * without a request there is nothing to note either.
   */
  #lingers(): boolean {
    const now = this.#core.monotonic;
    if (now - this.#spanFrom >= SPAN) {
      this.#spanFrom = now;
      this.beginSpan();
    }
    return now - this.#leftAt <= LINGER;
  }
}

/** A text that does not keep a longer one alive. */
function kept(text: string): string {
  const short = cut(text);
  return short === text ? text : copied(short);
}
