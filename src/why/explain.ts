/**
 * What becomes of one request, and why, in words.
 *
 * @module
 */
import type { Decision } from "../registry/decision.ts";
import { coreOf } from "../registry/core.ts";
import type { LookupRefusal, Outcome, RegistrationRefusal } from "../registry/reason.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { causes } from "./causes.ts";

/** What became of a request. */
export interface Explanation {
  /** Whether it is answered without the handler from now on, until something that its page declares changes. */
  readonly answered: boolean;
  /** How it was answered, or why the registry did not answer; undefined: `withEtag` was not asked. */
  readonly reason: Outcome | LookupRefusal | undefined;
  /** Why the response was not registered; undefined: it was, or it could not have been. */
  readonly refusal: RegistrationRefusal | undefined;
  /** The same in sentences, with what to change. */
  readonly text: string;
}

/** What became of one request, and the tag of its answer. */
interface Asked {
  readonly decision: Decision | undefined;
  readonly etag: string | undefined;
}

/**
 * Asks a wrapped handler as a client would, and says in sentences what became of the request: once as it is, and once
 * more with the tag that it was given, as a client does on its next visit. It is a request like any other: it is counted,
 * its response may be registered, and the access check of the handler applies to it.
 *
 * @example A page that no visitor with a cookie is answered from the registry:
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, withEtag } from "@stillfresh/etag";
 * import { explain } from "@stillfresh/etag/why";
 *
 * const post = { _id: "post-1", _rev: "2-abc" };
 * const handler = withEtag(() => Response.json(post, { headers: dependsOn(post) }), { manual: true });
 * const { answered, text } = await explain(handler, new Request("http://localhost/", { headers: { cookie: "visits=1" } }));
 * assert.equal(answered, false);
 * assert.equal(
 *   text,
 *   "GET /: the handler ran and gave 200: a GET or HEAD without a condition that the registry could answer, or a QUERY (unconditional). " +
 *     "Its response was not registered: the request carries Cookie or Authorization, and nothing says that the response is " +
 *     "for everyone (not-public). Say Cache-Control: public if the page is the same for everyone; else give withEtag() a " +
 *     "caller, such as the session's id.",
 * );
 * ```
 *
 * @param handler What `withEtag` returned.
 * @param request A GET or HEAD, with the fields of the client in question. It is copied.
 * @param rest What else the server passes to the handler.
 * @returns Whether it is answered without the handler, the reasons, and sentences.
 * @throws {TypeError} If the handler is not wrapped; and what the handler throws. A request of another method is not made:
 * the handler might write.
 */
export async function explain<Rest extends readonly unknown[]>(
  handler: ((request: Request, ...rest: Rest) => unknown) & { readonly registry: EtagRegistry },
  request: Request,
  ...rest: Rest
): Promise<Explanation> {
  const registry: unknown = handler?.registry;
  if (registry === undefined) {
    throw new TypeError("explain() takes what withEtag() returned, and then a request");
  }
  const core = coreOf(registry as EtagRegistry);
  const what = `${request.method} ${new URL(request.url).pathname}`;
  if (request.method !== "GET" && request.method !== "HEAD") {
    const text =
      `${what}: the registry answers GET and HEAD. Any other request runs the handler, and was not made here.`;
    return { answered: false, reason: undefined, refusal: undefined, text };
  }

  async function ask(fields: Headers): Promise<Asked> {
    const asked = new Request(request.url, {
      method: request.method,
      headers: fields,
      signal: request.signal,
    });
    let decision: Decision | undefined;
    const stop = core.observers.add((made) => {
      if (made.request === asked) decision = made;
    });
    try {
      const response: unknown = await handler(asked, ...rest);
      if (!(response instanceof Response)) return { decision, etag: undefined };
      await response.body?.cancel();
      return { decision, etag: response.headers.get("etag") ?? undefined };
    } finally {
      stop();
    }
  }

  const first = await ask(request.headers);
  const isSettled = first.decision === undefined || first.decision.handlerStatus === undefined;
  if (isSettled || first.etag === undefined) return explained(what, first.decision, undefined);
  // As a client does that has a copy from now on.
  const fields = new Headers(request.headers);
  for (const name of ["if-match", "if-modified-since", "if-unmodified-since", "range", "if-range"]) {
    fields.delete(name);
  }
  fields.set("if-none-match", first.etag);
  return explained(what, first.decision, (await ask(fields)).decision);
}

/** Reasons of a look-up for which nothing is answered to this client, or to none, whatever is registered. */
const BLOCKING: ReadonlySet<Outcome | LookupRefusal> = new Set([
  "unfollowed",
  "suspended",
  "credentials",
  "audit",
]);

/**
 * Puts it into words.
 *
 * @param what The method and the path.
 * @param again What became of the second request; undefined: there was none.
 */
export function explained(
  what: string,
  first: Omit<Decision, "request"> | undefined,
  again: Omit<Decision, "request"> | undefined,
): Explanation {
  if (first === undefined) {
    const text =
      `${what}: withEtag() was not asked, because what is around it gave the answer, or asked with another Request.`;
    return { answered: false, reason: undefined, refusal: undefined, text };
  }
  const { end, reason, handlerStatus, refusal } = first;
  const answered = (again ?? first).reason === "hit";
  if (handlerStatus === undefined) {
    const meaning = end === reason ? meant(end) : `${meant(reason)}, and ${meant(end)}`;
    const cure = answered ? "" : ` ${causes[end].cure}`;
    return { answered, reason, refusal, text: `${what}: ${meaning}.${cure}` };
  }
  const why = refusal ?? (answered ? undefined : again?.reason ?? reason);
  const blocking = [reason, again?.reason].find((one) => one !== undefined && BLOCKING.has(one));
  const cures = new Set(
    [why, answered ? undefined : blocking].flatMap((one) => one === undefined ? [] : [causes[one].cure]),
  );
  const sentences = [
    `${what}: the handler ran and gave ${handlerStatus}: ${meant(reason)}.`,
    ...end === "handled" ? [] : [`It was ${meant(end)}.`],
    ...refusal === undefined ? [] : [`Its response was not registered: ${meant(refusal)}.`],
    ...again === undefined ? [] : [askedAgain(again)],
    ...cures,
  ];
  return { answered, reason, refusal, text: sentences.join(" ") };
}

function askedAgain({ reason }: Pick<Decision, "reason">): string {
  return reason === "hit"
    ? "Asked again with its tag, it was answered 304 from the registry."
    : `Asked again with its tag, the registry did not answer: ${meant(reason)}.`;
}

function meant(reason: Outcome | LookupRefusal | RegistrationRefusal): string {
  return `${causes[reason].meaning} (${reason})`;
}
