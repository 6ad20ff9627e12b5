import { dependsOn, invalidates, withEtag } from "@stillfresh/etag";
import { getRouterParam, H3 } from "h3";
import { readNote, registry, writeNote } from "../notes.js";

const app = new H3();
app.get("/notes/:id", (event) => {
  const note = readNote(getRouterParam(event, "id") ?? "");
  return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
});
app.put("/notes/:id", async (event) => {
  const note = writeNote(getRouterParam(event, "id") ?? "", await event.req.text());
  return new Response(null, { status: 204, headers: invalidates(note) });
});

export default { fetch: withEtag(app.fetch, { registry, cacheStatus: "Stillfresh" }) };
