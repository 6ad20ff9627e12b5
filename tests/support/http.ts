/**
 * What the tests of the HTTP half share: a wrapped handler that counts its runs, a registry whose leases can be seen,
 * and real servers and clients on loopback.
 *
 * @module
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { EtagRegistry, type EtagRegistryOptions, withEtag, type WithEtagOptions } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import type { Lease } from "../../src/registry/lease.ts";

/** A registry that knows which leases were neither registered nor given back. */
export class WatchedRegistry extends EtagRegistry {
  readonly open: Set<Lease> = new Set();

  constructor(options: EtagRegistryOptions = {}) {
    super(options);
    const core = coreOf(this);
    const take = core.lease.bind(core);
    core.lease = (key, caller) => {
      const lease = take(key, caller);
      const release = lease.release.bind(lease);
      lease.release = () => {
        this.open.delete(lease);
        release();
      };
      this.open.add(lease);
      return lease;
    };
  }
}

/** What a test does with a wrapped handler. */
export interface Wrapped {
  readonly registry: WatchedRegistry;
  /** How often the handler ran. */
  readonly runs: number;
  /** The answer, whether it comes at once or later. */
  ask(request: Request): Promise<Response>;
  /** The answer as it comes. */
  raw(request: Request): unknown;
}

/** A handler under withEtag. */
export function wrap(handler: (request: Request) => unknown, options: WithEtagOptions = {}): Wrapped {
  const registry = new WatchedRegistry({ manual: true });
  let runs = 0;
  const wrapped = withEtag((request: Request): unknown => {
    runs++;
    return handler(request);
  }, { registry, ...options });
  return {
    registry,
    get runs() {
      return runs;
    },
    ask: async (request) => await wrapped(request) as Response,
    raw: wrapped,
  };
}

/** Where the resource of most tests is. */
export const PAGE = "http://localhost/page";

/** A request of any method, also of those that `Request` refuses. */
export function request(
  headers: HeadersInit = {},
  { url = PAGE, method = "GET" }: { readonly url?: string; readonly method?: string } = {},
): Request {
  return Object.defineProperty(new Request(url, { headers }), "method", { value: method });
}

/** Serves a fetch handler on loopback with the server of this runtime. */
export async function serve(
  handler: (request: Request) => Response | Promise<Response>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { Deno, Bun } = globalThis as unknown as { Deno?: DenoServer; Bun?: BunServer };
  if (Deno !== undefined) {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
    return { url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
  }
  if (Bun !== undefined) {
    const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler });
    return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
  }
  const server = http.createServer((incoming, outgoing) => void answer(handler, incoming, outgoing));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () =>
    new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

interface DenoServer {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    handler: (request: Request) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
}

interface BunServer {
  serve(
    options: {
      port: number;
      hostname: string;
      fetch: (request: Request) => Response | Promise<Response>;
    },
  ): { readonly port: number; stop(force: boolean): Promise<void> };
}

async function answer(
  handler: (request: Request) => Response | Promise<Response>,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): Promise<void> {
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
  }
  const { method = "GET", url = "/" } = incoming;
  const response = await handler(new Request(`http://${headers.get("host")}${url}`, { method, headers }));
  outgoing.writeHead(response.status, [...response.headers].flat());
  if (response.body !== null && method !== "HEAD") {
    for await (const chunk of response.body) outgoing.write(chunk);
  } else await response.body?.cancel();
  outgoing.end();
}

/** An answer as it came over the wire. */
export interface WireAnswer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Tells connections apart. */
  readonly port: number | undefined;
}

/** Sends one request with `node:http`, which adds nothing of its own. */
export function send(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string | string[]>;
    readonly agent?: http.Agent;
  } = {},
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const sent = http.request(url, options, (incoming) => {
      const port = incoming.socket?.localPort;
      let body = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => body += chunk);
      incoming.on("error", reject);
      incoming.on(
        "end",
        () => resolve({ status: incoming.statusCode, headers: incoming.headers, body, port }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
