/**
 * Whether another number of purges is a purge.
 *
 * @module
 */
import type { DatabaseInfo } from "../wire/database_info.ts";

/** The most counts that are remembered: copies disagree on a few. */
const MOST = 1_000;

/**
 * The numbers of purges that one database has shown.
 *
 * Each copy of a shard counts its own purges, and copies may disagree for ever: one that was away gets the purges that it
 * missed, but may count them otherwise. `GET /{db}` adds up the copies that answer first, so where documents have
 * several copies, the number goes to and fro.
 */
export class PurgeCounts {
  readonly #seen = new Set<string>();

  /** Notes a database that was read. */
  note({ purgeSeq }: DatabaseInfo): void {
    this.#seen.add(purgeSeq);
    if (this.#seen.size <= MOST) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  /** Whether documents were purged between two readings. Both belong to the same life of the database. */
  isPurge(known: DatabaseInfo, current: DatabaseInfo): boolean {
    return isPurge(known.purgeSeq, current) &&
      !(hasCopies(current) && this.#seen.has(current.purgeSeq));
  }
}

/** The same, where no more is known than the count of the earlier reading. */
export function isPurge(known: unknown, current: DatabaseInfo): boolean {
  const { purgeSeq } = current;
  return hasCopies(current) ? Number(purgeSeq) > Number(known) : purgeSeq !== known;
}

function hasCopies({ replicas = 1 }: DatabaseInfo): boolean {
  return replicas > 1;
}
