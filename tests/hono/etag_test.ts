/**
 * Hono's middleware: what it does in each place that applications put it in. The rows are run with three obvious forms of
 * such a middleware too, and each form fails some.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { proxy } from "hono/proxy";
import { stream, streamSSE } from "hono/streaming";
import { dependsOn, guard, invalidates, withEtag } from "../../mod.ts";
import { etag, type HonoEtagOptions } from "../../src/hono/etag.ts";
import { WatchedRegistry } from "../support/http.ts";

type Form = (options: HonoEtagOptions) => MiddlewareHandler;

const PUBLIC = { "cache-control": "public, no-cache" };
const post = { _id: "post-1", _rev: "1-a", title: "Fresh" };
const session = { _id: "session-7", _rev: "1-s" };

/** An application with a middleware in it, and what its tests ask. */
class Site {
  readonly registry: WatchedRegistry = new WatchedRegistry({ manual: true });
  readonly app: Hono = new Hono();
  /** The middleware, with this site's registry. */
  readonly etag: (options?: HonoEtagOptions) => MiddlewareHandler;
  /** How often a handler ran. */
  runs = 0;

  constructor(form: Form) {
    this.etag = (options = {}) => form({ registry: this.registry, version: "1", ...options });
  }

  /** A handler that declares its post in Hono's way. */
  readonly read = (c: Context): Response => {
    this.runs++;
    return c.json(post, 200, { ...PUBLIC, ...dependsOn(post) });
  };

  /** Asks, and looks for what must never be sent. */
  async ask(path: string, headers: HeadersInit = {}, method = "GET"): Promise<Response> {
    const request = new Request(new URL(path, "http://localhost"), { method, headers });
    const response = await this.app.fetch(request);
    const sent = [...response.headers.keys()].filter((name) => name.startsWith("stillfresh"));
    assert.deepEqual(sent, [], "no declaration is sent");
    assert.equal(response.bodyUsed, false, "the body is there");
    assert.equal(this.registry.open.size, 0, "no lease is left open");
    return response;
  }

  /** Asks for a page, whose tag is then confirmed without its handler. Returns both answers. */
  async confirm(path: string, headers: Record<string, string> = {}): Promise<[Response, Response]> {
    const first = await this.ask(path, headers);
    const tag = first.headers.get("etag");
    assert.equal(first.status, 200);
    assert.match(tag ?? "none", /^"/);
    const [{ hit }, runs] = [{ ...this.registry.stats }, this.runs];
    const again = await this.ask(path, { ...headers, "if-none-match": tag! });
    assert.deepEqual([again.status, again.headers.get("etag"), await again.text()], [304, tag, ""]);
    assert.deepEqual([again.headers.get("content-type"), again.headers.get("content-length")], [null, null]);
    assert.deepEqual([this.registry.stats.hit - hit, this.runs - runs], [1, 0], "from the registry alone");
    return [first, again];
  }
}

const ORIGIN = "https://app.example";
const CORS = { origin: [ORIGIN, "https://b.example"], exposeHeaders: ["ETag"], credentials: true };

/** Each a place or a handler, and what is true there. */
const ROWS: Readonly<Record<string, (site: Site) => Promise<void>>> = {
  "alone: tag, 304, 412": async (site) => {
    site.app.use(site.etag()).get("/", site.read);
    const [first] = await site.confirm("/");
    assert.deepEqual([await first.json(), first.headers.get("content-type")], [post, "application/json"]);
    assert.equal((await site.ask("/", { "if-match": '"other"' })).status, 412);
  },

  "inside of cors: every answer has its fields once, and one entry serves all origins": async (site) => {
    site.app.use(cors(CORS), site.etag()).get("/", site.read);
    for (const answer of await site.confirm("/", { origin: ORIGIN })) {
      assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
      assert.equal(answer.headers.get("access-control-expose-headers"), "ETag");
      assert.equal(answer.headers.get("vary"), "Origin");
    }
    const [other] = await site.confirm("/", { origin: "https://b.example" });
    assert.equal(other.headers.get("access-control-allow-origin"), "https://b.example");
    const tag = other.headers.get("etag")!;
    for (const origin of ["https://b.example", "https://stranger.example"]) {
      const answer = await site.ask("/", { origin, "if-none-match": tag });
      const allowed = origin === "https://b.example" ? origin : null;
      assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [304, allowed]);
    }
    assert.deepEqual([site.registry.size, site.runs], [1, 2]);
    const preflight = await site.ask(
      "/",
      { origin: ORIGIN, "access-control-request-method": "PUT" },
      "OPTIONS",
    );
    assert.equal(preflight.status, 204);
  },

