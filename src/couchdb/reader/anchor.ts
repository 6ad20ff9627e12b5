/**
 * The anchor of a probe: a position one row early, from which a known row must come again. If it does not come, the
 * database's files were rolled back.
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";

/** A position, and known rows that follow it. */
export interface Anchor {
  /** Where the probe starts. */
  readonly since: Since;
  /** The known rows: revisions by document id. A document that was changed comes later, with another revision. */
  readonly rows: ReadonlyMap<string, string>;
  /** The document whose row must come. Absent: any of `rows` is enough, or under a filter, all of them must come. */
  readonly last?: string;
  /** Under a filter: the position of the reader when `rows` were read. */
  readonly reached?: Since;
}

/** An anchor at a position after which no row is known. */
export function emptyAnchor(since: Since): Anchor {
  return { since, rows: new Map() };
}

/** Whether `changes` hold the row that must come again, in whatever revision. */
export function holdsKnownRow(changes: readonly CouchChange[], { rows, last }: Anchor): boolean {
  return changes.some(({ id }) => last === undefined ? rows.has(id) : id === last);
}

/**
 * The anchor just before the last of some rows.
 *
 * @param before The position before the first of them.
 * @param changes The rows, in the order of arrival; if there are none, the anchor is empty.
 */
export function beforeLast(before: Since, changes: readonly CouchChange[]): Anchor {
  const last = changes.at(-1);
  if (last === undefined) return emptyAnchor(before);
  const since = changes.at(-2)?.seq ?? before;
  const rows = new Map<string, string>();
  // With `seqInterval`, rows share a position: all that have this one or the last one follow `since`.
  for (let at = changes.length - 1; at >= 0; at--) {
    const { id, rev, seq } = changes[at] as CouchChange;
    if (seq !== since && seq !== last.seq) break;
    if (!rows.has(id)) rows.set(id, rev);
  }
  return { since, rows, last: last.id };
}

/** The least number of rows that {@linkcode fromNewest} needs of a database with so many shards. */
export function rowsNeeded(shards: number): number {
  return Math.max(16, shards + 1);
}

/**
 * The anchor of the newest rows.
 *
 * In a descending feed, a position names for each shard the oldest row that has been sent of it. Two rows may be of
 * different shards, and then neither follows the position of the other. Among more rows than there are shards, two are
 * of the same shard, and the newer of these follows the position of the oldest row.
 *
 * @param newest The rows, newest first.
 * @param limit The number of rows that was asked for, more than the database has shards. If fewer came, these are all.
 */
export function fromNewest(newest: readonly CouchChange[], limit: number): Anchor {
  const rows = new Map(newest.map(({ id, rev }) => [id, rev]));
  const oldest = newest.at(-1);
  return { since: oldest === undefined || newest.length < limit ? 0 : oldest.seq, rows };
}
