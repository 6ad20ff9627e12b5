/**
 * Reads that declare themselves: what a tracked handle of nano or PouchDB gives while a handler runs becomes a dependency of
 * its response. No source can be forgotten.
 *
 * It rests on `AsyncLocalStorage`, which Deno, Bun and Node have. {@linkcode Reads} collects without it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withEtag } from "@stillfresh/etag";
 * import { reads, tracked } from "@stillfresh/etag/reads";
 *
 * // In place of `nano("http://localhost:5984").use("blog")`.
 * const blog = tracked({ get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a", author: "ada" }) });
 * const authorOf = (post: { author: string }) => blog.get(post.author); // deep in a helper
 *
 * const handler = withEtag(async () => {
 *   const post = await blog.get("post-1");
 *   return Response.json([post, await authorOf(post)]);
 * }, { reads, manual: true });
 *
 * const etag = (await handler(new Request("http://localhost/"))).headers.get("etag")!;
 * handler.registry.invalidate("ada");
 * assert.equal(handler.registry.hasTag(etag), false);
 * ```
 *
 * @module
 */
export { declare, type Found, guarding, Reads, reads, type Role, strayReads, untracked } from "./run.ts";
export { anyChange, tracked, type TrackedOptions } from "./tracked.ts";