  "inside of cors: a 304 that the handler's answer gives way to has its fields": async (site) => {
    site.app.use(cors(CORS), site.etag()).get("/", (c) => c.text("page", 200, { etag: '"own"' }));
    const answer = await site.ask("/", { origin: ORIGIN, "if-none-match": '"own"' });
    assert.deepEqual([answer.status, await answer.text()], [304, ""]);
    assert.equal(answer.headers.get("content-type"), null);
    assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
  },

  "around cors: an entry for each origin": async (site) => {
    site.app.use(site.etag(), cors(CORS)).get("/", site.read);
    for (const origin of CORS.origin) {
      for (const answer of await site.confirm("/", { origin })) {
        assert.equal(answer.headers.get("access-control-allow-origin"), origin);
        assert.match(answer.headers.get("vary")!, /Origin/);
      }
    }
    assert.equal(site.runs, 2);
  },

  "around compress: each coding has a strong tag": async (site) => {
    site.app.use(site.etag(), compress());
    site.app.get("/", (c) => {
      site.runs++;
      return c.text("text ".repeat(1_000), 200, { ...PUBLIC, ...dependsOn(post) });
    });
    const [zipped, again] = await site.confirm("/", { "accept-encoding": "gzip" });
    const [plain] = await site.confirm("/", { "accept-encoding": "identity" });
    assert.equal(zipped.headers.get("content-encoding"), "gzip");
    assert.equal(again.headers.get("vary"), "Accept-Encoding");
    assert.notEqual(zipped.headers.get("etag"), plain.headers.get("etag"));
    const head = await site.ask("/", { "accept-encoding": "gzip" }, "HEAD");
    assert.equal(head.headers.get("etag"), zipped.headers.get("etag"));
  },

  "between cors and compress": async (site) => {
    site.app.use(cors(CORS), site.etag(), compress()).get("/", (c) => {
      site.runs++;
      return c.text("text ".repeat(1_000), 200, { ...PUBLIC, ...dependsOn(post) });
    });
    const [first, again] = await site.confirm("/", { origin: ORIGIN, "accept-encoding": "gzip" });
    assert.equal(first.headers.get("content-encoding"), "gzip");
    assert.equal(again.headers.get("access-control-allow-origin"), ORIGIN);
    assert.deepEqual(again.headers.get("vary")?.split(", ").toSorted(), ["Accept-Encoding", "Origin"]);
    const text = await new Response(first.body!.pipeThrough(new DecompressionStream("gzip"))).text();
    assert.equal(text.length, 5_000);
  },

  "fields that a layer outside sets are on every answer, and give way to the handler's": async (site) => {
    site.app.use(async (c, next) => {
      c.header("x-frame-options", "DENY");
      c.header("cache-control", "no-store");
      c.header("set-cookie", "a=1", { append: true });
      c.header("set-cookie", "b=2", { append: true });
      await next();
      c.header("x-after", "set");
    });
    site.app.use(site.etag()).get("/", (c) => {
      site.runs++;
      if (c.req.query("cookie") === undefined) c.header("set-cookie");
      return c.json(post, 200, { ...PUBLIC, ...dependsOn(post) });
    });
    const [, again] = await site.confirm("/");
    assert.equal(again.headers.get("x-frame-options"), "DENY");
    assert.equal(again.headers.get("cache-control"), "public, no-cache");
    assert.equal(again.headers.get("x-after"), "set");
    assert.deepEqual(again.headers.getSetCookie(), ["a=1", "b=2"]);
    const cookies = await site.ask("/?cookie=1", { "if-none-match": again.headers.get("etag")! });
    assert.deepEqual([cookies.status, cookies.headers.getSetCookie()], [200, ["a=1", "b=2"]]);
    const refused = await site.ask("/", { "if-match": '"other"' });
    assert.deepEqual([refused.status, refused.headers.get("x-frame-options")], [412, "DENY"]);
  },

  "a hit runs no middleware inside, and every middleware outside": async (site) => {
    const ran: string[] = [];
    const noting = (name: string): MiddlewareHandler => async (_c, next) => {
      ran.push(name);
      await next();
    };
    site.app.use(noting("outside"), site.etag(), noting("inside")).get("/", site.read);
    await site.confirm("/");
    assert.deepEqual(ran, ["outside", "inside", "outside"]);
  },

