/** The site that each server serves: pages of one document each, bodies of every size, and what became of them. */
import { dependsOn, invalidates, withEtag } from "../../mod.ts";

/** Fields that a 200 has, and its 304 too. */
export const KEPT = {
  "cache-control": "public, no-cache",
  "vary": "Origin",
  "access-control-allow-origin": "https://app.example",
  "content-location": "/page",
};

/** Bytes of `/big/…`. */
export const BIG: number = 4 * 2 ** 20;

const revisions = new Map<string, number>();
let [runs, cancelled] = [0, 0];

/** A body that goes on until it is cancelled. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      controller.enqueue(new Uint8Array(16_384).fill(97));
    },
    cancel() {
      cancelled++;
    },
  });
}

const answer = withEtag(({ method, url, headers: fields }: Request) => {
  runs++;
  const { pathname } = new URL(url);
  const revision = revisions.get(pathname) ?? 1;
  if (method === "POST") {
    revisions.set(pathname, revision + 1);
    return new Response(null, { status: 204, headers: invalidates(pathname) });
  }
  const post = { _id: pathname, _rev: `${revision}-a` };
  const headers = { ...KEPT, "content-type": "text/plain", ...dependsOn(post) };
  if (pathname.startsWith("/stream")) return new Response(endless(), { headers });
  if (pathname.startsWith("/big")) return new Response(new Uint8Array(BIG).fill(97), { headers });
  const text = `revision ${revision} of ${pathname}`;
  if (fields.get("range") !== "bytes=0-7") return new Response(text, { headers });
  const range = `bytes 0-7/${text.length}`;
  return new Response(text.slice(0, 8), { status: 206, headers: { ...headers, "content-range": range } });
}, { manual: true, cacheStatus: "Site" });

/** Answers a request; `/state` says what the site has seen. */
export function site(request: Request): Response | Promise<Response> {
  if (request.url.endsWith("/state")) return Response.json({ runs, cancelled });
  return answer(request);
}
