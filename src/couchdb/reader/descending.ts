/**
 * A descending feed: one response, from which nothing can be resumed (CouchDB documentation, `descending`).
 *
 * @module
 */
import type { Database } from "../connection/database.ts";
import type { Settings } from "../connection/options.ts";
import type { CouchBatch } from "./cursor.ts";
import { withLeaves } from "./cursor.ts";

/** All changes, newest first, in batches without a position: that of the last row is the oldest. */
export async function* descendingBatches(
  database: Database,
  { limit, batchSize, selection }: Settings,
  signal: AbortSignal,
): AsyncGenerator<CouchBatch, void, undefined> {
  const { rows } = await database.readDescending(limit, signal);
  const changes = selection.leaves ? rows.changes.map(withLeaves) : rows.changes;
  for (let start = 0; start < changes.length; start += batchSize) {
    const slice = changes.slice(start, start + batchSize);
    yield { changes: slice, position: undefined, state: "catching-up", contact: undefined };
  }
  if (rows.fault !== undefined) throw rows.fault;
}