  "declared with c.header(), in a middleware inside and in the handler": async (site) => {
    site.app.use(site.etag({ caller: () => session._id }));
    site.app.use(async (c, next) => {
      for (const [name, value] of Object.entries(dependsOn(guard(session)))) c.header(name, value);
      await next();
    });
    site.app.get("/json", site.read);
    site.app.get("/header", (c) => {
      site.runs++;
      for (const [name, value] of Object.entries(dependsOn(post))) c.header(name, value);
      return c.text("page");
    });
    site.app.get("/response", () => {
      site.runs++;
      return Response.json(post, { headers: { ...PUBLIC, ...dependsOn(post) } });
    });
    for (const path of ["/json", "/header", "/response"]) {
      for (const group of [post._id, session._id]) {
        const [first] = await site.confirm(path);
        site.registry.invalidate(group);
        const etag = first.headers.get("etag")!;
        const runs = site.runs;
        assert.equal((await site.ask(path, { "if-none-match": etag })).headers.get("etag"), etag);
        assert.equal(site.runs, runs + 1, `${path} depends on ${group}`);
      }
    }
  },

  "declared with c.header() in a middleware outside, and by a layout after the handler": async (site) => {
    site.app.use(cors(CORS), async (c, next) => {
      for (const [name, value] of Object.entries(dependsOn(guard(session)))) c.header(name, value);
      await next();
    });
    site.app.use(site.etag(), async (c, next) => {
      await next();
      for (const [name, value] of Object.entries(dependsOn("menu"))) c.header(name, value, { append: true });
    });
    site.app.get("/", site.read);
    for (const group of [post._id, session._id, "menu"]) {
      const [first] = await site.confirm("/");
      site.registry.invalidate(group);
      const runs = site.runs;
      await site.ask("/", { "if-none-match": first.headers.get("etag")! });
      assert.equal(site.runs, runs + 1, `it depends on ${group}`);
    }
  },

  "immutable: a fetched response, a redirect, a network error": async (site) => {
    const upstream = "data:text/plain,upstream";
    site.app.use(site.etag());
    site.app.use("/declared", async (c, next) => {
      for (const [name, value] of Object.entries(dependsOn(post))) c.header(name, value);
      c.header("cache-control", "public, no-cache");
      await next();
    });
    const fetched = () => (site.runs++, fetch(upstream));
    site.app.get("/fetched", fetched).get("/declared", fetched);
    site.app.get("/proxied", () => proxy(upstream, { headers: dependsOn(post) }));
    site.app.get("/redirect", () => Response.redirect("http://localhost/elsewhere"));
    site.app.get("/error", () => Response.error());
    for (const path of ["/fetched", "/proxied"]) {
      const answer = await site.ask(path);
      assert.deepEqual([answer.status, await answer.text(), answer.headers.get("etag")], [
        200,
        "upstream",
        null,
      ]);
    }
    const [declared] = await site.confirm("/declared");
    assert.equal(await declared.text(), "upstream");
    const redirect = await site.ask("/redirect");
    assert.deepEqual([redirect.status, redirect.headers.get("location")], [
      302,
      "http://localhost/elsewhere",
    ]);
    assert.equal((await site.app.request("/error")).type, "error");
  },

  "immutable, inside of cors: a fetched response and a redirect": async (site) => {
    site.app.use(cors(CORS), site.etag());
    site.app.get("/fetched", async () => {
      site.runs++;
      const { body, headers } = await fetch("data:text/plain,upstream");
      return new Response(body, {
        headers: { ...Object.fromEntries(headers), ...PUBLIC, ...dependsOn(post) },
      });
    });
    site.app.get("/redirect", () => Response.redirect("http://localhost/elsewhere"));
    const [fetched, again] = await site.confirm("/fetched", { origin: ORIGIN });
    assert.equal(await fetched.text(), "upstream");
    assert.equal(again.headers.get("access-control-allow-origin"), ORIGIN);
    const redirect = await site.ask("/redirect", { origin: ORIGIN });
    assert.equal(redirect.headers.get("access-control-allow-origin"), ORIGIN);
  },

