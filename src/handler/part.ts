/**
 * Responses that are not the whole representation: a 206 or 416 to a `Range`, and the response to a HEAD. Each has the
 * entity tag of the 200 (RFC 9110 §15.3.7, §9.3.2), and is evaluated by it.
 *
 * Such a response may leave out what its tag covers, or say something else: a HEAD its media type and what a compressor
 * adds, a part its media type or `Vary`, and the parts of a `multipart/byteranges` have theirs inside. Where no entry of
 * the registry has the tag that is derived from what is there, the handler is asked for the whole representation, whose
 * tag is right by construction.
 *
 * @module
 */
import { evaluateIfRange } from "../http/if_range.ts";
import { isOfPart } from "./cacheable.ts";
import type { RequestContext } from "./context.ts";
import { cancelBody } from "./responses.ts";

/** A request for the whole representation, in the place of one for a part or for the fields alone. */
export function askedForWhole(asked: RequestContext): RequestContext {
  const headers = new Headers(asked.request.headers);
  headers.delete("range");
  return { ...asked, request: { method: "GET", headers } };
}

/** Whether the handler may be asked for more than it answered with: a second time there is nothing to leave out. */
export function isForLess({ request: { method, headers } }: RequestContext): boolean {
  return method === "HEAD" || (method === "GET" && headers.has("range"));
}

/** Whether a response can do without what the tag of its 200 covers. */
export function mayLackFields({ request: { method } }: RequestContext, response: Response): boolean {
  if (method === "HEAD" || response.status === 416) return true;
  const type = response.headers.get("content-type")?.toLowerCase();
  return type === undefined || type.startsWith("multipart/byteranges");
}

/** Whether the client's copy is of another state than a part that the handler gave (RFC 9110 §13.1.5). */
export function failsIfRange(
  { request: { method, headers } }: RequestContext,
  response: Response,
  etag: string | undefined,
  lastModified: string | undefined,
): boolean {
  const field = headers.get("if-range");
  if (field === null || method !== "GET" || !isOfPart(response) || !headers.has("range")) return false;
  return !evaluateIfRange(field, { etag, lastModified });
}

/** Whether the outcome of a request depends on a tag that is not known. */
export function hasTagCondition({ request: { headers } }: RequestContext): boolean {
  return headers.has("if-match") || headers.has("if-none-match") || headers.has("if-range");
}

/** The response to a HEAD, of that to a GET. */
export function withoutBody(response: Response): Response {
  cancelBody(response);
  const { status, statusText, headers } = response;
  return new Response(null, { status, statusText, headers });
}
