/**
 * The anchor: a position one row early, from which a known row must come again. If it does not come, the database's
 * files were rolled back. The probe begins there, and so does each live stream.
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";

/** What is known of a row. */
export interface KnownRow {
  /** The winning revision that it brought. */
  readonly rev: string;
  /** Its position; undefined where it had none of its own. */
  readonly seq: Since | undefined;
}

/** A position, and known rows that follow it. */
export interface Anchor {
  /** Where the probe starts. */
  readonly since: Since;
  /** The known rows by document id. A document that was changed comes later, with another revision. */
  readonly rows: ReadonlyMap<string, KnownRow>;
  /** The document whose row must come. Absent: any of `rows` is enough, or under a filter, all of them must come. */
  readonly last?: string;
  /** Under a filter: the position of the reader when `rows` were read. */
  readonly reached?: Since;
}

/** An anchor at a position after which no row is known. */
export function emptyAnchor(since: Since): Anchor {
  return { since, rows: new Map() };
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
  const rows = new Map<string, KnownRow>();
  // With `seqInterval`, rows share a position: all that have this one or the last one follow `since`.
  for (let at = changes.length - 1; at >= 0; at--) {
    const { id, rev, seq } = changes[at] as CouchChange;
    if (seq !== since && seq !== last.seq) break;
    if (!rows.has(id)) rows.set(id, { rev, seq: ownPosition(seq, changes[at - 1]?.seq ?? before) });
  }
  return { since, rows, last: last.id };
}

/** The position of a row, unless it only repeats the one before, because the server sent null. */
export function ownPosition(seq: Since, previous: Since): Since | undefined {
  return isSamePosition(seq, previous) ? undefined : seq;
}

/** Whether two positions are spelled alike. The same position may be spelled in several ways. */
export function isSamePosition(a: Since, b: Since): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
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
  const rows = new Map(newest.map(({ id, rev }) => [id, { rev, seq: undefined }]));
  const oldest = newest.at(-1);
  return { since: oldest === undefined || newest.length < limit ? 0 : oldest.seq, rows };
}
