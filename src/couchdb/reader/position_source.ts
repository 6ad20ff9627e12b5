/**
 * The `source` of a position: which database it belongs to, which identity that had, and which changes were asked for.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";
import type { Selection } from "../wire/filter.ts";
import { isPurge } from "./purge_counts.ts";

/** What a feed reads, whatever the identity of the database. */
export interface FeedScope {
  /** The database's name, without credentials. */
  readonly database: string;
  /** A digest of the selection; empty for every change. */
  readonly selection: string;
}

/** The scope of a feed. */
export async function scopeOf(database: string, { definition }: Selection): Promise<FeedScope> {
  return { database, selection: definition === "" ? "" : await digestOf(definition) };
}

/** 128 bits of SHA-256: positions are stored, and a selection may list ten thousand document ids. */
async function digestOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(hash, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
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
  const [database, instanceStartTime, purgeSeq, selection] = parseSource(source);
  if (database !== scope.database || selection !== scope.selection) return "since-refused";
  if (instanceStartTime !== info.instanceStartTime) return "recreated";
  return isPurge(purgeSeq, info) ? "purged" : undefined;
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
