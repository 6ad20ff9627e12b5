import { dependsOn, invalidates, withEtag } from "@stillfresh/etag";
import { defineHandler } from "nitro/h3";
import { readNote, registry, writeNote } from "../../../notes.js";

const handler = withEtag(async (/** @type {Request} */ request) => {
  const id = new URL(request.url).pathname.split("/").at(-1) ?? "";
  if (request.method === "PUT") {
    return new Response(null, { status: 204, headers: invalidates(writeNote(id, await request.text())) });
  }
  const note = readNote(id);
  return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
}, { registry, cacheStatus: "Stillfresh" });

export default defineHandler((event) => handler(event.req));
