/**
 * The wrapper around a handler: look up, run, finish; or judge, run, invalidate. The one file that has the whole story.
 *
 * @module
 */
import { refuseContext } from "../http/refuse_context.ts";
import { EtagRegistry } from "../registry/registry.ts";
import { type RequestContext, resolveOptions, type WithEtagOptions } from "./context.ts";
import { noteCrossOrigin } from "./cross_origin.ts";
import { readCurrent } from "./current_state.ts";
import { answerFromRegistry } from "./hit.ts";
import { finishRetrieval } from "./miss.ts";
import { wholeRequest } from "./request_copy.ts";
import { isResponse, withFields } from "./responses.ts";
import { endRequest } from "./tell.ts";
import { finishWrite, hasPrecondition, refuseConflicting, refuseUnconditional } from "./write.ts";

/** Methods that change nothing, and whose responses are not validated either (RFC 9110 §9.2.1, §13.2.1). */
const OTHER_SAFE: ReadonlySet<string> = /* @__PURE__ */ new Set(["OPTIONS", "TRACE"]);

/**
 * Wraps a fetch handler: a conditional request whose entity tag is still valid is answered 304 and the handler does
 * not run; every other answer is tagged, and registered if it says what it was built from.
 *
 * What is not a `Response` is returned untouched, and so is the very object of a response that neither declares
 * anything ({@linkcode dependsOn}) nor has a validator. An error of the handler passes through. A hit is returned
 * synchronously. No request makes it throw.
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
 * }, { version: "2026-11-22", manual: true });
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
 * @throws {TypeError | RangeError} If the handler is no function, or an option is illegal.
 */
