/**
 * A request's preconditions against the response that the handler gave (RFC 9110 §13.2.1: only in place of a 2xx).
 *
 * @module
 */
import { hasTooManyMembers } from "../http/entity_tag_list.ts";
import { evaluatePreconditions } from "../http/preconditions.ts";
import type { ArrivedRequest, HandlerContext } from "./context.ts";

/**
 * The status to answer with in the place of the response, or `"proceed"`.
 *
 * @param etag The tag that the response is to have.
 */
export function evaluateAgainst(
  context: HandlerContext,
  request: ArrivedRequest,
  { status, headers }: Response,
  etag: string | undefined,
): "proceed" | 304 | 412 {
  if (status < 200 || status > 299) return "proceed";
  const lastModified = headers.get("last-modified") ?? undefined;
  if (lastModified === undefined && etag === undefined) return "proceed";
  countOverlongLists(context, request.headers);
  return evaluatePreconditions(request, { etag, lastModified });
}

/** Counts a list of tags that is not read to its end. */
export function countOverlongLists({ registry }: HandlerContext, headers: Headers): void {
  if (hasTooManyMembers(headers.get("if-none-match")) || hasTooManyMembers(headers.get("if-match"))) {
    registry.count("too-many-tags");
  }
}
