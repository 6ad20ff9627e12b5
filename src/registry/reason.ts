/**
 * Why: the closed list of reasons that the registry's counters, `onEvict` and `Cache-Status` share.
 *
 * @module
 */

/** One of a closed list of reasons; docs/http.md has them as a table. */
export type Reason =
  // How a request was answered
  /** answered 304 from the registry; the handler did not run */
  | "hit"
  /** answered 304 after the handler ran, from its response's validators */
  | "not-modified"
  /** answered 412 */
  | "precondition-failed"
  /** answered 428: a write without a precondition */
  | "precondition-required"
  /** would have been answered from the registry, but was drawn for a check: the handler ran */
  | "audit"
  /** a GET or HEAD without a condition the registry could answer */
  | "unconditional"
  /** a method that may change things; its success drops its own resource */
  | "unsafe-method"
  // Why the registry did not answer
  /** nothing is registered for the resource */
  | "miss"
  /** something is registered, but under another entity tag */
  | "tag-differs"
  /** a group the entry depends on has changed */
  | "group-changed"
  /** contact with the database is lost, or older than maxLag */
  | "suspended"
  /** the request carries Cookie or Authorization, and nothing says that the answer is for everyone */
  | "credentials"
  /** registered for other values of the fields that Vary names */
  | "variant"
  // Why a response was not registered
  /** the response does not say what it was built from */
  | "undeclared"
  /** the response's declaration, Vary or entity tag cannot be read */
  | "malformed"
  /** the declaration has more than 262,144 characters */
  | "declaration-too-large"
  /** only a 200 is registered */
  | "not-200"
  /** Cache-Control: private, and no caller to keep it for */
  | "private"
  /** Cache-Control: no-store */
  | "no-store"
  /** the response sets a cookie */
  | "set-cookie"
  /** Vary: * */
  | "vary-star"
  /** a Content-Security-Policy with a nonce */
  | "nonce"
  /** a declared group changed while the handler ran, or the registry started anew */
  | "lease-broken"
  /** a declared group changed so recently that a replica may still answer with older data */
  | "settling"
  /** a declared revision is not the one last reported, or one document was read at two revisions */
  | "revision-differs"
  /** larger than the registry's bound by itself */
  | "too-large"
  // Why an entry left
  /** a newer response of the same resource took its place */
  | "replaced"
  /** made room */
  | "evicted"
  /** by delete(), deleteTag() or a successful write to its resource */
  | "deleted"
  /** by clear() */
  | "cleared"
  /** a feed began at a new position, or reported a gap */
  | "reset"
  /** the `groups` function of follow() threw, so everything is void */
  | "groups-threw"
  /** more changes than can be remembered while handlers run: every handler running now counts as overtaken */
  | "overflow"
  // What else is worth counting
  /** a snapshot was cut short, edited, of another build or of another layout */
  | "snapshot-refused"
  /** the handler gave another tag than the registry would have */
  | "audit-mismatch"
  /** of an If-Match or If-None-Match with more than 1,000 members the first 1,000 were looked at */
  | "too-many-tags"
  /** a field for caches in front was left out, because it would have been cut short */
  | "group-field-too-large";

const ZERO: Readonly<Record<Reason, number>> = {
  "hit": 0,
  "not-modified": 0,
  "precondition-failed": 0,
  "precondition-required": 0,
  "audit": 0,
  "unconditional": 0,
  "unsafe-method": 0,
  "miss": 0,
  "tag-differs": 0,
  "group-changed": 0,
  "suspended": 0,
  "credentials": 0,
  "variant": 0,
  "undeclared": 0,
  "malformed": 0,
  "declaration-too-large": 0,
  "not-200": 0,
  "private": 0,
  "no-store": 0,
  "set-cookie": 0,
  "vary-star": 0,
  "nonce": 0,
  "lease-broken": 0,
  "settling": 0,
  "revision-differs": 0,
  "too-large": 0,
  "replaced": 0,
  "evicted": 0,
  "deleted": 0,
  "cleared": 0,
  "reset": 0,
  "groups-threw": 0,
  "overflow": 0,
  "snapshot-refused": 0,
  "audit-mismatch": 0,
  "too-many-tags": 0,
  "group-field-too-large": 0,
};

/** A counter for each reason, all zero. */
export function zeroCounters(): Record<Reason, number> {
  return { ...ZERO };
}

/** Counts a reason. */
export function countIn(counters: Record<Reason, number>, reason: Reason): void {
  // Written out where it is hot: under a name that varies, V8 takes as long as it does to read a field of a request.
  if (reason === "hit") counters.hit++;
  else if (reason === "unconditional") counters.unconditional++;
  else if (reason === "undeclared") counters.undeclared++;
  else counters[reason]++;
}
