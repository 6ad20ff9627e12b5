/**
 * Hono's `etag()` taken out, and `withEtag(app.fetch, { hashBody: true })` put around the same application: no 304 is lost,
 * and none is gained.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { withEtag } from "../../mod.ts";

/** Routes of an application, with or without Hono's own middleware. */
function application(withHono: boolean): Hono {
  const app = new Hono();
  if (withHono) app.use(etag());
  const text = "the same text each time";
  app.get("/page", (c) => c.text(text));
  app.get("/json", (c) => c.json({ text }));
  app.get("/mine", (c) => c.text(`hello ${c.req.header("cookie") ?? "guest"}`));
  app.get("/private", (c) => c.text(text, 200, { "cache-control": "private" }));
  app.get("/no-store", (c) => c.text(text, 200, { "cache-control": "no-store" }));
  app.get("/login", (c) => c.text(text, 200, { "set-cookie": "session=1" }));
  app.get("/csp", (c) => c.html(text, 200, { "content-security-policy": "script-src 'nonce-abc'" }));
  app.get("/varied", (c) => c.text(text, 200, { vary: "Accept-Language, Cookie" }));
  app.get("/any", (c) => c.text(text, 200, { vary: "*" }));
  app.get("/own", (c) => c.text(text, 200, { etag: '"own"' }));
  app.get("/own-weak", (c) => c.text(text, 200, { etag: 'W/"own"' }));
  app.get("/stream", () => {
    const bytes = new TextEncoder().encode(text);
    const chunks = [bytes.slice(0, 5), bytes.slice(5)];
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      const chunk = chunks.shift();
      return chunk === undefined ? controller.close() : controller.enqueue(chunk);
    };
    return new Response(new ReadableStream({ pull }));
  });
  app.get("/binary", (c) => c.body(new Uint8Array([1, 2, 3]).buffer));
  app.get("/empty", (c) => c.body(null, 204));
  app.get("/missing", (c) => c.text("no such page", 404));
  app.get("/broken", (c) => c.text("broken", 500));
  app.get("/elsewhere", (c) => c.redirect("/page"));
  app.post("/page", (c) => c.text(text));
  app.put("/page", (c) => c.text(text));
  app.on("QUERY", "/search", async (c) => c.text((await c.req.text()).toUpperCase()));
  return app;
}

interface Row {
  readonly method?: string;
  readonly path: string;
  readonly cookie?: string;
  readonly body?: string;
  /** What the request says of the tag `T` that its own first answer had. */
  readonly condition?: string;
}

const ROWS: readonly Row[] = [
  { path: "/page" },
  { path: "/page", condition: "W/T" },
  { path: "/page", condition: '"x", T' },
  { path: "/page", condition: "*" },
  { path: "/page", condition: '"x"' },
  { path: "/page", method: "HEAD" },
  { path: "/page", cookie: "session=ann" },
  { path: "/json", cookie: "session=ann" },
  { path: "/mine", cookie: "session=ann" },
  { path: "/mine", cookie: "session=ann", method: "HEAD" },
  { path: "/private" },
  { path: "/private", cookie: "session=ann", method: "HEAD" },
  { path: "/no-store" },
  { path: "/login" },
  { path: "/csp" },
  { path: "/varied", cookie: "session=ann" },
  { path: "/any" },
  { path: "/own" },
  { path: "/own", method: "HEAD" },
  { path: "/own-weak" },
  { path: "/stream" },
  { path: "/stream", method: "HEAD" },
  { path: "/binary" },
  { path: "/empty", condition: "*" },
  { path: "/missing" },
  { path: "/broken" },
  { path: "/elsewhere" },
  { path: "/page", method: "POST", condition: '"x"' },
  { path: "/page", method: "PUT", condition: '"x"' },
  { path: "/search", method: "QUERY", body: "all" },
];

type Site = (request: Request) => Response | Promise<Response>;

async function answerTo(site: Site, { method = "GET", path, cookie, body, condition = "T" }: Row) {
  const ask = (headers: Record<string, string>) => {
    const cookies = cookie === undefined ? {} : { cookie };
    const content = body === undefined ? {} : { body };
    return site(
      new Request(`http://localhost${path}`, { method, headers: { ...cookies, ...headers }, ...content }),
    );
  };
  const first = await ask({});
  const tag = first.headers.get("etag") ?? '"none"';
  const field = condition.replace(
    /(^|[^"\w])(W\/)?T/,
    (_, before, weak = "") => before + weak + (weak === "" ? tag : tag.replace(/^W\//, "")),
  );
  return { first, second: await ask({ "if-none-match": field }), tag };
}

for (const row of ROWS) {
  const { method = "GET", path, cookie, condition = "T" } = row;
  test(`in the place of Hono's etag(): ${method} ${path}, ${condition}${cookie === undefined ? "" : ", a cookie"}`, async () => {
    const hono = await answerTo(application(true).fetch as Site, row);
    const ours = await answerTo(
      withEtag(application(false).fetch as Site, { hashBody: true, manual: true }),
      row,
    );
    assert.equal(ours.first.status, hono.first.status);
    assert.equal(ours.first.headers.has("etag"), hono.first.headers.has("etag"), "a tag for what had one");
    assert.equal(ours.second.status, hono.second.status);
    const bare = (tag: string | null) => tag?.replace("W/", "");
    const given = ours.second.status === 304 ? ours.tag : ours.first.headers.get("etag");
    assert.equal(bare(ours.second.headers.get("etag")), bare(given));
    if (method !== "HEAD") assert.equal(await ours.first.text(), await hono.first.text());
    if (ours.second.status === 200 && method !== "HEAD") {
      assert.equal(await ours.second.text(), await hono.second.text());
    }
  });
}

test("in the place of Hono's etag(): a digest never confirms the page of another user, or after a logout", async () => {
  const site = withEtag(application(false).fetch as Site, { hashBody: true, manual: true });
  const ask = (headers: Record<string, string>) => site(new Request("http://localhost/mine", { headers }));
  const tag = (await ask({ cookie: "session=ann" })).headers.get("etag")!;
  for (const others of [{}, { cookie: "session=bob" }]) {
    const answer = await ask({ ...others, "if-none-match": tag });
    assert.equal(answer.status, 200);
  }
});

test("in the place of Hono's etag(): an event stream is passed on, where Hono waits for its end", async () => {
  const app = new Hono();
  app.get(
    "/events",
    (c) => c.body(new ReadableStream({ start: () => {} }), 200, { "content-type": "text/event-stream" }),
  );
  const answer = await withEtag(app.fetch as Site, { hashBody: true, manual: true })(
    new Request("http://localhost/events"),
  );
  assert.deepEqual([answer.status, answer.headers.get("etag")], [200, null]);
  await answer.body!.cancel();
});
