/** CORS on the outer side of `withEtag`: scripts of another origin may read its 304, 412 and 428 as well. */

type Handler = (request: Request) => Response | Promise<Response>;

/** What the handler answers, readable for scripts of these origins. Cookies are not for them: they send a token. */
export function cors(handler: Handler, origins: ReadonlySet<string>): Handler {
  return async (request) => {
    const origin = request.headers.get("origin");
    const response = request.method === "OPTIONS" ? preflight() : await handler(request);
    response.headers.append("vary", "origin");
    if (origin !== null && origins.has(origin)) {
      response.headers.set("access-control-allow-origin", origin);
      response.headers.set("access-control-expose-headers", "etag");
    }
    return response;
  };
}

/** A browser asks first, because neither PUT nor `If-Match` is what every page may send. */
function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, HEAD, PUT",
      "access-control-allow-headers": "authorization, content-type, if-match, if-none-match",
      "access-control-max-age": "600",
    },
  });
}
