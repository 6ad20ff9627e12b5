/**
 * The groups that entries depend on, each with the sequence number of its last change. Entries refer to groups, and
 * never groups to entries, so that a change costs the same whether one page depends on its group or a million.
 *
 * Groups are found by a hash of their name. A Map compares names, which lie all over the memory: in one of a million, a
 * look-up waits five or six times for what is in no cache. Here a slot holds all that a look-up needs, and it waits once.
 *
 * @module
 */
import { type Dependency, groupOf } from "../http/dependency.ts";

/** Estimated bytes of a group beside its name. */
const GROUP_BYTES = 72;

/** Estimated bytes of a group, its name included. */
export function groupBytes(name: string): number {
  return GROUP_BYTES + name.length;
}

/** More dependencies than this are told apart by a Set; fewer are cheaper to compare. */
const FEW = 8;

/** The names of the groups of these dependencies, each once. */
export function groupNames(dependencies: readonly Dependency[]): string[] {
  if (dependencies.length > FEW) return [...new Set(dependencies.map(groupOf))];
  const names: string[] = [];
  for (const dependency of dependencies) {
    const name = groupOf(dependency);
    if (!names.includes(name)) names.push(name);
  }
  return names;
}

/** The group that a write to a resource changes, for all callers and variants of it. */
export function resourceGroup(key: string): string {
  return `\0resource ${key}`;
}

/** A text in memory of its own: a string cut out of a larger one, or concatenated, keeps that one alive. */
export function copied(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join("");
}

/** What depends on groups. The first two have a field each: a list takes twice the memory, and few pages have more. */
export class Dependent {
  readonly #first: number;
  readonly #second: number;
  readonly #others: number | readonly number[];
  /** The sequence number up to which no group of it has changed. */
  validAt: number;

  /** @param groups Ids, as {@linkcode GroupTable.acquire} gave them. */
  constructor(groups: readonly number[], validAt: number) {
    this.#first = groups[0] ?? NONE;
    this.#second = groups[1] ?? NONE;
    this.#others = groups.length > 3 ? groups.slice(2) : groups[2] ?? NONE;
    this.validAt = validAt;
  }

  /** The ids of its groups. */
  get groups(): readonly number[] {
    return [this.#first, this.#second].concat(this.#others).filter((group) => group !== NONE);
  }

  /** How many groups it keeps in a list of its own. */
  get listed(): number {
    return typeof this.#others === "number" ? 0 : this.#others.length;
  }

  /** Whether a group of it has changed since {@linkcode Dependent.validAt}. */
  isOutdated(changedAt: Float64Array): boolean {
    const { validAt } = this;
    if (changedAt[this.#first]! > validAt || changedAt[this.#second]! > validAt) return true;
    return typeof this.#others === "number"
      ? changedAt[this.#others]! > validAt
      : this.#others.some((group) => changedAt[group]! > validAt);
  }
}

/** The id of no group. It never changes. */
const NONE = 0;

/** Groups that there is room for at the start. */
const LEAST_GROUPS = 64;

/**
 * Hash tables, so that one that grows takes a few milliseconds; so few that the addresses of all stay in the nearest
 * cache.
 */
const TABLES = 16;

/** All groups in use, by name. A group has a number as its id, good for as long as an entry depends on it. */
export class GroupTable {
  readonly #hash: (name: string) => Hash;
  #tables: (HashTable | undefined)[] = new Array(TABLES).fill(undefined);
  // By id.
  #names: string[] = [""];
  #changedAt = new Float64Array(LEAST_GROUPS);
  #dependents = new Int32Array(LEAST_GROUPS);
  /** Ids that are free again. */
  #free: number[] = [];
  #bytes = 0;
  #lastChange = 0;

  /** @param hash Of a name; default one with a random seed. */
  constructor(hash: (name: string) => Hash = seededHash()) {
    this.#hash = hash;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The sequence number of the last change of any group in use. */
  get lastChange(): number {
    return this.#lastChange;
  }

  /** The id of the group of that name, with one dependent more. */
  acquire(name: string): number {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)] ??= new HashTable();
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      const group = table.idAt(slot);
      if (this.#names[group] !== name) continue;
      this.#dependents[group]!++;
      return group;
    }
    const group = this.#free.pop() ?? this.#names.length;
    if (group === this.#changedAt.length) this.#grow();
    this.#names[group] = copied(name);
    this.#changedAt[group] = 0;
    this.#dependents[group] = 1;
    table.add(hash, group);
    this.#bytes += groupBytes(name);
    return group;
  }

  /** Takes one dependent off; a group leaves with its last. */
  release(group: number): void {
    if (--this.#dependents[group]! > 0) return;
    const name = this.nameOf(group);
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)]!;
    let slot = table.find(hash);
    while (table.idAt(slot) !== group) slot = table.find(hash, slot + 1);
    table.remove(slot);
    this.#names[group] = "";
    this.#free.push(group);
    this.#bytes -= groupBytes(name);
  }

  /** The name of a group. */
  nameOf(group: number): string {
    return this.#names[group] as string;
  }

  /**
   * Stamps a group; false where nothing depends on it.
   *
   * Compares hashes only: reading the names would cost more than all else. Where there are a million groups, one change
   * of 10^13 meets a group of another name by chance, whose pages are then built once more than needed.
   */
  change(name: string, sequence: number): boolean {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)];
    if (table === undefined) return false;
    let known = false;
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      this.#changedAt[table.idAt(slot)] = this.#lastChange = sequence;
      known = true;
    }
    return known;
  }

