/**
 * Notes in memory under Hono, behind CORS and with an access check.
 *
 *     deno serve -A examples/hono.ts     or     bun run examples/hono.ts
 *     curl -i http://localhost:8000/notes/milk -H 'Authorization: Bearer ann'
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag`, and `../src/hono/etag.ts` is `@stillfresh/etag/hono`.
 */
import { Hono } from "hono";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { dependsOn, EtagRegistry, guard, invalidates } from "../mod.ts";
import { etag } from "../src/hono/etag.ts";

const notes = new Map([["milk", { _id: "milk", _rev: "1", text: "Remember the milk." }]]);
/** Who is logged in, by token. The end of a session voids every page that it guards. */
const sessions = new Map([["Bearer ann", { _id: "session-ann", _rev: "1", user: "Ann" }]]);

/** Each change passes through here, so no feed has to tell. */
export const registry: EtagRegistry = new EtagRegistry({ manual: true });

const app: Hono = new Hono();
app.use(cors({ origin: "https://app.example", exposeHeaders: ["ETag"] }));
app.use(etag({
  registry,
  caller: (c) => c.req.header("authorization"),
  current: (c) => notes.get(c.req.path.slice("/notes/".length)) ?? null,
}));
app.use(compress());
app.use(async (c, next) => {
  const session = sessions.get(c.req.header("authorization") ?? "");
  if (session === undefined) throw new HTTPException(401);
  for (const [name, value] of Object.entries(dependsOn(guard(session)))) c.header(name, value);
  await next();
});
app.get("/notes/:id", (c) => {
  const note = notes.get(c.req.param("id"));
  return note === undefined ? c.notFound() : c.json(note, 200, dependsOn(note));
});
app.put("/notes/:id", async (c) => {
  const id = c.req.param("id");
  const _rev = String(Number(notes.get(id)?._rev ?? 0) + 1);
  notes.set(id, { _id: id, _rev, text: await c.req.text() });
  return c.body(null, 204, invalidates(id));
});
app.delete("/session", (c) => {
  const session = sessions.get(c.req.header("authorization")!)!;
  sessions.delete(c.req.header("authorization")!);
  return c.body(null, 204, invalidates(session));
});

export default app;
