/**
 * SIEVE eviction (Zhang et al., NSDI '24): a hand walks from the oldest value to the newest, spares each one that was
 * visited since the hand last passed, and takes the first that was not. A hit sets one bit and moves nothing, and a scan
 * of resources that are asked for once evicts only itself. The values hold their own order as a linked list.
 *
 * SIEVE alone would keep dead values that were visited, so a second hand looks for dead values first.
 *
 * @module
 */
import { SeededMap } from "./seeded_map.ts";
/** Values that the second hand looks at for one eviction, so that an insertion stays O(1). */
const REACH = 32;

/** A value that can be kept: it holds its own place in the order. */
export interface Sieved<V> {
  /** Whether it was used since the hand last passed. */
  visited: boolean;
  /** Its neighbours; undefined at either end, and while it is not kept. */
  older: V | undefined;
  newer: V | undefined;
}

/** A walk over the values of a {@linkcode Sieve} in steps, between which values may come and leave. */
export interface Walk<V> {
  /** The value to look at next; undefined: the walk is over. */
  next: V | undefined;
  /** How many values it still looks at: no more than there were at its beginning, however many come. */
  left: number;
}

/** Values by key, with the order in which to evict them. */
export class Sieve<V extends Sieved<V>> {
  readonly #byKey: SeededMap<V> = new SeededMap();
  readonly #isDead: (value: V) => boolean;
  #oldest: V | undefined;
  #newest: V | undefined;
  /** Where the hand looks next; undefined: at the oldest. */
  #hand: V | undefined;
  #reaper: V | undefined;
  #unswept = 0;
  readonly #walks: Set<Walk<V>> = new Set();

  /** @param isDead Whether a value is of no use any more. */
  constructor(isDead: (value: V) => boolean) {
    this.#isDead = isDead;
  }

  /** How many values are kept, dead ones included. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The value that was kept last; undefined: there is none. */
  get newest(): V | undefined {
    return this.#newest;
  }

  /** Bytes of the table, beyond those of an empty one. */
  get bytes(): number {
    return this.#byKey.bytes;
  }

  /** The value under a key; the caller marks it as visited if it used it. */
  get(key: string): V | undefined {
    return this.#byKey.get(key);
  }

  /** Keeps a value as the newest; its predecessor under the same key leaves. */
  set(key: string, value: V): void {
    this.delete(key);
    this.#byKey.set(key, value);
    value.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = value;
    else this.#newest.newer = value;
    this.#newest = value;
    // It lies between the second hand and the oldest values, so a sweep that is under way has one more to look at.
    if (this.#unswept > 0) this.#unswept++;
  }

  /** Takes a value out. */
  delete(key: string): boolean {
    const value = this.#byKey.get(key);
    if (value === undefined) return false;
    this.#byKey.delete(key);
    const { older, newer } = value;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    if (this.#hand === value) this.#hand = newer;
    if (this.#reaper === value) this.#reaper = newer;
    for (const walk of this.#walks) if (walk.next === value) walk.next = newer;
    // A dead object in the old generation would keep all newer ones alive until the next major collection.
    value.older = value.newer = undefined;
    return true;
  }

  /** All values, oldest first. Taking the current value out ends the iteration. */
  *values(): IterableIterator<V> {
    for (let value = this.#oldest; value !== undefined; value = value.newer) yield value;
  }

  /**
   * Begins a walk from the oldest value to the newest. It ends by itself where no value is left, else with
   * {@linkcode Sieve.endWalk}: the values know of every walk that has not ended.
   */
  walk(): Walk<V> {
    const walk = { next: this.#oldest, left: this.size };
    this.#walks.add(walk);
    return walk;
  }

  /** The next value of a walk; undefined where it is over. */
  step(walk: Walk<V>): V | undefined {
    const value = walk.left-- > 0 ? walk.next : undefined;
    walk.next = value?.newer;
    if (walk.next === undefined) this.endWalk(walk);
    return value;
  }

  /** Ends a walk. */
  endWalk(walk: Walk<V>): void {
    walk.next = undefined;
    this.#walks.delete(walk);
  }

  /** Takes all values out. */
  clear(): void {
    for (const walk of this.#walks) this.endWalk(walk);
    this.#byKey.clear();
    this.#oldest =
      this.#newest =
      this.#hand =
      this.#reaper =
        undefined;
    this.#unswept = 0;
  }

  /** Notes that values may have died: until all have been looked at, dead values are evicted first. */
  expectDead(): void {
    this.#unswept = this.size;
  }

  /** The value to evict next; undefined only where none is kept. It stays in until it is deleted. */
  victim(): V | undefined {
    return this.#findDead() ?? this.#findUnvisited();
  }

  #findDead(): V | undefined {
    for (let steps = 0; steps < REACH && this.#unswept > 0; steps++, this.#unswept--) {
      const value = this.#reaper ?? this.#oldest;
      if (value === undefined) break;
      this.#reaper = value.newer;
      if (this.#isDead(value)) return value;
    }
    return undefined;
  }

  #findUnvisited(): V | undefined {
    // Two rounds at most: the first may only take visits off.
    for (;;) {
      const value = this.#hand ?? this.#oldest;
      if (value === undefined) return undefined;
      this.#hand = value.newer;
      if (!value.visited || this.#isDead(value)) return value;
      value.visited = false;
    }
  }
}
