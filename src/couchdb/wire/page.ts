/**
 * One bounded request of the normal feed: a page of rows.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { errorObjectFault } from "./faults.ts";
import { badRow, isSince, Rows } from "./rows.ts";

/** The most rows of a page, whatever was asked for: no more are ever asked for, but for a descending feed. */
const MOST_ROWS = 1_000;

/** The rows of one response. */
export interface Page {
  /** `rows.since` is the position after all of them. */
  readonly rows: Rows;
  /** Whether nothing was pending after them when the server answered. */
  readonly complete: boolean;
}

/**
 * Reads the body of a normal feed: one JSON text, wherever its line breaks are.
 *
 * @param text The body.
 * @param since The position that was asked from.
 * @param limit The number of rows that was asked for.
 * @throws {ChangesError} If this is not a whole page.
 */
export function parsePage(text: string, since: Since, limit: number): Page {
  return toPage(parse(text, since), since, limit);
}

/**
 * Reads the body of a normal feed that has been parsed.
 *
 * @param body The body.
 * @param since The position that was asked from.
 * @param limit The number of rows that was asked for.
 * @throws {ChangesError} If this is no page.
 */
export function toPage(body: { readonly [key: string]: unknown }, since: Since, limit: number): Page {
  const { results, last_seq: lastSeq, pending } = body;
  if (!Array.isArray(results) || !isSince(lastSeq)) {
    if ("error" in body) throw errorObjectFault(body, since);
    throw new ChangesError("not-json", "The answer is JSON, but no page of changes", { since });
  }
  if (results.length > Math.max(limit, MOST_ROWS)) {
    const message = `The answer has ${results.length} rows, where ${limit} were asked for`;
    throw new ChangesError("too-large", message, { since });
  }
  const rows = new Rows(since);
  rows.addResults(results);
  if (rows.fault === undefined) rows.since = lastSeq;
  // `pending` is only a hint: PouchDB sends none, some versions send null or a negative number, and a filter counts
  // what it does not send. An empty page is the last in any case.
  const last = typeof pending === "number" ? pending <= 0 : results.length < limit;
  return { rows, complete: last || results.length === 0 };
}

function parse(text: string, since: Since): { readonly [key: string]: unknown } {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch (cause) {
    const trimmed = text.trim();
    if (!trimmed.startsWith("{")) {
      throw new ChangesError("not-json", "The answer is not JSON", { since, cause });
    }
    // A page that is complete and still no JSON will be none at the next attempt either.
    const whole = trimmed.endsWith("}") && trimmed.includes('"last_seq"');
    if (whole) throw badRow(trimmed, since, cause);
    throw new ChangesError("truncated", "The answer broke off", { since, cause });
  }
}
