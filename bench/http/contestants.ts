/**
 * Servers to compare, as fetch handlers, and two that bring a `node:http` listener. Each imports what it needs, so that
 * its process holds nothing of the others.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { bodyOf, CACHE_CONTROL, documentOf } from "./pages.ts";

/** A handler as Deno, Bun and the adapters for Node take it. */
export type Fetch = (request: Request) => Response | Promise<Response>;
/** What `node:http` takes. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Calls this whenever a page is made, and gives a handler. */
export type Contestant = (made: () => void) => Fetch | Promise<Fetch>;

const HTML = "text/html; charset=utf-8";
const fields = { etag: '"1-967a00dff5e02add41819138abb3284d.k3XvQ0PZ9qd1"', "cache-control": CACHE_CONTROL };
const isBun = process.versions["bun"] !== undefined;
/** The cheapest construction: a prebuilt `Headers` on Bun, a plain object elsewhere. */
const init: ResponseInit = { status: 304, headers: isBun ? new Headers(fields) : fields };

/** A page with a tag, or the 304 in its place. */
function judged(etag: string, body: string, fresh: boolean): Response {
  const headers = { etag, "cache-control": CACHE_CONTROL, "content-type": HTML };
  return fresh ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
}

/**
 * By hand, the least that a hit takes if it is to be right: the entry of the URL, a clock, the one tag compared, no other
 * precondition, and fields of its own. What is above it is what the library costs.
 */
function leastHit(): Fetch {
  const entries = new Map<string, { readonly etag: string; readonly headers: Headers }>();
  return ({ method, headers, url }) => {
    const field = headers.get("if-none-match");
    const entry = entries.get(url);
    if (entry === undefined) {
      const etag = `"${documentOf(url)._id.padEnd(46, ".")}"`;
      entries.set(url, { etag, headers: new Headers({ ...fields, etag }) });
      return new Response("", { headers: { ...fields, etag } });
    }
    const live = Date.now() > 0 && performance.now() > 0;
    const only = !headers.has("if-match") && !headers.has("if-unmodified-since");
    if (!live || method !== "GET" || field !== entry.etag || !only) {
      return new Response("", { headers: fields });
    }
    const own = isBun ? entry.headers : { etag: entry.etag, "cache-control": CACHE_CONTROL };
    return new Response(null, { status: 304, headers: own });
  };
}

/** As `@std/http` makes it: the length and the beginning of the SHA-256. */
async function hashed(body: string): Promise<string> {
  const bytes = new TextEncoder().encode(body);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${bytes.length.toString(16)}-${btoa(String.fromCharCode(...digest)).slice(0, 27)}"`;
}

/** By the name under which they are asked for. */
export const contestants: Readonly<Record<string, Contestant>> = {
  "constant": () => () => new Response(null, init),

  "reading": () => ({ method, headers, url }) =>
    method === "GET" && headers.get("if-none-match") !== null && url !== ""
      ? new Response(null, init)
      : new Response("", { headers: fields }),

  "least": () => leastHit(),

  "stillfresh": async (made) => {
    const [{ dependsOn, withEtag }, { followed }] = await Promise.all([
      import("../../mod.ts"),
      import("../followed.ts"),
    ]);
    return withEtag(({ url }: Request) => {
      made();
      const headers = { "cache-control": CACHE_CONTROL, "content-type": HTML, ...dependsOn(documentOf(url)) };
      return new Response(bodyOf(url), { headers });
    }, { registry: await followed() });
  },

  "hono": async (made) => {
    const [{ Hono }, { etag }] = await Promise.all([import("hono"), import("hono/etag")]);
    const app = new Hono();
    app.use(etag());
    app.get("/posts/:n", (context) => {
      made();
      context.header("cache-control", CACHE_CONTROL);
      return context.html(bodyOf(context.req.path));
    });
    return (request) => app.fetch(request);
  },

  "etag-fresh": async (made) => {
    const [{ etag }, { default: fresh }] = await Promise.all([import("etag"), import("fresh")]);
    return ({ url, headers }) => {
      made();
      const body = bodyOf(url);
      const tag = etag(body);
      return judged(tag, body, fresh({ "if-none-match": headers.get("if-none-match") ?? "" }, { etag: tag }));
    };
  },

  "std": (made) => async ({ url, headers }) => {
    made();
    const body = bodyOf(url);
    const tag = await hashed(body);
    return judged(tag, body, headers.get("if-none-match") === tag);
  },

  "h3": async (made) => {
    const { toWebHandler } = await import("h3");
    return toWebHandler(await h3App(made));
  },

  "ocache": async (made) => {
    const { defineCachedHandler } = await import("ocache");
    const handler = defineCachedHandler(({ req: { url } }) => {
      made();
      return new Response(bodyOf(url), { headers: { "cache-control": CACHE_CONTROL, "content-type": HTML } });
    }, { maxAge: 3600, name: "page", cacheStatusHeader: false });
    return (req) => handler({ req }) as Promise<Response>;
  },
};

/** Its tag is not a hashBody: whoever uses `handleCacheHeaders` brings one, here the revision, so no page is made. */
async function h3App(made: () => void) {
  const { createApp, createRouter, eventHandler, handleCacheHeaders, setHeader } = await import("h3");
  return createApp().use(
    createRouter().get(
      "/posts/:n",
      eventHandler((event) => {
        const { _id, _rev } = documentOf(event.path);
        const cacheControls = [CACHE_CONTROL.replace("public, ", "")];
        if (handleCacheHeaders(event, { etag: `"${_id}-${_rev}"`, cacheControls })) return null;
        made();
        setHeader(event, "content-type", HTML);
        return bodyOf(event.path);
      }),
    ),
  );
}

/** Those that on Node are at home on `node:http` itself. */
export const listeners: Readonly<Record<string, (made: () => void) => Promise<Listener>>> = {
  "h3": async (made) => {
    const { toNodeListener } = await import("h3");
    return toNodeListener(await h3App(made));
  },
  "express": async (made) => {
    const { default: express } = await import("express");
    const app = express();
    app.disable("x-powered-by");
    app.get("/posts/:n", (request: { path: string }, response: ExpressResponse) => {
      made();
      response.set("cache-control", CACHE_CONTROL).type("html").send(bodyOf(request.path));
    });
    return app;
  },
};

interface ExpressResponse {
  set(name: string, value: string): this;
  type(name: string): this;
  send(body: string): this;
}
