/**
 * Every document of a CouchDB database as JSON; an entry is void as soon as the feed reports a change of its document.
 *
 *     deno run -A examples/couchdb.ts http://user:password@127.0.0.1:5984/blog
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag` and `../src/couchdb/changes.ts` is
 * `@stillfresh/etag/couchdb`.
 */
import nano from "nano";
import process from "node:process";
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../mod.ts";
import { changes } from "../src/couchdb/changes.ts";

/** `GET /id` answers with the document of that id. */
export function serveDocuments(
  database: string,
): { fetch(request: Request): Response | Promise<Response>; follower: Follower } {
  const server = new URL(database);
  const name = server.pathname.slice(1);
  server.pathname = "";
  const documents = nano(server.href).use(name);
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database));
  const handler = withEtag(async (request: Request) => {
    const id = new URL(request.url).pathname.slice(1);
    if (id === "" || id.startsWith("_")) return new Response("Not found\n", { status: 404 });
    const document = await documents.get(id).catch(nullIfMissing);
    if (document === null) return new Response("Not found\n", { status: 404 });
    return Response.json(document, {
      headers: { "cache-control": "public, no-cache", ...dependsOn(document) },
    });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), follower };
}

function nullIfMissing(error: { statusCode?: number }): null {
  if (error.statusCode === 404) return null;
  throw error;
}

if (import.meta.main) {
  const { fetch } = serveDocuments(process.argv[2] ?? "http://127.0.0.1:5984/blog");
  Deno.serve(fetch);
}
