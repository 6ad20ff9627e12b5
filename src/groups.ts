/**
 * The groups that entries depend on, each stamped with its last change. Entries refer to groups and never the other
 * way round, so that a change costs the same whether one page depends on it or a million.
 *
 * @module
 */
import { groupOf, type Source } from "./group.ts";
import { ShardedMap } from "./sharded_map.ts";

/** Estimated bytes of a group beside its name. */
const GROUP_BYTES = 104;

/** Estimated bytes of a group, its name included. */
export function groupBytes(name: string): number {
  return GROUP_BYTES + name.length;
}

/** A group that at least one entry depends on. Small, and shared: a change is one write to it, whatever depends on it. */
export interface Group {
  readonly name: string;
  /** The mark of its last change. */
  changedAt: number;
  /** How many entries hold it; at zero it leaves. */
  dependents: number;
}

/** All groups in use, by name. */
export class Groups {
  readonly #byName: ShardedMap<Group> = new ShardedMap();
  #bytes = 0;
  #changedAt = 0;

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The mark of the last change to any group in use: an entry checked since then needs no further look. */
  get changedAt(): number {
    return this.#changedAt;
  }

  /** The group of that name, with one dependent more. */
  acquire(name: string): Group {
    let group = this.#byName.get(name);
    if (group === undefined) {
      group = { name: copied(name), changedAt: 0, dependents: 0 };
      this.#byName.set(group.name, group);
      this.#bytes += groupBytes(name);
    }
    group.dependents++;
    return group;
  }

  /** Takes one dependent off; a group leaves with its last. */
  release(group: Group): void {
    if (--group.dependents === 0 && this.#byName.get(group.name) === group) {
      this.#byName.delete(group.name);
      this.#bytes -= groupBytes(group.name);
    }
  }

  /** Stamps a group; false where nothing depends on it. */
  change(name: string, mark: number): boolean {
    const group = this.#byName.get(name);
    if (group === undefined) return false;
    group.changedAt = this.#changedAt = mark;
    return true;
  }

  /** Forgets all. */
  clear(): void {
    this.#byName.clear();
    this.#bytes = 0;
  }
}

/** What depends on groups. Up to three have a field each: a list takes twice the memory, and few pages have more. */
export interface Dependent {
  /** No group of it had changed up to this mark. */
  validAt: number;
  readonly first: Group | undefined;
  readonly second: Group | undefined;
  readonly others: Group | readonly Group[] | undefined;
}

/** All that it depends on. */
export function groupsOf({ first, second, others }: Dependent): readonly Group[] {
  return [first, second].concat(others).filter((group) => group !== undefined);
}

/** Whether any of its groups has changed since. */
export function isOutdated({ validAt, first, second, others }: Dependent): boolean {
  if (changed(first, validAt) || changed(second, validAt)) return true;
  return Array.isArray(others)
    ? others.some((group) => changed(group, validAt))
    : changed(others as Group | undefined, validAt);
}

function changed(group: Group | undefined, mark: number): boolean {
  return group !== undefined && group.changedAt > mark;
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
