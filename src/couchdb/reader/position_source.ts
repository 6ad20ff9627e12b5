/**
 * The `source` of a position: which database it belongs to, which identity that had, and which changes were asked for.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";

/** What a feed reads, whatever the identity of the database. */
export interface FeedScope {
  /** The database's name, without credentials. */
  readonly database: string;
  /** The selection; empty for every change. */
  readonly selection: string;
}

/** The `source` of positions reached in this scope while the database had this identity: opaque to its users. */
export function sourceOf({ database, selection }: FeedScope, info: DatabaseInfo): string {
  return JSON.stringify([database, info.instanceStartTime, info.purgeSeq, selection]);
}

/** Why a position with this `source` cannot be continued by a feed of this scope; undefined if it can. */
export function sourceMismatch(
  source: string,
  scope: FeedScope,
  info: DatabaseInfo,
): ResetReason | undefined {
  if (source === sourceOf(scope, info)) return undefined;
  const [database, instanceStartTime, , selection] = parseSource(source);
  if (database !== scope.database || selection !== scope.selection) return "since-refused";
  return instanceStartTime === info.instanceStartTime ? "purged" : "recreated";
}

/** A source that another program wrote has no members. */
function parseSource(source: string): readonly unknown[] {
  try {
    const value = JSON.parse(source);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
