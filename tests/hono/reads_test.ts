/** `./hono` with tracked reads, and with a caller that is looked up. */
import assert from "node:assert/strict";
import { type Context, Hono } from "hono";
import { test } from "node:test";
import { etag } from "../../src/hono/etag.ts";
import { reads, tracked } from "../../src/reads/reads.ts";

const blog = tracked({
  get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a", title: `Title of ${id}` }),
});

test("etag: what a handler of Hono reads through a tracked handle is declared", async () => {
  const app = new Hono();
  const middleware = etag({ reads, manual: true });
  app.use(middleware);
  app.use(async (c, next) => {
    c.header("x-menu", (await blog.get("menu")).title);
    await next();
  });
  app.get("/posts/:id", async (c) => c.json(await blog.get(c.req.param("id"))));
  const first = await app.request("/posts/post-1");
  const headers = { "if-none-match": first.headers.get("etag")! };
  assert.deepEqual(await first.json(), { _id: "post-1", _rev: "1-a", title: "Title of post-1" });
  assert.equal((await app.request("/posts/post-1", { headers })).status, 304);
  middleware.registry.invalidate("menu");
  assert.equal(middleware.registry.hasTag(headers["if-none-match"]), false);
});

test("etag: a caller that is looked up with Hono's context", async () => {
  const app = new Hono<{ Bindings: { site: string } }>();
  app.use(etag({
    manual: true,
    reads,
    caller: async (c: Context) => {
      await null;
      return c.req.header("cookie");
    },
  }));
  app.get("/", async (c) => c.text((await blog.get("post-1")).title, 200, { "cache-control": "private" }));
  const ask = (cookie: string, tag = '"none"') =>
    app.request("/", { headers: { cookie, "if-none-match": tag } });
  const tag = (await ask("ada")).headers.get("etag")!;
  assert.equal((await ask("ada", tag)).status, 304);
  assert.equal((await ask("bram", tag)).status, 200);
});
