/**
 * Attachments of documents. The digest that CouchDB keeps of each is the tag, so an edit of the document's text leaves copies of
 * the picture good; the document is what the entry depends on. A `Range` is passed to the database.
 *
 *     curl -i http://localhost:8000/post-1/picture.png
 */
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { PUBLIC, type Served } from "./served.ts";

interface Attachments {
  readonly _id: string;
  readonly _rev: string;
  readonly _attachments?: Readonly<
    Record<string, { readonly digest: string; readonly content_type: string }>
  >;
}

const PASSED = ["content-type", "content-length", "content-range", "accept-ranges"];

/** @param database Without credentials in it, which a plain fetch() refuses. */
export function serveAttachments(database: string): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database));
  const handler = withEtag(async (request: Request) => {
    const [, id = "", name = ""] = new URL(request.url).pathname.split("/");
    const document = await fetch(`${database}/${id}`);
    const { _attachments, ...post } = await document.json() as Attachments;
    const attachment = _attachments?.[decodeURIComponent(name)];
    if (attachment === undefined) return new Response("There is no such attachment.\n", { status: 404 });
    const range = request.headers.get("range");
    const file = await fetch(`${database}/${id}/${name}`, { headers: range === null ? {} : { range } });
    const headers = new Headers({ ...PUBLIC, etag: `"${attachment.digest}"`, ...dependsOn(post) });
    for (const field of PASSED) if (file.headers.has(field)) headers.set(field, file.headers.get(field)!);
    return new Response(file.body, { status: file.status, headers });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
