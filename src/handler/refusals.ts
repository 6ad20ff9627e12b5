/**
 * Why a request is refused, in words that tell the client what to do. Each names the condition that is false, and no advice
 * leads back to the same refusal.
 *
 * @module
 */
import { problemResponse } from "../http/problem_details.ts";

/** Why a condition is false. */
export type FalseCondition =
  /** `If-Match`, and there is nothing */
  | "nothing-there"
  /** `If-Match` names an earlier state */
  | "old"
  /** `If-Match` names the current state by a tag that is marked weak, or has a coding behind it */
  | "weak"
  /** `If-Match` names a tag of ours, and neither `current` nor the registry says whether it is current */
  | "silent"
  /** `If-Match` names a tag that was never given for the state of this resource */
  | "unknown"
  /** `If-Match` without a legal tag */
  | "no-tag"
  /** `If-Unmodified-Since` */
  | "modified-since"
  /** `If-None-Match: *`, and there is something */
  | "exists"
  /** `If-None-Match` names the current state */
  | "is-excluded"
  /** of a request that only reads: `If-Match`, or `If-Unmodified-Since` */
  | "read";

/** What helps where the client has an older copy, or none. */
const AGAIN = "GET it again, apply your change to what you get, and send its ETag in If-Match.";

function detailOf(why: FalseCondition): string {
  switch (why) {
    case "nothing-there":
      return "If-Match asks for a resource that exists, and this one does not, or not any more. " +
        "To create it, send If-None-Match: * instead.";
    case "old":
      return `If-Match names an older state: the resource has changed since. ${AGAIN}`;
    case "weak":
      return "If-Match names the current state, but by a tag that is marked weak (W/) or names a content coding: " +
        "compression on the way has changed the ETag, and If-Match needs the original. GET the resource with " +
        "Accept-Encoding: identity, and send the ETag of that answer. A script in a browser cannot ask for that: the " +
        "site has to accept weak tags.";
    case "silent":
      return `If-Match names a tag that nothing here confirms. ${AGAIN} If that is refused as well, the site cannot ` +
        "judge its own tags: the page has to declare its documents with their revisions, and current() to give them.";
    case "unknown":
      return `If-Match names no ETag that this resource has now. ${AGAIN}`;
    case "no-tag":
      return "If-Match holds no entity tag. Send the ETag of the resource as it was received, in its double quotes.";
    case "modified-since":
      return `The resource was modified after the date in If-Unmodified-Since. ${AGAIN}`;
    case "exists":
      return "If-None-Match: * asks that there is no such resource yet, and there is one. To replace it, GET it first, " +
        "and send its ETag in If-Match.";
    case "is-excluded":
      return "If-None-Match names the current state, and so asks that this request is not done. To change the resource " +
        "as it is now, send the ETag in If-Match instead.";
    case "read":
      return "The resource is not in the state that this request asks for. To get it as it is now, send the request " +
        "without If-Match and If-Unmodified-Since.";
  }
}

/**
 * The 412 for a precondition that is false (RFC 9110 §15.5.13).
 *
 * @param fields Further fields.
 */
export function preconditionFailed(
  request: Pick<Request, "method" | "headers">,
  why: FalseCondition,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const detail = detailOf(why);
  return problemResponse(request, { status: 412, title: "Precondition Failed", detail }, fields);
}

/** The 428 for a write that does not say which state it is meant for (RFC 6585 §3). */
export function preconditionRequired(
  request: Pick<Request, "method" | "headers">,
  fields: Readonly<Record<string, string>>,
): Response {
  const given = ["If-None-Match", "If-Unmodified-Since", "If-Match"].find((name) =>
    request.headers.has(name)
  );
  const insufficient = given === undefined ? "" : ` ${given} as it was sent does not name a state.`;
  const detail =
    `This request would replace whatever is there now.${insufficient} GET the resource first and send its ` +
    "ETag in If-Match; to create one that must not exist yet, send If-None-Match: *.";
  return problemResponse(request, { status: 428, title: "Precondition Required", detail }, fields);
}
