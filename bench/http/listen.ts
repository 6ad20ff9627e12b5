/**
 * The servers that fetch handlers are put behind.
 *
 * @module
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fetch } from "./contestants.ts";

declare const Bun: { serve(options: object): { port: number } };
const hostname = "127.0.0.1";

/** Listens on a free port, and gives it. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, hostname, () => resolve((server.address() as AddressInfo).port))
  );
}

/** By name; each gives the port. */
export const servers: Readonly<Record<string, (fetch: Fetch) => number | Promise<number>>> = {
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
