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
    const [, id, name] = /^\/(post-[\w-]+)\/([\w.-]+)$/.exec(new URL(request.url).pathname) ?? [];
    const document = id === undefined ? undefined : await answered(fetch(`${database}/${id}`));
    const { _attachments, ...post } = await document?.json() as Attachments ?? {};
    const attachment = _attachments?.[name!];
    if (attachment === undefined) return new Response("There is no such attachment.\n", { status: 404 });
    const range = request.headers.get("range");
    // The bytes of the revision that the digest is of: an edit may come between the two requests.
    const url = `${database}/${id}/${name}?rev=${post._rev}`;
    const file = await answered(fetch(url, { headers: range === null ? {} : { range } }));
    if (file === undefined) return new Response("There is no such attachment.\n", { status: 404 });
    const headers = new Headers({ ...PUBLIC, etag: `"${attachment.digest}"`, ...dependsOn(post) });
    for (const field of PASSED) if (file.headers.has(field)) headers.set(field, file.headers.get(field)!);
    return new Response(file.body, { status: file.status, headers });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}

/** What the database gave; undefined for a 404. Its failures are thrown, so that the server says 500 and nothing is kept. */
async function answered(asked: Promise<Response>): Promise<Response | undefined> {
  const response = await asked;
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  throw new Error(`The database answered ${response.status}`);
}
