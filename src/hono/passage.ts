/**
 * The way of one request through what is inside of the middleware, and the response that the context has afterwards.
 *
 * @module
 */
import { CROSS_ORIGIN, remade, withFields } from "../handler/responses.ts";
import { isDeclaration } from "../http/dependency.ts";
import type { HonoContext } from "./context.ts";

/** What describes a body, which a response in the place of another does not share with it. */
const OF_A_BODY = /^content-(?:type|length|encoding|language|range)$/;

/** One request inside of the middleware. */
export class Passage<C extends HonoContext> {
  readonly #c: C;
  readonly #next: () => Promise<void>;
  /** The fields that were set outside; undefined: nothing inside has run. */
  #outer: Headers | undefined;
  /** The response from inside. */
  #given: Response | undefined;
  /** Fields of that response which were set outside, and which a layer outside sets for each hit as well. */
  #lent: [name: string, value: string][] = [];

  /** Hono's. */
  get context(): C {
    return this.#c;
  }

  constructor(c: C, next: () => Promise<void>) {
    this.#c = c;
    this.#next = next;
  }

  /** The response from inside; undefined where there is none, as Hono will say, and where it is asked for again. */
  async run(): Promise<Response | undefined> {
    if (this.#outer !== undefined) return undefined;
    const c = this.#c;
    const outer = this.#outer = new Headers(c.body(null).headers);
    await this.#next();
    if (!c.finalized) return undefined;
    this.#given = withDeclarations(c);
    const { headers } = this.#given;
    for (const name of CROSS_ORIGIN) {
      const value = outer.get(name);
      if (value === null || headers.get(name) !== value) continue;
      try {
        headers.delete(name);
        this.#lent.push([name, value]);
      } catch {
        // The fields of a fetched response are immutable, and its own.
      }
    }
    return this.#given;
  }

  /** Makes an answer the response of the context. */
  finish(answer: Response | undefined): void {
    if (answer === undefined) return;
    const c = this.#c;
    const given = this.#given;
    // What was set outside is on a response from inside already.
    if (given?.status !== answer.status) addFields(answer.headers, this.#outer ?? c.body(null).headers);
    const sent = given === undefined ? answer : withFields(answer);
    if (sent === given) return;
    c.res = undefined;
    c.res = sent;
  }

  /** Gives the fields back that were set outside. */
  restore(): void {
    for (const [name, value] of this.#lent) {
      const { headers } = this.#c.res!;
      if (!headers.has(name)) headers.set(name, value);
    }
  }
}

/**
 * The response of the context, with what was declared by `c.header()`: Hono leaves that out of a `Response` that a handler
 * made itself, and a dependency that got lost would be a change that is missed.
 */
function withDeclarations(c: HonoContext): Response {
  const given = c.res!;
  c.res = undefined;
  const set = c.body(null).headers;
  const missing: [string, string][] = [];
  set.forEach((value, name) => {
    if (isDeclaration(name) && !given.headers.has(name)) missing.push([name, value]);
  });
  c.res = given;
  if (missing.length === 0) return given;
  const headers = new Headers(given.headers);
  for (const [name, value] of missing) headers.append(name, value);
  c.res = undefined;
  return c.res = remade(given, given.body, headers);
}

/** Adds the fields that are not there, but for declarations, and for what describes a body. */
function addFields(headers: Headers, others: Headers): void {
  let setsCookies: boolean | undefined;
  others.forEach((value, name) => {
    if (isDeclaration(name) || OF_A_BODY.test(name)) return;
    setsCookies ??= headers.has("set-cookie");
    if (name === "set-cookie" ? !setsCookies : !headers.has(name)) headers.append(name, value);
  });
}
