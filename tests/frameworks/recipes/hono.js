import { dependsOn, invalidates } from "@stillfresh/etag";
import { etag } from "@stillfresh/etag/hono";
import { Hono } from "hono";
import { readNote, registry, writeNote } from "../notes.js";

const app = new Hono();
app.use(etag({ registry, cacheStatus: "Stillfresh" }));
app.get("/notes/:id", (c) => {
  const note = readNote(c.req.param("id"));
  return c.json(note, 200, { "cache-control": "public, no-cache", ...dependsOn(note) });
});
app.put("/notes/:id", async (c) => {
  const note = writeNote(c.req.param("id"), await c.req.text());
  return c.body(null, 204, invalidates(note));
});

export default app;
