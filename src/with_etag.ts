/**
 * The wrapper around a handler: look up, evaluate, run, tag, register. The one file that knows the whole story.
 *
 * @module
 */
import { written } from "./invalidation.ts";
import { complete, type Exchange } from "./registration.ts";
import { EtagRegistry } from "./registry.ts";
import type { Site } from "./site.ts";
import { answer } from "./validation.ts";
import { buildId } from "./validator.ts";

/** How a handler is wrapped. */
export interface WithEtagOptions<Req extends Request = Request> {
  /** Where valid tags are kept; default: one of its own, at `.registry` of the wrapped handler. */
  readonly registry?: EtagRegistry;
  /** The resource; default `request.url`. Undefined: hands off. It says nothing about who asks. */
  readonly key?: (request: Req) => string | undefined;
  /** Who asks; joins the key. Only this or `Cache-Control: public` lets Cookie and Authorization in. */
  readonly caller?: (request: Req) => string | undefined;
  /** Build id, in every tag we derive; default: a salt of this process, so that tags end with it. */
  readonly version?: string;
  /** Read and hash 200s that nothing else identifies: saves bytes, not the handler; default false. */
  readonly digest?: boolean;
  /** Names of further fields that a 304 replays. */
  readonly replay?: readonly string[];
}

/** Methods that change nothing, and whose responses are not validated either (RFC 9110 §9.2.1; QUERY). */
const OTHER_SAFE: ReadonlySet<string> = new Set(["OPTIONS", "TRACE", "QUERY"]);

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}

/** Runs a handler that may be synchronous or not, and may fail either way. */
function run(handler: () => unknown, done: (result: unknown) => unknown, failed: () => void): unknown {
  let result: unknown;
  try {
    result = handler();
  } catch (error) {
    failed();
    throw error;
  }
  if (!isThenable(result)) return done(result);
  return result.then(done, (error: unknown) => {
    failed();
    throw error;
  });
}

/**
 * Wraps a fetch handler: a conditional request whose entity tag is still valid is answered 304 and the handler does
 * not run; every other answer is tagged, and registered if it says what it was built from.
 *
 * What is not a `Response` comes back untouched, and so does the very object of a response that neither declares
 * anything ({@linkcode dependsOn}) nor has a validator. An error of the handler passes through. A hit is returned
 * synchronously. Never throws for what a client sends.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, withEtag } from "@stillfresh/etag";
 *
 * const post = { _id: "post-1", _rev: "2-abc", title: "Fresh" };
 * let runs = 0;
 * const handler = withEtag((_request: Request) => {
 *   runs++;
 *   return Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } });
 * }, { version: "2026-11-22" });
 *
 * const first = await handler(new Request("http://localhost/posts/1"));
 * const etag = first.headers.get("etag")!;
 * const second = await handler(new Request("http://localhost/posts/1", { headers: { "if-none-match": etag } }));
 * assert.equal(second.status, 304);
 * assert.equal(runs, 1);
 *
 * handler.registry.invalidate("post-1");
 * await handler(new Request("http://localhost/posts/1", { headers: { "if-none-match": etag } }));
 * assert.equal(runs, 2);
 * ```
 *
 * @param handler Takes a request, and whatever else its server passes.
 * @param options Registry, key, caller, version and digest.
 * @returns The wrapped handler, with its registry.
 * @throws {TypeError} If the handler is no function, or `version` is empty.
 */
export function withEtag<Req extends Request, Rest extends unknown[], Result>(
  handler: (request: Req, ...rest: Rest) => Result,
  options: WithEtagOptions<NoInfer<Req>> = {},
): ((request: Req, ...rest: Rest) => Result | Response | Promise<Awaited<Result> | Response>) & {
  readonly registry: EtagRegistry;
} {
  if (typeof handler !== "function") {
    throw new TypeError(`withEtag() wraps a function, not ${String(handler)}`);
  }
  if (options.version === "") throw new TypeError('withEtag() takes a version that says something, not ""');
  const { registry = new EtagRegistry(), key: keyOf, caller: callerOf, digest = false, replay = [] } =
    options;
  const site: Site = { registry, build: buildId(options.version), digest, replay };
  function wrapped(request: Req, ...rest: Rest): unknown {
    const { method } = request;
    const key = keyOf === undefined ? request.url : keyOf(request);
    if (method !== "GET" && method !== "HEAD") {
      if (OTHER_SAFE.has(method)) return handler(request, ...rest);
      registry.count("unsafe-method");
      return run(() => handler(request, ...rest), (result) => written(site, key, result), () => {});
    }
    if (key === undefined) return handler(request, ...rest);
    const caller = callerOf?.(request);
    const known = answer(site, request, key, caller);
    if (known !== undefined) return known;
    const lease = method === "GET" ? registry.lease(key, caller) : undefined;
    const exchange: Exchange = { request, caller, lease };
    return run(
      () => handler(request, ...rest),
      (result) => complete(site, exchange, result),
      () => lease?.release(),
    );
  }
  return Object.assign(wrapped, { registry }) as ReturnType<typeof withEtag<Req, Rest, Result>>;
}
