/**
 * The closed list of reasons that the counters, `onEvict` and `Cache-Status` share, in five families.
 *
 * @module
 */

/** How a request ended, or why the handler had to run without a look-up having refused. */
export type Outcome =
  /** answered 304 from the registry; the handler did not run */
  | "hit"
  /** answered 304 after the handler ran, from its response's validators */
  | "not-modified"
  /** answered 412 before the handler ran */
  | "precondition-failed"
  /** answered 412 after the handler ran, from its response's validators */
  | "precondition-failed-late"
  /** answered 428: a write without a precondition */
  | "precondition-required"
  /** answered with what the handler gave */
  | "handled"
  /** not answered: the handler threw, or its response could not be finished */
  | "handler-threw"
  /** not answered: the `current` option threw, or gave what is no state, so that a write was not judged */
  | "current-threw"
  /** passed on to the handler and not looked at: no key, or a method such as OPTIONS, or `key` or `caller` threw */
  | "passed-on"
  /** would have been answered from the registry, but was drawn for a check: the handler ran */
  | "audit"
  /** a GET or HEAD without a condition that the registry could answer, or a QUERY */
  | "unconditional"
  /** a method that may change things; its success drops its own resource */
  | "unsafe-method";

/** Why a look-up gave no entry that may answer. */
export type LookupRefusal =
  /** nothing is registered for the resource */
  | "miss"
  /** something is registered, but under another entity tag */
  | "tag-differs"
  /** a group that the entry depends on has changed */
  | "group-changed"
  /** no feed is followed, and the registry was not made with manual: true */
  | "unfollowed"
  /** contact with the database is lost, or older than maxLag */
  | "suspended"
  /** the request carries Cookie or Authorization, and nothing says that the answer is for everyone */
  | "credentials"
  /** registered for other values of the fields that Vary names, or for requests without an Origin */
  | "variant"
  /** the moment that Expires, or max-age with must-revalidate, named has passed */
  | "expired";

/** Why a response was not registered. */
export type RegistrationRefusal =
  /** the response does not say what it was built from */
  | "undeclared"
  /** the response's declaration, Vary or entity tag cannot be read */
  | "malformed"
  /** a tracked handle was read in a way that cannot be followed to documents or groups, or the read failed */
  | "read-unknown"
  /** the declaration has more than 262,144 characters */
  | "declaration-too-large"
  /** only a 200 is registered */
  | "not-200"
  /** the request carries Cookie or Authorization, and nothing says that the response is for everyone */
  | "not-public"
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
  /** a cross-origin field repeats the request's host, which the key does not hold */
  | "host-echoed"
  /** a declared value of group() or groupBy() is among the groups of no follower, or no feed reports a table */
  | "group-unfollowed"
  /** a declared group changed while the handler ran, or the registry started anew */
  | "lease-broken"
  /** a declared group changed so recently that a replica may still answer with older data */
  | "settling"
  /** a declared revision is not the one reported a moment ago, or one document was read at two revisions */
  | "revision-differs"
  /** a declared group is none of the documents that a partial feed reports */
  | "unreported"
  /** a declared revision is not the one last reported: as a rule an older one, out of a cache or a stale view */
  | "superseded"
  /** an audit has found another response under its tag, or under the tag that it was compared with */
  | "refuted"
  /** larger than the registry's bound by itself */
  | "too-large";

/** Why an entry left. */
export type Departure =
  /** a newer response of the same resource took its place */
  | "replaced"
  /** made room */
  | "evicted"
  /** a group that it depends on has changed; noticed at the next look-up, or when room was needed */
  | "outdated"
  /** a response of the resource named a further field in Vary, so that the entry's selection is too coarse */
  | "vary-grew"
  /** the moment that Expires, or max-age with must-revalidate, named has passed; noticed at the next look-up */
  | "lapsed"
  /** by delete(), deleteTag() or a write to its resource */
  | "deleted";

