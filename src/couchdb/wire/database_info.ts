/**
 * Which database this is, and in which life (CouchDB documentation, `GET /{db}`).
 *
 * @module
 */
import type { ResetReason, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { isSince } from "./rows.ts";

/** What `GET /{db}` tells a reader. */
export interface DatabaseInfo {
  /** The position at that moment. */
  readonly updateSeq: Since;
  /** `instance_start_time`: since CouchDB 3.3 the time of creation, so that a recreated database differs. */
  readonly instanceStartTime: string;
  /** How often documents were purged: a purged document never appears in the feed. */
  readonly purgeSeq: string;
  /** Shards, `cluster.q`; each has a sequence of its own. */
  readonly shards: number;
  /** Copies of each document, `cluster.n`; undefined where the database does not say. */
  readonly replicas: number | undefined;
}

/**
 * Reads the answer to `GET /{db}`.
 *
 * @throws {ChangesError} `not-json` if the answer is no database's.
 */
export function parseDatabaseInfo(value: unknown): DatabaseInfo {
  const info = (typeof value === "object" && value !== null ? value : {}) as {
    readonly [key: string]: unknown;
  };
  const updateSeq = info["update_seq"];
  if (!isSince(updateSeq)) {
    throw new ChangesError("not-json", "The answer is JSON, but does not describe a database");
  }
  const cluster = info["cluster"] as { readonly q?: unknown; readonly n?: unknown } | undefined;
  return {
    updateSeq,
    instanceStartTime: String(info["instance_start_time"] ?? ""),
    purgeSeq: purgeCount(info["purge_seq"]),
    shards: typeof cluster?.q === "number" ? cluster.q : 1,
    replicas: typeof cluster?.n === "number" ? cluster.n : undefined,
  };
}

/** The same purge position can be spelled in many ways; the number in front is the sum over the shards. */
function purgeCount(seq: unknown): string {
  return String(seq ?? "").split("-", 1)[0] ?? "";
}

/** Why what was known of the database no longer holds, if so. */
export function identityChange(known: DatabaseInfo, current: DatabaseInfo): ResetReason | undefined {
  if (known.instanceStartTime !== current.instanceStartTime) return "recreated";
  if (known.purgeSeq !== current.purgeSeq) return "purged";
  return undefined;
}

/** Where positions are numbers (CouchDB 1, PouchDB): whether the database has not come so far, in this life of it. */
export function isRewound(since: Since, { updateSeq }: DatabaseInfo): boolean {
  return typeof since === "number" && typeof updateSeq === "number" && since > updateSeq;
}
