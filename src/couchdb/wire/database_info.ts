/**
 * The identity of a database and how far it has come (CouchDB documentation, `GET /{db}`).
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { errorObjectFault } from "./faults.ts";
import { isSince } from "./rows.ts";

/** The part of the response to `GET /{db}` that a reader needs. */
export interface DatabaseInfo {
  /** `update_seq`: the position of the newest change. */
  readonly updateSeq: Since;
  /** `instance_start_time`: since CouchDB 3.3 the time of creation, so that a recreated database has another one. */
  readonly instanceStartTime: string;
  /**
   * The number in `purge_seq`, which grows with every purge: a purged document does not appear in the feed. The sum over
   * the shards, of each of which one copy has answered.
   */
  readonly purgeSeq: string;
  /** `cluster.q`: the number of shards, each of which numbers its own changes; 1 where the database does not say. */
  readonly shards: number;
  /** `cluster.n`: copies of each document; undefined where the database does not say. */
  readonly replicas: number | undefined;
}

/**
 * Reads the response to `GET /{db}`.
 *
 * @throws {ChangesError} `bad-request` if the response is CouchDB's answer to another URL, `not-json` if it is none that
 * is known.
 */
export function parseDatabaseInfo(value: unknown): DatabaseInfo {
  const info = (typeof value === "object" && value !== null ? value : {}) as {
    readonly [key: string]: unknown;
  };
  const updateSeq = info["update_seq"];
  if (!isSince(updateSeq)) {
    if (typeof info["error"] === "string") throw errorObjectFault(info);
    const other = otherThanDatabase(value);
    if (other !== undefined) {
      throw new ChangesError("bad-request", `The URL is that of ${other}, not of a database`, {
        status: 200,
      });
    }
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

/** What else CouchDB answers like this, by the members that tell it. */
const OTHERS: Readonly<Record<string, string>> = {
  couchdb: "a server",
  userCtx: "a session",
  results: "a changes feed",
  rows: "a view",
  _id: "a document",
};

/** What a response that does not describe a database describes; undefined if that is not known. */
function otherThanDatabase(value: unknown): string | undefined {
  if (Array.isArray(value)) return typeof value[0] === "string" ? "a list" : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(OTHERS).find(([member]) => Object.hasOwn(value, member))?.[1];
}

/**
 * Two requests may spell the same purge position differently; the number in front, the sum over the shards, is equal.
 */
function purgeCount(seq: unknown): string {
  return String(seq ?? "").split("-", 1)[0] ?? "";
}

/**
 * Why a position can no longer be relied on, if the database has not come as far as `since`.
 *
 * This can be seen where positions are numbers (CouchDB 1, PouchDB). Elsewhere they are opaque, but begin with a number,
 * the sum over all shards. It proves something where there is one shard and one copy of it, and so one count: it never
 * falls. Each copy of a shard counts by itself, and shards that are split count anew.
 */
export function rewindOf(
  since: Since,
  { updateSeq, shards, replicas }: DatabaseInfo,
): "rewound" | "rolled-back" | undefined {
  if (typeof since === "number" && typeof updateSeq === "number") {
    return since > updateSeq ? "rewound" : undefined;
  }
  const isOneCount = shards === 1 && replicas === 1;
  return isOneCount && countIn(since) > countIn(updateSeq) ? "rolled-back" : undefined;
}

/** The number in front of a position; NaN if there is none. */
function countIn(since: Since): number {
  return typeof since === "string" && /^\d+-/.test(since) ? parseInt(since, 10) : NaN;
}
