/**
 * Which responses may be registered (after RFC 9111 §3): public data, or data of a known caller, and nothing that was
 * made for one occasion.
 *
 * @module
 */
import { cacheDirectives } from "../http/cache_control.ts";
import { parseHttpDate } from "../http/http_date.ts";
import type { RegistrationRefusal } from "../registry/reason.ts";

/** Whether a request carries credentials: its answer may not be for others (RFC 9110 §11.6.2, RFC 6265 §4.2). */
export function hasCredentials(headers: Headers): boolean {
  return headers.has("cookie") || headers.has("authorization");
}

/** Whether a value is a Content-Security-Policy with a nonce (CSP §2.3.1, in any case): good for one response only. */
export function hasNonce(policy: string | null): boolean {
  return policy !== null && policy.toLowerCase().includes("'nonce-");
}

/** The seconds of a `max-age`; a quoted argument counts, as RFC 9111 §5.2 asks. */
const MAX_AGE = /(?:^|[\s,])max-age="?([0-9]{1,10})/i;

/**
 * When an entry ends: at the moment of an `Expires` that lies ahead, or where `max-age` and `must-revalidate` ask to be
 * revalidated. Either may have been worked out for that moment, and the page may change at it without any change of a
 * document. Infinity: at no fixed moment.
 *
 * @param now The wall clock, in ms since the epoch.
 * @returns ms since the epoch.
 */
export function expiryOf(headers: Headers, now: () => number): number {
  const expires = headers.get("expires");
  const date = expires === null ? undefined : parseHttpDate(expires);
  const ending = date !== undefined && date * 1000 > now() ? date * 1000 : Infinity;
  const cacheControl = headers.get("cache-control");
  if (cacheControl === null || !cacheControl.toLowerCase().includes("must-revalidate")) return ending;
  const seconds = Number(MAX_AGE.exec(cacheControl)?.[1] ?? 0);
  return seconds > 0 ? Math.min(ending, now() + seconds * 1000) : ending;
}

/** What the fields of a response say about registering it. */
export interface Cacheability {
  /** Whether it says that it is for everyone (RFC 9111 §5.2.2.9). */
  readonly isPublic: boolean;
  /**
   * Why it may not be registered; undefined if it may. Then it gets no derived entity tag either: a tag that did not
   * depend on who asked would go on matching after a logout.
   */
  readonly refusal: RegistrationRefusal | undefined;
  /** The same, were it a 200: a 206 or 416 has the entity tag of the 200 (RFC 9110 §15.3.7). */
  readonly refusalOfWhole: RegistrationRefusal | undefined;
}

/** Whether a response is about a part of the representation that its 200 would have (RFC 9110 §14). */
export function isOfPart({ status }: Response): boolean {
  return status === 206 || status === 416;
}

/**
 * Reads the fields of a response.
 *
 * @param request The request's fields.
 * @param caller Who asks; a private response is kept for that caller alone.
 */
export function cacheability(
  request: Headers,
  response: Response,
  caller: string | undefined,
): Cacheability {
  const directives = cacheDirectives(response.headers.get("cache-control"));
  const isPublic = directives.has("public");
  if (response.status !== 200 && !isOfPart(response)) {
    return { isPublic, refusal: "not-200", refusalOfWhole: "not-200" };
  }
  const refusalOfWhole = uncacheableReason(request, response, caller, directives, isPublic);
  return { isPublic, refusal: isOfPart(response) ? "not-200" : refusalOfWhole, refusalOfWhole };
}

function uncacheableReason(
  request: Headers,
  { headers }: Response,
  caller: string | undefined,
  directives: ReadonlySet<string>,
  isPublic: boolean,
): RegistrationRefusal | undefined {
  if (headers.has("set-cookie")) return "set-cookie";
  if (directives.has("no-store")) return "no-store";
  if (directives.has("private") && caller === undefined) return "private";
  if (headers.get("vary")?.includes("*")) return "vary-star";
  if (hasNonce(headers.get("content-security-policy"))) return "nonce";
  if (hasNonce(headers.get("content-security-policy-report-only"))) return "nonce";
  if (caller === undefined && !isPublic && hasCredentials(request)) return "not-public";
  return undefined;
}
