/**
 * Unsafe methods: their preconditions are decided before the handler runs, because afterwards is too late; and what a
 * successful write changed is void at once, without waiting for the feed (RFC 9111 §4.4, RFC 9875 §3).
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { purgeField } from "../http/cdn_tags.ts";
import { declaredIn, INVALIDATES, readDeclaration } from "../http/dependency.ts";
import { isWildcard, someListedTag } from "../http/entity_tag_list.ts";
import { comparesDate, representationWith } from "../http/selected_representation.ts";
import { answeredStatus, forwardedStatus } from "./cache_status.ts";
import type { HandlerContext } from "./context.ts";
import type { CurrentState } from "./current_state.ts";
import { countOverlongLists } from "./evaluate.ts";
import { judgeWrite, type WriteTarget } from "./judge_write.ts";
import { preconditionFailed, preconditionRequired } from "./refusals.ts";
import { noteCrossOrigin } from "./cross_origin.ts";
import { crossOriginFields, isResponse, withFields } from "./responses.ts";
import { endRequest } from "./tell.ts";

/** Methods that replace or remove the state of their target, and so can lose an update by another client. */
const REPLACING: ReadonlySet<string> = /* @__PURE__ */ new Set(["PUT", "PATCH", "DELETE"]);

/** The fields that make a request conditional upon the state of its target. */
const PRECONDITIONS = ["if-match", "if-none-match", "if-unmodified-since"] as const;

/** Whether a request has a precondition. */
export function hasPrecondition(headers: Headers): boolean {
  return PRECONDITIONS.some((name) => headers.has(name));
}

/**
 * The 428 for a write that has to say which state it is meant for, and does not. A tag in `If-Match` says it, a `*` in
 * either field, and a date that can be compared with the state.
 *
 * @param state What `current` said; undefined: nothing.
 */
export function refuseUnconditional(
  context: HandlerContext,
  target: WriteTarget,
  state: CurrentState | null | undefined,
): Response | undefined {
  const { request } = target;
  const { method, headers } = request;
  if (!context.requirePrecondition || !REPLACING.has(method) || namesState(headers)) return undefined;
  // An `If-Match` without a legal tag is false, and gets the 412 that says so.
  if (state !== undefined && headers.has("if-match")) return undefined;
  if (state && comparesDate(headers, representationWith(state.validators))) return undefined;
  endRequest(context.registry, request, "precondition-required");
  return preconditionRequired(request, {
    ...crossOriginOf(context, target),
    ...answeredStatus(context.cacheName, "precondition-required"),
  });
}

/** Whether `If-Match` or `If-None-Match` names a state: a tag that has to be there, anything, or nothing. */
function namesState(headers: Headers): boolean {
  const [match, noneMatch] = [headers.get("if-match"), headers.get("if-none-match")];
  if (noneMatch !== null && isWildcard(noneMatch)) return true;
  return match !== null && (isWildcard(match) || someListedTag(match, true, () => true));
}

/** The 412 for a write that is meant for another state than the current one. */
export function refuseConflicting(
  context: HandlerContext,
  target: WriteTarget,
  state: CurrentState | null | undefined,
): Response | undefined {
  if (state === undefined) return undefined;
  const { request } = target;
  countOverlongLists(context, request.headers);
  const why = judgeWrite(context, target, state);
  if (why === undefined) return undefined;
  endRequest(context.registry, request, "precondition-failed");
  return preconditionFailed(request, why, {
    ...crossOriginOf(context, target),
    ...answeredStatus(context.cacheName, "precondition-failed"),
  });
}

/** What the resource is known to send to scripts of the request's origin: from the handler, or from the registry. */
function crossOriginOf(
  { registry }: HandlerContext,
  { request: { headers }, key, caller }: WriteTarget,
): Readonly<Record<string, string>> {
  const origin = headers.get("origin");
  if (key === undefined || origin === null) return {};
  const registered = () => registry.peek(key, headers, caller)?.headers.fields ?? {};
  return registry.crossOriginFields(key, origin) ?? crossOriginFields(registered());
}

/**
 * The response to a write as the client gets it. Voids what the write changed: also where its result is unclear, as a 5xx
 * is, and what is no Response.
 */
export function finishWrite(
  context: HandlerContext,
  request: Request,
  key: string | undefined,
  origin: string | null,
  result: unknown,
): unknown {
  if (!isResponse(result)) {
    if (key !== undefined) context.registry.delete(key);
    endRequest(context.registry, request, "handled", { reason: "unsafe-method" });
    return result;
  }
  const { status, headers } = result;
  noteCrossOrigin(context.registry, key, origin, result);
  const failed = status >= 400 && status < 500;
  const fields = failed ? {} : invalidate(context, key, headers);
  const forwarding = {
    reason: "unsafe-method",
    handlerStatus: status,
    stored: false,
    refusal: undefined,
  } as const;
  const before = headers.get("cache-status");
  const answer = withFields(result, { ...fields, ...forwardedStatus(context.cacheName, before, forwarding) });
  endRequest(context.registry, request, "handled", forwarding);
  return answer;
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
