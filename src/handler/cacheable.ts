/**
 * Which responses may be registered (after RFC 9111 §3): public data, or data of a known caller, and nothing that was
 * made for one occasion.
 *
 * @module
 */
import { cacheDirectives } from "../http/cache_control.ts";
import type { Reason } from "../registry/reason.ts";

/** Whether a request says who sends it: what it is answered may not be for others (RFC 9110 §11.6.2, RFC 6265 §4.2). */
export function hasCredentials(headers: Headers): boolean {
  return headers.has("cookie") || headers.has("authorization");
}

/** Whether a response says that it is for everyone (RFC 9111 §5.2.2.9). */
export function isPublic(response: Response): boolean {
  return cacheDirectives(response.headers.get("cache-control")).has("public");
}

/** Whether a Content-Security-Policy has a nonce (CSP §2.3.1, in any case): made for one response, good for no other. */
export function hasNonce(policy: string | null): boolean {
  return policy !== null && policy.toLowerCase().includes("'nonce-");
}

/**
 * Why a response may not be registered, and gets no derived entity tag either: a tag that did not depend on who
 * asked would go on matching after a logout. Undefined if it may.
 *
 * @param request The request's fields.
 * @param response What the handler answered.
 * @param caller Who asks; a private response is kept for that caller alone.
 */
export function uncacheableReason(
  request: Headers,
  response: Response,
  caller: string | undefined,
): Reason | undefined {
  const { headers } = response;
  if (response.status !== 200) return "not-200";
  if (headers.has("set-cookie")) return "set-cookie";
  const directives = cacheDirectives(headers.get("cache-control"));
  if (directives.has("no-store")) return "no-store";
  if (directives.has("private") && caller === undefined) return "private";
  if (headers.get("vary")?.includes("*")) return "vary-star";
  if (hasNonce(headers.get("content-security-policy"))) return "nonce";
  if (hasNonce(headers.get("content-security-policy-report-only"))) return "nonce";
  if (caller === undefined && !directives.has("public") && hasCredentials(request)) return "credentials";
  return undefined;
}