export function withEtag<Req extends Request, Rest extends unknown[], Result>(
  handler: (request: Req, ...rest: Rest) => Result,
  options: WithEtagOptions<NoInfer<Req>, Rest> = {},
): ((request: Req, ...rest: Rest) => Result | Response | Promise<Awaited<Result> | Response>) & {
  readonly registry: EtagRegistry;
} {
  if (typeof handler !== "function") {
    throw new TypeError(`withEtag() wraps a function, not ${String(handler)}`);
  }
  const { key: keyOf, caller: callerOf, current, manual = false } = options;
  if (manual && options.registry !== undefined) {
    throw new TypeError(
      "manual is for the registry that withEtag() makes; give it to new EtagRegistry() instead",
    );
  }
  const registry = options.registry ?? new EtagRegistry({ manual });
  const context = resolveOptions(registry, options);
  const core = context.registry;

  /** A GET or HEAD that the registry cannot answer, or a QUERY. */
  function retrieve(
    request: Req,
    key: string,
    caller: Caller,
    reason: RequestContext["reason"],
    run: (request: Req) => unknown,
    rest: Rest,
  ): unknown {
    const { method, url } = request;
    // A gateway may take credentials off the request before it passes it on.
    const headers = new Headers(request.headers);
    const known = typeof caller === "object" ? undefined : caller;
    const audited = reason === "audit" ? core.peek(key, headers, known) : undefined;
    const lease = core.lease(key, known);
    const reads = options.reads?.();
    const runTracked = reads === undefined ? run : (request: Req) => reads.runHandler(() => run(request));
    const asked: RequestContext = {
      request: { method, headers },
      ...{ given: request, url, key, caller: known, lease, reads, reason, audited },
      current: current === undefined ? undefined : () => current(request, ...rest),
      mayRegister: method === "GET",
      askForWhole: () => {
        reads?.reopen();
        return runTracked(wholeRequest(request));
      },
    };
    const finish = (result: unknown) => {
      if (typeof caller !== "object") return finishRetrieval(context, asked, result);
      return caller.then((name) => {
        if (name === FAILED) {
          lease.release();
          endRequest(core, request, "handled", { reason });
          return withoutDeclaration(result);
        }
        lease.caller = name;
        return finishRetrieval(context, { ...asked, caller: name }, result);
      });
    };
    const begun = core.runs.begin();
    const fail = (error: unknown) => endThrown(request, reason, error);
    return settle(
      runTracked,
      (result) => {
        core.runs.end(begun);
        return settle(finish, itself, fail, result);
      },
      (error) => {
        core.runs.end(begun);
        lease.release();
        return fail(error);
      },
      request,
    );
  }

  /** Ends a request with an error of the handler, or of the body that it gave. */
  function endThrown(request: Req, reason: RequestContext["reason"], error: unknown): never {
    endRequest(core, request, "handler-threw", { reason });
    throw error;
  }

  /** Hands a request to the handler, and its response on, without a look at either but for our declaration. */
  function passOn(request: Req, run: () => unknown): unknown {
    endRequest(core, request, "passed-on");
    return settle(run, withoutDeclaration);
  }

  /**
   * A QUERY (RFC 10008). What it asks is in its content, which only the handler reads: so the registry neither answers nor
   * keeps anything, and the result is evaluated by a tag of the handler's own, or by the digest of its body.
   */
  function query(self: unknown, request: Req, rest: Rest): unknown {
    const run = (asked: Req) => handler.call(self, asked, ...rest);
    const key = keyOf === undefined ? request.url : nameOf("key", keyOf, request, rest);
    if (key === undefined) return passUntouched(self, request, rest);
    const caller = callerFor(request, rest);
    if (key === FAILED || caller === FAILED) return passOn(request, () => run(request));
    core.count("unconditional");
    return retrieve(request, `QUERY ${key}`, caller, "unconditional", run, rest);
  }

  /** A request of another method: a write, unless the method is safe. */
  function change(self: unknown, request: Req, rest: Rest, method: string): unknown {
    if (method === "QUERY") return query(self, request, rest);
    // A write declares nothing, but what it reads belongs to it, and to no request around it.
    const reads = options.reads?.();
    const answer = () => handler.call(self, request, ...rest);
    const run = reads === undefined ? answer : () => reads.runHandler(answer);
    const origin = request.headers.get("origin");
    const isSafe = OTHER_SAFE.has(method);
    if (isSafe && (origin === null || method !== "OPTIONS")) return passOn(request, run);
    const named = keyOf === undefined ? request.url : nameOf("key", keyOf, request, rest);
    const key = named === FAILED ? undefined : named;
    if (isSafe) {
      endRequest(core, request, "passed-on");
      return settle(run, (result) => {
        if (isResponse(result)) noteCrossOrigin(context.registry, key, origin, result);
        return withoutDeclaration(result);
      });
    }
    const fail = (error: unknown) => endThrown(request, "unsafe-method", error);
    const proceed = () => {
      const begun = core.runs.begin();
      return settle(run, (result) => {
        core.runs.end(begun);
        return settle(() => finishWrite(context, request, key, origin, result), itself, fail);
      }, (error) => {
        core.runs.end(begun);
        // What was written before the error is unknown.
        if (key !== undefined) core.delete(key);
        return fail(error);
      });
    };
    return settle(() => callerFor(request, rest), (name) => {
      core.count("unsafe-method");
      const target = { request, key, caller: name === FAILED ? undefined : name as string | undefined };
      if (current === undefined || !hasPrecondition(request.headers)) {
        return refuseUnconditional(context, target, undefined) ?? proceed();
      }
      const read = (given: unknown) =>
        readCurrent(given as Awaited<ReturnType<typeof current>>, context.tagKey);
      return settle(
        () => settle(() => current(request, ...rest), read),
        (read) => {
          const state = read as ReturnType<typeof readCurrent>;
          return refuseUnconditional(context, target, state) ?? refuseConflicting(context, target, state) ??
            proceed();
        },
        (error) => {
          endRequest(core, request, "current-threw", { reason: "unsafe-method" });
          throw error;
        },
      );
    });
  }

  /** Hands a request that has no key to the handler: what that gives is returned as the object that it is. */
  function passUntouched(self: unknown, request: Req, rest: Rest): unknown {
    endRequest(core, request, "passed-on");
    return handler.call(self, request, ...rest);
  }

  /** What `key` says; {@linkcode FAILED} where it throws for what a client sent. */
  function nameOf<Name>(
    option: "key" | "caller",
    ask: (request: Req, ...rest: Rest) => Name,
    request: Req,
    rest: Rest,
  ): Name | typeof FAILED {
    let name: Name;
    try {
      name = ask(request, ...rest);
    } catch {
      core.count(`${option}-threw`);
      return FAILED;
    }
    if (option === "key" || !isThenable(name)) requireName(option, name);
    return name;
  }

  /** What `caller` says: a promise never fails, and gives {@linkcode FAILED} then. */
  function callerFor(request: Req, rest: Rest): Caller | typeof FAILED {
    const caller = callerOf === undefined ? undefined : nameOf("caller", callerOf, request, rest);
    if (typeof caller !== "object") return caller;
    return Promise.resolve(caller).then((name) => {
      requireName("caller", name);
      return name;
    }).catch(() => {
      core.count("caller-threw");
      return FAILED;
    });
  }

  function wrapped(this: unknown, request: Req, ...rest: Rest): unknown {
    const method: unknown = request?.method;
    if (typeof method !== "string") refuseRequest(request);
    if (method !== "GET" && method !== "HEAD") return change(this, request, rest, method);
    // Read once: Bun makes a new string each time.
    const key = keyOf === undefined ? request.url : nameOf("key", keyOf, request, rest);
    if (keyOf === undefined && typeof key !== "string") refuseRequest(request);
    if (key === undefined) return passUntouched(this, request, rest);
    const run = (asked: Req) => handler.call(this, asked, ...rest);
    const caller = callerOf === undefined ? undefined : callerFor(request, rest);
    if (key === FAILED || caller === FAILED) return passOn(request, () => run(request));
    const isHead = method === "HEAD";
    if (typeof caller !== "object") return answer(request, key, caller, isHead, run, rest);
    const reason = isConditional(request.headers) ? core.refusalFor(key) : "unconditional";
    if (reason === undefined) {
      return caller.then((name) =>
        name === FAILED ? passOn(request, () => run(request)) : answer(request, key, name, isHead, run, rest)
      );
    }
    // No look-up can give an entry, so the name need not be waited for.
    core.count(reason);
    return retrieve(request, key, caller, reason, run, rest);
  }

  function answer(
    request: Req,
    key: string,
    caller: string | undefined,
    isHead: boolean,
    run: (request: Req) => unknown,
    rest: Rest,
  ): unknown {
    const answer = answerFromRegistry(context, request, key, caller, isHead);
    return typeof answer === "string" ? retrieve(request, key, caller, answer, run, rest) : answer;
  }
  return Object.assign(wrapped, { registry }) as unknown as ReturnType<typeof withEtag<Req, Rest, Result>>;
}

