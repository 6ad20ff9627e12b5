/**
 * The groups that entries depend on, each stamped with its last change. Entries refer to groups and never the other
 * way round, so that a change costs the same whether one page depends on it or a million.
 *
 * @module
 */
import { groupOf, type Source } from "../http/dependency.ts";
import { type Hash, hashOf, HashTable } from "./hash_table.ts";

/** Estimated bytes of a group beside its name. */
const GROUP_BYTES = 72;

/** Estimated bytes of a group, its name included. */
export function groupBytes(name: string): number {
  return GROUP_BYTES + name.length;
}

/** Groups that there is room for to begin with. */
const FEWEST = 64;

/** Tables, so that when one grows it takes a few milliseconds; so few that where they lie is always in the nearest cache. */
const TABLES = 16;

/** All groups in use, by name. A group is a number, good for as long as somebody depends on it; 0 is none. */
export class Groups {
  readonly #hash: (name: string) => Hash;
  #tables: (HashTable | undefined)[] = new Array(TABLES).fill(undefined);
  // By group.
  #names: string[] = [""];
  #marks = new Float64Array(FEWEST);
  #dependents = new Int32Array(FEWEST);
  /** Numbers that are free again. */
  #free: number[] = [];
  #bytes = 0;
  #changedAt = 0;

  /** @param hash Of a name; default one that nobody can foresee. */
  constructor(hash: (name: string) => Hash = seededHash()) {
    this.#hash = hash;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The mark of the last change to any group in use: an entry checked since then needs no further look. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** The group of that name, with one dependent more. */
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
    if (group === this.#marks.length) this.#grow();
    this.#names[group] = copied(name);
    this.#marks[group] = 0;
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
   * Stamps a group; false where nothing depends on it. Goes by the hash alone: to look at the names would cost more than
   * all else, and what shares a hash by chance, one of 10^13 changes where there are a million groups, is only asked
   * for once more than it need be.
   */
  change(name: string, sequence: number): boolean {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)];
    if (table === undefined) return false;
    let known = false;
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      this.#marks[table.idAt(slot)] = this.#changedAt = sequence;
      known = true;
    }
    return known;
  }

  /** Whether any group of it has changed since. */
  isOutdated({ validAt, first, second, others }: Dependent): boolean {
    const marks = this.#marks;
    if (marks[first]! > validAt || marks[second]! > validAt) return true;
    return typeof others === "number"
      ? marks[others]! > validAt
      : others.some((group) => marks[group]! > validAt);
  }

  /** Forgets all; what was a group until now is none. */
  clear(): void {
    this.#tables = new Array(TABLES).fill(undefined);
    this.#names = [""];
    this.#marks = new Float64Array(FEWEST);
    this.#dependents = new Int32Array(FEWEST);
    this.#free = [];
    this.#bytes = 0;
  }

  #grow(): void {
    const marks = this.#marks;
    const dependents = this.#dependents;
    this.#marks = new Float64Array(2 * marks.length);
    this.#marks.set(marks);
    this.#dependents = new Int32Array(2 * dependents.length);
    this.#dependents.set(dependents);
  }
}

/** Not the bits that choose the slot. */
function tableOf({ high }: Hash): number {
  return high >>> 28;
}

function seededHash(): (name: string) => Hash {
  const [first, second] = crypto.getRandomValues(new Int32Array(2));
  const seed = [first!, second!] as const;
  return (name) => hashOf(name, seed);
}

/** What depends on groups. Up to three have a field each: a list takes twice the memory, and few pages have more. */
export interface Dependent {
  /** No group of it had changed up to this sequence. */
  validAt: number;
  readonly first: number;
  readonly second: number;
  readonly others: number | readonly number[];
}

/** All that it depends on. */
export function groupsOf({ first, second, others }: Dependent): readonly number[] {
  return [first, second].concat(others).filter((group) => group !== 0);
}

/** More sources than this are told apart by a Set; fewer are cheaper to compare. */
const FEW = 8;

/** The names of the groups that these sources belong to, each once. */
export function groupNames(sources: readonly Source[]): string[] {
  if (sources.length > FEW) return [...new Set(sources.map(groupOf))];
  const names: string[] = [];
  for (const source of sources) {
    const name = groupOf(source);
    if (!names.includes(name)) names.push(name);
  }
  return names;
}

/** The same in memory of its own: a string cut out of a larger one, or put together, keeps that alive. */
export function copied(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join("");
}
