/**
 * Why was this no 304? An answer for one request, notices while a site is developed, and the list of causes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, withEtag } from "@stillfresh/etag";
 * import { explain } from "@stillfresh/etag/why";
 *
 * const handler = withEtag(() => new Response("page", {
 *   headers: { ...dependsOn("post-1"), "cache-control": "no-store" },
 * }), { manual: true });
 *
 * const { refusal, text } = await explain(handler, new Request("http://localhost/posts/1"));
 * assert.equal(refusal, "no-store");
 * assert.match(text, /Send Cache-Control: no-cache in its place/);
 * ```
 *
 * @module
 */
export { type Cause, causes } from "./causes.ts";
export { explain, type Explanation } from "./explain.ts";
export { type Notice, notices } from "./notices.ts";
