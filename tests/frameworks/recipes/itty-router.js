import { dependsOn, invalidates, withEtag } from "@stillfresh/etag";
import { AutoRouter } from "itty-router";
import { readNote, registry, writeNote } from "../notes.js";

const router = AutoRouter();
const read = (/** @type {import("itty-router").IRequest} */ { params }) => {
  const note = readNote(params["id"] ?? "");
  return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
};
router.get("/notes/:id", read).head("/notes/:id", read);
router.put("/notes/:id", async (request) => {
  const note = writeNote(request.params["id"] ?? "", await request.text());
  return new Response(null, { status: 204, headers: invalidates(note) });
});

export default {
  fetch: withEtag((/** @type {Request} */ request) => router.fetch(request), {
    registry,
    cacheStatus: "Stillfresh",
  }),
};
