/**
 * Where each reason of a decision stands in an RFC; what stands in none is a rule of this library.
 *
 * @module
 */
import type { LookupRefusal, Outcome, RegistrationRefusal } from "../registry/reason.ts";

/** The reasons that a decision can have. */
export type DecisionReason = Outcome | LookupRefusal | RegistrationRefusal;

/** The section of each reason, such as `RFC 9111 §4.1`; undefined: docs/consistency.md and docs/http.md have the rule. */
export const sections: Readonly<Record<DecisionReason, string | undefined>> = {
  "hit": "RFC 9111 §4.3.2",
  "not-modified": "RFC 9110 §15.4.5",
  "precondition-failed": "RFC 9110 §15.5.13",
  "precondition-failed-late": "RFC 9110 §15.5.13",
  "precondition-required": "RFC 6585 §3",
  "handled": undefined,
  "handler-threw": "RFC 9110 §15.6.1",
  "current-threw": undefined,
  "passed-on": undefined,
  "audit": undefined,
  "unconditional": "RFC 9110 §13.1",
  "unsafe-method": "RFC 9111 §4.4",
  "miss": "RFC 9111 §4",
  "tag-differs": "RFC 9110 §13.1.2",
  "group-changed": "RFC 9875 §2.2.1",
  "unfollowed": undefined,
  "suspended": undefined,
  "credentials": "RFC 9111 §3.5",
  "variant": "RFC 9111 §4.1",
  "expired": "RFC 9111 §4.2",
  "undeclared": undefined,
  "malformed": "RFC 9110 §8.8.3",
  "read-unknown": undefined,
  "declaration-too-large": undefined,
  "not-200": "RFC 9111 §3",
  "not-public": "RFC 9111 §3.5",
  "private": "RFC 9111 §5.2.2.7",
  "no-store": "RFC 9111 §5.2.2.5",
  "set-cookie": "RFC 9111 §7.3",
  "vary-star": "RFC 9111 §4.1",
  "nonce": undefined,
  "host-echoed": undefined,
  "group-unfollowed": undefined,
  "lease-broken": undefined,
  "settling": undefined,
  "revision-differs": undefined,
  "unreported": undefined,
  "superseded": undefined,
  "refuted": undefined,
  "too-large": undefined,
};