/** In the place of a name, where the function that was asked for it threw. */
const FAILED: unique symbol = /* @__PURE__ */ Symbol("failed");

/** Who asks, or who is still being looked up. */
type Caller = string | undefined | Promise<string | undefined | typeof FAILED>;

function isConditional(headers: Headers): boolean {
  return headers.has("if-none-match") || headers.has("if-match");
}

function refuseRequest(value: unknown): never {
  refuseContext("A handler under withEtag() takes a Request first", value, "Hono: c.req.raw, h3: event.req");
}

/** Calls a function, and what follows its result: at once, or when its promise is settled. */
function settle<Given>(
  run: (given: Given) => unknown,
  done: (result: unknown) => unknown,
  fail: (error: unknown) => unknown = rethrow,
  given: Given = undefined as Given,
): unknown {
  let result: unknown;
  try {
    result = run(given);
  } catch (error) {
    return fail(error);
  }
  return isThenable(result) ? Promise.resolve(result).then(done, fail) : done(result);
}

function itself(value: unknown): unknown {
  return value;
}

function rethrow(error: unknown): never {
  throw error;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}

/** The handler's answer without declarations of ours. */
function withoutDeclaration(result: unknown): unknown {
  return isResponse(result) ? withFields(result) : result;
}

/** A promise or null as a name would be one name for all requests. */
function requireName(option: "key" | "caller", value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  const what = option === "key"
    ? "a string or undefined, at once"
    : "a string, undefined, or a promise of one";
  throw new TypeError(`${option}() gives ${what}, not ${String(value)}`);
}
