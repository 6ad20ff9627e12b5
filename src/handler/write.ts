/**
 * Unsafe methods: their preconditions are decided before the handler runs, because afterwards is too late; and what a
 * successful write changed is void at once, without waiting for the feed (RFC 9111 §4.4, RFC 9875 §3).
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { purgeField } from "../http/cdn_tags.ts";
import { declaredIn, INVALIDATES, readDeclaration } from "../http/dependency.ts";
import { answeredStatus, forwardedStatus } from "./cache_status.ts";
import type { ArrivedRequest, HandlerContext } from "./context.ts";
import { type Current, evaluateCurrent, hasPrecondition } from "./current_state.ts";
import { countOverlongLists } from "./evaluate.ts";
import { cancelBody, isResponse, preconditionFailed, preconditionRequired, withFields } from "./responses.ts";

/** Methods that replace or remove the state of their target, and so can lose an update by another client. */
const REPLACING: ReadonlySet<string> = /* @__PURE__ */ new Set(["PUT", "PATCH", "DELETE"]);

/** The 428 for a write that has to say which state it is meant for, and does not. */
export function refuseUnconditional(context: HandlerContext, request: ArrivedRequest): Response | undefined {
  if (!context.requirePrecondition || !REPLACING.has(request.method)) return undefined;
  if (hasPrecondition(request.headers)) return undefined;
  context.registry.count("precondition-required");
  return withFields(
    preconditionRequired(request),
    answeredStatus(context.cacheName, "precondition-required"),
  );
}

/** The 412 for a write that is meant for another state than the current one. */
export function refuseConflicting(
  context: HandlerContext,
  request: ArrivedRequest,
  current: Current,
): Response | undefined {
  if (current === undefined) return undefined;
  countOverlongLists(context, request.headers);
  if (evaluateCurrent(request, current) === "proceed") return undefined;
  context.registry.count("precondition-failed");
  return preconditionFailed(request, answeredStatus(context.cacheName, "precondition-failed"));
}

/**
 * The response to a write as the client gets it. Voids what the write changed: also where its result is unclear, as a 5xx
 * is, and what is no Response.
 */
export function finishWrite(context: HandlerContext, key: string | undefined, result: unknown): unknown {
  if (!isResponse(result)) {
    if (key !== undefined) context.registry.delete(key);
    return result;
  }
  const { status, headers } = result;
  const failed = status >= 400 && status < 500;
  const fields = failed ? {} : invalidate(context, key, headers);
  const forwarding = {
    reason: "unsafe-method",
    handlerStatus: status,
    stored: false,
    refusal: undefined,
  } as const;
  const before = headers.get("cache-status");
  return withFields(result, { ...fields, ...forwardedStatus(context.cacheName, before, forwarding) });
}

/** Voids what was written, and returns the field that tells caches in front, if they are to be told. */
function invalidate(
  { registry, purgeFields, trustCacheGroups }: HandlerContext,
  key: string | undefined,
  headers: Headers,
): Record<string, string> {
  if (key !== undefined) registry.delete(key);
  const field = declaredIn(headers, INVALIDATES);
  const upstream = trustCacheGroups ? headers.get("cache-group-invalidation") : null;
  for (const group of upstream === null ? [] : parseCacheGroups(upstream) ?? []) registry.invalidate(group);
  const groups = field === null ? [] : readDeclaration(field);
  if (groups === undefined) {
    // A declaration that cannot be read may have named any group.
    registry.count("malformed");
    registry.clear();
    return {};
  }
  for (const group of groups) registry.invalidate(group._id);
  if (groups.length === 0 || !purgeFields.includes("cache-groups")) return {};
  const value = purgeField("cache-groups", groups.map(({ _id }) => _id));
  if (value !== undefined) return { "cache-group-invalidation": value };
  registry.count("purge-field-too-large");
  return {};
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
 * @returns The 412; undefined where the failure is another, which the caller still has to handle.
 */
export function conflictResponse(request: Request, failure: unknown): Response | undefined {
  if (typeof failure !== "object" || failure === null) return undefined;
  const { status, statusCode } = failure as { readonly status?: unknown; readonly statusCode?: unknown };
  if (status !== 409 && statusCode !== 409) return undefined;
  if (isResponse(failure)) cancelBody(failure);
  return preconditionFailed(request);
}
