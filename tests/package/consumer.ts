/**
 * A reader's program: compiled and run by scripts/package.ts in an empty project that has only the npm tarball.
 * Uses every sub-path, and nothing but the web platform besides.
 */
import {
  ChangesError,
  dependsOn,
  EtagRegistry,
  evaluatePreconditions,
  follow,
  invalidates,
  ownFeed,
  withEtag,
} from "@stillfresh/etag";
import * as cacheGroups from "@stillfresh/etag/cache-groups";
import type { Change } from "@stillfresh/etag/change";
import * as change from "@stillfresh/etag/change";
import { changes } from "@stillfresh/etag/couchdb";
import * as entityTag from "@stillfresh/etag/entity-tag";
import * as followModule from "@stillfresh/etag/follow";
import { etag as honoEtag } from "@stillfresh/etag/hono";
import * as preconditions from "@stillfresh/etag/preconditions";
import * as registryModule from "@stillfresh/etag/registry";

function expect(truth: boolean, claim: string): void {
  if (!truth) throw new Error(`not so: ${claim}`);
}

const url = "https://example.com/posts/1";
let runs = 0;
const registry = new EtagRegistry({ manual: true, maxEntries: 100 });
const handler = withEtag((_request: Request): Response => {
  runs++;
  const headers = { "cache-control": "public, no-cache", ...dependsOn({ _id: "post-1", _rev: "1-a" }) };
  return Response.json({ title: "First" }, { headers });
}, { registry });

const first = await handler(new Request(url));
const etag = first.headers.get("etag") ?? "";
expect(first.status === 200 && etag !== "", "the first answer is a 200 with a tag");
const second = await handler(new Request(url, { headers: { "if-none-match": etag } }));
expect(second.status === 304 && runs === 1, "the second answer is a 304 and runs nothing");

const feed = ownFeed<Change>(() => {}, { onlyWriter: true }).map((change) => ({
  ...change,
  id: `own/${change.id}`,
}));
const follower = follow(new EtagRegistry(), feed);
await follower.ready;
await follower.close();

const request = new Request(url, { headers: { "if-none-match": '"a", "b"' } });
expect(evaluatePreconditions(request, { etag: '"b"' }) === 304, "a listed tag is not modified");
const named = Object.values(invalidates("post-1"));
expect(named.length > 0 && named.every((value) => value.endsWith(" post-1")), "a write names its groups");
expect(new ChangesError("not-found", "no database").code === "not-found", "errors carry a code");
expect(typeof changes === "function", "the feed is a sub-path of its own");
expect(typeof honoEtag({ registry }) === "function", "Hono's middleware needs no Hono to be made");
const modules = [cacheGroups, change, entityTag, followModule, preconditions, registryModule];
expect(modules.every((module) => typeof module === "object"), "every sub-path is a module");
expect(cacheGroups.formatCacheGroups(["a"]) === '"a"', "a sub-path works");

console.log("the package works");
