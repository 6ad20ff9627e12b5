/**
 * Compression inside of `withEtag`: each coding is a representation with a strong tag of its own, and a hit compresses nothing.
 * Outside, a compressor would have to weaken the tag.
 *
 *     curl -i --compressed http://localhost:8000/post-1
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { nullIfMissing, postIdOf, PUBLIC, type Served } from "./served.ts";

/** The response gzipped, if the client takes that. */
function compressed(request: Request, response: Response): Response {
  const headers = new Headers(response.headers);
  headers.append("vary", "accept-encoding");
  const isWanted = /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:$|[\s,]))/i.test(
    request.headers.get("accept-encoding") ?? "",
  );
  if (!isWanted || response.body === null) {
    return new Response(response.body, { status: response.status, headers });
  }
  headers.set("content-encoding", "gzip");
  headers.delete("content-length");
  return new Response(response.body.pipeThrough(new CompressionStream("gzip")), {
    status: response.status,
    headers,
  });
}

export function serveCompressed(blog: DocumentScope<{ title: string }>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(blog));
  const handler = withEtag(async (request: Request) => {
    const id = postIdOf(request);
    const post = id === undefined ? null : await blog.get(id).catch(nullIfMissing);
    if (post === null) return new Response("There is no such post.\n", { status: 404 });
    return compressed(request, Response.json(post, { headers: { ...PUBLIC, ...dependsOn(post) } }));
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
