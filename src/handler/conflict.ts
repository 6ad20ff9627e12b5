/**
 * The answer to a write that lost a race in the database.
 *
 * @module
 */
import { problemResponse } from "../http/problem_details.ts";
import { judgedRevisions } from "./judged_requests.ts";
import { cancelBody, isResponse } from "./responses.ts";

/**
 * The answer to a write that lost a race: CouchDB answers 409 where `_rev` is not the current revision any more. It is a
 * 412 where the request had a precondition, which is false by now, and a 409 where it had none (RFC 9110 §15.5.10,
 * §15.5.13). A date that `withEtag` could not evaluate is no precondition.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { conflictResponse } from "@stillfresh/etag";
 *
 * const put = new Request("http://localhost/posts/1", { method: "PUT", headers: { "if-match": '"1-a.x.y"' } });
 * const lost = Object.assign(new Error("Document update conflict."), { statusCode: 409 });
 * assert.equal(conflictResponse(put, lost)?.status, 412);
 * assert.equal(conflictResponse(new Request(put.url, { method: "PUT" }), lost)?.status, 409);
 * assert.equal(conflictResponse(put, new Error("no connection")), undefined);
 * ```
 *
 * @param request The write, as the handler was given it.
 * @param failure What the database gave: an error of nano or PouchDB, or a fetched `Response`.
 * @returns The 412 or 409; undefined where the failure is another, which the caller still has to handle.
 */
export function conflictResponse(request: Request, failure: unknown): Response | undefined {
  if (typeof failure !== "object" || failure === null) return undefined;
  const { status, statusCode } = failure as { readonly status?: unknown; readonly statusCode?: unknown };
  if (status !== 409 && statusCode !== 409) return undefined;
  if (isResponse(failure)) cancelBody(failure);
  const { headers } = request;
  const isConditional = headers.has("if-match") || headers.has("if-none-match") ||
    judgedRevisions(request) !== undefined;
  const [code, title] = isConditional ? [412, "Precondition Failed"] : [409, "Conflict"];
  const detail =
    "The resource is not at the revision that this request would replace: as a rule, because another " +
    "request has changed it. GET it again, apply your change to what you get, and send its ETag in If-Match.";
  return problemResponse(request, { status: code, title, detail });
}
