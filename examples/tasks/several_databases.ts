/**
 * A page of two databases. Both may have a document of the same id, so the feeds give theirs the name of the database, and so do
 * the handles that read. Each feed has a name of its own: nothing is answered unless both are live.
 *
 *     curl -i http://localhost:8000/post-1
 */
import type { DocumentScope } from "nano";
import { EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { reads, tracked } from "../../src/reads/reads.ts";
import { nullIfMissing, postIdOf, PUBLIC, type Served } from "./served.ts";

interface Post {
  readonly title: string;
  readonly author: string;
}

interface User {
  readonly name: string;
}

/** The documents of a database under its name: for its feed, and for the handle that reads it. */
function named<T>(name: string, database: DocumentScope<T>) {
  const id = (id: string) => `${name}/${id}`;
  return {
    feed: changes(database).map((change) => ({ ...change, id: id(change.id) })),
    handle: tracked(database, { id }),
  };
}

/** @param signal Ends both feeds. */
export function serveBoth(
  posts: DocumentScope<Post>,
  users: DocumentScope<User>,
  signal: AbortSignal,
): Served {
  const registry = new EtagRegistry();
  const [blog, people] = [named("blog", posts), named("people", users)];
  const follower = follow(registry, blog.feed, { name: "blog", signal });
  follow(registry, people.feed, { name: "people", signal });
  const handler = withEtag(async (request: Request) => {
    const id = postIdOf(request);
    const post = id === undefined ? null : await blog.handle.get(id).catch(nullIfMissing);
    if (post === null) return new Response("There is no such post.\n", { status: 404 });
    const user = await people.handle.get(post.author).catch(nullIfMissing);
    return Response.json({ title: post.title, author: user?.name ?? "unknown" }, { headers: PUBLIC });
  }, { registry, reads, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
