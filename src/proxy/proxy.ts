/**
 * A reverse proxy around `withEtag`, for an application in any language: what its responses depend on it says in
 * `Cache-Groups` (RFC 9875), and a conditional request whose tag is still valid is answered without it.
 *
 * ```ts
 * import assert from "node:assert/strict";
 * import { proxy } from "@stillfresh/etag/proxy";
 *
 * // Stands in for an application.
 * let asked = 0;
 * const send = () => {
 *   asked++;
 *   const headers = { etag: '"post-1.2-abc"', "cache-control": "public, no-cache", "cache-groups": '"post-1"' };
 *   return Promise.resolve(new Response("a post", { headers }));
 * };
 * const handler = proxy({ upstream: "http://127.0.0.1:3000", manual: true, send });
 *
 * const get = (headers = {}) => handler(new Request("http://localhost/posts/1", { headers }));
 * const etag = (await get()).headers.get("etag")!;
 * assert.equal((await get({ "if-none-match": etag })).status, 304);
 * assert.equal(asked, 1);
 * ```
 *
 * @module
 */
import type { WithEtagOptions } from "../handler/context.ts";
import { withEtag } from "../handler/with_etag.ts";
import { problemResponse } from "../http/problem_details.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { hasPassed, hidesFields, requestFields, responseFields } from "./fields.ts";
import { fetchTransport, type Transport } from "./transport.ts";
import { faultResponse, UpstreamFault } from "./upstream_fault.ts";
import { parseUpstream } from "./upstream_url.ts";

export { type ProxyErrorType, UpstreamFault } from "./upstream_fault.ts";
export type { Transport, UpstreamRequest } from "./transport.ts";

/** How requests are passed on. */
export interface ProxyOptions<Rest extends readonly unknown[] = []>
  extends Pick<WithEtagOptions<Request, Rest>, "registry" | "manual" | "key" | "caller" | "cacheStatus"> {
  /** The origin of the application: `http://127.0.0.1:3000`. Each request goes there, whatever it says of a host. */
  readonly upstream: string | URL;
  /**
   * Whether a request is only passed on, with its conditions, and nothing of its response is registered; default: none.
   * For large files, which the application can answer 304 by itself.
   */
  readonly passes?: (request: Request, ...rest: Rest) => boolean;
  /** The address of the client, for `Forwarded` and `X-Forwarded-For`; default: not known. */
  readonly clientAddress?: (request: Request, ...rest: Rest) => string | undefined;
  /**
   * Whether another proxy in front writes `X-Forwarded-Host` and `X-Forwarded-Proto`, so that they are kept; default
   * false: they are written anew. If true, the default `key` has them too; a `key` of your own has to add them.
   */
  readonly trustForwarded?: boolean;
  /** The name in `Via` and `Proxy-Status`, a token; default `"stillfresh"`. Proxies in a row have different names. */
  readonly name?: string;
  /** Under which path this proxy itself answers `health` and `ready`; default `"/_stillfresh/"`. */
  readonly ownPath?: string;
  /** Milliseconds from the end of a request to the fields of its response; default 60,000. */
  readonly firstByteTimeout?: number;
  /** Milliseconds between two pieces of a response's body; default 60,000. */
  readonly idleTimeout?: number;
  /** How requests are sent; default: the platform's `fetch`. The timeouts above are those of the default. */
  readonly send?: Transport;
  /** Told of each request that the upstream did not answer; what it throws is ignored. */
  readonly onFault?: (fault: UpstreamFault, request: Request) => unknown;
}

/** A fetch handler that passes requests on. */
export interface ProxyHandler<Rest extends readonly unknown[] = []> {
  (request: Request, ...rest: Rest): Response | Promise<Response>;
  /** What is answered without the application. */
  readonly registry: EtagRegistry;
  /** Lets `ready` answer 503 from now on, so that a load balancer sends no more. Requests are answered as before. */
  stop(): void;
}

/** Methods that no `Request` can have, or that would show a script what its browser hides (Fetch, "forbidden method"). */
const REFUSED: ReadonlySet<string> = /* @__PURE__ */ new Set(["CONNECT", "TRACE", "TRACK"]);

