/**
 * Every document of a CouchDB database as JSON, for a process among several. Each process has a registry of its own and
 * follows the database itself; `VERSION` and `SECRET` are the same for all, and so is `key`.
 *
 * Environment: `COUCHDB_URL` (`http://user:password@127.0.0.1:5984/blog`), `VERSION`, `SECRET`, `MAX_LAG` (in milliseconds).
 */
import nano from "nano";
import process from "node:process";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";

const { COUCHDB_URL = "http://127.0.0.1:5984/blog", VERSION = "development", SECRET, MAX_LAG } = process.env;

/** Makes the site of one process: its registry, its follower, its handler. */
export function createSite(): (request: Request) => Response | Promise<Response> {
  const server = new URL(COUCHDB_URL);
  const name = server.pathname.slice(1);
  server.pathname = "";
  const documents = nano(server.href).use(name);

  const registry = new EtagRegistry({ version: VERSION });
  follow(registry, changes(COUCHDB_URL), MAX_LAG === undefined ? {} : { maxLag: Number(MAX_LAG) });

  return withEtag(async (request: Request) => {
    const document = await documents.get(new URL(request.url).pathname.slice(1)).catch(nullIfMissing);
    if (document === null) return new Response("Not found\n", { status: 404 });
    return Response.json(document, {
      headers: { "cache-control": "public, no-cache", ...dependsOn(document) },
    });
  }, {
    registry,
    // The tag of a document is the same in all processes, and whatever name of the site was asked for.
    ...SECRET === undefined ? {} : { secret: SECRET },
    key: (request) => new URL(request.url).pathname,
    // Cache-Status says which process it was.
    cacheStatus: `process-${crypto.randomUUID().slice(0, 8)}`,
  });
}

function nullIfMissing(error: { statusCode?: number }): null {
  if (error.statusCode === 404) return null;
  throw error;
}
