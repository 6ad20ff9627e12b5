/**
 * Each reason of the closed list in a sentence, and what to change.
 *
 * @module
 */
import type { Reason } from "../registry/reason.ts";

/** A reason as a sentence for the developer of a site. */
export interface Cause {
  /** What the reason means, as docs/http.md has it. */
  readonly meaning: string;
  /** What to change, or that nothing is to be changed. */
  readonly cure: string;
}

const IDENTIFY =
  "Say Cache-Control: public if the page is the same for everyone; else give withEtag() a caller, such as " +
  "the session's id.";

const NOT_ONE_DATE =
  "Send Cache-Control: no-cache in the place of Expires, or of max-age with must-revalidate.";

const MEND = "Mend the function.";

const MEND_HANDLER = "Mend the handler: its error went on to the server.";

const AS_IT_SHOULD = "Nothing: this is as it should be.";

/**
 * What each reason means, and what to change.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { causes } from "@stillfresh/etag/why";
 *
 * assert.equal(causes["no-store"].meaning, "Cache-Control: no-store");
 * assert.match(causes["no-store"].cure, /no-cache/);
 * ```
 */
export const causes: Readonly<Record<Reason, Cause>> = {
  "hit": {
    meaning: "answered 304 from the registry; the handler did not run",
    cure: AS_IT_SHOULD,
  },
  "not-modified": {
    meaning: "answered 304 after the handler ran, from its response's validators",
    cure: "Look at the reason beside it, for which the registry did not answer.",
  },
  "precondition-failed": {
    meaning: "answered 412 before the handler ran",
    cure: "The client has to get the resource again, as the body of the 412 says.",
  },
  "precondition-failed-late": {
    meaning: "answered 412 after the handler ran, from its response's validators",
    cure: "The client has to get the resource again, as the body of the 412 says.",
  },
  "precondition-required": {
    meaning: "answered 428: a write without a precondition",
    cure: "The client has to send the ETag of what it has read in If-Match.",
  },
  "handled": {
    meaning: "answered with what the handler gave",
    cure: "Look at the reason beside it, for which the registry did not answer.",
  },
  "handler-threw": {
    meaning: "not answered: the handler threw, or its response could not be finished",
    cure: MEND_HANDLER,
  },
  "current-threw": {
    meaning:
      "not answered: the `current` option threw, or gave what is no state, so that a write was not judged",
    cure: MEND,
  },
  "passed-on": {
    meaning:
      "passed on to the handler and not looked at: no key, or a method such as OPTIONS, or `key` or `caller` threw",
    cure: "Nothing, if key leaves the page out. Else see key-threw and caller-threw.",
  },
  "audit": {
    meaning: "would have been answered from the registry, but was drawn for a check: the handler ran",
    cure: "Lower auditRate: 0.001 checks one request in a thousand.",
  },
  "unconditional": {
    meaning: "a GET or HEAD without a condition that the registry could answer, or a QUERY",
    cure:
      "The client has no copy, or does not ask whether it is still good: send Cache-Control: no-cache, and not no-store.",
  },
  "unsafe-method": {
    meaning: "a method that may change things; its success drops its own resource",
    cure: AS_IT_SHOULD,
  },
  "miss": {
    meaning: "nothing is registered for the resource",
    cure: "Ask once more. If it stays so, see why the response is not registered.",
  },
  "tag-differs": {
    meaning: "something is registered, but under another entity tag",
    cure:
      "The client's copy is of another state. If it is not, its tag is of another process or build: give all processes " +
      "the same version and secret.",
  },
  "group-changed": {
    meaning: "a group that the entry depends on has changed",
    cure: "Nothing, if the page has changed. If it has not, it declares a group that is wider than the page.",
  },
  "unfollowed": {
    meaning: "no feed is followed, and the registry was not made with manual: true",
    cure: "Call follow(registry, changes(url)) when the program starts.",
  },
  "suspended": {
    meaning: "contact with the database is lost, or older than maxLag",
    cure:
      "At the start, wait for follower.ready. Later, see what the feed has met: a wrong password, or no connection. The " +
      "console, onError and onEvent tell.",
  },
  "credentials": {
    meaning: "the request carries Cookie or Authorization, and nothing says that the answer is for everyone",
    cure: IDENTIFY,
  },
  "variant": {
    meaning: "registered for other values of the fields that Vary names, or for requests without an Origin",
    cure:
      "Each value has an entry of its own, so ask once more. If that does not help, name fewer fields in Vary.",
  },
  "expired": {
    meaning: "the moment that Expires, or max-age with must-revalidate, named has passed",
    cure: NOT_ONE_DATE,
  },
  "undeclared": {
    meaning: "the response does not say what it was built from",
    cure:
      "Spread dependsOn(...) into its headers: each document that it was built from, and the group of each list.",
  },
  "malformed": {
    meaning: "the response's declaration, Vary or entity tag cannot be read",
    cure: "Put an ETag of your own into double quotes, and nothing but names of fields into Vary.",
  },
  "read-unknown": {
    meaning:
      "a tracked handle was read in a way that cannot be followed to documents or groups, or the read failed",
    cure:
      "Name what stands for the read with the option set of tracked(), or leave the read out with untracked().",
  },
  "declaration-too-large": {
    meaning: "the declaration has more than 262,144 characters",
    cure: "Declare one group in the place of thousands of documents.",
  },
  "not-200": {
    meaning: "only a 200 is registered",
    cure: AS_IT_SHOULD,
  },
  "not-public": {
    meaning:
      "the request carries Cookie or Authorization, and nothing says that the response is for everyone",
    cure: IDENTIFY,
  },
  "private": {
    meaning: "Cache-Control: private, and no caller to keep it for",
    cure: "Give withEtag() a caller, which keeps the tags of different users apart.",
  },
  "no-store": {
    meaning: "Cache-Control: no-store",
    cure: "Send Cache-Control: no-cache in its place: the client keeps its copy, and asks each time.",
  },
  "set-cookie": {
    meaning: "the response sets a cookie",
    cure: "Set the cookie once, such as with the answer to the login, and not with every page.",
  },
  "vary-star": {
    meaning: "Vary: *",
    cure: "Name the fields of the request by which the response differs.",
  },
  "nonce": {
    meaning: "a Content-Security-Policy with a nonce",
    cure: "Name the scripts by hashes: a 304 would repeat a nonce that is good for one response.",
  },
  "host-echoed": {
    meaning: "a cross-origin field repeats the request's host, which the key does not hold",
    cure: "Let the key hold the host, or send an origin that does not depend on it.",
  },
  "group-unfollowed": {
    meaning:
      "a declared value of group() or groupBy() is among the groups of no follower, or no feed reports a table",
    cure:
      "Give the same value to follow(), in groups; name the table, and the column of `by`, in the migration and in the feed.",
  },
  "lease-broken": {
    meaning: "a declared group changed while the handler ran, or the registry started anew",
    cure:
      "Ask once more. If it stays so, the page depends on something that is written all the time: a narrower group helps.",
  },
  "settling": {
    meaning: "a declared group changed so recently that a replica may still answer with older data",
    cure: "Ask again after replicaLag, which is 5 s by default.",
  },
  "revision-differs": {
    meaning:
      "a declared revision is not the one reported a moment ago, or one document was read at two revisions",
    cure:
      "Ask once more. If it stays so, read each document once for a page, from the database and not from a cache.",
  },
  "unreported": {
    meaning: "a declared group is none of the documents that a partial feed reports",
    cure: "Follow a feed without a filter, or one that reports this document too.",
  },
  "superseded": {
    meaning:
      "a declared revision is not the one last reported: as a rule an older one, out of a cache or a stale view",
    cure: "Read from the database: no cache in between, and no view that may be stale.",
  },
  "refuted": {
    meaning: "an audit has found another response under its tag, or under the tag that it was compared with",
    cure: "See what onAudit is told: the page has a source that it does not declare.",
  },
  "too-large": {
    meaning: "larger than the registry's bound by itself",
    cure: "Raise maxBytes, or declare fewer documents.",
  },
  "replaced": {
    meaning: "a newer response of the same resource took its place",
    cure: AS_IT_SHOULD,
  },
  "evicted": {
    meaning: "made room",
    cure: "Raise maxEntries or maxBytes, if pages leave that are asked for again.",
  },
  "outdated": {
    meaning: "a group that it depends on has changed; noticed at the next look-up, or when room was needed",
    cure: AS_IT_SHOULD,
  },
  "vary-grew": {
    meaning:
      "a response of the resource named a further field in Vary, so that the entry's selection is too coarse",
    cure: "Send the same Vary with each response of a resource.",
  },
  "lapsed": {
    meaning:
      "the moment that Expires, or max-age with must-revalidate, named has passed; noticed at the next look-up",
    cure: NOT_ONE_DATE,
  },
  "deleted": {
    meaning: "by delete(), deleteTag() or a write to its resource",
    cure: AS_IT_SHOULD,
  },
  "cleared": {
    meaning: "by clear()",
    cure: AS_IT_SHOULD,
  },
  "reset": {
    meaning: "a feed began at a new position, or reported a gap",
    cure:
      "Nothing, at the start. Later, the feed's onEvent tells why: the database was recreated, purged or rolled back.",
  },
  "groups-threw": {
    meaning: "the `groups` function of follow() threw, so everything is void",
    cure: MEND,
  },
  "membership-unknown": {
    meaning: "a group or a whole family is void, because what a document was or is in cannot be known",
    cure: 'Make the feed with includeDocs: true and style: "all_docs". docs/groups.md has the cases.',
  },
  "overflow": {
    meaning:
      "more changes than can be remembered while handlers run: no response that is being built now is registered",
    cure: "Let handlers end, or give up, sooner; or raise maxBytes.",
  },
  "snapshot-refused": {
    meaning: "a snapshot was cut short, altered, unreadable, of another build or format",
    cure:
      "Nothing, after a deploy. Else write the file under another name first, and rename it when it is whole.",
  },
  "audit-mismatch": {
    meaning: "the handler gave another response than the one registered under the tag",
    cure: "See what onAudit is told: the page has a source that it does not declare.",
  },
  "audit-unread": {
    meaning:
      "a response was drawn for an audit, and its body not read: an event stream, too large, too slow, or in use",
    cure: AS_IT_SHOULD,
  },
  "audit-threw": {
    meaning: "`onAudit` or `normalizeBody` threw",
    cure: MEND,
  },
  "too-many-tags": {
    meaning: "of an If-Match or If-None-Match with more than 1,000 members the first 1,000 were read",
    cure: "The client has to send the ETag of its copy alone.",
  },
  "purge-field-too-large": {
    meaning: "a field for caches in front was left out, because it would have been cut short",
    cure: "Declare one group in the place of many documents.",
  },
  "read-late": {
    meaning:
      "a tracked handle was read after the response that it may have been read for: its resource was taken out",
    cure: "Read before the response is returned. What is read for something else belongs into untracked().",
  },
  "key-threw": {
    meaning: "the `key` option threw: the handler answered, and its response was passed on",
    cure: MEND,
  },
  "caller-threw": {
    meaning: "the `caller` option threw: the handler answered, and its response was passed on",
    cure: MEND,
  },
};
