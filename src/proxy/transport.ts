/**
 * How a request gets to the upstream: over the platform's `fetch`, or whatever a program brings.
 *
 * @module
 */
import { UpstreamFault } from "./upstream_fault.ts";

/** A request as the upstream gets it. */
export interface UpstreamRequest {
  /** The method, in capitals. */
  readonly method: string;
  /** Path and query, with a slash in front: never a host. */
  readonly target: string;
  /** All fields that are to be sent, `Host` among them. They may be written to. */
  readonly headers: Headers;
  /** The content; null: none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends a request to the upstream. It rejects with an {@linkcode UpstreamFault} where that gives no response, follows no
 * redirect, and decodes no content. The body of the response fails where it is not complete; to cancel it frees what it
 * holds.
 */
export type Transport = (request: UpstreamRequest) => Promise<Response>;

/** How long a transport waits, each in milliseconds. */
export interface TransportTimeouts {
  /** From the end of the request to the fields of the response. */
  readonly firstByteTimeout: number;
  /** Between two pieces of the body, while the client is ready to take one. */
  readonly idleTimeout: number;
}

/**
 * The transport over `fetch`. That cannot leave a coding alone, so the upstream is asked for none; and it sends the
 * upstream's own `Host`. `X-Forwarded-Host` has that of the request.
 *
 * @param origin Without a slash at the end.
 */
export function fetchTransport(
  origin: string,
  { firstByteTimeout, idleTimeout }: TransportTimeouts,
): Transport {
  return async ({ method, target, headers, body, signal }) => {
    const controller = new AbortController();
    const abort = () => controller.abort();
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    headers.delete("host");
    headers.set("accept-encoding", "identity");
    let isLate = false;
    let isAnswered = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const startTimer = () => {
      // A response may come before the end of the request.
      if (!isAnswered) {
        timer ??= setTimeout(() => {
          isLate = true;
          abort();
        }, firstByteTimeout);
      }
    };
    if (body === null) startTimer();
    const init = {
      ...{ method, headers, redirect: "manual" as const, signal: controller.signal },
      ...body === null ? {} : { body: withEnd(body, startTimer), duplex: "half" },
    };
    try {
      const response = await fetch(origin + target, init);
      if (response.headers.has("content-encoding") && response.body !== null && method !== "HEAD") {
        abort();
        throw new UpstreamFault("http_response_content_coding");
      }
      return new Response(response.body && withIdleTimeout(response.body, idleTimeout), {
        status: response.status,
        statusText: response.statusText,
        headers: response.headers,
      });
    } catch (cause) {
      if (cause instanceof UpstreamFault) throw cause;
      throw new UpstreamFault(isLate ? "http_response_timeout" : "destination_unavailable", { cause });
    } finally {
      isAnswered = true;
      clearTimeout(timer);
    }
  };
}

/** The same bytes; tells when the last has been taken. */
function withEnd(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  return body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush: onEnd }));
}

/**
 * The same bytes, with a bound on the wait for each piece. A client that is slow to take them is no silence of the
 * upstream: the time runs only while a piece is asked for.
 *
 * @param idleTimeout Milliseconds.
 */
export function withIdleTimeout(
  body: ReadableStream<Uint8Array>,
  idleTimeout: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const fail = (controller: ReadableStreamDefaultController<Uint8Array>, fault: UpstreamFault) => {
    controller.error(fault);
    reader.cancel(fault).catch(() => {});
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        fail(controller, new UpstreamFault("connection_read_timeout"));
      }, idleTimeout);
      try {
        const { done, value } = await reader.read();
        if (isLate) return;
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        if (isLate) return;
        controller.error(
          cause instanceof UpstreamFault ? cause : new UpstreamFault("http_response_incomplete", { cause }),
        );
      } finally {
        clearTimeout(timer);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
