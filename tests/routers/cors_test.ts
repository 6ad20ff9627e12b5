/** CORS outside of `withEtag`, as docs/placement.md has it: a script of another origin can read every answer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { dependsOn } from "../../mod.ts";
import { wrap } from "../support/http.ts";

const post = { _id: "post-1", _rev: "1-a" };
const ORIGIN = "https://app.example";

test("Hono's cors outside: 200, 304, 412, 428 and preflights can be read by a script of that origin", async () => {
  const site = wrap(({ method }) => {
    if (method === "PUT") return new Response(null, { status: 204 });
    return Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } });
  }, { current: () => post, requirePrecondition: true });
  const app = new Hono();
  app.use(cors({
    origin: ORIGIN,
    allowHeaders: ["If-Match", "If-None-Match", "Content-Type", "Authorization"],
    exposeHeaders: ["ETag"],
  }));
  app.all("*", (context) => site.ask(context.req.raw));
  const ask = async (method: string, headers: HeadersInit = {}, origin = ORIGIN) =>
    await app.fetch(new Request("http://localhost/posts/1", { method, headers: { origin, ...headers } }));

  const first = await ask("GET");
  const etag = first.headers.get("etag")!;
  const answers = {
    200: first,
    304: await ask("GET", { "if-none-match": etag }),
    204: await ask("PUT", { "if-match": etag }),
    412: await ask("PUT", { "if-match": '"old"' }),
    428: await ask("PUT"),
  };
  for (const [status, { status: got, headers }] of Object.entries(answers)) {
    assert.equal(got, Number(status));
    assert.equal(headers.get("access-control-allow-origin"), ORIGIN, status);
    assert.equal(headers.get("access-control-expose-headers"), "ETag", status);
    assert.match(headers.get("vary")!, /\bOrigin\b/, status);
  }
  assert.equal(site.registry.stats.hit, 1);
  const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "if-match" };
  const preflight = await ask("OPTIONS", asked);
  assert.match(preflight.headers.get("access-control-allow-methods")!, /PUT/);
  assert.match(preflight.headers.get("access-control-allow-headers")!, /If-Match/);

  const stranger = await ask("GET", { "if-none-match": etag }, "https://other.example");
  assert.deepEqual([stranger.status, stranger.headers.get("access-control-allow-origin")], [304, null]);
});
