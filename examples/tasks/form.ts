/**
 * Editing by a form, without lost updates. A browser's form sends no `If-Match`: a hidden field holds the revision that the
 * form was made from, the database compares it, and its 409 becomes a page with both versions, so that nothing typed is lost.
 * A redirect ends the `POST`.
 *
 *     open http://localhost:8000/post-1 in two tabs: the second save shows what the first one wrote
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
  const find = (id: string | undefined) => id === undefined ? null : database.get(id).catch(nullIfMissing);
  const handler = withEtag(async (request: Request) => {
    const post = await find(postIdOf(request));
    if (post === null) return page("<p>There is nothing here.</p>", 404);
    if (request.method !== "POST") return page(form(post), 200, { ...PUBLIC, ...dependsOn(post) });
    const fields = await request.formData().catch(() => new FormData());
    const [_rev, title] = [fields.get("rev"), fields.get("title")];
    if (typeof _rev !== "string" || typeof title !== "string") return page("<p>Not this form.</p>", 400);
    const mine = { _id: post._id, _rev, title };
    const failure = await database.insert(mine).then(() => null, (error) => error);
    if (failure === null) {
      return new Response(null, { status: 303, headers: { location: `/${mine._id}`, ...invalidates(mine) } });
    }
    if (failure.statusCode === 400) return page("<p>Not this form.</p>", 400); // a revision that is none
    if (failure.statusCode !== 409) throw failure;
    const theirs = await find(mine._id);
    if (theirs === null) return page("<p>It was deleted meanwhile.</p>", 404);
    const message = `<p>It was edited meanwhile, and is now <q>${escaped(theirs.title)}</q>. Yours:</p>`;
    return page(message + form({ title, _rev: theirs._rev }), 409);
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}

function form({ _rev, title }: Post & { readonly _rev: string }): string {
  return `<form method="post"><input name="rev" type="hidden" value="${_rev}">` +
    `<input name="title" value="${escaped(title)}"> <button>Save</button></form>`;
}

function page(body: string, status: number, fields: Record<string, string> = {}): Response {
  const headers = { "content-type": "text/html; charset=utf-8", ...fields };
  return new Response(`<!doctype html><title>Edit</title>${body}\n`, { status, headers });
}
