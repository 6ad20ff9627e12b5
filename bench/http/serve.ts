/**
 * One server in a process of its own: `serve.ts SERVER CONTESTANT` prints its port, and, for each line on standard
 * input, how many pages its handler has made.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { type Contestant, contestants, type Fetch, type Listener, listeners } from "./contestants.ts";
import { pageContestants } from "./database_page.ts";

declare const Bun: { serve(options: object): { port: number } };
const hostname = "127.0.0.1";

let pages = 0;
const made = (): number => ++pages;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, hostname, () => resolve((server.address() as AddressInfo).port))
  );
}

/** Each gives the port. */
const servers: Readonly<Record<string, (fetch: Fetch) => number | Promise<number>>> = {
  "Deno.serve": (fetch) => Deno.serve({ port: 0, hostname, onListen: () => {} }, fetch).addr.port,
  "Bun.serve": (fetch) => Bun.serve({ port: 0, hostname, fetch }).port,
  "@hono/node-server": async (fetch) => {
    const { createAdaptorServer } = await import("@hono/node-server");
    return await listen(createAdaptorServer({ fetch }) as Server);
  },
  "srvx": async (fetch) => {
    const { serve } = await import("srvx");
    const server = await serve({ port: 0, hostname, fetch, silent: true }).ready();
    return Number(new URL(server.url!).port);
  },
};

async function start(server: string, contestant: string): Promise<number> {
  const listener: ((made: () => void) => Promise<Listener>) | undefined = listeners[contestant];
  if (listener !== undefined && server === "@hono/node-server") {
    return await listen(createServer(await listener(made)));
  }
  const prepare: Contestant = { ...contestants, ...pageContestants }[contestant]!;
  return await servers[server]!(await prepare(made));
}

const [server = "", contestant = ""] = process.argv.slice(2);
console.log(await start(server, contestant));
process.stdin.on("data", () => console.log(pages));
// Whoever started this is gone.
process.stdin.on("end", () => process.exit());
