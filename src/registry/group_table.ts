/**
 * The groups that entries depend on, each with the sequence number of its last change. Entries refer to groups, and
 * never groups to entries, so that a change costs the same whether one page depends on its group or a million.
 *
 * Groups are found by a hash of their name. A Map compares names, which lie all over the memory: in one of a million, a
 * look-up waits five or six times for what is in no cache. Here a slot holds all that a look-up needs, and it waits once.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { fingerprint, type HashFunction, seededHash } from "./hash.ts";
import { HashTable, tableOf, TABLES } from "./hash_table.ts";
import { copied, textBytes } from "./kept_text.ts";
import { REFERENCE_BYTES } from "./memory_cost.ts";
import { isSuperseded, nextReport, NO_REPORT, RecentReports } from "./report.ts";

/** More dependencies than this are told apart by a Set; fewer are cheaper to compare. */
const FEW = 8;

/**
 * The groups of these dependencies, each once. One that is named with and without a revision is named without: any change
 * of it counts.
 */
export function distinctGroups(dependencies: readonly DeclaredDependency[]): DeclaredDependency[] {
  if (dependencies.length > FEW) return manyDistinctGroups(dependencies);
  const groups: DeclaredDependency[] = [];
  for (const dependency of dependencies) {
    const at = groups.findIndex(({ _id }) => _id === dependency._id);
    if (at < 0) groups.push(dependency);
    else if (dependency._rev === undefined) groups[at] = dependency;
  }
  return groups;
}

function manyDistinctGroups(dependencies: readonly DeclaredDependency[]): DeclaredDependency[] {
  const groups = new Map<string, DeclaredDependency>();
  for (const dependency of dependencies) {
    const { _id, _rev } = dependency;
    if (!groups.has(_id) || _rev === undefined) groups.set(_id, dependency);
  }
  return [...groups.values()];
}

