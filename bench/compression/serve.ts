/**
 * A site of 100 pages in a process of its own: `serve.ts SERVER PLACE` compresses inside of `withEtag`, outside of it, or
 * nowhere, and prints its port. For each line on standard input it prints how many pages it has made.
 *
 * @module
 */
import process from "node:process";
import { samplePosts } from "../../examples/blog/sample.ts";
import { dependsOn, withEtag } from "../../mod.ts";
import { followed } from "../followed.ts";
import type { Fetch } from "../http/contestants.ts";
import { servers } from "../http/listen.ts";

/** Pages of about 10 KB of prose, which compress as prose does. */
const posts = samplePosts(1_000, 10);
const pages = Array.from(
  { length: 100 },
  (_, page) =>
    posts.slice(page * 10, page * 10 + 10).map(({ title, body }) => `<h1>${title}</h1><p>${body}</p>`).join(
      "\n",
    ),
);

let made = 0;

const handler: Fetch = ({ url }) => {
  made++;
  const page = Number(url.slice(url.lastIndexOf("/") + 1));
  const headers = {
    "cache-control": "public, no-cache",
    "content-type": "text/html; charset=utf-8",
    "vary": "accept-encoding",
    ...dependsOn({ _id: `page-${page}`, _rev: "1-967a00dff5e02add41819138abb3284d" }),
  };
  return new Response(pages[page]!, { headers });
};

/** The least that compresses: every client here accepts gzip. Outside of `withEtag`, it has to weaken the tag. */
function compressed(handler: Fetch): Fetch {
  const compress = (response: Response): Response => {
    if (response.status !== 200 || response.body === null) return response;
    const headers = new Headers(response.headers);
    headers.set("content-encoding", "gzip");
    const etag = headers.get("etag");
    if (etag !== null) headers.set("etag", `W/${etag}`);
    return new Response(response.body.pipeThrough(new CompressionStream("gzip")), { headers });
  };
  return (request) => {
    const response = handler(request);
    return response instanceof Promise ? response.then(compress) : compress(response);
  };
}

const [server = "", place = ""] = process.argv.slice(2);
const options = { registry: await followed() };
const sites: Readonly<Record<string, Fetch>> = {
  "nowhere": withEtag(handler, options),
  "inside": withEtag(compressed(handler), options),
  "outside": compressed(withEtag(handler, options)),
};
console.log(await servers[server]!(sites[place]!));
process.stdin.on("data", () => console.log(made));
process.stdin.on("end", () => process.exit());
