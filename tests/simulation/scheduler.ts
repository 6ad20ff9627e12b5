/**
 * Owns every source of asynchrony: events in the order of virtual time, and between them a fixed number of turns for
 * the promise jobs that the last one set off. What takes longer than that goes on beside the next event, as it would
 * in a busy process.
 *
 * @module
 */
import { Clocks, MS } from "./clocks.ts";

/** Promise jobs in a row between two events. The longest chain of the feed, from a chunk to the registry, has about 40. */
const TURNS = 64;

interface Event {
  at: number;
  readonly order: number;
  /** Whether it needs the simulated process to run: a timer, a request that comes in. */
  readonly inProcess: boolean;
  /** Undefined once it was called off. */
  run: (() => void) | undefined;
}

function earlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Runs events. No two of them happen at the same time. */
export class Scheduler {
  readonly clocks: Clocks = new Clocks();
  /** Events so far. */
  steps = 0;
  readonly #heap: Event[] = [];
  #order = 0;
  #frozenUntil = 0;

  /** True time in ticks. */
  get time(): number {
    return this.clocks.time;
  }

  /** Does something in the world after so many ticks. */
  after(ticks: number, run: () => void): void {
    this.#schedule(ticks, false, run);
  }

  /** Lets the process do something after so many ticks, or later if it does not run then. */
  inProcess(ticks: number, run: () => void): void {
    this.#schedule(ticks, true, run);
  }

  /** The process does not run for a while. The world goes on. */
  freeze(ticks: number): void {
    this.#frozenUntil = this.time + ticks;
  }

  get frozen(): boolean {
    return this.#frozenUntil > this.time;
  }

  /** A timer: by the monotonic clock, so it is late after the machine has slept. */
  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const due = this.clocks.monotonic() + ms;
      const wake = () => {
        timer.run = undefined;
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const ring = () => {
        const early = due - this.clocks.monotonic();
        if (early <= 0) wake();
        else timer = this.#schedule(Math.ceil(early * MS), true, ring);
      };
      signal.addEventListener("abort", wake);
      let timer = this.#schedule(Math.ceil(ms * MS), true, ring);
    });

  /** Runs the next event and what follows from it; false if there is none. */
  async step(): Promise<boolean> {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      const { run } = event;
      if (run === undefined) continue;
      if (event.inProcess && event.at < this.#frozenUntil) {
        event.at = this.#frozenUntil;
        this.#push(event);
        continue;
      }
      this.clocks.time = Math.max(event.at, this.time + 1);
      this.steps++;
      run();
      // A process that does not run handles nothing of what arrives, not even for one turn.
      if (this.frozen) continue;
      await this.drain();
      return true;
    }
  }

  async drain(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
  }

  #schedule(ticks: number, inProcess: boolean, run: () => void): Event {
    const at = this.time + Math.max(0, Math.floor(ticks));
    const event: Event = { at, order: this.#order++, inProcess, run };
    this.#push(event);
    return event;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!earlier(event, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1]!, heap[child]!)) child++;
      if (!earlier(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}
