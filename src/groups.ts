/**
 * The groups that entries depend on, each stamped with its last change. Entries refer to groups and never the other
 * way round, so that a change costs the same whether one page depends on it or a million.
 *
 * @module
 */
import type { Group } from "./entry.ts";

/** Estimated bytes of a group beside its name. */
const GROUP_BYTES = 96;

/** Estimated bytes of a group, its name included. */
export function groupBytes(name: string): number {
  return GROUP_BYTES + name.length;
}

/** All groups in use, by name. */
export class Groups {
  readonly #byName = new Map<string, Group>();
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
      group = { name, changedAt: 0, dependents: 0 };
      this.#byName.set(name, group);
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

/** Whether any of these groups has changed after the mark. */
export function changedSince(groups: readonly Group[], mark: number): boolean {
  for (const group of groups) if (group.changedAt > mark) return true;
  return false;
}
