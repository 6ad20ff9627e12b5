/** Clocks that stand still until told, and the sleeps on them. */
export class FakeTime {
  #wall = Date.UTC(2026, 0, 1);
  #monotonic = 1_000;
  readonly #sleepers = new Set<{ readonly until: number; readonly ms: number; readonly wake: () => void }>();
  #watchers: { readonly matches: (ms: number) => boolean; readonly seen: () => void }[] = [];

  readonly now = (): number => this.#wall;
  readonly monotonic = (): number => this.#monotonic;

  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { until: this.#monotonic + ms, ms, wake };
      signal.addEventListener("abort", wake);
      this.#sleepers.add(sleeper);
      this.#watchers = this.#watchers.filter(({ matches, seen }) => {
        if (matches(ms)) seen();
        return !matches(ms);
      });
    });

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /** Milliseconds until the first of them wakes; Infinity if none sleeps. */
  get next(): number {
    return Math.min(...Array.from(this.#sleepers, ({ until }) => until)) - this.#monotonic;
  }

  /** Resolves once somebody sleeps for a time that `matches`. */
  asleep(matches: (ms: number) => boolean): Promise<void> {
    for (const { ms } of this.#sleepers) if (matches(ms)) return Promise.resolve();
    return new Promise((seen) => this.#watchers.push({ matches, seen }));
  }

  /** Lets time pass on both clocks. */
  advance(ms: number): void {
    this.#wall += ms;
    this.#monotonic += ms;
    for (const { until, wake } of [...this.#sleepers]) if (until <= this.#monotonic) wake();
  }

  /** Lets time pass that only the wall clock notices, as when the machine sleeps. */
  suspend(ms: number): void {
    this.#wall += ms;
  }
}
