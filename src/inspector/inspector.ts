/**
 * A page that shows what a registry answers and why, live: the share that needs no handler, each feed, the entries, the
 * last decisions in sentences.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry } from "@stillfresh/etag";
 * import { inspector } from "@stillfresh/etag/inspector";
 *
 * const registry = new EtagRegistry({ manual: true });
 * const inspect = inspector({ registry });
 * const page = await inspect(new Request("http://localhost/_stillfresh"));
 * assert.equal(page.status, 200);
 * ```
 *
 * @module
 */
import { refuseContext } from "../http/refuse_context.ts";
import { coreOf, isRegistry } from "../registry/core.ts";
import type { StoredEntry } from "../registry/entry.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { type Authorize, isOwnChange, isOwnPart, whyNotLocal } from "./access.ts";
import { DecisionLog } from "./decisions.ts";
import { findEntries, type SearchBy } from "./entries.ts";
import { Events } from "./events.ts";
import { showing as showingOf } from "./hidden.ts";
import { contentSecurityPolicy, page } from "./page.ts";

export type { Authorize } from "./access.ts";

/** What an inspector shows, and to whom. */
export interface InspectorOptions {
  /** The registry, with all its feeds. */
  readonly registry: EtagRegistry;
  /**
   * Whether a request may see it: `true`, or the response to give in its place, such as a redirect to a login. It is asked
   * for each request. Default: requests of this machine are answered, as far as that can be known, and no others.
   */
  readonly authorize?: Authorize;
  /**
   * Shows values of queries, names of callers, and values of request fields as well: each may be a secret of one client.
   * Default false.
   */
  readonly showValues?: boolean;
  /**
   * Whether it only shows. False: entries can be voided as well, those that depend on a document or a group, and all; a
   * change is taken from its own page alone, and not from one of another site (CSRF). Default true.
   */
  readonly readOnly?: boolean;
}

/** A fetch handler that answers with the page, and with what the page asks for. */
export interface Inspector {
  /**
   * Answers a GET or HEAD, and a POST unless it is read-only; any other method gets 405.
   *
   * @param request For whichever path.
   * @param connection What the server passes beside the request: it may tell where the request comes from.
   */
  (request: Request, ...connection: readonly unknown[]): Response | Promise<Response>;
  /** How many pages are open. */
  readonly pages: number;
  /** Ends the streams of open pages, for a server that waits for them when it closes. No page is told anything any more. */
  close(): void;
}

/** Searches that may be under way at once. */
const MOST_SEARCHES = 4;

/** For all that it answers. */
const COMMON: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

/**
 * Makes a page that shows what a registry answers and why, as a fetch handler to mount at any path: the page asks for
 * what it shows with a query on its own address. Nothing is counted or kept for it while no page is open.
 *
 * It shows addresses of pages and names of documents, so put it behind the access check of the site, with `authorize` or
 * in the router. Without `authorize` it answers only requests that come from this machine, by their host, their fields
 * and, where the server passes it on, the address of the connection; and the page says that it is unprotected.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, withEtag } from "@stillfresh/etag";
 * import { inspector } from "@stillfresh/etag/inspector";
 *
 * const registry = new EtagRegistry({ manual: true });
 * const site = withEtag(() => new Response("page"), { registry });
 * const inspect = inspector({
 *   registry,
 *   authorize: (request) => request.headers.get("authorization") === "Basic b3BzOnNlY3JldA==",
 * });
 * const serve = (request: Request) =>
 *   new URL(request.url).pathname === "/_stillfresh" ? inspect(request) : site(request);
 *
 * assert.equal((await serve(new Request("https://site.example/_stillfresh"))).status, 403);
 * ```
 *
 * @param options The registry, who may look, what is shown and changed.
 * @returns The handler.
 * @throws {TypeError} If there is no registry, or another option is not what it has to be.
 */
