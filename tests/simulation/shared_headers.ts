/**
 * A server's own class of responses, which keeps the `Headers` that it is given, and a handler that gives it the same ones
 * for each response that is to have the same fields.
 *
 * @module
 */
import { removeDeclarations } from "../../src/http/dependency.ts";

/** Responses that keep the `Headers` that they are given. */
class KeepingResponse extends Response {
  readonly #headers: Headers;

  constructor(body: BodyInit | null, init: ResponseInit & { readonly headers: Headers }) {
    super(body, init);
    this.#headers = init.headers;
  }

  override get headers(): Headers {
    return this.#headers;
  }
}

/**
 * The response with `Headers` that it shares with others of the same fields.
 *
 * @param onAgain Called where they were there already.
 */
export function sharing(response: Response, kept: Map<string, Headers>, onAgain: () => void): Response {
  const { status, headers } = response;
  const fields = new Headers(headers);
  removeDeclarations(fields);
  // A declaration has a name that is never given again, and so is compared by its value.
  const declared = [...headers].filter(([name]) => /^stillfresh-[a-z-]+$/.test(name));
  const said = JSON.stringify([status, [...fields], declared]);
  if (kept.has(said)) onAgain();
  else kept.set(said, new Headers(headers));
  return new KeepingResponse("page", { status, headers: kept.get(said)! });
}
