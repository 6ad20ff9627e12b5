/**
 * The answers: a 304 or 412 in place of a response, or the response itself with its entity tag.
 *
 * @module
 */
import { hasNonce } from "./cacheable.ts";
import { problemResponse } from "../http/problem_details.ts";

/** The fields in which a handler says what a response was built from, or changed: for us, not for the client. */
const DECLARATIONS = ["cache-groups", "cache-group-invalidation"] as const;

/** Without these a browser refuses the answer, or isolates the page from another than the 200 would (Fetch, HTML). */
const CROSS_ORIGIN = [
  "access-control-allow-credentials",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "timing-allow-origin",
] as const;

/** What a 304 must repeat of the 200 (RFC 9110 §15.4.5), and its like for caches in front (RFC 9213). */
const FRESHNESS = ["cache-control", "cdn-cache-control", "content-location", "expires", "vary"] as const;

/**
 * The fields that a later 304 shall replay, by lower-case name. `Date` is not among them: it is the date of the
 * answer, and the server knows it better.
 *
 * @param extra Further names to keep.
 */
export function replayedNames(extra: readonly string[]): readonly string[] {
  const names = new Set([...FRESHNESS, ...CROSS_ORIGIN, ...extra]);
  // The entry has the tag already; what was declared is nobody else's business.
  for (const name of ["etag", ...DECLARATIONS]) names.delete(name);
  return [...names];
}

/** The fields by those names, as far as they are there. */
export function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    // The copy that a 304 confirms was sent with a nonce of its own.
    if (value !== null && !hasNonce(value)) fields[name] = value;
  }
  return fields;
}

/** The 304 in place of a response that the handler gave after all. */
export function notModifiedInstead(response: Response, replayed: readonly string[]): Response {
  const headers = pick(response.headers, [...replayed, "date", "etag"]);
  // Without a tag the date is all a cache has to tell which copy is meant.
  if (headers["etag"] === undefined) Object.assign(headers, pick(response.headers, ["last-modified"]));
  cancelBody(response);
  return new Response(null, { status: 304, headers });
}

/**
 * The 412 for a precondition that is false (RFC 9110 §15.5.13).
 *
 * @param replayed Fields of the 200; those without which a browser would hide the answer from a script are repeated.
 */
export function preconditionFailed(
  request: Request,
  replayed: Readonly<Record<string, string>> = {},
): Response {
  const fields: Record<string, string> = {};
  for (const name of CROSS_ORIGIN) if (replayed[name] !== undefined) fields[name] = replayed[name];
  const detail = "The resource is not in the state that this request asks for. " +
    "GET it again, apply your change to what you get, and send its ETag in If-Match.";
  return problemResponse(request, { status: 412, title: "Precondition Failed", detail }, fields);
}

/** The 412 in place of a response that the handler gave after all. */
export function preconditionFailedInstead(request: Request, response: Response): Response {
  const fields = pick(response.headers, CROSS_ORIGIN);
  cancelBody(response);
  return preconditionFailed(request, fields);
}

/** The 428 for a write that does not say which state it is meant for (RFC 6585 §3). */
export function preconditionRequired(request: Request): Response {
  const detail =
    "This request would replace whatever is there now. GET the resource first and send its ETag in " +
    "If-Match; to create one that must not exist yet, send If-None-Match: *.";
  return problemResponse(request, { status: 428, title: "Precondition Required", detail });
}

/**
 * The response without its declarations, and with the given fields. The same object where its fields can be changed:
 * rebuilding one around `response.body` costs a stream hop, and its `Content-Length` on some servers.
 */
export function withFields(response: Response, fields: Readonly<Record<string, string>> = {}): Response {
  try {
    setFields(response.headers, fields);
    return response;
  } catch {
    // Fields of a fetched or redirect response are immutable.
    const headers = new Headers(response.headers);
    setFields(headers, fields);
    const { status, statusText } = response;
    // A network error or an upgrade cannot be made anew.
    if (status < 200) return response;
    return new Response(response.body, { status, statusText, headers });
  }
}

function setFields(headers: Headers, fields: Readonly<Record<string, string>>): void {
  for (const name of DECLARATIONS) if (headers.has(name)) headers.delete(name);
  for (const name in fields) headers.set(name, fields[name]!);
}

/** Frees what an unused body holds on to; one that is locked or broken already is somebody else's. */
export function cancelBody(response: Response): void {
  if (response.body !== null && !response.body.locked) response.body.cancel().catch(() => {});
}
