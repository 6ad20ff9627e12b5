/**
 * SIEVE eviction over a Map (Zhang et al., NSDI '24): a hand walks from the oldest to the newest, spares what was
 * visited since it last came by, and takes the first that was not. A hit sets one bit and moves nothing, and a scan
 * of once-asked resources pushes out only itself. The Map's own iterator serves as the hand.
 *
 * On its own SIEVE would keep the dead among the visited, so a second hand looks for those first.
 *
 * @module
 */

/** How far the second hand looks for one dead value, so that an insertion stays O(1). */
const REACH = 32;

/**
 * Walks a Map round and round. V8 keeps every table that a Map has outgrown for as long as an iterator stands in it, with
 * all that was in there; so a hand that nobody moves is taken away, and begins anew at the oldest.
 */
class Hand<V> {
  readonly #map: ReadonlyMap<string, V>;
  #iterator: Iterator<V> | undefined;
  #idle = 0;

  constructor(map: ReadonlyMap<string, V>) {
    this.#map = map;
  }

  /** The next value; undefined only where there is none. */
  next(): V | undefined {
    this.#idle = 0;
    let next = this.#iterator?.next();
    if (next === undefined || next.done) next = (this.#iterator = this.#map.values()).next();
    return next.done ? undefined : next.value;
  }

  /** To be told of each insertion. */
  inserted(): void {
    if (++this.#idle > this.#map.size) this.#iterator = undefined;
  }
}

/** A Map that can say what to evict. */
export class Sieve<V extends { visited: boolean }> {
  readonly #map = new Map<string, V>();
  readonly #isDead: (value: V) => boolean;
  readonly #hand: Hand<V> = new Hand(this.#map);
  readonly #reaper: Hand<V> = new Hand(this.#map);
  #unswept = 0;

  /** @param isDead Whether a value is worth nothing any more. */
  constructor(isDead: (value: V) => boolean) {
    this.#isDead = isDead;
  }

  /** How many values are kept, dead ones included. */
  get size(): number {
    return this.#map.size;
  }

  /** The value under a key; the caller marks it as visited if it was of use. */
  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  /** Keeps a value, in the place of its predecessor if there is one. */
  set(key: string, value: V): void {
    this.#map.set(key, value);
    this.#hand.inserted();
    this.#reaper.inserted();
  }

  /** Takes a value out. */
  delete(key: string): boolean {
    return this.#map.delete(key);
  }

  /** All values, oldest first. */
  values(): IterableIterator<V> {
    return this.#map.values();
  }

  /** Takes all values out. */
  clear(): void {
    this.#map.clear();
    this.#unswept = 0;
  }

  /** Says that some values may have died: until all have been looked at, the dead go first. */
  expectDead(): void {
    this.#unswept = this.#map.size;
  }

  /** What to evict next; undefined only where nothing is kept. It stays in until it is deleted. */
  victim(): V | undefined {
    return this.#findDead() ?? this.#findUnvisited();
  }

  #findDead(): V | undefined {
    for (let steps = 0; steps < REACH && this.#unswept > 0; steps++, this.#unswept--) {
      const value = this.#reaper.next();
      if (value === undefined) break;
      if (this.#isDead(value)) return value;
    }
    return undefined;
  }

  #findUnvisited(): V | undefined {
    // Two rounds at most: the first may only take visits off.
    for (;;) {
      const value = this.#hand.next();
      if (value === undefined || !value.visited || this.#isDead(value)) return value;
      value.visited = false;
    }
  }
}
