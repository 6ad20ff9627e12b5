/** The same story under each router: withEtag around the whole, and around one handler. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp, createRouter, eventHandler, toWebHandler, toWebRequest } from "h3";
import { Hono } from "hono";
import { AutoRouter, type IRequest, Router } from "itty-router";
import { dependsOn, invalidates, withEtag } from "../../mod.ts";
import { WatchedRegistry } from "../support/http.ts";

type Fetch = (request: Request) => Response | Promise<Response>;
type Wrap = (handler: Fetch) => Fetch;

/** The site: a post that can be read, replaced and renamed, and an answer that declares nothing. */
interface Site {
  read(request: Pick<Request, "url">): Response | Promise<Response>;
  write(): Response;
  plain(): Response;
}

/** How a router serves the site, with its post's handlers wrapped by `wrap`. */
const ROUTERS: Readonly<Record<string, (site: Site, wrap: Wrap) => Fetch>> = {
  "a switch": (site, wrap) => {
    const read = wrap(site.read);
    const write = wrap(site.write);
    return (request) => {
      switch (new URL(request.url).pathname) {
        case "/posts/1":
          return request.method === "PUT" ? write(request) : read(request);
        case "/plain":
          return site.plain();
        default:
          return new Response("nothing here", { status: 404 });
      }
    };
  },
  "itty-router, Router": (site, wrap) => {
    const router = Router()
      .get("/posts/:id", wrap(site.read))
      .head("/posts/:id", wrap(site.read))
      .put("/posts/:id", wrap(site.write))
      .get("/plain", site.plain)
      .all("*", () => new Response("nothing here", { status: 404 }));
    return (request) => router.fetch(request);
  },
  "itty-router, AutoRouter": (site, wrap) => {
    const router = AutoRouter()
      .get("/posts/:id", wrap(site.read))
      .head("/posts/:id", wrap(site.read))
      .put("/posts/:id", wrap(site.write))
      .get("/plain", site.plain);
    return (request) => router.fetch(request);
  },
  "Hono": (site, wrap) => {
    const [read, write] = [wrap(site.read), wrap(site.write)];
    const app = new Hono();
    app.use(async (context, next) => {
      await next();
      context.header("x-middleware", "was here");
    });
    app.get("/posts/:id", (context) => read(context.req.raw));
    app.put("/posts/:id", (context) => write(context.req.raw));
    app.get("/plain", () => site.plain());
    return (request) => app.fetch(request);
  },
  "h3": (site, wrap) => {
    const [read, write] = [wrap(site.read), wrap(site.write)];
    const router = createRouter()
      .get("/posts/:id", eventHandler((event) => read(toWebRequest(event))))
      .head("/posts/:id", eventHandler((event) => read(toWebRequest(event))))
      .put("/posts/:id", eventHandler((event) => write(toWebRequest(event))))
      .get("/plain", eventHandler(() => site.plain()));
    const app = createApp().use(router);
    return toWebHandler(app);
  },
};

const BASE = "http://localhost";

function ask(fetch: Fetch, path: string, headers: HeadersInit = {}, method = "GET"): Promise<Response> {
  return Promise.resolve(fetch(new Request(BASE + path, { method, headers })));
}

for (const [name, mount] of Object.entries(ROUTERS)) {
  for (const place of ["outermost", "around the handler"]) {
    test(`${name}, withEtag ${place}: tag, 304, write, new tag`, async () => {
      let revision = 1;
      let reads = 0;
      const site: Site = {
        read: () => {
          reads++;
          const headers = {
            "cache-control": "public, no-cache",
            "content-type": "text/plain",
            ...dependsOn({ _id: "post-1", _rev: `${revision}-a` }),
          };
          return new Response(`revision ${revision}`, { headers });
        },
        write: () => {
          revision++;
          return new Response("saved", { status: 200, headers: invalidates("post-1") });
        },
        plain: () => new Response("plain"),
      };
      const registry = new WatchedRegistry({ manual: true });
      const wrap: Wrap = (handler) => withEtag(handler, { registry, version: "1" }) as Fetch;
      const fetch = place === "outermost" ? wrap(mount(site, (handler) => handler)) : mount(site, wrap);

      const first = await ask(fetch, "/posts/1");
      const etag = first.headers.get("etag")!;
      assert.deepEqual([first.status, await first.text(), registry.size], [200, "revision 1", 1]);
      assert.match(etag, /^"1-a\./);
      assert.deepEqual([first.headers.get("cache-groups"), first.headers.get("cache-control")], [
        null,
        "public, no-cache",
      ]);

      for (const method of ["GET", "HEAD"]) {
        const hit = await ask(fetch, "/posts/1", { "if-none-match": etag }, method);
        assert.deepEqual([hit.status, hit.headers.get("etag"), await hit.text()], [304, etag, ""]);
        assert.equal(hit.headers.get("cache-control"), "public, no-cache");
        assert.equal(hit.headers.get("content-type"), null);
      }
      assert.deepEqual([reads, registry.stats.hit], [1, 2]);
      assert.equal((await ask(fetch, "/posts/1", { "if-match": '"other"' })).status, 412);

      const written = await ask(fetch, "/posts/1", {}, "PUT");
      assert.deepEqual([written.status, written.headers.get("cache-group-invalidation")], [200, null]);
      const second = await ask(fetch, "/posts/1", { "if-none-match": etag });
      assert.deepEqual([second.status, await second.text(), reads], [200, "revision 2", 2]);
      assert.match(second.headers.get("etag")!, /^"2-a\./);

      const plain = await ask(fetch, "/plain", { "if-none-match": etag });
      assert.deepEqual([plain.status, await plain.text(), plain.headers.get("etag")], [200, "plain", null]);
      assert.equal((await ask(fetch, "/nowhere", { "if-none-match": etag })).status, 404);
      assert.deepEqual([registry.size, registry.open.size], [1, 0]);
    });
  }

  test(`${name}: the declaration reaches a wrapper outside`, async () => {
    const declaration = dependsOn({ _id: "post-1", _rev: "1-a" }, "posts");
    const site: Site = {
      read: () => new Response("page", { headers: declaration }),
      write: () => new Response(null),
      plain: () => new Response("plain"),
    };
    const response = await ask(mount(site, (handler) => handler), "/posts/1");
    for (const [field, value] of Object.entries(declaration)) {
      assert.equal(response.headers.get(field), value);
    }
  });
}

test("itty-router, AutoRouter: the proxy it hands to handlers is a request like any other", async () => {
  const registry = new WatchedRegistry({ manual: true });
  let seen: string | undefined;
  const router = AutoRouter().get(
    "/posts/:id",
    withEtag((request: IRequest & Request) => {
      seen = request.params["id"];
      return new Response(null, { headers: { vary: "accept", ...dependsOn({ _id: "p", _rev: "1-a" }) } });
    }, { registry, caller: (request) => request.params["id"] }),
  );
  const etag = (await ask((request) => router.fetch(request), "/posts/7?q=1")).headers.get("etag")!;
  const hit = await ask((request) => router.fetch(request), "/posts/7?q=1", { "if-none-match": etag });
  assert.deepEqual([hit.status, seen, registry.stats.hit], [304, "7", 1]);
});

test("itty-router, AutoRouter: what a handler returns as data still becomes JSON", async () => {
  const router = AutoRouter().get("/data", withEtag(() => ({ status: "fine", headers: 2 })));
  const response = await ask((request) => router.fetch(request), "/data");
  assert.deepEqual(await response.json(), { status: "fine", headers: 2 });
});