  /** Whether no group of it has changed. One comparison, where no group at all has changed since it was last asked. */
  isValid(dependent: Dependent): boolean {
    const lastChange = this.#lastChange;
    if (dependent.validAt >= lastChange) return true;
    if (dependent.isOutdated(this.#changedAt)) return false;
    dependent.validAt = lastChange;
    return true;
  }

  /** Forgets all groups; their ids mean nothing any more. */
  clear(): void {
    this.#tables = new Array(TABLES).fill(undefined);
    this.#names = [""];
    this.#changedAt = new Float64Array(LEAST_GROUPS);
    this.#dependents = new Int32Array(LEAST_GROUPS);
    this.#free = [];
    this.#bytes = 0;
  }

  #grow(): void {
    const changedAt = this.#changedAt;
    const dependents = this.#dependents;
    this.#changedAt = new Float64Array(2 * changedAt.length);
    this.#changedAt.set(changedAt);
    this.#dependents = new Int32Array(2 * dependents.length);
    this.#dependents.set(dependents);
  }
}

/** By other bits than those that choose the slot. */
function tableOf({ high }: Hash): number {
  return high >>> 28;
}

/** 64 bits of a name. */
export interface Hash {
  readonly low: number;
  readonly high: number;
}

/** A slot: the hash in two numbers, the id (0: the slot is free), and padding, so that no slot lies across cache lines. */
const STRIDE = 4;

/** Slots at the start. The number is a power of two, and stays one. */
const LEAST_SLOTS = 16;

/** Ids by hash, several under one if need be: open addressing with linear probing (Knuth, TAOCP 3, §6.4, Algorithm L). */
export class HashTable {
  #slots = new Int32Array(LEAST_SLOTS * STRIDE);
  #mask = LEAST_SLOTS - 1;
  #size = 0;

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

function seededHash(): (name: string) => Hash {
  const [first, second] = crypto.getRandomValues(new Int32Array(2));
  const seed = [first!, second!] as const;
  return (name) => hashOf(name, seed);
}

/** The hash of a name. The seed is random: names that were made to collide would make each search a long one. */
export function hashOf(name: string, [first, second]: readonly [number, number]): Hash {
  let low = first;
  let high = second;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit ^ (low >>> 15), 0x85ebca6b);
  }
  // Differences in the last characters have not reached the low bits yet.
  low = Math.imul(low ^ (high >>> 16), 0xc2b2ae35);
  high = Math.imul(high ^ (low >>> 13), 0x27d4eb2f);
  return { low: low ^ (high >>> 16), high };
}
