/**
 * What the database held, and when: each version of each document, with the time at which the database acknowledged it.
 *
 * A copy was built from documents at states: a revision, or null where there is none. It is *behind* a moment if one
 * of them had given way to another by then, for good: no version from that moment on has the state of the copy.
 */

import type { Copy, State } from "./copy.ts";

/** One version. Times are milliseconds of `performance.now()`. */
interface Version {
  /** Undefined until the database has told. */
  state: State | undefined;
  /** When the database's answer was here; Infinity before. */
  acknowledged: number;
  /** Whether it was written through the site, which promises to see its own writes at once. */
  readonly own: boolean;
  /** Whether commits have been undone while it was written. */
  reverting?: boolean;
}

const unborn: Version = { state: null, acknowledged: -Infinity, own: false };

/** The history of a database. */
export class Ledger {
  readonly #histories: Map<string, Version[]> = new Map();
  #writing = 0;

  /** A document that was there from the beginning. */
  found(id: string, rev: string): void {
    this.#histories.set(id, [{ state: rev, acknowledged: -Infinity, own: false }]);
  }

  /** The ids of all documents there ever were. */
  get ids(): IterableIterator<string> {
    return this.#histories.keys();
  }

  /** The latest state of a document that is not being written. */
  state(id: string): State {
    return this.#histories.get(id)?.at(-1)?.state ?? null;
  }

  /** Whether a document is being written: one writer a document keeps its history a line. */
  isBusy(id: string): boolean {
    return this.#histories.get(id)?.at(-1)?.state === undefined && this.#histories.has(id);
  }

  /** How many writes have not been acknowledged. */
  get writing(): number {
    return this.#writing;
  }

  /** Writes: `act` gives the new state. */
  async write(id: string, own: boolean, act: () => Promise<State>): Promise<void> {
    const version: Version = { state: undefined, acknowledged: Infinity, own };
    const history = this.#histories.get(id) ?? [];
    this.#histories.set(id, [...history, version]);
    this.#writing++;
    version.state = await act();
    version.acknowledged = performance.now();
    this.#writing--;
  }

  /** Commits are being undone: until a write that is under way is acknowledged, its document may have any earlier state. */
  revert(): void {
    for (const history of this.#histories.values()) {
      for (const version of history) if (version.state === undefined) version.reverting = true;
    }
  }

  /**
   * Which documents of a copy had given way to something else by a moment.
   *
   * @param moment What the database had acknowledged then counts.
   * @param asked What was written through the site counts if it was acknowledged before this.
   */
  behind(copy: Copy, moment: number, asked: number): string[] {
    const wrong = [...copy.states].filter(([id, state]) => !this.#holds(id, state, moment, asked));
    for (const id of copy.range === undefined ? [] : this.ids) {
      const { from, to } = copy.range!;
      if (id > from || id < to || copy.states.has(id)) continue;
      if (!this.#holds(id, null, moment, asked)) wrong.push([id, null]);
    }
    return wrong.map(([id, state]) => `${id} was ${state}, and is ${this.state(id)}`);
  }

  #holds(id: string, state: State, moment: number, asked: number): boolean {
    const history = [unborn, ...this.#histories.get(id) ?? []];
    const current = history.findLastIndex(({ acknowledged, own }) =>
      acknowledged <= moment || (own && acknowledged <= asked)
    );
    const known = history.some((version) => version.state === state);
    // What nobody has been told of yet can only be the one that is being written.
    return history.slice(current).some((version) =>
      version.state === state || (!known && version.state === undefined) ||
      // Until the database has told which state is left, it may have been any.
      (version.reverting && version.acknowledged > moment)
    );
  }
}
