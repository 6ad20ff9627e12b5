/**
 * Validation (RFC 9111 §4.3.2): a conditional request answered from the registry, or else in place of what the
 * handler answered. One evaluation for both.
 *
 * @module
 */
import { type Handling, memberFor } from "./cache_status.ts";
import { hasTooManyMembers } from "../http/entity_tag_list.ts";
import { evaluatePreconditions, type Validators } from "../http/preconditions.ts";
import type { Entry, Reason } from "../registry/registry.ts";
import {
  notModifiedInstead,
  preconditionFailed,
  preconditionFailedInstead,
  withFields,
} from "./responses.ts";
import type { HandlerContext } from "./context.ts";
import { hasCredentials } from "./cacheable.ts";

/** The answer from the registry, without the handler; else why there is none. */
export function answer(
  context: HandlerContext,
  request: Request,
  key: string,
  caller?: string,
): Response | Reason {
  const { registry } = context;
  const { headers } = request;
  const field = headers.get("if-none-match");
  if (field === null && !headers.has("if-match")) return counted(context, "unconditional");
  const entry = registry.lookup(key, headers, caller);
  if (typeof entry === "string") return entry;
  if (!entry.isPublic && caller === undefined && hasCredentials(headers)) {
    return counted(context, "credentials");
  }
  // Most clients send the one tag they were given. Any other condition beside it has to be heard first.
  const short = field === entry.etag && !headers.has("if-match") &&
    (entry.lastModified === undefined || !headers.has("if-unmodified-since"));
  const outcome = short ? 304 : evaluate(context, request, validatorsOf(entry));
  if (outcome === 412) {
    const why = counted(context, "precondition-failed");
    return explained(context, preconditionFailed(request, entry.init.headers), { why });
  }
  // Two edits fit in the second that If-Modified-Since can tell, so a date alone is the handler's to answer.
  if (outcome !== 304 || field === null) return counted(context, "tag-differs");
  if (context.shouldAudit()) return counted(context, "audit");
  registry.count("hit");
  // A new one each time: what a middleware does to it must not be seen again.
  const response = new Response(null, context.initOf(entry));
  return context.cacheName === undefined ? response : explained(context, response, { why: "hit" });
}

function counted(context: HandlerContext, reason: Reason): Reason {
  context.registry.count(reason);
  return reason;
}

function validatorsOf({ etag, lastModified }: Entry): { etag: string; lastModified: Date | undefined } {
  return { etag, lastModified: lastModified === undefined ? undefined : new Date(lastModified * 1000) };
}

function evaluate(context: HandlerContext, request: Request, current: Validators): "proceed" | 304 | 412 {
  countOverlong(context, request.headers);
  return evaluatePreconditions(request, current);
}

/** Makes it known where a list of tags was not looked at to its end. */
export function countOverlong({ registry }: HandlerContext, headers: Headers): void {
  if (hasTooManyMembers(headers.get("if-none-match")) || hasTooManyMembers(headers.get("if-match"))) {
    registry.count("too-many-tags");
  }
}

/**
 * Evaluates the preconditions against what the handler answered (RFC 9110 §13.2.1: only in place of a 2xx).
 *
 * @param why Why the registry did not answer.
 */
export function evaluated(
  context: HandlerContext,
  request: Request,
  response: Response,
  why: Reason,
): Response {
  const { status, headers } = response;
  if (status < 200 || status > 299) return response;
  const lastModified = headers.get("last-modified") ?? undefined;
  // Without tags in the request there are only dates, which have nothing to be compared with.
  if (lastModified === undefined && why === "unconditional") return response;
  const etag = headers.get("etag") ?? undefined;
  if (etag === undefined && lastModified === undefined) return response;
  switch (evaluate(context, request, { etag, lastModified })) {
    case 304:
      context.registry.count("not-modified");
      return notModifiedInstead(response, [...context.replayedNames, ...context.purgeFields]);
    case 412:
      context.registry.count("precondition-failed");
      return preconditionFailedInstead(request, response);
    default:
      return response;
  }
}

/** With our member of `Cache-Status` behind those of caches nearer to the origin (RFC 9211 §2), if we were given a name. */
export function explained(context: HandlerContext, response: Response, handling: Handling): Response {
  if (context.cacheName === undefined) return response;
  const member = memberFor(context.cacheName, handling);
  const before = response.headers.get("cache-status");
  return withFields(response, { "cache-status": before === null ? member : `${before}, ${member}` });
}
