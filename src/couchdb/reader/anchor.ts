/**
 * One row early: a position from which a known row must come again. If it does not, files were rolled back.
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";

/** A position, and rows of which at least one follows it. */
export interface Anchor {
  /** Ask from here. */
  readonly since: Since;
  /** Revisions by document id. A document changed meanwhile comes again later, with another revision. */
  readonly rows: ReadonlyMap<string, string>;
  /** The document that must come; absent: any of the rows, or where a filter hides them, all. */
  readonly last?: string;
  /** Under a filter: how far the reader was when this was learnt. */
  readonly reached?: Since;
}

/** A position of which nothing is known yet. */
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
 * @param changes In the order of arrival; without any, nothing is known.
 */
export function beforeLast(before: Since, changes: readonly CouchChange[]): Anchor {
  const last = changes.at(-1);
  if (last === undefined) return emptyAnchor(before);
  const since = changes.at(-2)?.seq ?? before;
  const rows = new Map<string, string>();
  // Rows without a position of their own carry the last one: all of them follow it.
  for (let at = changes.length - 1; at >= 0; at--) {
    const { id, rev, seq } = changes[at] as CouchChange;
    if (seq !== since && seq !== last.seq) break;
    if (!rows.has(id)) rows.set(id, rev);
  }
  return { since, rows, last: last.id };
}

/** Least number of rows {@linkcode fromNewest} needs of a database with so many shards. */
export function rowsNeeded(shards: number): number {
  return Math.max(16, shards + 1);
}

/**
 * The anchor in a descending feed. Its positions name the oldest row sent of each shard, so the first row need not
 * follow the second's position: they may live in different shards. With more rows than shards, one shard has two.
 *
 * @param newest Rows, newest first.
 * @param limit The number asked for, more than the database has shards.
 */
export function fromNewest(newest: readonly CouchChange[], limit: number): Anchor {
  const rows = new Map(newest.map(({ id, rev }) => [id, rev]));
  const oldest = newest.at(-1);
  return { since: oldest === undefined || newest.length < limit ? 0 : oldest.seq, rows };
}
