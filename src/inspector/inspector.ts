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
import { coreOf } from "../registry/core.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { type Authorize, whyNotLocal } from "./access.ts";
import { DecisionLog } from "./decisions.ts";
import { findEntries, type SearchBy } from "./entries.ts";
import { Events, pathOf } from "./events.ts";
import { showing } from "./hidden.ts";
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
}

/** A fetch handler that answers with the page, and with what the page asks for. It changes nothing. */
export interface Inspector {
  /**
   * Answers a GET or HEAD; any other method gets 405.
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
 * @param options The registry, and who may look.
 * @returns The handler.
 * @throws {TypeError} If there is no registry, or `authorize` is no function.
 */
export function inspector({ registry, authorize, showValues = false }: InspectorOptions): Inspector {
  const core = coreOf(registry);
  if (authorize !== undefined && typeof authorize !== "function") {
    throw new TypeError(`authorize is a function of a request, not ${String(authorize)}`);
  }
  const shown = showing(showValues);
  const log = new DecisionLog(core);
  const events = new Events(core, log, shown);
  let searches = 0;

  /** What the registration of a resource was seen by, while decisions are noted. */
  function registrations(): (key: string) => number | undefined {
    const times = new Map<string, number>();
    for (const { stored, url, time } of log.after(0, Infinity)) {
      if (stored) times.set(url, time).set(pathOf(url), time);
    }
    return (key) => times.get(key);
  }

  async function search(by: SearchBy, text: string): Promise<Response> {
    if (searches >= MOST_SEARCHES) return plain(503, "Too many searches are under way: try again.");
    searches++;
    try {
      return Response.json(await findEntries(core, by, text, shown, registrations()), { headers: COMMON });
    } finally {
      searches--;
    }
  }

  function answer(request: Request): Response | Promise<Response> {
    const { searchParams } = new URL(request.url);
    if (searchParams.has("events")) return stream(events, request.method);
    const by = searchParams.get("by");
    if (by === "url" || by === "group" || by === "dependents") {
      return search(by, searchParams.get("text") ?? "");
    }
    return new Response(
      request.method === "HEAD"
        ? null
        : page({ isUnprotected: authorize === undefined, canVoid: false, hidesValues: !showValues }),
      {
        headers: {
          ...COMMON,
          "content-type": "text/html; charset=utf-8",
          "content-security-policy": contentSecurityPolicy,
        },
      },
    );
  }

  function inspect(request: Request, ...connection: readonly unknown[]): Response | Promise<Response> {
    if (authorize === undefined) {
      const why = whyNotLocal(request, connection);
      return why === undefined ? proceed(request) : refusal(
        `This inspector answers requests of its own machine alone, and ${why}. To show it to others, give ` +
          "inspector() the option authorize, which says who may look.",
      );
    }
    const allowed = authorize(request);
    return typeof (allowed as Promise<unknown>)?.then === "function"
      ? (allowed as Promise<boolean | Response>).then((allowed) => decided(request, allowed))
      : decided(request, allowed);
  }

  function decided(request: Request, allowed: unknown): Response | Promise<Response> {
    if (allowed === true) return proceed(request);
    return allowed instanceof Response ? allowed : refusal("You may not look at this.");
  }

  function proceed(request: Request): Response | Promise<Response> {
    if (request.method === "GET" || request.method === "HEAD") return answer(request);
    return new Response(null, { status: 405, headers: { ...COMMON, "allow": "GET, HEAD" } });
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

function refusal(why: string): Response {
  return plain(403, why);
}

function plain(status: number, text: string): Response {
  const headers = { ...COMMON, "content-type": "text/plain; charset=utf-8" };
  return new Response(`${text}\n`, { status, headers });
}