/** A token (RFC 9110 §5.6.2) that RFC 9651 takes for one as well. */
const NAME = /^[A-Za-z][!#$%&'*+.^_`|~0-9A-Za-z-]*$/;

/**
 * Passes requests on to an application, as a fetch handler, and answers those that need it no more: a conditional request
 * whose tag is still valid gets a 304 from the registry.
 *
 * A response is registered if it is a 200 to a GET, names its groups in `Cache-Groups`, and may be kept (the rules of
 * {@linkcode withEtag}). The names are those that a followed feed reports. `Cache-Group-Invalidation` of a response to an
 * unsafe method voids groups at once. The conditions of a GET or HEAD are evaluated here, so that the application is asked
 * for the whole response; those of other methods go on to it.
 *
 * After the application could not be reached, the first response of it empties the registry, because another build may
 * have started.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import { changes } from "@stillfresh/etag/couchdb";
 * import { proxy } from "@stillfresh/etag/proxy";
 *
 * const registry = new EtagRegistry();
 * await using _follower = follow(registry, changes("http://localhost:5984/blog"), { onError: () => {} });
 * const handler = proxy({ upstream: "http://127.0.0.1:3000", registry });
 * const health = await handler(new Request("http://localhost/_stillfresh/health"));
 * assert.equal(health.status, 200);
 * ```
 *
 * @param options Where the application is, and how requests are passed on.
 * @returns The handler, for `Deno.serve`, `Bun.serve` and their like, with its registry.
 * @throws {TypeError | RangeError} If an option is illegal, naming it; a URL with credentials is not shown.
 * @see RFC 9110 §7.6, RFC 9875
 */
export function proxy<Rest extends unknown[] = []>(options: ProxyOptions<Rest>): ProxyHandler<Rest> {
  const { name = "stillfresh", ownPath = "/_stillfresh/", trustForwarded = false } = options;
  const { passes, clientAddress, onFault, key } = options;
  const origin = parseUpstream(options.upstream);
  const { firstByteTimeout = 60_000, idleTimeout = 60_000 } = options;
  requireMilliseconds("firstByteTimeout", firstByteTimeout);
  requireMilliseconds("idleTimeout", idleTimeout);
  if (!NAME.test(name)) {
    throw new TypeError(`name is a token that begins with a letter, not ${JSON.stringify(name)}`);
  }
  if (!/^\/[\w.~-]+\/$/.test(ownPath)) {
    throw new TypeError(`ownPath is one segment between slashes, not ${JSON.stringify(ownPath)}`);
  }
  const send = options.send ?? fetchTransport(origin, { firstByteTimeout, idleTimeout });
  /** Whether the upstream could not be reached, and has given no response since. */
  let isAway = false;
  let isStopping = false;

  async function forward(request: Request, ...rest: Rest): Promise<Response> {
    if (REFUSED.has(request.method)) return refuseMethod(request);
    const isPassed = passes?.(request, ...rest) ?? false;
    try {
      const { pathname, search } = new URL(request.url);
      if (hasPassed(request.headers, name)) throw new UpstreamFault("proxy_loop_detected");
      const headers = requestFields(request, {
        ...{ name, trustForwarded, client: clientAddress?.(request, ...rest) },
        evaluatesConditions: !isPassed,
      });
      const { method, body, signal } = request;
      const response = await send({ method, target: pathname + search, headers, body, signal });
      if (isAway) {
        isAway = false;
        wrapped.registry.clear();
      }
      return passedOn(request, response, name, () => {
        if (!request.signal.aborted) isAway = true;
      });
    } catch (cause) {
      const fault = cause instanceof UpstreamFault
        ? cause
        : new UpstreamFault("destination_unavailable", { cause });
      // A request that its client has given up says nothing of the application.
      if (!request.signal.aborted) {
        if (AWAY.has(fault.error)) isAway = true;
        tell(onFault, fault, request);
      }
      return faultResponse(request, fault, name);
    }
  }

  const keyOf = key ?? (trustForwarded ? (request: Request, ..._: Rest) => forwardedKey(request) : undefined);
  const wrapped = withEtag<Request, Rest, Promise<Response>>(forward, {
    ...options.registry === undefined ? {} : { registry: options.registry },
    ...options.manual === undefined ? {} : { manual: options.manual },
    ...options.caller === undefined ? {} : { caller: options.caller },
    ...options.cacheStatus === undefined ? {} : { cacheStatus: options.cacheStatus },
    ...passes === undefined ? keyOf === undefined ? {} : { key: keyOf } : {
      key: (request: Request, ...rest: Rest) =>
        passes(request, ...rest) ? undefined : keyOf === undefined ? request.url : keyOf(request, ...rest),
    },
    trustCacheGroups: true,
  });

  function answerOwn(request: Request, what: string): Response {
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") return refuseMethod(request);
    if (what === "health") {
      return Response.json({ status: "ok" }, { headers: { "cache-control": "no-store" } });
    }
    if (what !== "ready") {
      const detail = `This proxy answers ${ownPath}health and ${ownPath}ready.`;
      return problemResponse(request, { status: 404, title: "Not Found", detail });
    }
    if (!isStopping && wrapped.registry.live) {
      return Response.json({ status: "ready" }, { headers: { "cache-control": "no-store" } });
    }
    const detail = isStopping ? "It is being stopped." : "The changes feed is not live.";
    return problemResponse(request, { status: 503, title: "Service Unavailable", detail });
  }

  function handle(request: Request, ...rest: Rest): Response | Promise<Response> {
    const { url } = request;
    const path = url.indexOf("/", 8);
    if (url.startsWith(ownPath, path)) {
      return answerOwn(request, url.slice(path + ownPath.length).replace(/[?#][^]*$/, ""));
    }
    return wrapped(request, ...rest);
  }

  return Object.assign(handle, { registry: wrapped.registry, stop: () => void (isStopping = true) });
}

/** Faults after which the application may have been started anew. */
const AWAY: ReadonlySet<UpstreamFault["error"]> = /* @__PURE__ */ new Set([
  "connection_refused",
  "connection_terminated",
  "destination_unavailable",
  "dns_error",
]);

/** The response of the upstream as this proxy gives it to the wrapper. */
function passedOn(request: Request, response: Response, name: string, onCut: () => void): Response {
  const { status, statusText } = response;
  if (status < 200 || status > 599) throw new UpstreamFault("http_protocol_error");
  const headers = responseFields(response.headers, name);
  // Such a request reached the application with fewer fields than the entry would be selected by.
  if (hidesFields(request.headers)) headers.delete("cache-groups");
  return new Response(response.body && watched(response.body, onCut), { status, statusText, headers });
}

/** The same bytes; tells where they end too early: the application may have been killed, and started anew. */
function watched(body: ReadableStream<Uint8Array>, onCut: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (cause) {
        onCut();
        throw cause;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/**
 * The key of a request whose forwarded host and scheme are trusted. The application makes its page by them, so the pages
 * of two hosts are two entries even where the proxy in front sends one `Host` for both.
 */
function forwardedKey({ url, headers }: Request): string {
  const host = headers.get("x-forwarded-host");
  const proto = headers.get("x-forwarded-proto");
  const forwarded = headers.get("forwarded");
  if (host === null && proto === null && forwarded === null) return url;
  // A URL has no fragment here, and no space: no other request has this key.
  return `${url}#${JSON.stringify([host, proto, hostAndScheme(forwarded)])}`;
}

/** What a `Forwarded` field says besides addresses, which differ from client to client. */
function hostAndScheme(forwarded: string | null): string | null {
  return forwarded === null
    ? null
    : (forwarded.match(/(?:host|proto)=(?:"[^"]*"|[^;,"\s]*)/gi) ?? []).join(";");
}

function refuseMethod(request: Request): Response {
  const detail = `This proxy passes on no ${request.method} request here.`;
  return problemResponse(request, { status: 405, title: "Method Not Allowed", detail }, {
    allow: "GET, HEAD",
  });
}

function tell(
  onFault: ProxyOptions["onFault"],
  fault: UpstreamFault,
  request: Request,
): void {
  try {
    onFault?.(fault, request);
  } catch {
    // It was only to be told.
  }
}

/** @throws {RangeError} If this is no positive number of milliseconds. */
function requireMilliseconds(name: string, value: number): void {
  // Timers of the platforms take no more.
  if (value > 0 && value <= 2 ** 31 - 1) return;
  throw new RangeError(`${name} is a number of milliseconds above 0, not ${value}`);
}
