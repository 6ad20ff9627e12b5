/**
 * Editing by a form, without lost updates. A browser's form sends no `If-Match`: a hidden field holds the revision that the
 * form was made from, the database compares it, and its 409 becomes a page. A redirect ends the `POST`.
 *
 *     open http://localhost:8000/post-1 in two tabs: the second save is refused
 *     curl -i http://localhost:8000/post-1 -d rev=1-… -d title=Changed      303 once, 409 the second time
 *
 * In a program of your own, check who may write, and that the form is of one of your own pages.
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, invalidates, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { escaped, nullIfMissing, postIdOf, PUBLIC, type Served } from "./served.ts";

interface Post {
  readonly title: string;
}

/** `GET /post-1` is the form, `POST /post-1` saves it. */
export function serveForm(database: DocumentScope<Post>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database));
  const handler = withEtag(async (request: Request) => {
    const id = postIdOf(request);
    const post = id === undefined ? null : await database.get(id).catch(nullIfMissing);
    if (id === undefined || post === null) return page("<p>There is nothing here.</p>", 404);
    if (request.method === "POST") {
      const fields = await request.formData().catch(() => new FormData());
      const [_rev, title] = [fields.get("rev"), fields.get("title")];
      if (typeof _rev !== "string" || typeof title !== "string") return page("<p>Not this form.</p>", 400);
      const failure = await database.insert({ _id: id, _rev, title }).then(() => null, (error) => error);
      if (failure?.statusCode === 409) {
        return page("<p>It was edited meanwhile. Reload, edit again.</p>", 409);
      }
      if (failure !== null) throw failure;
      return new Response(null, { status: 303, headers: { location: `/${id}`, ...invalidates(id) } });
    }
    const form = `<form method="post"><input name="rev" type="hidden" value="${post._rev}">` +
      `<input name="title" value="${escaped(post.title)}"> <button>Save</button></form>`;
    return page(form, 200, { ...PUBLIC, ...dependsOn(post) });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}

function page(body: string, status: number, fields: Record<string, string> = {}): Response {
  const headers = { "content-type": "text/html; charset=utf-8", ...fields };
  return new Response(`<!doctype html><title>Edit</title>${body}\n`, { status, headers });
}
