/** The JSON interface to posts: `GET`, `PUT` and `DELETE` of `/api/posts/:id`. */
import { dependsOn, evaluatePreconditions, invalidates } from "../../mod.ts";
import { isPostId, parsePost, type Post, type Stored } from "./documents.ts";
import type { Store } from "./store.ts";

/** The group of the lists of posts: whatever is added, edited or deleted changes it. */
export const allPosts = "posts";

const revalidated = { "cache-control": "public, no-cache", "vary": "accept-encoding" };

/** Answers with the post as the database holds it; its revision is the entity tag, as in CouchDB. */
export async function getPost(store: Store, id: string): Promise<Response> {
  const post = isPostId(id) ? await store.post(id) : null;
  if (post === null) return problem(404, `there is no post ${id}`);
  return Response.json(post, { headers: { ...revalidated, "etag": etagOf(post), ...dependsOn(post) } });
}

/**
 * Writes a post: over the revision that `If-Match` or the body's `_rev` names, or a new one where neither does.
 * The database compares the revision as it writes, so no edit in between is lost.
 */
export async function putPost(store: Store, id: string, request: Request): Promise<Response> {
  if (!isPostId(id)) return problem(400, "an id looks like post-2026-11-23-words");
  let post: Post;
  try {
    post = parsePost(id, await request.json());
  } catch (error) {
    return problem(400, (error as Error).message);
  }
  const current = await store.post(id);
  if (!allows(request, current)) return problem(412, "the post is not as the request expects it");
  const expected = post._rev ?? (request.headers.has("if-match") ? current?._rev : undefined);
  const rev = await store.put(expected === undefined ? post : { ...post, _rev: expected });
  if (rev === null) return conflict(request);
  const headers = { "location": `/posts/${id}`, ...invalidates(id, allPosts) };
  return Response.json({ ok: true, id, rev }, { status: current === null ? 201 : 200, headers });
}

/** Deletes a post at the revision that `If-Match` or the query's `rev` names. */
export async function deletePost(store: Store, id: string, request: Request): Promise<Response> {
  const current = isPostId(id) ? await store.post(id) : null;
  if (current === null) return problem(404, `there is no post ${id}`);
  if (!allows(request, current)) return problem(412, "the post is not as the request expects it");
  const rev = new URL(request.url).searchParams.get("rev") ??
    (request.headers.has("if-match") ? current._rev : undefined);
  if (rev === undefined) return problem(428, "say which revision to delete: If-Match, or ?rev=");
  if (!await store.delete(id, rev)) return conflict(request);
  return Response.json({ ok: true, id }, { headers: invalidates(id, allPosts) });
}

/** An answer that says what is wrong (RFC 9457). */
export function problem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ status, detail });
  return new Response(`${body}\n`, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

function etagOf(post: Stored<Post>): string {
  return `"${post._rev}"`;
}

function allows(request: Request, current: Stored<Post> | null): boolean {
  return evaluatePreconditions(request, current && { etag: etagOf(current) }) === "proceed";
}

/** The write lost a race: against the precondition, or against the `_rev` that was sent. */
function conflict(request: Request): Response {
  return request.headers.has("if-match")
    ? problem(412, "the post has changed in the meantime")
    : problem(409, "the post has another revision: read it, and send its _rev or an If-Match");
}
