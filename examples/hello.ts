/**
 * The smallest use: notes in memory, each with a revision.
 *
 *     deno serve examples/hello.ts     or     bun run examples/hello.ts
 *     curl -i http://localhost:8000/milk          (Bun: port 3000) 200, with an ETag
 *     curl -i http://localhost:8000/milk -H 'If-None-Match: "…"'   304, and the handler did not run
 *     curl -X PUT -d 'Oat milk.' http://localhost:8000/milk        200, and the old tag is void
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag`.
 */
import { dependsOn, invalidates, withEtag } from "../mod.ts";

const notes = new Map([["milk", { _id: "milk", _rev: "1", text: "Remember the milk." }]]);

const handler = withEtag(async (request: Request) => {
  const id = new URL(request.url).pathname.slice(1);
  const note = notes.get(id);
  if (note === undefined) return new Response("There is no such note.\n", { status: 404 });
  if (request.method === "PUT") {
    notes.set(id, { _id: id, _rev: String(Number(note._rev) + 1), text: await request.text() });
    return new Response("Written.\n", { headers: invalidates(id) });
  }
  return new Response(`${note.text}\n`, {
    headers: { "cache-control": "public, no-cache", ...dependsOn(note) },
  });
}, { manual: true, cacheStatus: "Stillfresh" }); // Each change passes through here, so no feed has to tell.

export default { fetch: (request: Request): Response | Promise<Response> => handler(request) };
