/**
 * The proxy on a server of `node:http`, which Deno, Bun and Node have.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { drained, recordOf } from "./node_transport.ts";

/** A handler that is also given the message as it arrived. */
export type ProxyListener = (request: Request, incoming: IncomingMessage) => Response | Promise<Response>;

/** What the server is asked to do besides. */
export interface ServerHooks {
  /** Takes over the connection of a request that asks for a WebSocket. Default: it is closed. */
  readonly onUpgrade?: (
    request: Request,
    incoming: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
  ) => void;
  /** Told of each request once its response is complete, or cut. */
  readonly onDone?: (
    request: Request,
    answer: { readonly status: number; readonly isCut: boolean; readonly ms: number },
  ) => void;
}

/** One that listens. */
export interface ListeningServer {
  readonly port: number;
  /**
   * Takes no further connections, and ends those that are idle. Resolves when the last request has been answered.
   *
   * @param grace Milliseconds after which what is still open is cut.
   */
  close(grace: number): Promise<void>;
}

/** A name or an address, and perhaps a port: nothing that a URL would take for anything else (RFC 9110 §7.2). */
const HOST = /^(?:[\w.~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** What is wrong with a request that no handler is asked about. */
type Malformed = readonly [status: number, text: string];

/**
 * A request as it arrived. The fields are made when they are first read, and what a hit has no use for is not made at all;
 * a `Request` of the platform would take longer than the rest of a hit.
 */
class ArrivedRequest {
  readonly method: string;
  readonly url: string;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse | undefined;
  #headers: Headers | undefined;
  #signal: AbortSignal | undefined;
  #body: ReadableStream<Uint8Array> | null | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse | undefined, url: string) {
    this.method = incoming.method ?? "GET";
    this.url = url;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get headers(): Headers {
    return this.#headers ??= new Headers(this.#incoming.headers as Record<string, string>);
  }

  /** Aborted when the client is gone before its response is complete. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      this.#signal = controller.signal;
      this.#outgoing?.once("close", () => {
        if (!this.#outgoing?.writableFinished) controller.abort();
      });
    }
    return this.#signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#body ??= hasContent(this.#incoming) ? contentOf(this.#incoming) : null;
  }
}

function hasContent({ headers }: IncomingMessage): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

function contentOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const pieces = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.length));
    },
    cancel() {
      incoming.resume();
    },
  }, { highWaterMark: 0 });
}

/**
 * The URL of a request, or why it has none. The host of an absolute target counts instead of `Host` (RFC 9112 §3.2.2), and
 * neither says where the request is passed on to.
 */
export function urlOf(
  { url: target = "", method, headers, rawHeaders, httpVersionMinor }: IncomingMessage,
): string | Malformed {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === "host") hosts++;
  }
  if (hosts > 1) return [400, "several Host fields"];
  if (headers["transfer-encoding"] !== undefined) {
    if (headers["content-length"] !== undefined) return [400, "Transfer-Encoding and Content-Length"];
    if (headers["transfer-encoding"].toLowerCase() !== "chunked") {
      return [501, "a transfer coding but chunked"];
    }
  }
  const isRetrieval = method === "GET" || method === "HEAD";
  if (isRetrieval && hasContent({ headers } as IncomingMessage)) return [400, `content in a ${method}`];
  let { host = httpVersionMinor === 0 ? "localhost" : "" } = headers;
  let path = target;
  if (!target.startsWith("/")) {
    const [, authority, rest = ""] = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target) ?? [];
    if (authority === undefined) return [400, "a target that is no path"];
    host = authority;
    path = rest.startsWith("/") ? rest : `/${rest}`;
  }
  if (!HOST.test(host)) return [400, "no legal Host"];
  // Not resolved against a base: `//name` is a path here.
  const url = `http://${host}${path}`;
  if (PLAIN_PATH.test(path) && PLAIN_HOST.test(host)) return url;
  return URL.canParse(url) ? new URL(url).href : [400, "a target that is no URL"];
}

/**
 * A host that `URL` takes, and would not write otherwise: in lower case, the last label no number but in an address, no
 * Punycode, which it checks, and no port 80. What is not matched is left to `URL` itself.
 */
const PLAIN_HOST =
  /^(?!.*xn--)(?:(?:[0-9a-z_-]+\.)*[a-z_][0-9a-z_-]*|127\.0\.0\.1)(?::(?!80$)(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?$/;

/** A path and query that `URL` would not write otherwise: no dot segment, and nothing to encode. */
const PLAIN_PATH = /^(?:\/(?!\.)[\w~!$&()*+,;=:@.-]*)+(?:\?[\w~!$&()*+,;=:@.\/?%-]*)?$/;

/** Starts listening; rejects where the address is taken. */
export async function listen(
  handler: ProxyListener,
  address: { readonly hostname: string; readonly port: number },
  { onUpgrade, onDone }: ServerHooks = {},
): Promise<ListeningServer> {
  let isClosing = false;
  const tunnels = new Set<Socket>();

  function refuse(outgoing: ServerResponse, [status, text]: Malformed): void {
    outgoing.writeHead(status, { "content-type": "text/plain", "connection": "close" }).end(`${text}\n`);
  }

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = urlOf(incoming);
    if (typeof url !== "string") return refuse(outgoing, url);
    const request = new ArrivedRequest(incoming, outgoing, url) as unknown as Request;
    const begun = performance.now();
    const given = handler(request, incoming);
    const response = given instanceof Response ? given : await given;
    // Without a listener for the end of the connection, which costs a hit more than all else here.
    try {
      await send(request, response, outgoing);
    } catch {
      outgoing.destroy();
    } finally {
      const isCut = outgoing.destroyed && !outgoing.writableEnded;
      onDone?.(request, { status: response.status, isCut, ms: performance.now() - begun });
    }
  }

  function send(request: Request, response: Response, outgoing: ServerResponse): Promise<void> | undefined {
    const { status, body } = response;
    if (outgoing.destroyed) return body?.cancel();
    const fields = recordOf(response.headers);
    if (isClosing) fields["connection"] = "close";
    outgoing.writeHead(status, fields);
    if (body !== null && request.method !== "HEAD") return pour(body, outgoing);
    outgoing.end();
    return body?.cancel();
  }

  const server: Server = createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    answer(incoming, outgoing).catch(() => void outgoing.destroy());
  });
  server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Uint8Array) => {
    socket.on("error", () => socket.destroy());
    const url = urlOf(incoming);
    const isWebSocket = incoming.method === "GET" && incoming.headers.upgrade?.toLowerCase() === "websocket";
    if (typeof url !== "string" || !isWebSocket || onUpgrade === undefined || isClosing) {
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    tunnels.add(socket);
    socket.once("close", () => tunnels.delete(socket));
    onUpgrade(new ArrivedRequest(incoming, undefined, url) as unknown as Request, incoming, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.hostname, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    close(grace) {
      isClosing = true;
      return new Promise((resolve) => {
        const cut = setTimeout(() => {
          for (const socket of tunnels) socket.destroy();
          server.closeAllConnections();
        }, grace);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      });
    },
  };
}

/** Sends a body as it comes, and not faster than it is taken. */
async function pour(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) reader.cancel("the client is gone").catch(() => {});
  });
  outgoing.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (outgoing.destroyed) return;
    if (done) break;
    if (!outgoing.write(value)) await drained(outgoing);
  }
  outgoing.end();
}
