/**
 * The wrapper around a handler: look up, evaluate, run, tag, register. The one file that knows the whole story.
 *
 * @module
 */
import { cacheName } from "./cache_status.ts";
import { type Current, hasPrecondition } from "./current_state.ts";
import { type PurgeField, purgeFieldNames } from "../http/cdn_tags.ts";
import { written } from "./invalidation.ts";
import { complete } from "./miss.ts";
import { EtagRegistry } from "../registry/registry.ts";
import { notModifiedInits } from "./prepared_init.ts";
import { replayedNames, withFields } from "./responses.ts";
import type { Reason } from "../registry/reason.ts";
import { type AuditMismatch, type HandlerContext, isResponse, type RequestContext } from "./context.ts";
import { answer } from "./evaluate.ts";
import { buildId } from "./derived_tag.ts";
import { prevented, required } from "./write.ts";

/** How a handler is wrapped. */
export interface WithEtagOptions<Req extends Request = Request> {
  /** Where valid tags are kept; default: one of its own, at `.registry` of the wrapped handler. */
  readonly registry?: EtagRegistry;
  /** The resource; default `request.url`. Undefined: hands off. It says nothing about who asks. */
  readonly key?: (request: Req) => string | undefined;
  /** Who asks; joins the key. Only this or `Cache-Control: public` lets Cookie and Authorization in. */
  readonly caller?: (request: Req) => string | undefined;
  /** Build id, in every tag we derive; default: the registry's, else a salt of this process: tags end with it. */
  readonly version?: string;
  /** Read and hash 200s that nothing else identifies: saves bytes, not the handler; default false. */
  readonly hashBody?: boolean;
  /**
   * What an unsafe request with a precondition is judged by, before the handler runs: validators, or the document
   * itself, which every tag derived from its revision matches; null: it does not exist; undefined: cannot tell, so the
   * handler decides.
   */
  readonly current?: (request: Req) => Current | Promise<Current>;
  /** Whether a PUT, PATCH or DELETE without a precondition is answered 428 (RFC 6585 §3); default false. */
  readonly requirePrecondition?: boolean;
  /** Fields in which the groups are sent on, without revisions, to caches in front; default none. */
  readonly purgeFields?: readonly PurgeField[];
  /** Our name in `Cache-Status` (RFC 9211); default: no such field. */
  readonly cacheStatus?: string;
  /** Share of would-be 304s for which the handler runs after all, 0 to 1; default 0. */
  readonly auditRate?: number;
  /** Hears of each check in which the handler gave another tag. Must not throw. */
  readonly onAudit?: (mismatch: AuditMismatch) => void;
  /** What draws the checks, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
  /** Names of further fields that a 304 replays, in any case; a value with a CSP nonce is not replayed. */
  readonly retainedHeaders?: readonly string[];
}

/** Methods that change nothing, and whose responses are not validated either (RFC 9110 §9.2.1; QUERY). */
const OTHER_SAFE: ReadonlySet<string> = new Set(["OPTIONS", "TRACE", "QUERY"]);

/** A handler, whatever its server passes. */
type Handler = (request: Request, ...rest: readonly unknown[]) => unknown;

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}

/** The names in lower case, each once; throws for what is none. */
function fieldNames(names: readonly string[]): readonly string[] {
  return [...new Headers(names.map((name): [string, string] => [name, ""])).keys()];
}

/** To spread a list takes JavaScriptCore a tenth of a microsecond; servers pass one thing beside the request, or none. */
function call(handler: Handler, request: Request, rest: readonly unknown[]): unknown {
  if (rest.length === 0) return handler(request);
  return rest.length === 1 ? handler(request, rest[0]) : handler(request, ...rest);
}

