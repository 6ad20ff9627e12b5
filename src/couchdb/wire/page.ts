/**
 * One bounded request of the normal feed: a page of rows.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { errorObjectFault } from "./faults.ts";
import { badRow, isSince, Rows } from "./rows.ts";

/** A page of the feed. */
export interface Page {
  /** Its rows; `rows.since` is the position after them. */
  readonly rows: Rows;
  /** Whether nothing was left when the server answered. */
  readonly complete: boolean;
}

/**
 * Reads the body of a normal feed, which is one JSON text whatever its line breaks.
 *
 * @param text The body.
 * @param since The position it was asked from.
 * @param limit The number of rows asked for.
 * @throws {ChangesError} If this is not a whole page.
 */
export function parsePage(text: string, since: Since, limit: number): Page {
  return toPage(parse(text, since), since, limit);
}

/**
 * The same for a body that has been parsed.
 *
 * @throws {ChangesError} If this is no page.
 */
export function toPage(body: { readonly [key: string]: unknown }, since: Since, limit: number): Page {
  const { results, last_seq: lastSeq, pending } = body;
  if (!Array.isArray(results) || !isSince(lastSeq)) {
    if ("error" in body) throw errorObjectFault(body, since);
    throw new ChangesError("not-json", "The answer is JSON, but no page of changes", { since });
  }
  const rows = new Rows(since);
  rows.addResults(results);
  if (rows.fault === undefined) rows.since = lastSeq;
  // `pending` is a hint: PouchDB has none, some versions a null or a negative one, and a filter makes it too large.
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
    // A page that came to its end, and still is no JSON, will be none the next time either.
    const whole = trimmed.endsWith("}") && trimmed.includes('"last_seq"');
    if (whole) throw badRow(trimmed, since, cause);
    throw new ChangesError("truncated", "The answer broke off", { since, cause });
  }
}
