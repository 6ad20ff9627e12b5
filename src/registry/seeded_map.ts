/**
 * A Map of strings in which a look-up costs the same for all strings, and which grows in small steps.
 *
 * A Map of the platform finds a string by a hash that others can compute, too: JavaScriptCore's has no seed, and V8's had
 * none for strings of digits. Strings that were made to have one hash turn each look-up into a search through all of
 * them, and keys are URLs, which any client makes. Here the hash is seeded. Also, a Map that doubles copies all that it
 * holds in one go: at 400,000 keys JavaScriptCore takes 70 to 105 ms for it. Of sixteen tables only one doubles at a time.
 *
 * @module
 */
import { type HashFunction, seededHash } from "./hash.ts";
import { HashTable, tableOf, TABLES } from "./hash_table.ts";
import { REFERENCE_BYTES } from "./memory_cost.ts";

/** A Map of strings, without an order. */
export class SeededMap<V> {
  readonly #hash: HashFunction;
  #tables: (HashTable | undefined)[] = new Array(TABLES).fill(undefined);
  // By id, from 1 on. A place that is free holds an empty key, and no table refers to it.
  #keys: string[] = [""];
  #values: (V | undefined)[] = [undefined];
  /** Ids that are free again. */
  #free: number[] = [];
  #size = 0;
  #tableBytes = 0;

  /** @param hash Of a key; default one with a random seed. */
  constructor(hash: HashFunction = seededHash()) {
    this.#hash = hash;
  }

  /** How many keys it holds. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of its tables and lists, beyond those that it has when it is empty; keys and values are not counted. */
  get bytes(): number {
    return this.#tableBytes +
      REFERENCE_BYTES * (this.#keys.length + this.#values.length - 2 + this.#free.length);
  }

  /** The value under a key. */
  get(key: string): V | undefined {
    const hash = this.#hash(key);
    const table = this.#tables[tableOf(hash)];
    if (table === undefined) return undefined;
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      const id = table.idAt(slot);
      if (this.#keys[id] === key) return this.#values[id];
    }
    return undefined;
  }

  /** Keeps a value in the place of what was there. */
  set(key: string, value: V): void {
    const hash = this.#hash(key);
    const table = this.#tables[tableOf(hash)] ??= new HashTable();
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      const id = table.idAt(slot);
      if (this.#keys[id] !== key) continue;
      this.#values[id] = value;
      return;
    }
    const id = this.#free.pop() ?? this.#keys.length;
    this.#keys[id] = key;
    this.#values[id] = value;
    this.#size++;
    const { bytes } = table;
    table.add(hash, id);
    this.#tableBytes += table.bytes - bytes;
  }

  /** Takes a key out; false where it was not in. */
  delete(key: string): boolean {
    const hash = this.#hash(key);
    const table = this.#tables[tableOf(hash)];
    if (table === undefined) return false;
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      const id = table.idAt(slot);
      if (this.#keys[id] !== key) continue;
      table.remove(slot);
      this.#keys[id] = "";
      this.#values[id] = undefined;
      this.#free.push(id);
      // Tables do not shrink: what has been in use will be again. An empty map needs none.
      if (--this.#size === 0) this.clear();
      return true;
    }
    return false;
  }

  /** Takes everything out. */
  clear(): void {
    this.#tables = new Array(TABLES).fill(undefined);
    this.#keys = [""];
    this.#values = [undefined];
    this.#free = [];
    this.#size = this.#tableBytes = 0;
  }
}
