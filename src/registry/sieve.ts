/**
 * SIEVE eviction (Zhang et al., NSDI '24): a hand walks from the oldest to the newest, spares what was visited since it
 * last came by, and takes the first that was not. A hit sets one bit and moves nothing, and a scan of once-asked
 * resources pushes out only itself. The order is in the values themselves, so that what finds them need have none.
 *
 * On its own SIEVE would keep the dead among the visited, so a second hand looks for those first.
 *
 * @module
 */
import { ShardedMap } from "./sharded_map.ts";

/** How far the second hand looks for one dead value, so that an insertion stays O(1). */
const REACH = 32;

/** What can be kept: it holds its own place in the order. */
export interface Sieved<V> {
  /** Whether it was of use since the hand last passed. */
  visited: boolean;
  /** Its neighbours; undefined at either end, and while it is not kept. */
  older: V | undefined;
  newer: V | undefined;
}

/** Values by key, which can say what to evict. */
export class Sieve<V extends Sieved<V>> {
  readonly #byKey: ShardedMap<V> = new ShardedMap();
  readonly #isDead: (value: V) => boolean;
  #oldest: V | undefined;
  #newest: V | undefined;
  /** Where the hand looks next; undefined: at the oldest. */
  #hand: V | undefined;
  #reaper: V | undefined;
  #unswept = 0;

  /** @param isDead Whether a value is worth nothing any more. */
  constructor(isDead: (value: V) => boolean) {
    this.#isDead = isDead;
  }

  /** How many values are kept, dead ones included. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The value under a key; the caller marks it as visited if it was of use. */
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
    // An old object that is garbage would keep all that came after it from the quick collection of the young.
    value.older = value.newer = undefined;
    return true;
  }

  /** All values, oldest first. What is taken out meanwhile ends it. */
  *values(): IterableIterator<V> {
    for (let value = this.#oldest; value !== undefined; value = value.newer) yield value;
  }

  /** Takes all values out. */
  clear(): void {
    this.#byKey.clear();
    this.#oldest =
      this.#newest =
      this.#hand =
      this.#reaper =
        undefined;
    this.#unswept = 0;
  }

  /** Says that some values may have died: until all have been looked at, the dead go first. */
  expectDead(): void {
    this.#unswept = this.size;
  }

  /** What to evict next; undefined only where nothing is kept. It stays in until it is deleted. */
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
