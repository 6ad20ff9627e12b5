/** A Fetch handler on Node's own server: the little that a site of short texts needs. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Address, Handler, Server } from "./serve.ts";

/** Starts listening; rejects where the address is taken. */
export async function serveNode(handler: Handler, address: Address): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch((error) => {
      console.error(error);
      outgoing.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.hostname, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const request = requestOf(incoming);
  if (request === undefined) return void outgoing.writeHead(400).end();
  const response = await handler(request, { incoming });
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body !== null && response.headers.get("content-type") === "text/event-stream") {
    return await stream(response.body, outgoing);
  }
  outgoing.end(incoming.method === "HEAD" ? undefined : new Uint8Array(await response.arrayBuffer()));
}

/** Sends a body as it comes, until the client is gone. */
async function stream(body: ReadableStream, outgoing: ServerResponse): Promise<void> {
  outgoing.flushHeaders();
  await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), outgoing).catch(() => {});
}

/** The request; undefined where its address cannot be read. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { method = "GET", headers, url = "/" } = incoming;
  // Put together as text: as a base, the host would give way to one that a client writes in front of its path.
  const address = `http://${headers.host ?? "localhost"}${url}`;
  if (!url.startsWith("/")) return undefined;
  const init: RequestInit & { duplex?: "half" } = { method, headers: headers as Record<string, string> };
  if (method !== "GET" && method !== "HEAD") {
    init.body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>;
    init.duplex = "half";
  }
  try {
    return new Request(address, init);
  } catch {
    return undefined;
  }
}
