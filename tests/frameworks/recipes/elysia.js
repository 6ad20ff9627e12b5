import { dependsOn, invalidates, withEtag } from "@stillfresh/etag";
import { Elysia } from "elysia";
import { readNote, registry, writeNote } from "../notes.js";

const app = new Elysia()
  .get("/notes/:id", ({ params, set }) => {
    const note = readNote(params.id);
    Object.assign(set.headers, { "cache-control": "public, no-cache", ...dependsOn(note) });
    return note;
  })
  .put("/notes/:id", async ({ params, request }) => {
    const note = writeNote(params.id, await request.text());
    return new Response(null, { status: 204, headers: invalidates(note) });
  }, { parse: "none" });

export default { fetch: withEtag(app.handle, { registry, cacheStatus: "Stillfresh" }) };
