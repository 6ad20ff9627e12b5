/**
 * Unsafe methods: their preconditions are decided before the handler runs, because afterwards is too late.
 *
 * @module
 */
import { type Current, evaluateCurrent, hasPrecondition } from "./current_state.ts";
import { cancelBody, preconditionFailed, preconditionRequired } from "./responses.ts";
import { type HandlerContext, isResponse } from "./context.ts";
import { countOverlong, explained } from "./evaluate.ts";

/** Methods that replace or remove the state of their target, and so can lose somebody's update. */
const REPLACING: ReadonlySet<string> = new Set(["PUT", "PATCH", "DELETE"]);

/** The 428 for a write that has to say which state it is meant for, and does not. */
export function required(context: HandlerContext, request: Request): Response | undefined {
  if (!REPLACING.has(request.method) || hasPrecondition(request.headers)) return undefined;
  context.registry.count("precondition-required");
  return explained(context, preconditionRequired(request), { why: "precondition-required" });
}

/** The 412 for a write that is meant for another state than the current one. */
export function prevented(context: HandlerContext, request: Request, current: Current): Response | undefined {
  if (current === undefined) return undefined;
  countOverlong(context, request.headers);
  if (evaluateCurrent(request, current) === "proceed") return undefined;
  context.registry.count("precondition-failed");
  return explained(context, preconditionFailed(request), { why: "precondition-failed" });
}

/**
 * The 412 for a write that lost a race: CouchDB answers 409 where `_rev` is not the current revision any more.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { conflictResponse } from "@stillfresh/etag";
 *
 * const put = new Request("http://localhost/posts/1", { method: "PUT", headers: { "if-match": '"1-a.x.y"' } });
 * const lost = Object.assign(new Error("Document update conflict."), { statusCode: 409 });
 * assert.equal(conflictResponse(put, lost)?.status, 412);
 * assert.equal(conflictResponse(put, new Error("no connection")), undefined);
 * ```
 *
 * @param request The write.
 * @param failure What the database gave: an error of nano or PouchDB, or a fetched `Response`.
 * @returns The 412; undefined where the failure is another, and still to be dealt with.
 */
export function conflictResponse(request: Request, failure: unknown): Response | undefined {
  if (typeof failure !== "object" || failure === null) return undefined;
  const { status, statusCode } = failure as { readonly status?: unknown; readonly statusCode?: unknown };
  if (status !== 409 && statusCode !== 409) return undefined;
  if (isResponse(failure)) cancelBody(failure);
  return preconditionFailed(request);
}
