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
export function difference(known: DatabaseInfo, current: DatabaseInfo): ResetReason | undefined {
  if (known.instanceStartTime !== current.instanceStartTime) return "recreated";
  if (known.purgeSeq !== current.purgeSeq) return "purged";
  return undefined;
}

/** Where positions are numbers (CouchDB 1, PouchDB): whether the database has not come so far, in this life of it. */
export function rewound(since: Since, { updateSeq }: DatabaseInfo): boolean {
  return typeof since === "number" && typeof updateSeq === "number" && since > updateSeq;
}

/** What a feed is of. */
export interface Subject {
  /** The database, without credentials. */
  readonly name: string;
  /** The selection; empty for every change. */
  readonly identity: string;
}

/** The opaque `source` of positions of `subject` in this life of the database. */
export function sourceOf({ name, identity }: Subject, info: DatabaseInfo): string {
  return JSON.stringify([name, info.instanceStartTime, info.purgeSeq, identity]);
}

/** Why a position of `source` cannot be continued by a feed of `subject` in this life of the database, if so. */
export function foreign(source: string, subject: Subject, info: DatabaseInfo): ResetReason | undefined {
  if (source === sourceOf(subject, info)) return undefined;
  const [name, life, , identity] = parseSource(source);
  if (name !== subject.name || identity !== subject.identity) return "since-refused";
  return life === info.instanceStartTime ? "purged" : "recreated";
}

function parseSource(source: string): readonly unknown[] {
  try {
    const value = JSON.parse(source);
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
