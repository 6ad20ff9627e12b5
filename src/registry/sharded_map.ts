/**
 * A Map of strings that grows in small steps. A Map that doubles copies all it holds in one go, hundreds of
 * milliseconds at some millions of keys; of many Maps only one doubles at a time.
 *
 * @module
 */

/** As many keys as one Map is left to hold: to hand them out then takes a few milliseconds, once. */
const WHOLE = 8_192;

/** A power of two. At ten million keys the largest step is that of a Map of 40,000, a few milliseconds. */
const SHARDS = 256;

/**
 * Which Map a key is in. Some characters counted from the end, where URLs and ids differ: reading all of them costs
 * as much as the look-up. Keys made to meet in one Map get what any Map would give them.
 */
function shardOf(key: string): number {
  const end = key.length;
  let hash = end;
  if (end > 8) {
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 1);
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 2);
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 3);
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 5);
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 7);
    hash = Math.imul(hash, 31) + key.charCodeAt(end - 9);
  } else {
    for (let at = 0; at < end; at++) hash = Math.imul(hash, 31) + key.charCodeAt(at);
  }
  return (hash ^ hash >>> 8) & (SHARDS - 1);
}

/** A Map of strings, without an order. */
export class ShardedMap<V> {
  /** All keys while they are few: then it would cost more to look which Map a key is in than to look it up. */
  #whole: Map<string, V> | undefined = new Map();
  #shards: (Map<string, V> | undefined)[] = [];
  #size = 0;

  /** How many keys it holds. */
  get size(): number {
    return this.#size;
  }

  /** The value under a key. */
  get(key: string): V | undefined {
    return (this.#whole ?? this.#shards[shardOf(key)])?.get(key);
  }

  /** Keeps a value in the place of what was there. */
  set(key: string, value: V): void {
    if (this.#size >= WHOLE && this.#whole !== undefined) this.#divide(this.#whole);
    const map = this.#whole ?? this.#shardFor(key);
    this.#size -= map.size;
    map.set(key, value);
    this.#size += map.size;
  }

  /** Takes a key out; false where it was not in. */
  delete(key: string): boolean {
    const deleted = (this.#whole ?? this.#shards[shardOf(key)])?.delete(key) ?? false;
    if (deleted) this.#size--;
    return deleted;
  }

  /** Takes everything out. */
  clear(): void {
    this.#whole = new Map();
    this.#shards = [];
    this.#size = 0;
  }

  #shardFor(key: string): Map<string, V> {
    return this.#shards[shardOf(key)] ??= new Map();
  }

  #divide(whole: Map<string, V>): void {
    this.#whole = undefined;
    this.#shards = new Array(SHARDS).fill(undefined);
    for (const [key, value] of whole) this.#shardFor(key).set(key, value);
  }
}
