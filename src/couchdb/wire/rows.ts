/**
 * What the `_changes` feed sends: rows, checkpoints, its own end, and errors
 * (CouchDB documentation, `GET /{db}/_changes`).
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { errorObjectFault } from "./faults.ts";

/** JSON objects as they come. */
type Json = { readonly [key: string]: unknown };

/** What arrived together, read up to the first fault: what precedes a fault is good and must be handed out first. */
export class Rows {
  /** In the order of arrival. */
  readonly changes: CouchChange[] = [];
  /** The position before the first row. */
  readonly start: Since;
  /** Resume here once all of `changes` are processed. */
  since: Since;
  /** Whether the feed said that it ends here. */
  ended = false;
  /** What stopped the reading. */
  fault: ChangesError | undefined;

  /** @param start The position before the first row. */
  constructor(start: Since) {
    this.start = start;
    this.since = start;
  }

  /** Whether more may be added. */
  get open(): boolean {
    return this.fault === undefined && !this.ended;
  }

  /** Reads lines of a continuous feed; blank ones are heartbeats. */
  addLines(lines: readonly string[]): void {
    for (const line of lines) {
      const text = line.trim();
      // A row may end as it would in a list.
      if (text !== "") this.#add(this.#parse(text.endsWith(",") ? text.slice(0, -1) : text));
      if (!this.open) return;
    }
  }

  /** Reads the `results` of a normal feed. */
  addResults(results: readonly unknown[]): void {
    for (const value of results) {
      this.#add(value);
      if (!this.open) return;
    }
  }

  #parse(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch (cause) {
      // Whatever does not even begin like a row comes from something between the database and us.
      this.fault = line.startsWith("{")
        ? badRow(line, this.since, cause)
        : new ChangesError("not-json", "The feed sent something that is no row", {
          since: this.since,
          cause,
        });
      return undefined;
    }
  }

  #add(value: unknown): void {
    if (this.fault !== undefined) return;
    const row = (typeof value === "object" && value !== null ? value : {}) as Json;
    const { seq, id, changes } = row;
    if (typeof id === "string" && Array.isArray(changes) && typeof changes[0]?.rev === "string") {
      if (isSince(seq)) this.since = seq;
      this.changes.push({
        id,
        rev: changes[0].rev,
        deleted: row["deleted"] === true,
        seq: this.since,
        ...(row["doc"] == null ? {} : { doc: row["doc"] }),
        ...(changes.length > 1 ? { revs: changes.map(({ rev }) => rev) } : {}),
      });
    } else if ("last_seq" in row) {
      if (isSince(row["last_seq"])) this.since = row["last_seq"];
      this.ended = true;
    } else if (isCheckpoint(row)) {
      this.since = seq as Since;
    } else if ("error" in row && id === undefined) {
      this.fault = errorObjectFault(row, this.since);
    } else {
      this.fault = badRow(JSON.stringify(value), this.since);
    }
  }
}

/** Whether this can be a position; a row may have `null` instead, which repeats the last one. */
export function isSince(value: unknown): value is Since {
  return typeof value === "string" || typeof value === "number" || Array.isArray(value);
}

/** A row that tells how far the feed is, and nothing else. */
function isCheckpoint(row: Json): boolean {
  if (!isSince(row["seq"])) return false;
  const { id, changes } = row;
  return id === null || (Array.isArray(changes) && changes.length === 0);
}

/** The error for what claims to be a row and is none. */
export function badRow(text: string, since: Since, cause?: unknown): ChangesError {
  const message = `Cannot read the row after ${JSON.stringify(since)}: ${text.slice(0, 200)}`;
  return new ChangesError("bad-row", message, { since, cause });
}
