/**
 * A JSON API: read, list, create, edit without lost updates, delete.
 *
 *     curl -i -X PUT http://localhost:8000/post-1 -H 'If-Match: "…"' -d '{"title": "New"}'     204, or 412 if it has changed
 *     curl -i -X PUT http://localhost:8000/post-2 -H 'If-None-Match: *' -d '{"title": "Second"}'
 */
import type { DocumentScope } from "nano";
import {
  conflictResponse,
  dependsOn,
  EtagRegistry,
  follow,
  group,
  invalidates,
  revisionOf,
  withEtag,
} from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { nullIfMissing, PUBLIC, type Served } from "./served.ts";

const posts = group("posts", ({ id }) => id.startsWith("post-"));

export function serveJsonApi(blog: DocumentScope<{ title: string }>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(blog), { groups: [posts] });
  const idOf = ({ url }: Request) => new URL(url).pathname.slice(1);
  const find = (id: string) => blog.get(id).catch(nullIfMissing);

  async function read(id: string): Promise<Response> {
    if (id === "") {
      const { rows } = await blog.list({ startkey: "post-", endkey: "post-\ufff0", include_docs: true });
      const all = rows.map(({ doc }) => doc!);
      return Response.json(all, { headers: { ...PUBLIC, ...dependsOn(posts, ...all) } });
    }
    const post = await find(id);
    if (post === null) return Response.json({ error: "no such post" }, { status: 404 });
    return Response.json(post, { headers: { ...PUBLIC, ...dependsOn(post) } });
  }

  const handler = withEtag(async (request: Request) => {
    const id = idOf(request);
    if (request.method === "GET" || request.method === "HEAD") return await read(id);
    const _rev = revisionOf(request); // what the client has seen; none where it creates
    try {
      if (request.method === "DELETE") await blog.destroy(id, _rev!);
      else await blog.insert({ ...await request.json(), _id: id, ...(_rev === undefined ? {} : { _rev }) });
    } catch (error) {
      const conflict = conflictResponse(request, error);
      if (conflict !== undefined) return conflict;
      throw error;
    }
    return new Response(null, { status: 204, headers: invalidates(id, posts) });
  }, {
    registry,
    cacheStatus: "Stillfresh",
    requirePrecondition: true,
    current: (request) => find(idOf(request)),
  });
  return { fetch: (request) => handler(request), registry, follower };
}
