/**
 * A request's preconditions against the response that the handler gave (RFC 9110 §13.2.1: only in place of a 2xx; and of
 * a 416, because a `Range` is looked at after them, §14.2).
 *
 * @module
 */
import { hasTooManyMembers } from "../http/entity_tag_list.ts";
import { evaluatePreconditions } from "../http/preconditions.ts";
import type { ArrivedRequest, HandlerContext } from "./context.ts";

/** What a response is evaluated by, beside its status and its date. */
export interface Evaluated {
  /** The tag that it is to have. */
  readonly etag: string | undefined;
  /** Whether that tag is ours, or would be if it were known. */
  readonly isOurs: boolean;
  /** Whether it says what it was built from: then there is a representation, also where its tag is not known. */
  readonly isDeclared: boolean;
}

/**
 * The status to answer with in the place of the response, or `"proceed"`.
 *
 * Where the tag is ours, a date alone never makes a 304: two edits fit in the second that it can tell (§8.8.2.2), and a 304
 * would confirm the copy of the first with the tag of the second. A client that has a tag sends it (§13.1.3), and then the
 * tag decides; the registry answers by nothing else either. Beside a tag of the handler's own, or none, a date is as exact
 * as the handler says it is.
 */
export function evaluateAgainst(
  context: HandlerContext,
  request: ArrivedRequest,
  { status, headers }: Response,
  { etag, isOurs, isDeclared }: Evaluated,
): "proceed" | 304 | 412 {
  const isEvaluated = status >= 200 && status <= 299 || status === 416 && request.headers.has("range");
  if (!isEvaluated) return "proceed";
  const lastModified = headers.get("last-modified") ?? undefined;
  if (lastModified === undefined && etag === undefined && !isDeclared) return "proceed";
  countOverlongLists(context, request.headers);
  const outcome = evaluatePreconditions(request, { etag, lastModified });
  const isByDate = outcome === 304 && !request.headers.has("if-none-match");
  return isByDate && isOurs ? "proceed" : outcome;
}

/** Counts a list of tags that is not read to its end. */
export function countOverlongLists({ registry }: HandlerContext, headers: Headers): void {
  if (hasTooManyMembers(headers.get("if-none-match")) || hasTooManyMembers(headers.get("if-match"))) {
    registry.count("too-many-tags");
  }
}
