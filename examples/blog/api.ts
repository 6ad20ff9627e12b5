/** The JSON interface to posts: `GET`, `PUT` and `DELETE` of `/api/posts/:id`. */
import { conflictResponse, dependsOn, invalidates, revisionOf } from "../../mod.ts";
import { isPostId, parsePost, type Post, type Stored } from "./documents.ts";
import type { Store } from "./store.ts";

/** The group of all lists of posts: a post that is added, edited or deleted changes it. */
export const allPosts = "posts";

const revalidated = { "cache-control": "public, no-cache", "vary": "accept-encoding" };

/** What the preconditions of a write are evaluated against: the post, null where there is none, undefined for other addresses. */
export async function currentPost(store: Store, request: Request): Promise<Stored<Post> | null | undefined> {
  const id = /^\/api\/posts\/([^/]+)$/.exec(new URL(request.url).pathname)?.[1];
  if (id === undefined || !isPostId(id)) return undefined;
  return await store.post(id);
}

/** Answers with the post as the database holds it. Its tag is derived from its revision, which can be read back out of it. */
export async function getPost(store: Store, id: string): Promise<Response> {
  const post = isPostId(id) ? await store.post(id) : null;
  if (post === null) return problem(404, `there is no post ${id}`);
  return Response.json(post, { headers: { ...revalidated, ...dependsOn(post) } });
}

/**
 * Writes a post: over the revision that the body's `_rev` or `If-Match` names, or a new one where neither does. The
 * database compares the revision as it writes, so no edit in between is lost.
 */
export async function putPost(store: Store, id: string, request: Request): Promise<Response> {
  if (!isPostId(id)) return problem(400, "an id looks like post-2026-11-23-words");
  let post: Post;
  try {
    post = parsePost(id, await request.json());
  } catch (error) {
    return problem(400, (error as Error).message);
  }
  const over = post._rev ?? revisionOf(request);
  try {
    const rev = await store.put(over === undefined ? post : { ...post, _rev: over });
    const headers = { "location": `/posts/${id}`, ...invalidates(id, allPosts) };
    return Response.json({ ok: true, id, rev }, { status: over === undefined ? 201 : 200, headers });
  } catch (error) {
    return lost(request, error);
  }
}

/** Deletes a post at the revision that the query's `rev` or `If-Match` names. */
export async function deletePost(store: Store, id: string, request: Request): Promise<Response> {
  if (!isPostId(id) || await store.post(id) === null) return problem(404, `there is no post ${id}`);
  const rev = new URL(request.url).searchParams.get("rev") ?? revisionOf(request);
  if (rev === undefined) return problem(428, "say which revision to delete: If-Match, or ?rev=");
  try {
    await store.delete(id, rev);
    return Response.json({ ok: true, id }, { headers: invalidates(id, allPosts) });
  } catch (error) {
    return lost(request, error);
  }
}

/** An answer that says what is wrong (RFC 9457). */
export function problem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ status, detail });
  return new Response(`${body}\n`, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** Another write came first: the 412 where the request had a precondition, else the 409. */
function lost(request: Request, error: unknown): Response {
  const conflict = conflictResponse(request, error);
  if (conflict === undefined) throw error;
  return conflict;
}
