/**
 * Conditional requests (RFC 9110 §13): what the preconditions of a request say about the current representation.
 *
 * One function for each field, which answers whether its condition is true, or undefined where the field is absent
 * or to be ignored, and one function for their order (§13.2.2).
 *
 * @module
 */
import { isWildcard, matchesList } from "./entity_tag_list.ts";
import { parseHttpDate } from "./http_date.ts";
import type { Validators } from "./validators.ts";

export type { Validators } from "./validators.ts";

/** Methods that neither select nor modify a representation; their preconditions are ignored (§13.2.1). */
const WITHOUT_REPRESENTATION: ReadonlySet<string> = new Set(["CONNECT", "OPTIONS", "TRACE"]);

/** The representation that a request selects, as far as preconditions ask for it. */
export interface Selected {
  /** Whether a list of entity tags names it, weakly or strongly compared. */
  readonly matches: (field: string, weak: boolean) => boolean;
  /** When it was last modified, in seconds; undefined where that is not known. */
  readonly lastModified: number | undefined;
}

/** The representation that these validators are of. One that is malformed counts as absent. */
export function selectedBy(current: Validators | null): Selected | null {
  if (current === null) return null;
  const { etag = "", lastModified } = current;
  return {
    matches: (field, weak) => matchesList(field, etag, weak),
    lastModified: lastModified === undefined ? undefined : toSeconds(lastModified),
  };
}

function toSeconds(date: Date | string): number | undefined {
  // White space around a field's value is no part of it (RFC 9110 §5.5), and \xA0 is none.
  if (typeof date === "string") return parseHttpDate(date.replace(/^[ \t]+|[ \t]+$/g, ""));
  const seconds = Math.floor(date.getTime() / 1000);
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** Seconds from a date field to the modification, negative where the field is later; undefined: not comparable. */
function modifiedAfter(field: string | null, selected: Selected | null): number | undefined {
  if (field === null || selected?.lastModified === undefined) return undefined;
  const date = parseHttpDate(field);
  return date === undefined ? undefined : selected.lastModified - date;
}

/** §13.1.1. Without a legal member no tag matches, and the condition is false. */
function ifMatch(headers: Headers, selected: Selected | null): boolean | undefined {
  const field = headers.get("if-match");
  if (field === null) return undefined;
  return selected !== null && (isWildcard(field) || selected.matches(field, false));
}

/** §13.1.4. */
function ifUnmodifiedSince(headers: Headers, selected: Selected | null): boolean | undefined {
  const after = modifiedAfter(headers.get("if-unmodified-since"), selected);
  return after === undefined ? undefined : after <= 0;
}

/** §13.1.2. Without a legal member no tag matches, and the condition is true. */
function ifNoneMatch(headers: Headers, selected: Selected | null): boolean | undefined {
  const field = headers.get("if-none-match");
  if (field === null) return undefined;
  return selected === null || !(isWildcard(field) || selected.matches(field, true));
}

/** §13.1.3; the caller sees to the method. */
function ifModifiedSince(headers: Headers, selected: Selected | null): boolean | undefined {
  const after = modifiedAfter(headers.get("if-modified-since"), selected);
  return after === undefined ? undefined : after > 0;
}

/**
 * Evaluates the preconditions of a request in their order (RFC 9110 §13.2.2): `If-Match`, compared strongly, else
 * `If-Unmodified-Since`; then `If-None-Match`, compared weakly, else, for GET and HEAD, `If-Modified-Since`.
 *
 * - Only to be asked where the answer without preconditions would be a 2xx (§13.2.1).
 * - 304 is for GET and HEAD alone. QUERY is safe too, but §13.1.2 names only those two, so it gets 412.
 * - CONNECT, OPTIONS and TRACE always proceed (§13.2.1).
 * - A malformed member of a list is skipped. A field that is present with no legal member, or empty, is still a field:
 *   `If-Match` is then false (a write that asked for protection is not let through unprotected), `If-None-Match` is
 *   true, and the date beside either is ignored, as §13.1.3 and §13.1.4 ask.
 * - A date field that is no HTTP-date, or has nothing to be compared with, is ignored (§13.1.3, §13.1.4). Dates are
 *   compared in whole seconds.
 * - `If-Range` is not evaluated: it belongs to whoever serves ranges (§13.1.5).
 *
 * It throws for nothing that a client sends, nor for a validator that is malformed: that one counts as absent.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { evaluatePreconditions } from "@stillfresh/etag/preconditions";
 *
 * const reload = new Request("http://localhost/", { headers: { "if-none-match": '"2-abc"' } });
 * assert.equal(evaluatePreconditions(reload, { etag: '"2-abc"' }), 304);
 * assert.equal(evaluatePreconditions(reload, { etag: '"3-def"' }), "proceed");
 *
 * const create = new Request("http://localhost/", { method: "PUT", headers: { "if-none-match": "*" } });
 * assert.equal(evaluatePreconditions(create, null), "proceed");
 * assert.equal(evaluatePreconditions(create, { etag: '"2-abc"' }), 412);
 * ```
 *
 * @param request The method and the fields of a request.
 * @param current The validators of the current representation; `null` where there is none.
 * @returns The status to answer with, or `"proceed"`.
 */
export function evaluatePreconditions(
  request: Pick<Request, "method" | "headers">,
  current: Validators | null,
): "proceed" | 304 | 412 {
  return evaluateSelected(request, selectedBy(current));
}

/** The same for a representation that is told by more than its validators. */
export function evaluateSelected(
  request: Pick<Request, "method" | "headers">,
  selected: Selected | null,
): "proceed" | 304 | 412 {
  const { method, headers } = request;
  if (WITHOUT_REPRESENTATION.has(method)) return "proceed";
  const unchanged = ifMatch(headers, selected) ?? ifUnmodifiedSince(headers, selected);
  if (unchanged === false) return 412;
  const retrieval = method === "GET" || method === "HEAD";
  const changed = ifNoneMatch(headers, selected) ??
    (retrieval ? ifModifiedSince(headers, selected) : undefined);
  if (changed === false) return retrieval ? 304 : 412;
  return "proceed";
}