export function inspector(options: InspectorOptions): Inspector {
  if (!isRegistry(options?.registry)) {
    const given = Object.prototype.toString.call(options);
    throw new TypeError(`inspector() takes { registry }, one EtagRegistry, not ${given}`);
  }
  const { registry, authorize, showValues = false, readOnly = true } = options;
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new TypeError(`authorize is a function of a request, not ${String(authorize)}`);
  }
  for (const [name, value] of Object.entries({ showValues, readOnly })) {
    if (typeof value !== "boolean") throw new TypeError(`${name} is true or false, not ${String(value)}`);
  }
  const core = coreOf(registry);
  const showing = showingOf(showValues);
  const log = new DecisionLog(core);
  const events = new Events(core, log, showing);
  const methods = readOnly ? "GET, HEAD" : "GET, HEAD, POST";
  let searches = 0;

  /** Searches while the client waits: it ends when that is gone. */
  function search(by: SearchBy, text: string, method: string): Response {
    const headers = { ...COMMON, "content-type": "application/json" };
    if (method === "HEAD") return new Response(null, { headers });
    if (searches >= MOST_SEARCHES) return plain(503, "Too many searches are under way: try again.");
    searches++;
    const client = new AbortController();
    const registeredAt = (entry: StoredEntry) => log.registeredAt(entry);
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        try {
          const found = await findEntries(core, { by, text, showing, registeredAt, signal: client.signal });
          controller.enqueue(new TextEncoder().encode(JSON.stringify(found)));
          controller.close();
        } finally {
          searches--;
        }
      },
      cancel: () => client.abort(),
    });
    return new Response(body, { headers });
  }

  function answer(request: Request, { searchParams }: URL): Response {
    const by = searchParams.get("by");
    const isStream = searchParams.has("events");
    const isSearch = by === "url" || by === "group" || by === "dependents";
    if ((isStream || isSearch) && !isOwnPart(request)) {
      return plain(403, "This is for the inspector's own page.");
    }
    if (isStream) return stream(events, request.method);
    if (isSearch) return search(by, searchParams.get("text") ?? "", request.method);
    const facts = { isUnprotected: authorize === undefined, canVoid: !readOnly, hidesValues: !showValues };
    return new Response(request.method === "HEAD" ? null : page(facts), {
      headers: {
        ...COMMON,
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": contentSecurityPolicy,
      },
    });
  }

  /** Voids what the page asks for. */
  async function change(request: Request, url: URL): Promise<Response> {
    if (!isOwnChange(request, url)) return plain(403, "A change has to come from the inspector's own page.");
    // A form of another site cannot send this type (CORS protocol, "CORS-safelisted request-header").
    if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
      return plain(415, "A change is JSON, as application/json.");
    }
    const wanted = await request.json().catch(() => undefined) as
      | { void?: unknown; clear?: unknown }
      | undefined;
    if (typeof wanted?.void === "string" && wanted.void !== "") registry.invalidate(wanted.void);
    else if (wanted?.clear === true) registry.clear();
    else return plain(400, 'A change is { "void": "the name of a document or group" } or { "clear": true }.');
    return new Response(null, { status: 204, headers: COMMON });
  }

  function inspect(request: Request, ...connection: readonly unknown[]): Response | Promise<Response> {
    if (typeof request?.url !== "string") {
      refuseContext(
        "An inspector takes a Request first",
        request,
        "Hono: (c) => inspect(c.req.raw, c.env), with its connection",
      );
    }
    // Bun hands over what a client sent without a legal Host.
    if (!URL.canParse(request.url)) return plain(400, "The address of this request cannot be read.");
    const url = new URL(request.url);
    if (authorize === undefined) {
      const why = whyNotLocal(request, url, connection);
      return why === undefined ? proceed(request, url) : plain(
        403,
        `This inspector answers requests of its own machine alone, and ${why}. To show it to others, give ` +
          "inspector() the option authorize, which says who may look.",
      );
    }
    const allowed = authorize(request);
    return typeof (allowed as Promise<unknown>)?.then === "function"
      ? (allowed as Promise<boolean | Response>).then((allowed) => decided(request, url, allowed))
      : decided(request, url, allowed);
  }

  function decided(request: Request, url: URL, allowed: unknown): Response | Promise<Response> {
    if (allowed === true) return proceed(request, url);
    return allowed instanceof Response ? allowed : plain(403, "You may not look at this.");
  }

  function proceed(request: Request, url: URL): Response | Promise<Response> {
    if (request.method === "GET" || request.method === "HEAD") return answer(request, url);
    if (request.method === "POST" && !readOnly) return change(request, url);
    return new Response(null, { status: 405, headers: { ...COMMON, "allow": methods } });
  }

  return Object.defineProperties(inspect, {
    pages: { get: () => events.size },
    close: {
      value: () => {
        events.close();
        log.close();
      },
    },
  }) as Inspector;
}

function stream(events: Events, method: string): Response {
  const headers = { ...COMMON, "content-type": "text/event-stream" };
  if (method === "HEAD") return new Response(null, { headers });
  const body = events.stream();
  if (body === "closed") return new Response(null, { status: 204, headers: COMMON });
  if (body === "full") return plain(503, "Too many pages of the inspector are open: close one.");
  // Some proxies hold a response back until it is large.
  return new Response(body, { headers: { ...headers, "x-accel-buffering": "no" } });
}

function plain(status: number, text: string): Response {
  const headers = { ...COMMON, "content-type": "text/plain; charset=utf-8" };
  return new Response(`${text}\n`, { status, headers });
}
