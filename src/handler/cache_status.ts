/**
 * The `Cache-Status` field (RFC 9211): what became of a request here, and why.
 *
 * @module
 */
import type { Reason } from "../registry/reason.ts";

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

/** What the field tells of one request. */
export interface Handling {
  /** Why the registry did or did not answer. */
  readonly why: Reason;
  /** What the handler answered; undefined: it did not run. */
  readonly handlerStatus?: number;
  /** Whether its response was registered; default false. */
  readonly stored?: boolean;
  /** Why not, if it might have been. */
  readonly refusal?: Reason | undefined;
}

/** A name as a Token where it is one, else as a String (RFC 9651 §3.3.3, §3.3.4). */
export function cacheName(name: string): string {
  if (/^[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*$/.test(name)) return name;
  if (!/^[ -~]+$/.test(name)) {
    throw new TypeError(`cacheStatus takes a name in visible ASCII, not ${JSON.stringify(name)}`);
  }
  return `"${name.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** One member of the field, for one cache. Each `detail` is a reason out of the closed list. */
export function memberFor(name: string, { why, handlerStatus, stored, refusal }: Handling): string {
  if (handlerStatus === undefined) return why === "hit" ? `${name}; hit` : `${name}; hit; detail=${why}`;
  const forwarded = `${name}; fwd=${FORWARDED[why] ?? "request"}; fwd-status=${handlerStatus}`;
  const detail = refusal === undefined ? why : `"${why}, ${refusal}"`;
  return `${forwarded}${stored === true ? "; stored" : ""}; detail=${detail}`;
}
