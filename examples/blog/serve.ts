/** Serves a Fetch handler with whatever server the runtime brings. */

/** A server that listens. */
export interface Server {
  readonly port: number;
  close(): Promise<void>;
}

/** Where to listen. Port 0 takes a free one. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Takes a request, and what the server knows of its connection. */
export type Handler = (request: Request, connection: unknown) => Response | Promise<Response>;

/** The part of `Bun` that is used here; `Deno` brings types of its own. */
interface BunServers {
  serve(
    options: Address & { readonly fetch: Handler },
  ): { readonly port: number; stop(closeActive: boolean): Promise<void> };
}

/** Starts listening; rejects where the address is taken. */
export async function serve(handler: Handler, address: Address): Promise<Server> {
  if ("Deno" in globalThis) {
    const server = Deno.serve({ ...address, onListen: () => {} }, handler);
    return { port: server.addr.port, close: () => server.shutdown() };
  }
  if ("Bun" in globalThis) {
    const server = (globalThis as unknown as { Bun: BunServers }).Bun.serve({
      ...address,
      fetch: handler,
    });
    return { port: server.port, close: () => server.stop(true) };
  }
  const { serveNode } = await import("./serve_node.ts");
  return serveNode(handler, address);
}
