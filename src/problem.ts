/**
 * Problem details (RFC 9457): why a request was refused, and what to do instead, for programs and for people.
 *
 * @module
 */

/** What a problem says. `type` is `about:blank`, so the title is that of the status (RFC 9457 §4.2.1). */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** A sentence or two that tell the client what to do. */
  readonly detail: string;
}

/**
 * Whether plain text is the better answer (RFC 9110 §12.5.1): the client names a text type, and no JSON. Anything else
 * is answered with JSON, which everybody can read at need.
 */
function prefersText(accept: string | null): boolean {
  if (accept === null) return false;
  const types = accept.toLowerCase();
  return types.includes("text/") && !types.includes("json");
}

/**
 * The response for a problem, as `application/problem+json` or plain text. It is not to be stored: it is about this
 * request.
 *
 * @param request Whose `Accept` decides, and whose method: a HEAD gets no body.
 * @param fields Further fields.
 */
export function problemResponse(
  request: Request,
  { status, title, detail }: Problem,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const text = prefersText(request.headers.get("accept"));
  const body = text
    ? `${title}: ${detail}\n`
    : JSON.stringify({ type: "about:blank", title, status, detail });
  const headers = {
    ...fields,
    "cache-control": "no-store",
    "content-type": text ? "text/plain; charset=utf-8" : "application/problem+json",
    vary: "Accept",
  };
  return new Response(request.method === "HEAD" ? null : body, { status, statusText: title, headers });
}
