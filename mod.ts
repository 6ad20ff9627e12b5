/**
 * HTTP validation that is right and costs nothing: entity tags from the revisions of the documents a response was
 * built from, a registry of those that are valid now, and a feed of changes that takes them out again. A conditional
 * request that matches is answered 304 without running the handler.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, withEtag } from "@stillfresh/etag";
 *
 * const registry = new EtagRegistry();
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
export { dependsOn, invalidates } from "./src/http/cache_groups.ts";
export type {
  Change,
  ChangeBatch,
  ChangesErrorCode,
  ChangesFeed,
  FeedState,
  Instant,
  Position,
  ResetReason,
  Since,
} from "./src/changes/change.ts";
export { ChangesError } from "./src/changes/changes_error.ts";
export { follow, type Follower, type FollowOptions } from "./src/registry/follow.ts";
export { type Current, revisionOf } from "./src/handler/current_state.ts";
export type { Source } from "./src/http/dependency.ts";
export type { PurgeField } from "./src/http/cdn_tags.ts";
export { evaluatePreconditions } from "./src/http/preconditions.ts";
export {
  type Entry,
  EtagRegistry,
  type EtagRegistryOptions,
  type Lease,
  type NotModifiedInit,
  type Reason,
  type Registration,
  type Subscription,
} from "./src/registry/registry.ts";
export type { Validators } from "./src/http/validators.ts";
export type { AuditMismatch } from "./src/handler/context.ts";
export { withEtag, type WithEtagOptions } from "./src/handler/with_etag.ts";
export { conflictResponse } from "./src/handler/write.ts";