/** The group that a write to a resource changes, for all callers and variants of it. */
export function resourceGroup(key: string): string {
  return `\0resource ${key}`;
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

/** In place of a declared revision: since the last change of the group, nothing that depends on it was acquired. */
const NOTHING_DECLARED = -1;

/** In place of a declared revision: several were declared since the last change of the group, or none. */
const DECLARED_OTHERWISE = -2;

/** Groups that there is room for at the start. */
const LEAST_GROUPS = 64;

/** Bytes of the numbers that are kept by id: three of eight bytes, and one of four. */
const GROUP_NUMBERS_BYTES = 28;

/** All groups in use, by name. A group has a number as its id, good for as long as an entry depends on it. */
export class GroupTable {
  readonly #hash: HashFunction;
  #tables: (HashTable | undefined)[] = new Array(TABLES).fill(undefined);
  // By id.
  #names: string[] = [""];
  #changedAt = new Float64Array(LEAST_GROUPS);
  #dependents = new Int32Array(LEAST_GROUPS);
  /** The fingerprint of the one revision that all declare which have been acquired since the last change. */
  #declared = new Float64Array(LEAST_GROUPS);
  #reports = new Float64Array(LEAST_GROUPS);
  #recent: RecentReports;
  readonly #mostReports: number | undefined;
  /** Ids that are free again. */
  #free: number[] = [];
  #size = 0;
  #nameBytes = 0;
  #tableBytes = 0;
  #lastChange = 0;

  /**
   * @param hash Of a name; default one with a random seed.
   * @param mostReports How many reports of groups that nothing depends on are kept; default 4,096.
   */
  constructor(hash: HashFunction = seededHash(), mostReports?: number) {
    this.#hash = hash;
    this.#mostReports = mostReports;
    this.#recent = new RecentReports(mostReports);
  }

  /** How many groups are in use. */
  get size(): number {
    return this.#size;
  }

  /** Estimated bytes held, beyond those of a table without groups. */
  get bytes(): number {
    const lists = REFERENCE_BYTES * (this.#names.length - 1 + this.#free.length);
    const numbers = GROUP_NUMBERS_BYTES * (this.#changedAt.length - LEAST_GROUPS);
    return this.#nameBytes + this.#tableBytes + lists + numbers + this.#recent.bytes;
  }

  /** The sequence number of the last change of any group in use. */
  get lastChange(): number {
    return this.#lastChange;
  }

  /**
   * The id of a group, with one dependent more.
   *
   * @param rev The revision that is declared, if one is. It is remembered until the group changes:
   * {@linkcode GroupTable.repeat} asks for it.
   */
  acquire(name: string, rev?: string): number {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)] ??= new HashTable();
    for (let slot = table.find(hash); slot >= 0; slot = table.find(hash, slot + 1)) {
      const group = table.idAt(slot);
      if (this.#names[group] !== name) continue;
      this.#dependents[group]!++;
      this.#declare(group, rev);
      return group;
    }
    const group = this.#free.pop() ?? this.#names.length;
    if (group === this.#changedAt.length) this.#grow();
    this.#names[group] = copied(name);
    this.#changedAt[group] = 0;
    this.#dependents[group] = 1;
    this.#declared[group] = NOTHING_DECLARED;
    this.#reports[group] = this.#recent.get(hash);
    this.#declare(group, rev);
    const { bytes } = table;
    table.add(hash, group);
    this.#tableBytes += table.bytes - bytes;
    this.#nameBytes += textBytes(name);
    this.#size++;
    return group;
  }

  #declare(group: number, rev: string | undefined): void {
    const revision = rev === undefined ? DECLARED_OTHERWISE : fingerprint(this.#hash(rev));
    const declared = this.#declared[group];
    if (declared === NOTHING_DECLARED) this.#declared[group] = revision;
    else if (declared !== revision) this.#declared[group] = DECLARED_OTHERWISE;
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
    this.#recent.set(hash, this.#reports[group]!);
    this.#names[group] = "";
    this.#free.push(group);
    this.#nameBytes -= textBytes(name);
    // Tables do not shrink: what has been in use will be again. Without a group none is needed.
    if (--this.#size === 0) this.#forgetGroups();
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
   *
   * @param rev The revision that was reported, if one was.
   * @param feed The number of the feed that reported it.
   */
  change(name: string, sequence: number, rev?: string, feed: number = 0): boolean {
    return this.#apply(name, sequence, rev, feed, false);
  }

  /**
   * Stamps a group that is at a revision still, or again, unless all that depends on it declares this revision; false
   * where nothing was stamped.
   */
  repeat(name: string, sequence: number, rev: string, feed: number): boolean {
    return this.#apply(name, sequence, rev, feed, true);
  }

  #apply(
    name: string,
    sequence: number,
    rev: string | undefined,
    feed: number,
    isRepeated: boolean,
  ): boolean {
    const hash = this.#hash(name);
    const revision = rev === undefined ? undefined : fingerprint(this.#hash(rev));
    const table = this.#tables[tableOf(hash)];
    let slot = table === undefined ? -1 : table.find(hash);
    if (slot < 0) this.#recent.set(hash, nextReport(this.#recent.get(hash), revision, feed));
    let isStamped = false;
    for (; slot >= 0; slot = table!.find(hash, slot + 1)) {
      const group = table!.idAt(slot);
      this.#reports[group] = nextReport(this.#reports[group]!, revision, feed);
      if (isRepeated && this.#declared[group] === revision) continue;
      this.#declared[group] = NOTHING_DECLARED;
      this.#changedAt[group] = this.#lastChange = sequence;
      isStamped = true;
    }
    return isStamped;
  }

  /** Whether an entry may depend on a group: surely, but for names of one hash. */
  has(name: string): boolean {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)];
    return table !== undefined && table.find(hash) >= 0;
  }

  /** Whether another revision of a document than the declared one was reported last, as far as that is remembered. */
  isSuperseded(name: string, rev: string): boolean {
    const hash = this.#hash(name);
    const table = this.#tables[tableOf(hash)];
    const slot = table === undefined ? -1 : table.find(hash);
    const report = slot < 0 ? this.#recent.get(hash) : this.#reports[table!.idAt(slot)]!;
    return report !== NO_REPORT && isSuperseded(report, fingerprint(this.#hash(rev)));
  }

  /** Whether no group of it has changed. One comparison, where no group at all has changed since it was last asked. */
  isValid(dependent: Dependent): boolean {
    const lastChange = this.#lastChange;
    if (dependent.validAt >= lastChange) return true;
    if (dependent.isOutdated(this.#changedAt)) return false;
    dependent.validAt = lastChange;
    return true;
  }

  /** The names of those groups of a dependent that have changed. */
  changedIn(dependent: Dependent): readonly string[] {
    const changed = dependent.groups.filter((group) => this.#changedAt[group]! > dependent.validAt);
    return changed.map((group) => this.nameOf(group));
  }

  /** Forgets all groups, and what was reported; their ids mean nothing any more. */
  clear(): void {
    this.#forgetGroups();
    this.#recent = new RecentReports(this.#mostReports);
  }

  #forgetGroups(): void {
    this.#tables = new Array(TABLES).fill(undefined);
    this.#names = [""];
    this.#changedAt = new Float64Array(LEAST_GROUPS);
    this.#dependents = new Int32Array(LEAST_GROUPS);
    this.#declared = new Float64Array(LEAST_GROUPS);
    this.#reports = new Float64Array(LEAST_GROUPS);
    this.#free = [];
    this.#size = this.#nameBytes = this.#tableBytes = 0;
  }

  #grow(): void {
    const dependents = this.#dependents;
    this.#dependents = new Int32Array(2 * dependents.length);
    this.#dependents.set(dependents);
    this.#changedAt = doubled(this.#changedAt);
    this.#declared = doubled(this.#declared);
    this.#reports = doubled(this.#reports);
  }
}

function doubled(values: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const more = new Float64Array(2 * values.length);
  more.set(values);
  return more;
}
