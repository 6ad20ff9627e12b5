/**
 * Edges that answer events with `site.ts`: Cloudflare's `workerd` as a process, Vercel's edge runtime and AWS Lambda in
 * this one.
 */
import { build, stop } from "esbuild";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { send } from "../support/http.ts";
import { startProgram } from "../support/server_program.ts";
import type { Places } from "./site.ts";

/** What a test sees of an answer. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** An instance of the site, with a memory of its own. */
export interface Edge {
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
  close(): Promise<void>;
}

const bundles = new Map<string, Promise<string>>();

/** A program as an edge gets it, made once. */
function bundled(contents: string, format: "esm" | "iife"): Promise<string> {
  const made = bundles.get(contents) ?? bundle(contents, format);
  bundles.set(contents, made);
  return made;
}

async function bundle(contents: string, format: "esm" | "iife"): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    bundle: true,
    format,
    target: "es2022",
    write: false,
  });
  await stop();
  return outputFiles[0]!.text;
}

/** The binary of `workerd`, a package for each platform; undefined: it is not installed. */
export const workerdProgram: string | undefined = findWorkerd();

function findWorkerd(): string | undefined {
  const arch = process.arch === "arm64" ? "arm64" : "64";
  const binary = process.platform === "win32"
    ? "@cloudflare/workerd-windows-64/bin/workerd.exe"
    : `@cloudflare/workerd-${process.platform}-${arch}/bin/workerd`;
  try {
    return createRequire(createRequire(import.meta.url).resolve("workerd")).resolve(binary);
  } catch {
    return undefined;
  }
}

const capnp = ({ COUCHDB, STORAGE }: Places, port: number, date: string): string =>
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), (name = "internet", network = (allow = ["local", "private"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.mjs")],
  bindings = [(name = "COUCHDB", text = "${COUCHDB}"), (name = "STORAGE", text = "${STORAGE}")],
  compatibilityDate = "${date}",
);`;

/** Cloudflare's runtime, as its API was at a date. */
export async function workerd(places: Places, date: string): Promise<Edge> {
  const code = await bundled(
    'import { onRequest } from "./site.ts"; export default { fetch: onRequest };',
    "esm",
  );
  const server = await startProgram(workerdProgram!, (folder, port) => {
    writeFileSync(join(folder, "worker.mjs"), code);
    return capnp(places, port, date);
  }, (_folder, file) => ["serve", file]);
  return {
    async ask(path, headers = {}, method = "GET") {
      const answer = await send(server.origin + path, { method, headers });
      return { ...answer, status: answer.status!, headers: answer.headers as Record<string, string> };
    },
    close: server.close,
  };
}

/** Vercel's edge runtime, in a context of its own. */
export async function edgeRuntime(places: Places): Promise<Edge> {
  const { EdgeRuntime } = await import("edge-runtime");
  const program = 'import { onRequest } from "./site.ts";' +
    'addEventListener("fetch", (event) => event.respondWith(onRequest(event.request, globalThis.places)));';
  const code = await bundled(program, "iife");
  const runtime = new EdgeRuntime({ initialCode: `globalThis.places = ${JSON.stringify(places)};\n${code}` });
  return {
    async ask(path, headers = {}, method = "GET") {
      const response = await runtime.dispatchFetch(`http://edge.example${path}`, { method, headers });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers as Iterable<[string, string]>),
        body: await response.text(),
      };
    },
    close: () => Promise.resolve(),
  };
}

/** A function behind AWS's API Gateway, by the events of its payload format 2.0, through Hono's adapter. */
export async function lambda(places: Places): Promise<Edge> {
  const { Hono } = await import("hono");
  const { handle } = await import("hono/aws-lambda");
  // Each instance is a module of its own, as each process of the function would be.
  const { onRequest } = await import(`./site.ts?${crypto.randomUUID()}`) as typeof import("./site.ts");
  const app = new Hono().all("*", (c) => onRequest(c.req.raw, places));
  const answer = handle(app);
  return {
    async ask(path, headers = {}, method = "GET") {
      const event = {
        version: "2.0",
        routeKey: "$default",
        rawPath: path,
        rawQueryString: "",
        headers: { host: "edge.example", ...headers },
        requestContext: {
          accountId: "1",
          apiId: "1",
          authentication: null,
          authorizer: {},
          domainName: "edge.example",
          domainPrefix: "edge",
          http: { method, path, protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test" },
          requestId: "1",
          routeKey: "$default",
          stage: "$default",
          time: "01/Jan/2026:00:00:00 +0000",
          timeEpoch: 1_767_225_600_000,
        },
        body: null,
        isBase64Encoded: false,
      };
      const result = await answer(event as unknown as Parameters<typeof answer>[0]) as unknown as {
        statusCode: number;
        headers: Record<string, string>;
        body: string;
        isBase64Encoded: boolean;
      };
      const body = result.isBase64Encoded ? atob(result.body) : result.body;
      return { status: result.statusCode, headers: result.headers, body };
    },
    close: () => Promise.resolve(),
  };
}
