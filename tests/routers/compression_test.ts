/**
 * What each compressor does to a tag, and what becomes of the tag then: the table of docs/placement.md, row by row.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { compress as compressInside } from "../../examples/notes/compress.ts";
import { dependsOn, withEtag, type WithEtagOptions } from "../../mod.ts";
import { apacheProgram, startApache } from "../support/apache.ts";
import { send, serve } from "../support/http.ts";
import { nginxProgram, startNginx } from "../support/nginx.ts";

type Fetch = (request: Request) => Response | Promise<Response>;

/** Where a site with its compressor is. */
interface Started {
  readonly origin: string;
  close(): Promise<void>;
}

interface Compressor {
  /** As the guide's table names it. */
  readonly name: string;
  /** Why it is not here; false: it is. */
  readonly skip: string | false;
  /** Starts a site over this handler, wrapped by `wrap`. */
  start(handler: Fetch, wrap: (handler: Fetch) => Fetch): Promise<Started>;
  /** Wants this coding; default gzip. */
  readonly coding?: string;
}

interface Proxied {
  (port: number): Promise<{ readonly origin: string; close(): Promise<void> }>;
}

/** A site behind a proxy that compresses. */
function behind(proxy: Proxied): Compressor["start"] {
  return async (handler, wrap) => {
    const server = await serve(wrap(handler));
    const { origin, close } = await proxy(Number(new URL(server.url).port));
    return { origin, close: () => close().then(() => server.close()) };
  };
}

async function served(handler: Fetch): Promise<Started> {
  const { url, close } = await serve(handler);
  return { origin: url, close };
}

/** Hono's middleware around a handler. */
function compressed(handler: Fetch): Fetch {
  const app = new Hono().use(compress()).all("*", (context) => handler(context.req.raw));
  return (request) => app.fetch(request);
}

const noNginx = nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false;
const noApache = apacheProgram === undefined ? "no Apache httpd; apt-get install apache2-bin" : false;
const noDeno = "Deno" in globalThis ? false : "only Deno has Deno.serve; run this file with deno test";

const COMPRESSORS: readonly Compressor[] = [
  {
    name: "inside: `examples/notes/compress.ts`",
    skip: false,
    start: (handler, wrap) => served(wrap(compressInside(async (request) => await handler(request)))),
  },
  {
    name: "inside: Hono's `compress`",
    skip: false,
    start: (handler, wrap) => served(wrap(compressed(handler))),
  },
  {
    name: "outside: Hono's `compress`",
    skip: false,
    start: (handler, wrap) => served(compressed(wrap(handler))),
  },
  {
    name: "outside: `Deno.serve`, `automaticCompression`",
    skip: noDeno,
    async start(handler, wrap) {
      const options = { port: 0, hostname: "127.0.0.1", automaticCompression: true, onListen: () => {} };
      const server = Deno.serve(options, wrap(handler));
      return await Promise.resolve({
        origin: `http://127.0.0.1:${server.addr.port}`,
        close: () => server.shutdown(),
      });
    },
  },
  {
    name: "proxy: nginx, `gzip`",
    skip: noNginx,
    start: behind((port) =>
      startNginx([port], "gzip on; gzip_types text/plain; gzip_proxied any; gzip_vary on;")
    ),
  },
  {
    name: "proxy: Apache, `mod_deflate`",
    skip: noApache,
    start: behind((port) => startApache(port, "AddOutputFilterByType DEFLATE text/plain")),
  },
  {
    name: "proxy: Apache, `mod_brotli`",
    skip: noApache,
    coding: "br",
    start: behind((port) => startApache(port, "AddOutputFilterByType BROTLI_COMPRESS text/plain")),
  },
];

const post = { _id: "post-1", _rev: "1-a" };

/** A page of one document, which can be replaced. */
function site(request: Request): Response {
  if (request.method === "PUT") return new Response(null, { status: 204 });
  const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "public, no-cache" };
  return new Response("text ".repeat(1_000), { headers: { ...headers, ...dependsOn(post) } });
}

/** How a tag is spelled: x is what the tag of a GET holds, y anything else. */
function spelling(tag: string | undefined, got: string): string {
  const opaque = (tag: string) => /"([^"]+?)(?:-gzip|-br)?"$/.exec(tag)![1]!;
  if (tag === undefined) return "none";
  return tag.replace(opaque(tag), opaque(tag) === opaque(got) ? "x" : "y");
}

/** Asks a site behind its compressor, and ends it. */
async function asking<Result>(
  { start, coding = "gzip" }: Compressor,
  options: WithEtagOptions,
  body: (
    ask: (method: string, headers?: Record<string, string>) => ReturnType<typeof send>,
  ) => Promise<Result>,
): Promise<Result> {
  const wrap = (handler: Fetch): Fetch =>
    withEtag(handler, { manual: true, current: () => post, requirePrecondition: true, ...options });
  const { origin, close } = await start(site, wrap);
  try {
    return await body((method, headers) =>
      send(`${origin}/page`, { method, headers: { "accept-encoding": coding, ...headers } })
    );
  } finally {
    await close();
  }
}

/** The cells of a row: the tags of GET and HEAD, what a GET and a write with the tag get, the write with the option. */
async function cellsOf(compressor: Compressor): Promise<readonly string[]> {
  const cells = await asking(compressor, {}, async (ask) => {
    const page = await ask("GET");
    assert.equal(page.headers["content-encoding"], compressor.coding ?? "gzip", "it compresses");
    const etag = page.headers["etag"]!;
    const head = await ask("HEAD");
    const again = await ask("GET", { "if-none-match": etag });
    assert.equal(again.headers["etag"], etag, "the 304 has the tag of the 200");
    for (const { headers } of [page, again]) assert.match(headers["vary"] ?? "none", /\bAccept-Encoding\b/i);
    const write = await ask("PUT", { "if-match": etag, "accept-encoding": "identity" });
    if (write.status === 412) {
      assert.match(JSON.parse(write.body).detail, /weak \(W\/\)[^]*Accept-Encoding: identity/);
      const { headers } = await ask("GET", { "accept-encoding": "identity" });
      const advised = await ask("PUT", { "if-match": headers["etag"]! });
      assert.equal(advised.status, 204, "what the refusal advises works");
    }
    return [spelling(etag, etag), spelling(head.headers["etag"], etag), again.status, write.status];
  });
  const passed = await asking(compressor, { acceptWeakTags: true }, async (ask) => {
    const etag = (await ask("GET")).headers["etag"]!;
    return (await ask("PUT", { "if-match": etag })).status;
  });
  return [...cells, passed].map((cell) => typeof cell === "number" ? `${cell}` : `\`${cell}\``);
}

const guide = readFileSync(new URL("../../docs/placement.md", import.meta.url), "utf8");

for (const compressor of COMPRESSORS) {
  test(
    `compression, ${compressor.name}: the row of the guide is true`,
    { skip: compressor.skip },
    async () => {
      const cells = [compressor.name, ...await cellsOf(compressor)].join(" | ");
      const rows = guide.replaceAll(/ +/g, " ").split("\n").filter((line) => line.startsWith("|"));
      assert.ok(rows.includes(`| ${cells} |`), `docs/placement.md has no row | ${cells} |`);
    },
  );
}