  "streams stay streams": async (site) => {
    const declared = (c: Context) => {
      site.runs++;
      for (const [name, value] of Object.entries({ ...PUBLIC, ...dependsOn(post) })) c.header(name, value);
    };
    let release = () => {};
    const held = new Promise<void>((resolve) => release = resolve);
    site.app.use(site.etag());
    site.app.get("/stream", (c) => {
      declared(c);
      return stream(c, async (writer) => {
        await writer.write("first ");
        await held;
        await writer.write("second");
      });
    });
    site.app.get("/events", (c) => streamSSE(c, (events) => events.writeSSE({ data: "one" })));
    const [first] = await site.confirm("/stream");
    const reader = first.body!.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, "first ", "before the rest is there");
    release();
    assert.equal((await reader.read()).value, "second");
    const events = await site.ask("/events");
    assert.deepEqual([events.headers.get("content-type"), events.headers.get("etag")], [
      "text/event-stream",
      null,
    ]);
    assert.match(await events.text(), /data: one/);
  },

  "not found, and errors: passed on without a tag, and without what was declared": async (site) => {
    site.app.use(site.etag());
    site.app.use(async (c, next) => {
      for (const [name, value] of Object.entries(dependsOn(post))) c.header(name, value);
      await next();
    });
    site.app.get("/missing", (c) => c.notFound());
    site.app.get("/refused", () => {
      throw new HTTPException(403, { message: "not yours" });
    });
    site.app.get("/broken", () => {
      throw new Error("broken");
    });
    site.app.onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.text(error.message, 500)
    );
    for (
      const [path, status] of Object.entries({
        "/missing": 404,
        "/nowhere": 404,
        "/refused": 403,
        "/broken": 500,
      })
    ) {
      const answer = await site.ask(path, { "if-none-match": "*" });
      assert.deepEqual([answer.status, answer.headers.get("etag")], [status, null], path);
    }
    assert.equal(site.registry.size, 0);
  },

  "an error that is no Error ends the lease": async (site) => {
    site.app.use(site.etag()).get("/", () => {
      throw "text";
    });
    await assert.rejects(async () => await site.app.request("/"), (error) => error === "text");
    assert.equal(site.registry.open.size, 0);
  },

  "a handler that returns nothing: Hono says so": async (site) => {
    site.app.use(site.etag()).use(async (c, next) => {
      for (const [name, value] of Object.entries(dependsOn(post))) c.header(name, value);
      await next();
    });
    site.app.get("/", (() => {}) as unknown as MiddlewareHandler);
    site.app.onError(({ message }, c) => c.text(message, 500));
    assert.match(await (await site.app.request("/")).text(), /not finalized/);
    assert.deepEqual([site.registry.size, site.registry.open.size], [0, 0]);
  },

  "in a sub-application, in a basePath, and for one route": async (site) => {
    const sub = new Hono().use(site.etag()).get("/posts/:id", site.read);
    sub.onError((_error, c) => c.text("of the sub-application", 500));
    site.app.route("/sub", sub);
    site.app.basePath("/base").use(site.etag()).get("/posts/:id", site.read);
    site.app.get("/route", site.etag(), site.read);
    site.app.get("/plain", (c) => c.text("plain"));
    for (const path of ["/sub/posts/1", "/base/posts/1", "/route"]) await site.confirm(path);
    assert.equal((await site.ask("/plain")).headers.get("etag"), null);
    assert.equal(site.registry.size, 3);
  },

  "around a mounted application": async (site) => {
    const mounted = withEtag(() => new Response("of its own", { headers: dependsOn("other") }), {
      manual: true,
    });
    site.app.use(site.etag());
    site.app.mount("/plain", (request) => {
      site.runs++;
      return Response.json(new URL(request.url).pathname, { headers: { ...PUBLIC, ...dependsOn(post) } });
    });
    site.app.mount("/wrapped", mounted);
    const [first] = await site.confirm("/plain/page");
    assert.equal(await first.json(), "/page");
    const own = (await site.ask("/wrapped/page")).headers.get("etag")!;
    assert.equal((await site.ask("/wrapped/page", { "if-none-match": own })).status, 304);
    assert.equal(mounted.registry.stats.hit, 1);
  },

  "c.header() and c.res afterwards": async (site) => {
    site.app.use(async (c, next) => {
      await next();
      c.header("x-after", "1");
      if (c.req.query("whole") !== undefined) c.res = new Response(c.res.body, c.res);
    });
    site.app.use(site.etag(), async (c, next) => {
      await next();
      c.res = new Response(`[${await c.res.text()}]`, c.res);
    });
    site.app.get("/", site.read);
    for (const path of ["/", "/?whole"]) {
      const [first, again] = await site.confirm(path);
      assert.deepEqual([first.headers.get("x-after"), again.headers.get("x-after")], ["1", "1"]);
      assert.equal(await first.text(), `[${JSON.stringify(post)}]`);
    }
  },

  "HEAD: the tag of the GET, and a 304": async (site) => {
    site.app.use(cors(CORS), site.etag());
    let method = "";
    site.app.use(async (c, next) => {
      await next();
      method = c.req.method;
    });
    site.app.get("/", site.read);
    const head = await site.ask("/", {}, "HEAD");
    assert.deepEqual([head.status, await head.text(), method], [200, "", "GET"]);
    const [first] = await site.confirm("/");
    assert.equal(head.headers.get("etag"), first.headers.get("etag"));
    const runs = site.runs;
    const again = await site.ask("/", { "if-none-match": first.headers.get("etag")! }, "HEAD");
    assert.deepEqual([again.status, site.runs], [304, runs]);
  },

  "Range: the part as it is, and the whole where a condition asks for it": async (site) => {
    site.app.use(site.etag()).get("/", (c) => {
      site.runs++;
      const declared = { ...PUBLIC, "accept-ranges": "bytes", ...dependsOn(post) };
      if (c.req.header("range") === undefined) return c.body("0123456789", 200, declared);
      return c.body("01", 206, { ...declared, "content-range": "bytes 0-1/10" });
    });
    const range = { range: "bytes=0-1" };
    const part = await site.ask("/", range);
    assert.deepEqual([part.status, await part.text(), part.headers.get("etag")], [206, "01", null]);
    const [first] = await site.confirm("/");
    const tag = first.headers.get("etag")!;
    for (const condition of ["if-match", "if-range"]) {
      const whole = await site.ask("/", { ...range, [condition]: tag });
      assert.deepEqual([whole.status, await whole.text(), whole.headers.get("etag")], [
        200,
        "0123456789",
        tag,
      ]);
    }
    assert.equal((await site.ask("/", { ...range, "if-none-match": tag })).status, 304);
    assert.equal((await site.ask("/", { ...range, "if-match": '"x"' })).status, 412);
  },

  "a write that succeeds voids what it names and its own URL; one that fails does not": async (site) => {
    site.app.use(cors(CORS), site.etag()).get("/:id", site.read);
    site.app.put("/refused", () => {
      throw new HTTPException(422);
    });
    site.app.put("/:id", (c) => c.body(null, 204, invalidates(post)));
    const [first] = await site.confirm("/1");
    assert.equal((await site.ask("/refused", {}, "PUT")).status, 422);
    await site.confirm("/1");
    const written = await site.ask("/2", { origin: ORIGIN }, "PUT");
    assert.deepEqual([written.status, written.headers.get("access-control-allow-origin")], [204, ORIGIN]);
    const runs = site.runs;
    await site.ask("/1", { "if-none-match": first.headers.get("etag")! });
    assert.equal(site.runs, runs + 1);
  },

  "current is asked with the context, before the handler": async (site) => {
    let writes = 0;
    site.app.use(cors(CORS), async (c, next) => {
      c.set("revision" as never, "1-a" as never);
      await next();
    });
    site.app.use(site.etag({
      requirePrecondition: true,
      current: (c) => ({ _id: `post-${c.req.query("id")}`, _rev: c.get("revision") }),
    }));
    site.app.get("/", site.read).put("/", (c) => {
      writes++;
      return c.json(c.req.method, 200, invalidates(post));
    });
    const [first] = await site.confirm("/?id=1");
    const put = (headers: Record<string, string>) =>
      site.ask("/?id=1", { origin: ORIGIN, ...headers }, "PUT");
    for (const [headers, status] of [[{}, 428], [{ "if-match": '"x"' }, 412]] as const) {
      const refused = await put(headers);
      assert.deepEqual([refused.status, writes], [status, 0]);
      assert.equal(refused.headers.get("access-control-allow-origin"), ORIGIN);
      assert.match(await refused.text(), /detail/);
    }
    const written = await put({ "if-match": first.headers.get("etag")! });
    assert.deepEqual([written.status, await written.json(), writes], [200, "PUT", 1]);
  },

  "caller and key are asked with the context": async (site) => {
    site.app.use(async (c, next) => {
      c.set("user" as never, c.req.header("cookie") as never);
      await next();
    });
    site.app.use(site.etag({ caller: (c) => c.get("user"), key: (c) => c.req.path }));
    site.app.get("/", site.read);
    const [first] = await site.confirm("/?any", { cookie: "ann" });
    const again = { "if-none-match": first.headers.get("etag")! };
    assert.equal((await site.ask("/?other", { cookie: "ann", ...again })).status, 304);
    assert.equal(site.runs, 1);
    await site.ask("/", { cookie: "bob", ...again });
    assert.equal(site.runs, 2);
  },

  "a request without a key is passed on, and its declaration is not sent": async (site) => {
    site.app.use(site.etag({ key: () => undefined })).get("/", site.read);
    const answer = await site.ask("/");
    assert.deepEqual([answer.status, answer.headers.get("etag"), await answer.json()], [200, null, post]);
    assert.equal(site.registry.size, 0);
  },

  "two of them: the inner one answers, and the outer one lets it": async (site) => {
    const outer = new WatchedRegistry({ manual: true });
    site.app.use(site.etag({ registry: outer }), site.etag()).get("/", site.read);
    await site.confirm("/");
    assert.deepEqual([outer.size, site.registry.size, outer.open.size], [0, 1, 0]);
  },

  "a QUERY is evaluated by the tag of its result": async (site) => {
    site.app.use(site.etag({ hashBody: true }));
    site.app.on("QUERY", "/", async (c) => c.text((await c.req.text()).toUpperCase()));
    const query = (headers: HeadersInit = {}) =>
      site.app.fetch(new Request("http://localhost/", { method: "QUERY", body: "all", headers }));
    const first = await query();
    assert.equal(await first.text(), "ALL");
    const again = await query({ "if-none-match": first.headers.get("etag")! });
    assert.deepEqual([again.status, await again.text(), again.headers.get("content-type")], [304, "", null]);
  },

  "hashBody takes the place of Hono's etag()": async (site) => {
    site.app.use(cors(CORS), site.etag({ hashBody: true })).get("/", (c) => c.text("page"));
    const first = await site.ask("/", { origin: ORIGIN });
    assert.equal(await first.text(), "page");
    const again = await site.ask("/", { origin: ORIGIN, "if-none-match": first.headers.get("etag")! });
    assert.equal(again.status, 304);
    for (const { headers } of [first, again]) {
      assert.equal(headers.get("access-control-allow-origin"), ORIGIN);
    }
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  test(`etag, in Hono: ${name}`, () => row(new Site(etag)));
}

