/**
 * The `Cache-Status` field (RFC 9211): what became of a request here, and why.
 *
 * @module
 */
import type { LookupRefusal, Outcome, Reason, RegistrationRefusal } from "../registry/reason.ts";

/** Why a request went on to the handler, in the words of RFC 9211 §2.2; any other reason is `request`. */
const FORWARDED: Partial<Readonly<Record<Reason, string>>> = {
  "miss": "uri-miss",
  "variant": "vary-miss",
  "group-changed": "stale",
  "suspended": "bypass",
  "credentials": "bypass",
  "audit": "bypass",
  "unsafe-method": "method",
};

/** What became of a request that the handler answered. */
export interface Forwarding {
  /** Why the registry did not answer. */
  readonly reason: LookupRefusal | Outcome;
  /** The status that the handler answered with. */
  readonly handlerStatus: number;
  /** Whether its response was registered. */
  readonly stored: boolean;
  /** Why it was not, if it might have been. */
  readonly refusal: RegistrationRefusal | undefined;
}

/** A name as a Token where it is one, else as a String (RFC 9651 §3.3.3, §3.3.4). */
export function cacheName(name: string): string {
  if (/^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/.test(name)) return name;
  if (!/^[ -~]+$/.test(name)) {
    throw new TypeError(`cacheStatus takes a name in visible ASCII, not ${JSON.stringify(name)}`);
  }
  return `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The field of an answer that was given without the handler; none where the cache has no name. */
export function answeredStatus(name: string | undefined, reason: Reason): Record<string, string> {
  if (name === undefined) return {};
  return { "cache-status": reason === "hit" ? `${name}; hit` : `${name}; hit; detail=${reason}` };
}

/**
 * The field of what the handler answered; none where the cache has no name.
 *
 * @param before The field of caches nearer to the origin, whose members come first (RFC 9211 §2).
 */
export function forwardedStatus(
  name: string | undefined,
  before: string | null,
  { reason, handlerStatus, stored, refusal }: Forwarding,
): Record<string, string> {
  if (name === undefined) return {};
  const detail = refusal === undefined ? reason : `"${reason}, ${refusal}"`;
  const forwarded = `${name}; fwd=${FORWARDED[reason] ?? "request"}; fwd-status=${handlerStatus}`;
  const member = `${forwarded}${stored ? "; stored" : ""}; detail=${detail}`;
  return { "cache-status": before === null ? member : `${before}, ${member}` };
}
