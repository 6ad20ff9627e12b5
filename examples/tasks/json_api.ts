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
import { nullIfMissing, postIdOf, PUBLIC, type Served } from "./served.ts";

const posts = group("posts", ({ id }) => id.startsWith("post-"));
const ALLOW = { allow: "GET, HEAD, PUT, DELETE" };
const bodyOf = async (request: Request) => await request.json().catch(() => null) ?? {};

export function serveJsonApi(blog: DocumentScope<{ title: string }>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(blog), { groups: [posts] });
  const find = (id: string | undefined) => id === undefined ? null : blog.get(id).catch(nullIfMissing);
  const refused = (status: number, error: string) => Response.json({ error }, { status });

  async function read(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/") {
      const { rows } = await blog.list({ startkey: "post-", endkey: "post-\ufff0", include_docs: true });
      const all = rows.map(({ doc }) => doc!);
      return Response.json(all, { headers: { ...PUBLIC, ...dependsOn(posts, ...all) } });
    }
    const post = await find(postIdOf(request));
    if (post === null) return refused(404, "no such post");
    return Response.json(post, { headers: { ...PUBLIC, ...dependsOn(post) } });
  }

  const handler = withEtag(async (request: Request) => {
    const { method } = request;
    if (method === "GET" || method === "HEAD") return await read(request);
    if (method !== "PUT" && method !== "DELETE") return new Response(null, { status: 405, headers: ALLOW });
    const _id = postIdOf(request);
    const _rev = revisionOf(request); // what the client has seen; none where it creates
    if (_id === undefined || method === "DELETE" && _rev === undefined) return refused(404, "no such post");
    const { title } = method === "PUT" ? await bodyOf(request) : { title: "" };
    if (typeof title !== "string") return refused(400, "a post has a title");
    try {
      if (method === "DELETE") await blog.destroy(_id, _rev!);
      else await blog.insert({ _id, title, ...(_rev === undefined ? {} : { _rev }) } as { title: string });
    } catch (error) {
      return conflictResponse(request, error) ?? Promise.reject(error);
    }
    return new Response(null, { status: 204, headers: invalidates(_id, posts) });
  }, { registry, cacheStatus: "Stillfresh", requirePrecondition: true, current: (r) => find(postIdOf(r)) });
  return { fetch: (request) => handler(request), registry, follower };
}
