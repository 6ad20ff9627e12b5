/**
 * `withEtag` as a middleware of [Hono](https://hono.dev): `app.use(etag({ registry }))`.
 *
 * Hono keeps one response in its context, `c.res`, and merges the fields of the old one into each new one. So a wrapper
 * that only hands responses on brings the declarations back, and the fields of a body that a 304 has not. This middleware
 * sets `c.res` as a whole. It imports nothing from Hono: its types are those of the few properties that it uses.
 *
 * @module
 */
import type { Current } from "../handler/current_state.ts";
import type { WithEtagOptions } from "../handler/context.ts";
import { wholeRequest } from "../handler/request_copy.ts";
import { withEtag } from "../handler/with_etag.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import type { HonoContext } from "./context.ts";
import { Passage } from "./passage.ts";

export type { HonoContext, HonoContextRequest } from "./context.ts";

/**
 * The options of {@linkcode etag}: those of `withEtag`, whose questions about a request are asked with Hono's context.
 *
 * @typeParam C Hono's `Context`, with the `Env` of the application.
 */
export interface HonoEtagOptions<C extends HonoContext = HonoContext>
  extends Omit<WithEtagOptions, "key" | "caller" | "current"> {
  /** The resource; default the URL of the request. Undefined: this request is passed on. */
  readonly key?: (c: C) => string | undefined;
  /** Who asks; joins the key. Only this or `Cache-Control: public` admits requests with Cookie or Authorization. */
  readonly caller?: (c: C) => string | undefined | Promise<string | undefined>;
  /** What an unsafe request with a precondition is judged by, before the handler runs. */
  readonly current?: (c: C) => Current | Promise<Current>;
}

/**
 * The middleware that {@linkcode etag} makes.
 *
 * @typeParam C Hono's `Context`, with the `Env` of the application.
 */
export interface HonoEtag<C extends HonoContext = HonoContext> {
  /** Answers, or lets what is inside answer. */
  (c: C, next: () => Promise<void>): Promise<void>;
  /** Where the valid tags are kept. */
  readonly registry: EtagRegistry;
}

/**
 * A middleware for Hono: a conditional request whose entity tag is still valid is answered 304, and no middleware or
 * handler inside of it runs; every other answer is tagged, and registered if it says what it was built from.
 *
 * Handlers declare with the headers of their answer, `c.json(post, 200, dependsOn(post))`, or field by field with
 * `c.header()`, as middlewares do; the declarations add up, and none is sent. Put it right inside of `cors`, and around
 * `compress` and whatever declares. A HEAD runs as the GET that Hono makes of it. A `Range` request with a condition gets
 * the whole representation, and one without gets its part without a tag of ours, because a middleware cannot be asked
 * again. An error that Hono's `onError` turns into a response is that response.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Hono } from "hono";
 * import { dependsOn } from "@stillfresh/etag";
 * import { etag } from "@stillfresh/etag/hono";
 *
 * const post = { _id: "post-1", _rev: "2-abc", title: "Fresh" };
 * const app = new Hono();
 * app.use(etag({ manual: true }));
 * app.get("/posts/1", (c) => c.json(post, 200, { "cache-control": "public, no-cache", ...dependsOn(post) }));
 *
 * const first = await app.request("/posts/1");
 * const headers = { "if-none-match": first.headers.get("etag")! };
 * assert.equal((await app.request("/posts/1", { headers })).status, 304);
 * ```
 *
 * @typeParam C Hono's `Context`: give `Context<Env>` where an option reads variables of the application.
 * @param options As of `withEtag`.
 * @returns The middleware, with its registry.
 * @throws {TypeError | RangeError} If an option is illegal.
 */
export function etag<C extends HonoContext = HonoContext>(options: HonoEtagOptions<C> = {}): HonoEtag<C> {
  const wrapped = withEtag((_request: Request, passage: Passage<C>) => passage.run(), withContext(options));
  async function middleware(c: C, next: () => Promise<void>): Promise<void> {
    const { raw } = c.req;
    const request = isForLess(raw) ? wholeRequest(raw) : raw;
    const passage = new Passage(c, next);
    try {
      if (request !== raw) c.req.raw = request;
      passage.finish(await wrapped(request, passage));
    } finally {
      passage.restore();
      if (request !== raw) c.req.raw = raw;
    }
  }
  return Object.assign(middleware, { registry: wrapped.registry });
}

/** The options for a wrapper of requests: what is asked about one is asked with its context. */
function withContext<C extends HonoContext>(
  { key, caller, current, ...others }: HonoEtagOptions<C>,
): WithEtagOptions<Request, [Passage<C>]> {
  return {
    ...others,
    ...key === undefined ? {} : { key: (_, { context }) => key(context) },
    ...caller === undefined ? {} : { caller: (_, { context }) => caller(context) },
    ...current === undefined ? {} : { current: (_, { context }) => current(context) },
  };
}

/** Fields whose conditions are about the whole representation. */
const TAG_CONDITIONS = ["if-match", "if-none-match", "if-range"] as const;

/**
 * Whether a request is for less than the tag of its answer stands for. `withEtag` asks a handler for the whole in such a
 * case, where it has to, and no middleware can be asked twice.
 */
function isForLess({ method, headers }: Request): boolean {
  if (method === "HEAD") return true;
  return method === "GET" && headers.has("range") && TAG_CONDITIONS.some((name) => headers.has(name));
}
