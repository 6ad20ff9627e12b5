/**
 * Why: the closed list of reasons that the registry's counters, `onEvict` and `Cache-Status` share.
 *
 * @module
 */

/** One of a closed list of reasons; {@linkcode reasons} says what each means. */
export type Reason =
  | "hit"
  | "not-modified"
  | "precondition-failed"
  | "precondition-required"
  | "unconditional"
  | "audit"
  | "unsafe-method"
  | "miss"
  | "tag-differs"
  | "group-changed"
  | "suspended"
  | "credentials"
  | "variant"
  | "undeclared"
  | "malformed"
  | "declaration-too-large"
  | "not-200"
  | "private"
  | "no-store"
  | "set-cookie"
  | "vary-star"
  | "nonce"
  | "lease-broken"
  | "settling"
  | "revision-differs"
  | "too-large"
  | "replaced"
  | "evicted"
  | "deleted"
  | "cleared"
  | "reset"
  | "groups-threw"
  | "overflow"
  | "snapshot-refused"
  | "audit-mismatch"
  | "too-many-tags"
  | "group-field-too-large";

/** Every {@linkcode Reason}, each with what it means. */
export const reasons: Readonly<Record<Reason, string>> = {
  // How a request was answered
  "hit": "answered 304 from the registry; the handler did not run",
  "not-modified": "answered 304 after the handler ran, from its response's validators",
  "precondition-failed": "answered 412",
  "precondition-required": "answered 428: a write without a precondition",
  "audit": "would have been answered from the registry, but was drawn for a check: the handler ran",
  "unconditional": "a GET or HEAD without a condition the registry could answer",
  "unsafe-method": "a method that may change things; its success drops its own resource",
  // Why the registry did not answer
  "miss": "nothing is registered for the resource",
  "tag-differs": "something is registered, but under another entity tag",
  "group-changed": "a group the entry depends on has changed",
  "suspended": "contact with the database is lost, or older than maxLag",
  "credentials":
    "the request carries Cookie or Authorization, and nothing says that the answer is for everyone",
  "variant": "registered for other values of the fields that Vary names",
  // Why a response was not registered
  "undeclared": "the response does not say what it was built from",
  "malformed": "the response's declaration, Vary or entity tag cannot be read",
  "declaration-too-large": "the declaration has more than 262,144 characters",
  "not-200": "only a 200 is registered",
  "private": "Cache-Control: private, and no caller to keep it for",
  "no-store": "Cache-Control: no-store",
  "set-cookie": "the response sets a cookie",
  "vary-star": "Vary: *",
  "nonce": "a Content-Security-Policy with a nonce",
  "lease-broken": "a declared group changed while the handler ran, or the registry started anew",
  "settling": "a declared group changed so recently that a replica may still answer with older data",
  "revision-differs":
    "a declared revision is not the one last reported, or one document was read at two revisions",
  "too-large": "larger than the registry's bound by itself",
  // Why an entry left
  "replaced": "a newer response of the same resource took its place",
  "evicted": "made room",
  "deleted": "by delete(), deleteTag() or a successful write to its resource",
  "cleared": "by clear()",
  "reset": "a feed began at a new position, or reported a gap",
  "groups-threw": "the `groups` function of follow() threw, so everything is void",
  "overflow":
    "more changes than can be remembered while handlers run: every handler running now counts as overtaken",
  // What else is worth counting
  "snapshot-refused": "a snapshot was cut short, edited, of another build or of another layout",
  "audit-mismatch": "the handler gave another tag than the registry would have",
  "too-many-tags":
    "of an If-Match or If-None-Match with more than 1,000 members the first 1,000 were looked at",
  "group-field-too-large": "a field for caches in front was left out, because it would have been cut short",
};

/** A counter for each reason, all zero. */
export function zeroCounters(): Record<Reason, number> {
  return Object.fromEntries(Object.keys(reasons).map((reason) => [reason, 0])) as Record<Reason, number>;
}
