import { dependsOn, invalidates, withEtag } from "@stillfresh/etag";
import fastify from "fastify";
import { toNodeHandler } from "srvx/node";
import { readNote, registry, writeNote } from "../notes.js";

const handler = withEtag(async (/** @type {Request} */ request) => {
  const id = new URL(request.url).pathname.split("/").at(-1) ?? "";
  if (request.method === "PUT") {
    return new Response(null, { status: 204, headers: invalidates(writeNote(id, await request.text())) });
  }
  const note = readNote(id);
  return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
}, { registry, cacheStatus: "Stillfresh" });

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser("*", (_request, _body, done) => done(null));
app.all("/notes/:id", (request, reply) => {
  reply.hijack();
  // @ts-expect-error: the types of srvx ask for a request of HTTP/1 and HTTP/2 at once
  return toNodeHandler(handler)(request.raw, reply.raw);
});

export default app;
