/**
 * A Map of strings that grows in small steps. A Map that doubles copies all it holds in one go, hundreds of
 * milliseconds at some millions of keys; of many Maps only one doubles at a time.
 *
 * @module
 */

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
  #shards: (Map<string, V> | undefined)[] = new Array(SHARDS).fill(undefined);
  #size = 0;

  /** How many keys it holds. */
  get size(): number {
    return this.#size;
  }

  /** The value under a key. */
  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  /** Keeps a value in the place of what was there. */
  set(key: string, value: V): void {
    const shard = this.#shards[shardOf(key)] ??= new Map();
    this.#size -= shard.size;
    shard.set(key, value);
    this.#size += shard.size;
  }

  /** Takes a key out; false where it was not in. */
  delete(key: string): boolean {
    const deleted = this.#shards[shardOf(key)]?.delete(key) ?? false;
    if (deleted) this.#size--;
    return deleted;
  }

  /** Takes everything out. */
  clear(): void {
    this.#shards = new Array(SHARDS).fill(undefined);
    this.#size = 0;
  }
}