/** What comes of a result that may have to be waited for. */
function then(result: unknown, done: (result: unknown) => unknown): unknown {
  return isThenable(result) ? result.then(done) : done(result);
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
 * @param options Where tags are kept, what a resource is and who asks for it, what writes are judged by.
 * @returns The wrapped handler, with its registry.
 * @throws {TypeError} If the handler is no function, `version` is empty, or `retainedHeaders` holds what is no field name.
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
  const context = resolveOptions(options);
  const { registry } = context;
  const run = handler as unknown as Handler;
  const { key: keyOf, caller: callerOf } = options;

  function retrieve(
    request: Req,
    rest: readonly unknown[],
    key: string,
    caller: string | undefined,
    why: Reason,
  ): unknown {
    const found = why === "audit" ? registry.lookup(key, request.headers, caller) : why;
    const audited = typeof found === "string" ? undefined : found;
    const lease = request.method === "GET" ? registry.lease(key, caller) : undefined;
    const exchange: RequestContext = { request, key, caller, lease, why, audited };
    let result: unknown;
    try {
      result = call(run, request, rest);
    } catch (error) {
      lease?.release();
      throw error;
    }
    if (!isThenable(result)) return complete(context, exchange, result);
    return result.then((response) => complete(context, exchange, response), (error: unknown) => {
      lease?.release();
      throw error;
    });
  }

  function write(request: Req, rest: readonly unknown[], key: string | undefined): unknown {
    registry.count("unsafe-method");
    const refusal = options.requirePrecondition === true ? required(context, request) : undefined;
    if (refusal !== undefined) return refusal;
    const proceed = () => then(call(run, request, rest), (result) => written(context, key, result));
    if (options.current === undefined || !hasPrecondition(request.headers)) return proceed();
    return then(
      options.current(request),
      (current) => prevented(context, request, current as Current) ?? proceed(),
    );
  }

  function wrapped(request: Req): unknown {
    const { method } = request;
    const retrieval = method === "GET" || method === "HEAD";
    const otherSafe = !retrieval && OTHER_SAFE.has(method);
    const key = otherSafe ? undefined : keyOf === undefined ? request.url : named("key", keyOf(request));
    let caller: string | undefined;
    let why: Reason | undefined;
    if (retrieval && key !== undefined) {
      caller = callerOf === undefined ? undefined : named("caller", callerOf(request));
      const found = answer(context, request, key, caller);
      if (typeof found !== "string") return found;
      why = found;
    }
    // Not a rest parameter, which would be a list for each hit.
    const rest = arguments.length === 1
      ? []
      : arguments.length === 2
      ? [arguments[1]]
      : [].slice.call(arguments, 1);
    if (why !== undefined) return retrieve(request, rest, key!, caller, why);
    if (otherSafe) return then(call(run, request, rest), undeclared);
    return retrieval ? call(run, request, rest) : write(request, rest, key);
  }
  return Object.assign(wrapped, { registry }) as unknown as ReturnType<typeof withEtag<Req, Rest, Result>>;
}

/** Whatever the handler answered, without its declarations. */
function undeclared(result: unknown): unknown {
  return isResponse(result) ? withFields(result) : result;
}

/** A promise or a null would be one name for everybody. */
function named(option: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new TypeError(`${option}() gives a string or undefined, at once, not ${String(value)}`);
}

/** Options, checked and completed. */
function resolveOptions<Req extends Request>(options: WithEtagOptions<Req>): HandlerContext {
  const {
    registry = new EtagRegistry(),
    auditRate = 0,
    random = Math.random,
    purgeFields = [],
    cacheStatus,
  } = options;
  const version = options.version ?? registry.version;
  if (registry.version !== undefined && version !== registry.version) {
    throw new TypeError(
      `The version is ${JSON.stringify(version)} here and ${
        JSON.stringify(registry.version)
      } in the registry`,
    );
  }
  if (version === "") throw new TypeError('withEtag() takes a version that says something, not ""');
  if (!(auditRate >= 0 && auditRate <= 1)) {
    throw new RangeError(`auditRate is a share from 0 to 1, not ${auditRate}`);
  }
  for (const name of purgeFields) {
    if (!purgeFieldNames.includes(name)) {
      throw new TypeError(`purgeFields takes ${purgeFieldNames.join(", ")}, not ${JSON.stringify(name)}`);
    }
  }
  return {
    registry,
    build: buildId(version),
    hashBody: options.hashBody ?? false,
    replayedNames: replayedNames(fieldNames(options.retainedHeaders ?? [])),
    initOf: notModifiedInits(),
    purgeFields,
    cacheName: cacheStatus === undefined ? undefined : cacheName(cacheStatus),
    shouldAudit: auditRate === 0 ? () => false : () => random() < auditRate,
    onAudit: options.onAudit,
  };
}
