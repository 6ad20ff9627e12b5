/** What the tests of the demo site share: the whole site over real sockets, and the program as a child process. */
import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { couchSource } from "../../examples/blog/couch_source.ts";
import { seed } from "../../examples/blog/seed.ts";
import { serve } from "../../examples/blog/serve.ts";
import { createSite, type Site } from "../../examples/blog/site.ts";
import { type Target, target as asked } from "./database_support.ts";

/** How long a change may take to get through; tests end as soon as it has. */
const deadline = 5_000;

/** A site that runs. */
export interface Blog {
  readonly site: Site;
  readonly origin: string;
  /** Asks the site. Paths start with a slash. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Asks the database itself, behind the site's back. */
  database(path: string, init?: RequestInit): Promise<Response>;
  /** Takes the database away. */
  closeDatabase(): Promise<void>;
  /** How often the handler has run. */
  runs(): Promise<number>;
}

/** Starts a database with 60 posts of 12 authors and the site over it, and ends both afterwards. */
export async function withBlog(
  body: (blog: Blog) => Promise<void>,
  target: Target = asked,
): Promise<void> {
  const database = await target.open();
  await seed(database.url, { posts: 60, authors: 12 });
  const site = createSite(couchSource(database.url));
  const server = await serve(site.fetch, { hostname: "127.0.0.1", port: 0 });
  const origin = `http://127.0.0.1:${server.port}`;
  const ask = (path: string, init?: RequestInit) => fetch(`${origin}${path}`, init);
  try {
    await site.follower.ready;
    await body({
      site,
      origin,
      ask,
      database: (path, init) => database.ask(path, init),
      closeDatabase: () => database.close(),
      runs: async () => ((await (await ask("/stats")).json()) as { runs: number }).runs,
    });
  } finally {
    site.endStory();
    await server.close();
    await site.close();
    await database.close();
  }
}

/** An array, JSON or a text, sent as JSON. */
export function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
}

/** Asks again and again with this tag, until the answer is no longer 304. */
export async function changed(blog: Blog, path: string, etag: string): Promise<Response> {
  for (const end = performance.now() + deadline;;) {
    const response = await blog.ask(path, { headers: { "if-none-match": etag } });
    if (response.status !== 304) return response;
    if (performance.now() > end) throw new Error(`${path} is still ${etag} after ${deadline} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** How a child process ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `examples/blog/main.ts` on the runtime of the test; `whenServing` gets its URL and what it printed, after which it is told to stop. */
export function runMain(
  environment: Record<string, string>,
  whenServing?: (origin: string, introduction: string) => Promise<void>,
): Promise<Ended> {
  const main = fileURLToPath(new URL("../../examples/blog/main.ts", import.meta.url));
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
  // What the tests themselves run against is not meant for the program.
  const { COUCHDB_URL: _, SNAPSHOT: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [...flags, main], { env: { ...inherited, ...environment } });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk) => stderr += chunk);
  return new Promise((resolve, reject) => {
    let served = false;
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      const origin = /is at (http:\S+)\//.exec(stdout)?.[1];
      if (served || origin === undefined || !stdout.includes("-X PUT")) return;
      served = true;
      (whenServing?.(origin, stdout) ?? Promise.resolve()).catch(reject).finally(() => terminate(child.pid!));
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Not `child.kill()`: after it, Deno reports a signal even of a child that handled it and exited by itself. */
function terminate(pid: number): void {
  process.kill(pid, "SIGTERM");
}

/** A server that answers in one way, for as long as `body` runs. */
export async function withServer(
  listener: RequestListener,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  try {
    await body((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  }
}