/** What else is worth counting; the first three void every entry at once. */
export type Incident =
  /** by clear() */
  | "cleared"
  /** a feed began at a new position, or reported a gap */
  | "reset"
  /** the `groups` function of follow() threw, so everything is void */
  | "groups-threw"
  /** a group or a whole family is void, because what a document was or is in cannot be known */
  | "membership-unknown"
  /** more changes than can be remembered while handlers run: no response that is being built now is registered */
  | "overflow"
  /** a snapshot was cut short, altered, unreadable, of another build or format */
  | "snapshot-refused"
  /** the handler gave another response than the one registered under the tag */
  | "audit-mismatch"
  /** a response was drawn for an audit, and its body not read: an event stream, too large, too slow, or in use */
  | "audit-unread"
  /** `onAudit` or `normalizeBody` threw */
  | "audit-threw"
  /** of an If-Match or If-None-Match with more than 1,000 members the first 1,000 were read */
  | "too-many-tags"
  /** a field for caches in front was left out, because it would have been cut short */
  | "purge-field-too-large"
  /** a tracked handle was read after the response that it may have been read for: its resource was taken out */
  | "read-late"
  /** the `key` option threw: the handler answered, and its response was passed on */
  | "key-threw"
  /** the `caller` option threw: the handler answered, and its response was passed on */
  | "caller-threw";

/** One of a closed list of reasons, each of one family; docs/http.md has them as a table. */
export type Reason = Outcome | LookupRefusal | RegistrationRefusal | Departure | Incident;

/** What a reason is about. */
export type ReasonFamily = "outcome" | "lookup" | "registration" | "departure" | "incident";

/**
 * The family of each reason.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, reasonFamilies, type Reason } from "@stillfresh/etag";
 *
 * const { stats } = new EtagRegistry();
 * const departures = Object.keys(stats).filter((reason) => reasonFamilies[reason as Reason] === "departure");
 * assert.deepEqual(departures, ["replaced", "evicted", "outdated", "vary-grew", "lapsed", "deleted"]);
 * ```
 */
export const reasonFamilies: Readonly<Record<Reason, ReasonFamily>> = {
  "hit": "outcome",
  "not-modified": "outcome",
  "precondition-failed": "outcome",
  "precondition-failed-late": "outcome",
  "precondition-required": "outcome",
  "handled": "outcome",
  "handler-threw": "outcome",
  "current-threw": "outcome",
  "passed-on": "outcome",
  "audit": "outcome",
  "unconditional": "outcome",
  "unsafe-method": "outcome",
  "miss": "lookup",
  "tag-differs": "lookup",
  "group-changed": "lookup",
  "unfollowed": "lookup",
  "suspended": "lookup",
  "credentials": "lookup",
  "variant": "lookup",
  "expired": "lookup",
  "undeclared": "registration",
  "malformed": "registration",
  "read-unknown": "registration",
  "declaration-too-large": "registration",
  "not-200": "registration",
  "not-public": "registration",
  "private": "registration",
  "no-store": "registration",
  "set-cookie": "registration",
  "vary-star": "registration",
  "nonce": "registration",
  "host-echoed": "registration",
  "group-unfollowed": "registration",
  "lease-broken": "registration",
  "settling": "registration",
  "revision-differs": "registration",
  "unreported": "registration",
  "superseded": "registration",
  "refuted": "registration",
  "too-large": "registration",
  "replaced": "departure",
  "evicted": "departure",
  "outdated": "departure",
  "vary-grew": "departure",
  "lapsed": "departure",
  "deleted": "departure",
  "cleared": "incident",
  "reset": "incident",
  "groups-threw": "incident",
  "membership-unknown": "incident",
  "overflow": "incident",
  "snapshot-refused": "incident",
  "audit-mismatch": "incident",
  "audit-unread": "incident",
  "audit-threw": "incident",
  "too-many-tags": "incident",
  "purge-field-too-large": "incident",
  "read-late": "incident",
  "key-threw": "incident",
  "caller-threw": "incident",
};

/**
 * The outcomes that a request can end with: each request has exactly one of them, once it has ended. The others say why
 * the handler ran.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, requestEnds } from "@stillfresh/etag";
 *
 * const { stats } = new EtagRegistry();
 * const requests = requestEnds.reduce((sum, outcome) => sum + stats[outcome], 0);
 * assert.equal(requests, 0);
 * ```
 */
export const requestEnds: readonly Outcome[] = [
  "hit",
  "not-modified",
  "precondition-failed",
  "precondition-failed-late",
  "precondition-required",
  "handled",
  "handler-threw",
  "current-threw",
  "passed-on",
];

/** A counter for each reason, all zero. */
export function zeroCounters(): Record<Reason, number> {
  const counters = { ...reasonFamilies } as Record<Reason, unknown>;
  for (const reason in counters) counters[reason as Reason] = 0;
  return counters as Record<Reason, number>;
}
