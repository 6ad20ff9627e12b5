/**
 * A request's preconditions against the response that the handler gave (RFC 9110 §13.2.1: only in place of a 2xx; and of
 * a 416, because a `Range` is looked at after them, §14.2).
 *
 * @module
 */
import { hasTooManyMembers, isWildcard, matchesList, someListedTag } from "../http/entity_tag_list.ts";
import {
  evaluateSelected,
  falseCondition,
  representationWith,
  type SelectedRepresentation,
  type Validators,
} from "../http/selected_representation.ts";
import { varyFields } from "../http/vary.ts";
import type { ArrivedRequest, HandlerContext } from "./context.ts";
import type { FalseCondition } from "./refusals.ts";
import { isOurTag, withoutCoding } from "./tag_state.ts";

/**
 * The representation with these validators. A tag that was made here is also matched, where weak comparison is meant, by
 * the spelling that a coder on the way gives it: it stands for the same state.
 */
export function taggedRepresentation(validators: Validators): SelectedRepresentation {
  const selected = representationWith(validators)!;
  const { etag } = validators;
  if (etag === undefined || !isOurTag(etag)) return selected;
  return {
    lastModified: selected.lastModified,
    matches: (field, weak) => selected.matches(field, weak) || (weak && matchesCoded(field, etag)),
  };
}

/** Whether a list holds a tag with a coding behind it. */
export function matchesCoded(field: string, etag: string): boolean {
  return someListedTag(field, true, (tag) => withoutCoding(tag).includes(etag));
}

/** Why the request of a reader is refused. */
export function whyRefused(request: ArrivedRequest, validators: Validators): FalseCondition {
  const selected = taggedRepresentation(validators);
  if (falseCondition(request, selected) !== "if-match") return "read";
  return selected.matches(request.headers.get("if-match")!, true) ? "weak" : "read";
}

/**
 * The fields in which a 304 differs from the 200 because of how the client spells a tag that was made here. A cache looks
 * for the response that it keeps by the tag of the 304 (RFC 9111 §4.3.4), so a tag that was marked weak on the way, or has
 * a coding behind it, is repeated as it is: `Vary` then says what the 200 said behind that coder.
 *
 * @param vary The `Vary` of the 200.
 */
export function spellingFields(
  headers: Headers,
  etag: string | undefined,
  vary: string | null | undefined,
): Record<string, string> {
  const field = headers.get("if-none-match");
  if (field === null || etag === undefined || !isOurTag(etag)) return {};
  if (isWildcard(field) || matchesList(field, etag, false)) return {};
  let spelling: string | undefined;
  someListedTag(field, true, (tag, isWeak) => {
    if (tag !== etag && !withoutCoding(tag).includes(etag)) return false;
    spelling = isWeak ? `W/${tag}` : tag;
    return true;
  });
  return spelling === undefined ? {} : { etag: spelling, vary: varyByCoding(vary) };
}

function varyByCoding(vary: string | null | undefined): string {
  if (!vary) return "Accept-Encoding";
  const names = varyFields(vary) ?? [];
  return names.includes("*") || names.includes("accept-encoding") ? vary : `${vary}, Accept-Encoding`;
}

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
  const outcome = evaluateSelected(request, taggedRepresentation({ etag, lastModified }));
  const isByDate = outcome === 304 && !request.headers.has("if-none-match");
  return isByDate && isOurs ? "proceed" : outcome;
}

/** Counts a list of tags that is not read to its end. */
export function countOverlongLists({ registry }: HandlerContext, headers: Headers): void {
  if (hasTooManyMembers(headers.get("if-none-match")) || hasTooManyMembers(headers.get("if-match"))) {
    registry.count("too-many-tags");
  }
}
