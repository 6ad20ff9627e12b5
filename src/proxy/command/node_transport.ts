/**
 * The transport over `node:http`, which Deno, Bun and Node have: it decodes nothing, sends the client's `Host`, tells the
 * faults of a connection apart, and keeps connections.
 *
 * @module
 */
import http, { type ClientRequest, type IncomingMessage } from "node:http";
import https from "node:https";
import {
  type Transport,
  type TransportTimeouts,
  type UpstreamRequest,
  withIdleTimeout,
} from "../transport.ts";
import { type ProxyErrorType, UpstreamFault } from "../upstream_fault.ts";

/** How long the transport waits, each in milliseconds. */
export interface NodeTimeouts extends TransportTimeouts {
  /** For a connection. */
  readonly connectTimeout: number;
}

/** A transport, and how to end it. */
export interface NodeTransport {
  readonly send: Transport;
  /** Closes connections that are kept. */
  close(): void;
}

/** Statuses without content (RFC 9110 §15). */
const WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/** The rest of an unwanted body is read up to this many bytes, so that the connection is kept. */
const WORTH_READING = 65_536;

/** Milliseconds for which an unused connection is kept: less than the servers of most languages keep it. */
const KEPT = 4_000;

/** What the error codes of a connection mean. */
const CODES: Readonly<Record<string, ProxyErrorType>> = {
  ENOTFOUND: "dns_error",
  EAI_AGAIN: "dns_error",
  ECONNREFUSED: "connection_refused",
  ConnectionRefused: "connection_refused",
  ETIMEDOUT: "connection_timeout",
  ECONNRESET: "connection_terminated",
  ECONNABORTED: "connection_terminated",
  ConnectionClosed: "connection_terminated",
  EPIPE: "connection_terminated",
  EHOSTUNREACH: "destination_unavailable",
  ENETUNREACH: "destination_unavailable",
};

/** The fault that an error of a connection stands for. */
export function faultOf(error: unknown): UpstreamFault {
  if (error instanceof UpstreamFault) return error;
  const { code = "", message = "" } = (error ?? {}) as { code?: string; message?: string };
  if (code.startsWith("HPE_")) return new UpstreamFault("http_protocol_error", { cause: error });
  if (CODES[code] !== undefined) return new UpstreamFault(CODES[code], { cause: error });
  const isCut = /hang up|reset|aborted|closed|end of file|unexpected eof/i.test(message);
  if (isCut) return new UpstreamFault("connection_terminated", { cause: error });
  const isMalformed = /parse|malformed|invalid|protocol/i.test(message);
  return new UpstreamFault(isMalformed ? "http_protocol_error" : "destination_unavailable", { cause: error });
}

/**
 * Opens one.
 *
 * @param origin That of the upstream.
 */
