/**
 * A search by `_find`. Which documents it finds depends on all that could come to match, so its page depends on the group of
 * all posts: the tracked handle is told that by `set`, and declares the documents by itself. The selector asks for posts of
 * that group alone: the feed would not tell that another document has come to match.
 *
 *     curl -i 'http://localhost:8000/?author=ada'
 */
import type { DocumentScope } from "nano";
import { EtagRegistry, follow, group, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { reads, tracked } from "../../src/reads/reads.ts";
import { PUBLIC, type Served } from "./served.ts";

interface Post {
  readonly kind: "post";
  readonly title: string;
  readonly author: string;
}

/** Every post has such an id, also one that will be written tomorrow. */
const posts = group("posts", ({ id }) => id.startsWith("post-"));

export function serveSearch(database: DocumentScope<Post>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database), { groups: [posts] });
  const blog = tracked(database, { set: (method) => method === "find" ? posts : undefined });
  const handler = withEtag(async (request: Request) => {
    const author = new URL(request.url).searchParams.get("author") ?? "";
    const { docs } = await blog.find({
      selector: { _id: { $regex: "^post-" }, kind: "post", author },
      limit: 100,
    });
    return Response.json(docs.map(({ title }) => title), { headers: PUBLIC });
  }, { registry, reads, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
