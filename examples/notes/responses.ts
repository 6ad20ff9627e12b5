/** The responses that routes have in common. */

/** What is on a page was looked up for a session: only its client may keep it, and has to ask each time. */
const kept = { "cache-control": "private, no-cache", "vary": "accept" };

/** Whether a page is asked for: scripts ask for JSON, or for anything. */
export function wantsHtml({ headers }: Pick<Request, "headers">): boolean {
  return headers.get("accept")?.includes("text/html") ?? false;
}

/** A page, and what it was built from. */
export function htmlResponse(status: number, body: string, sources: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      ...kept,
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'",
      "content-type": "text/html; charset=utf-8",
      ...sources,
    },
  });
}

/** A document, and what it was built from. */
export function jsonResponse(document: object, sources: Record<string, string>): Response {
  return Response.json(document, { headers: { ...kept, ...sources } });
}

/** What is wrong with a request (RFC 9457). */
export function refusal(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body = JSON.stringify({ status, detail });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}

/** After a form: to the page that shows what it did. */
export function seeOther(location: string, headers: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location, "cache-control": "no-store", ...headers } });
}

/** Without a session: to the login for a browser, a challenge for a script (RFC 6750 §3). */
export function loggedOut(request: Pick<Request, "headers">): Response {
  if (wantsHtml(request)) return seeOther("/login");
  return refusal(401, "Log in first: POST your name to /login.", { "www-authenticate": "Bearer" });
}