/** A wrapper of what is inside, as the forms below have one. */
function wrapNext(options: HonoEtagOptions): (c: Context, next: () => Promise<void>) => Promise<Response> {
  const wrapped = withEtag((_request: Request, run: () => Promise<Response>) => run(), options as object);
  return async (c, next) => await wrapped(c.req.raw, () => next().then(() => c.res));
}

/** Forms of such a middleware that are written in a minute, with rows that each fails, and how. */
const OBVIOUS: Readonly<Record<string, readonly [form: Form, fails: Readonly<Record<string, RegExp>>]>> = {
  "returns the answer: Hono has one, and sends that without its body": [(options) => wrapNext(options), {
    "inside of cors: a 304 that the handler's answer gives way to has its fields": /the body is there/,
    "hashBody takes the place of Hono's etag()": /the body is there/,
    "declared with c.header(), in a middleware inside and in the handler": /no declaration is sent/,
  }],
  "sets c.res: Hono merges the declarations back": [
    (options) => {
      const answerTo = wrapNext(options);
      return async (c, next) => {
        c.res = await answerTo(c, next);
      };
    },
    {
      "inside of cors: every answer has its fields once, and one entry serves all origins":
        /no declaration is sent/,
      "declared with c.header(), in a middleware inside and in the handler": /no declaration is sent/,
      "a handler that returns nothing: Hono says so": /not finalized/,
    },
  ],
  "takes c.res away first: refusals lose what cors has set, and a Response of its own the guard": [
    (options) => {
      const answerTo = wrapNext(options);
      return async (c, next) => {
        const answer = await answerTo(c, next);
        c.res = undefined;
        c.res = answer;
      };
    },
    {
      "inside of cors: every answer has its fields once, and one entry serves all origins": /deep-equal/,
      "current is asked with the context, before the handler": /app\.example/,
      "declared with c.header(), in a middleware inside and in the handler": /depends on session-7/,
    },
  ],
};

for (const [name, [form, fails]] of Object.entries(OBVIOUS)) {
  for (const [row, how] of Object.entries(fails)) {
    test(`the rows find a middleware that ${name}: ${row}`, async () => {
      await assert.rejects(ROWS[row]!(new Site(form)), how);
    });
  }
}
