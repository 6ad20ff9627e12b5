/** Compression on the inner side of `withEtag`: each coding gets a strong tag of its own, which a write may name. */

type Handler = (request: Request) => Promise<Response>;

/** What the handler answers, in gzip where the client accepts it. */
export function compress(handler: Handler): Handler {
  return async (request) => {
    const response = await handler(request);
    if (response.status !== 200 || response.body === null) return response;
    // Also where it is not compressed: the next client may accept it.
    response.headers.append("vary", "accept-encoding");
    if (!acceptsGzip(request)) return response;
    const headers = new Headers(response.headers);
    headers.set("content-encoding", "gzip");
    headers.delete("content-length");
    return new Response(response.body.pipeThrough(new CompressionStream("gzip")), { headers });
  };
}

/** Whether the field names gzip, and not with a weight of 0. */
function acceptsGzip({ headers }: Request): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(headers.get("accept-encoding") ?? "");
}
