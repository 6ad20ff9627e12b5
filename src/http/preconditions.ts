/**
 * Conditional requests (RFC 9110 §13): what the preconditions of a request say about the current representation.
 *
 * @module
 */
import { evaluateSelected, representationWith, type Validators } from "./selected_representation.ts";

export type { Validators } from "./selected_representation.ts";

/**
 * Evaluates the preconditions of a request in their order (RFC 9110 §13.2.2): `If-Match`, compared strongly, else
 * `If-Unmodified-Since`; then `If-None-Match`, compared weakly, else, for GET, HEAD and QUERY, `If-Modified-Since`.
 *
 * - Only to be asked where the answer without preconditions would be a 2xx (§13.2.1).
 * - 304 is for GET and HEAD, and for QUERY: what it selects is what a GET of its equivalent resource would select (RFC
 *   10008 §2.6), so give the validators of the result of the query. Other methods get 412.
 * - CONNECT, OPTIONS and TRACE always proceed (§13.2.1).
 * - A malformed member of a list is skipped. A field that is present with no legal member, or empty, is still a field:
 *   `If-Match` is then false (a write that asked for protection is not let through unprotected), `If-None-Match` is
 *   true, and the date beside either is ignored, as §13.1.3 and §13.1.4 ask.
 * - A date field that is no HTTP-date, or has nothing to be compared with, is ignored (§13.1.3, §13.1.4). Dates are
 *   compared in whole seconds.
 * - `If-Range` is not evaluated: it comes last, and is about a part only (§13.1.5). `withEtag` evaluates it.
 *
 * No field that a client sends makes it throw, and no malformed validator: that one counts as absent.
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
  return evaluateSelected(request, representationWith(current));
}
