/**
 * A hash table of numbers: all that a look-up needs is in one array.
 *
 * @module
 */
import type { Hash } from "./hash.ts";

/** A slot: the hash in two numbers, the id (0: the slot is free), and padding, so that no slot lies across cache lines. */
const STRIDE = 4;

/** Slots at the start. The number is a power of two, and stays one. */
const LEAST_SLOTS = 16;

/**
 * How many tables one structure has, so that one that grows takes a few milliseconds; so few that the addresses of all
 * stay in the nearest cache.
 */
export const TABLES = 16;

/** Which of these a hash belongs to, by other bits than those that choose the slot. */
export function tableOf({ high }: Hash): number {
  return high >>> 28;
}

/** Ids by hash, several under one if need be: open addressing with linear probing (Knuth, TAOCP 3, §6.4, Algorithm L). */
export class HashTable {
  #slots = new Int32Array(LEAST_SLOTS * STRIDE);
  #mask = LEAST_SLOTS - 1;
  #size = 0;

  /** Bytes beyond those of an empty table. */
  get bytes(): number {
    return this.#slots.byteLength - LEAST_SLOTS * STRIDE * Int32Array.BYTES_PER_ELEMENT;
  }

  /** The slot of an id under this hash, the first from `from` on; -1: there is none. */
  find({ low, high }: Hash, from: number = low): number {
    const slots = this.#slots;
    for (let slot = from & this.#mask;; slot = (slot + 1) & this.#mask) {
      const at = slot * STRIDE;
      if (slots[at + 2] === 0) return -1;
      if (slots[at] === low && slots[at + 1] === high) return slot;
    }
  }

  /** The id in a slot. */
  idAt(slot: number): number {
    return this.#slots[slot * STRIDE + 2] as number;
  }

  /** Adds an id, not 0, that is not in the table. */
  add(hash: Hash, id: number): void {
    // A quarter of the slots stays free, so that a search soon meets a free one.
    if (++this.#size * 4 > (this.#mask + 1) * 3) this.#grow();
    this.#put(hash.low, hash.high, id);
  }

  /** Takes out the id in a slot. */
  remove(slot: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    this.#size--;
    // Ids that were pushed past this slot move up, so that a search needs no mark of what was here (Algorithm R).
    let hole = slot;
    for (let next = (slot + 1) & mask; slots[next * STRIDE + 2] !== 0; next = (next + 1) & mask) {
      const home = (slots[next * STRIDE] as number) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      slots.copyWithin(hole * STRIDE, next * STRIDE, (next + 1) * STRIDE);
      hole = next;
    }
    slots.fill(0, hole * STRIDE, (hole + 1) * STRIDE);
  }

  #put(low: number, high: number, id: number): void {
    const slots = this.#slots;
    let slot = low & this.#mask;
    while (slots[slot * STRIDE + 2] !== 0) slot = (slot + 1) & this.#mask;
    slots[slot * STRIDE] = low;
    slots[slot * STRIDE + 1] = high;
    slots[slot * STRIDE + 2] = id;
  }

  #grow(): void {
    const previous = this.#slots;
    this.#slots = new Int32Array(2 * previous.length);
    this.#mask = 2 * this.#mask + 1;
    for (let at = 0; at < previous.length; at += STRIDE) {
      if (previous[at + 2] !== 0) {
        this.#put(previous[at] as number, previous[at + 1] as number, previous[at + 2] as number);
      }
    }
  }
}
