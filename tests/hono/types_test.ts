/** What the options see of Hono's context: the compiler reads this file, and each line that must not compile says so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { etag } from "../../src/hono/etag.ts";

interface Env {
  Variables: { user: string };
}

test("etag: Hono's context is what the options are asked with", async () => {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set("user", "ann");
    await next();
  });
  const asked: string[] = [];
  const note = (text: string | undefined) => (asked.push(String(text)), text);
  app.use(etag({ caller: (c) => note(c.req.header("x-who")) }));
  app.use("/*", etag({ caller: (c) => note(c.get("user")), key: (c) => note(c.req.path) }));
  app.use(etag<Context<Env>>({ caller: ({ var: { user } }) => note(user.toUpperCase()) }));
  app.use(etag({ caller: (c: Context<Env>) => note(c.var.user), current: async () => await null }));
  const plain: MiddlewareHandler = etag();
  app.use(plain);
  app.get("/:id", etag({ key: (c) => note(c.req.param("id")) }), (c) => c.text(c.req.param("id")));
  // @ts-expect-error: Hono's request has no such method
  app.use("/never", etag({ caller: (c) => c.req.headerz("x-who") }));
  // @ts-expect-error: what is asked of the Env is known where its type is given
  app.use("/never", etag<Context<Env>>({ caller: (c) => c.var.account }));
  // @ts-expect-error: a name is no number
  app.use("/never", etag({ key: () => 7 }));

  const answer = await app.request("/seven", { headers: { "x-who": "Ann" } });
  assert.equal(await answer.text(), "seven");
  assert.deepEqual(asked.toSorted(), ["/seven", "ANN", "Ann", "ann", "ann", "seven"]);
});
