/**
 * HTTP validation that is right, and answers in a microsecond: entity tags from the revisions of the documents that a
 * response was built from, a registry of those that are valid now, and a feed of changes that takes them out again. A
 * conditional request that matches is answered 304 without running the handler.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, withEtag } from "@stillfresh/etag";
 *
 * const registry = new EtagRegistry({ manual: true }); // or follow(registry, changes(url))
 * const post = { _id: "post-1", _rev: "2-abc", title: "Fresh" };
 * const handler = withEtag(
 *   () => Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } }),
 *   { registry },
 * );
 *
 * const first = await handler(new Request("http://localhost/"));
 * const headers = { "if-none-match": first.headers.get("etag")! };
 * const second = await handler(new Request("http://localhost/", { headers }));
 * assert.equal(second.status, 304);
 * ```
 *
 * @module
 */
export type { ChangesErrorCode } from "./src/changes/change.ts";
export { ChangesError } from "./src/changes/changes_error.ts";
export { mapFeed } from "./src/changes/map_feed.ts";
export {
  ownFeed,
  type OwnFeedOptions,
  type SourceConnection,
  type SourceController,
} from "./src/changes/own_feed.ts";
export type { AuditMismatch, AuditReason, BodyDifference } from "./src/handler/audit.ts";
export type { ReadsOfRun, WithEtagOptions } from "./src/handler/context.ts";
export { conflictResponse } from "./src/handler/conflict.ts";
export type { Current } from "./src/handler/current_state.ts";
export { revisionOf } from "./src/handler/revision_of.ts";
export { withEtag } from "./src/handler/with_etag.ts";
export { type PurgeField, purgeKey } from "./src/http/cdn_tags.ts";
export { type Dependency, dependsOn, guard, invalidates } from "./src/http/dependency.ts";
export { evaluatePreconditions, type Validators } from "./src/http/preconditions.ts";
export { type Row, row, type RowDependency, rows, type RowsOptions } from "./src/http/row.ts";
export { follow, type Follower, type FollowOptions } from "./src/registry/follow.ts";
export {
  type CatchUpOptions,
  followOnDemand,
  type OnDemandFollower,
  type OnDemandOptions,
} from "./src/registry/follow_on_demand.ts";
export { type Group, group, type GroupOptions } from "./src/registry/group.ts";
export { groupBy, type GroupFamily, type GroupMember } from "./src/registry/group_by.ts";
export {
  type Departure,
  EtagRegistry,
  type EtagRegistryOptions,
  type Incident,
  type LookupRefusal,
  type Outcome,
  type Reason,
  reasonFamilies,
  type ReasonFamily,
  type RegistrationRefusal,
  requestEnds,
  type RestoreOptions,
  type SnapshotBytes,
  type SnapshotRefusal,
} from "./src/registry/registry.ts";