export function nodeTransport(origin: string, timeouts: NodeTimeouts): NodeTransport {
  const { request } = origin.startsWith("https:") ? https : http;
  const { Agent } = origin.startsWith("https:") ? https : http;
  const agent = new Agent({ keepAlive: true, timeout: KEPT });
  const { hostname, port } = new URL(origin);
  const options = { host: hostname.replace(/^\[|\]$/g, ""), ...port === "" ? {} : { port: Number(port) } };

  /** Sends once. A connection that was kept may have been closed meanwhile, which the caller is told. */
  function sendOnce(
    { method, target, headers, body, signal }: UpstreamRequest,
    isFresh: boolean,
  ): Promise<Response | "closed meanwhile"> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new UpstreamFault("connection_terminated"));
      const sent = request({
        ...options,
        ...{ agent: isFresh ? false : agent, method, path: target, headers: recordOf(headers) },
      });
      let isAnswered = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const limit = (ms: number, error: ProxyErrorType) => {
        clearTimeout(timer);
        timer = setTimeout(() => fail(new UpstreamFault(error)), ms);
      };
      const abort = () => fail(new UpstreamFault("connection_terminated"));
      const done = () => {
        isAnswered = true;
        clearTimeout(timer);
      };
      const fail = (error: unknown) => {
        if (isAnswered) return;
        done();
        sent.destroy();
        signal?.removeEventListener("abort", abort);
        const fault = faultOf(error);
        const mayRepeat = sent.reusedSocket && body === null && (method === "GET" || method === "HEAD");
        if (mayRepeat && fault.error === "connection_terminated" && !signal?.aborted) {
          resolve("closed meanwhile");
        } else reject(fault);
      };
      signal?.addEventListener("abort", abort, { once: true });
      limit(timeouts.connectTimeout, "connection_timeout");
      sent.on("error", fail);
      sent.once("socket", (socket) => {
        const connected = () => {
          if (!isAnswered) limit(timeouts.firstByteTimeout, "http_response_timeout");
        };
        if (socket.connecting) socket.once("connect", connected);
        else connected();
      });
      sent.once("response", (incoming) => {
        if (isAnswered) return void incoming.destroy();
        done();
        incoming.once("close", () => signal?.removeEventListener("abort", abort));
        try {
          resolve(responseOf(incoming, sent, method, timeouts.idleTimeout));
        } catch (cause) {
          sent.destroy();
          reject(new UpstreamFault("http_protocol_error", { cause }));
        }
      });
      if (body === null) {
        sent.end();
      } else {
        const arrived = () =>
          isAnswered ? undefined : limit(timeouts.firstByteTimeout, "http_response_timeout");
        // A response may come before the end of the request, and is the answer to it then.
        pour(body, sent, arrived).catch(fail);
      }
    });
  }

  return {
    async send(asked) {
      const answer = await sendOnce(asked, false);
      if (typeof answer !== "string") return answer;
      const again = await sendOnce(asked, true);
      if (typeof again !== "string") return again;
      throw new UpstreamFault("connection_terminated");
    },
    close: () => agent.destroy(),
  };
}

/** Each field once, but for those that are no lists. */
export function recordOf(headers: Headers): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) record["set-cookie"] = cookies;
  return record;
}

/** Writes a body as fast as it is taken. */
async function pour(
  body: ReadableStream<Uint8Array>,
  sent: ClientRequest,
  onProgress: () => void,
): Promise<void> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (sent.destroyed) return;
      onProgress();
      if (done) break;
      if (!sent.write(value)) await drained(sent);
    }
    sent.end();
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** When more can be written, or nothing any more. */
export function drained(stream: NodeJS.WritableStream & { destroyed?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off("drain", settle);
      stream.off("close", settle);
      resolve();
    };
    if (stream.destroyed) return resolve();
    stream.once("drain", settle);
    stream.once("close", settle);
  });
}

function responseOf(
  incoming: IncomingMessage,
  sent: ClientRequest,
  method: string,
  idleTimeout: number,
): Response {
  const { statusCode = 0, statusMessage = "", rawHeaders } = incoming;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  if (method === "HEAD" || WITHOUT_CONTENT.has(statusCode)) {
    incoming.resume();
    incoming.on("error", () => {});
    return new Response(null, { status: statusCode, statusText: statusMessage, headers });
  }
  const length = Number(headers.get("content-length") ?? Infinity);
  const body = withIdleTimeout(bytesOf(incoming, sent, length), idleTimeout);
  return new Response(body, { status: statusCode, statusText: statusMessage, headers });
}

/** The bytes of a message as they come. */
function bytesOf(incoming: IncomingMessage, sent: ClientRequest, length: number): ReadableStream<Uint8Array> {
  const pieces = incoming[Symbol.asyncIterator]();
  let isPulled = false;
  let received = 0;
  incoming.on("error", () => {});
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      isPulled = true;
      const { done, value } = await pieces.next();
      if (!done) {
        received += value.length;
        controller.enqueue(new Uint8Array(value.buffer, value.byteOffset, value.length));
        return;
      }
      const isComplete = length === Infinity ? incoming.complete !== false : received === length;
      if (isComplete) controller.close();
      else controller.error(new UpstreamFault("http_response_incomplete"));
    },
    cancel(reason) {
      // A 304 took its place, or the client went.
      if (!isPulled && length <= WORTH_READING && reason === undefined) incoming.resume();
      else sent.destroy();
    },
  }, { highWaterMark: 0 });
}
