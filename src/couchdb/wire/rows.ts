/**
 * What the `_changes` feed consists of: rows, checkpoints, its end, and errors
 * (CouchDB documentation, `GET /{db}/_changes`).
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { errorObjectFault } from "./faults.ts";

/** A leaf revision in a row. */
type Revision = { readonly rev: string };

/** A JSON object of any shape. */
type Json = { readonly [key: string]: unknown };

/** Rows that arrived together, read up to the first fault: those before a fault are good, and are yielded first. */
export class Rows {
  /** In the order of arrival. */
  readonly changes: CouchChange[] = [];
  /** The position before the first row. */
  readonly start: Since;
  /** The position after the last row: where to resume once all of `changes` have been processed. */
  since: Since;
  /** Whether the feed has ended with a `last_seq`. */
  ended = false;
  /** The fault after the last row, if there is one. */
  fault: ChangesError | undefined;

  /** @param start The position before the first row. */
  constructor(start: Since) {
    this.start = start;
    this.since = start;
  }

  /** Whether more rows may follow: neither a fault nor the end has been read. */
  get open(): boolean {
    return this.fault === undefined && !this.ended;
  }

  /** Reads lines of a continuous feed; blank ones are heartbeats. */
  addLines(lines: readonly string[]): void {
    for (const line of lines) {
      const text = line.trim();
      // A server may send the rows of a live feed as it would inside a list, with a comma after each.
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
      // A line that does not begin like a row was not written by the database, but by a proxy in between.
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
    if (typeof id === "string" && hasRevisions(changes)) {
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
      this.fault = badRow(show(value), this.since);
    }
  }
}

/**
 * Whether this can be a position. A row may hold `null` in its place, which stands for the position before it. A list has
 * no lists in it: each position is written as JSON again and again, which takes seconds for one that is nested deeply.
 */
export function isSince(value: unknown): value is Since {
  if (Array.isArray(value)) return value.every((member) => typeof member !== "object");
  return typeof value === "string" || typeof value === "number";
}

/** Whether these are the revisions of a document, one at least. */
function hasRevisions(changes: unknown): changes is [Revision, ...Revision[]] {
  if (!Array.isArray(changes) || typeof changes[0]?.rev !== "string") return false;
  return changes.length === 1 || changes.every((change) => typeof change?.rev === "string");
}

/**
 * A row as JSON, without what its members hold: one that is nested deeply can exhaust the stack although it could be
 * parsed, and takes JavaScriptCore seconds.
 */
function show(value: unknown): string {
  let isRow = true;
  return JSON.stringify(value, (_, member) => {
    if (!isRow && typeof member === "object" && member !== null) return "…";
    isRow = false;
    return member;
  });
}

/** A row without a document: it only says how far the feed has come. */
function isCheckpoint(row: Json): boolean {
  if (!isSince(row["seq"])) return false;
  const { id, changes } = row;
  return id === null || (Array.isArray(changes) && changes.length === 0);
}

/** The error for a row that cannot be read. */
export function badRow(text: string, since: Since, cause?: unknown): ChangesError {
  const message = `Cannot read the row after ${JSON.stringify(since)}: ${text.slice(0, 200)}`;
  return new ChangesError("bad-row", message, { since, cause });
}
