/**
 * `deno task bench`: what a hit and a miss cost, in this process, without a socket. A first reading, not a verdict:
 * figures move with the machine; compare rows of one run.
 *
 * @module
 */
import { dependsOn, withEtag } from "../mod.ts";

/** Requests per round; a power of two, so that cycling through the pages is a mask. */
const requests = 8192;
const pages = 1024;
const rounds = 25;

const body = "<p>A page of about the usual size.</p>".repeat(200);

function page(request: Request): Response {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "public, no-cache",
    ...dependsOn({ _id: request.url, _rev: "1-967a00dff5e02add41819138abb3284d" }),
  };
  return new Response(body, { headers });
}

type Handler = (request: Request) => Response | Promise<Response>;

const urls = Array.from({ length: pages }, (_, index) => `https://example.com/posts/${index}`);

/** One request per URL, with the tags a client would have by now, or with one that no page has. */
async function requestsFor(handler: Handler, tags: "none" | "current" | "stale"): Promise<Request[]> {
  return await Promise.all(urls.map(async (url) => {
    if (tags === "none") return new Request(url);
    const etag = tags === "stale" ? '"stale"' : (await handler(new Request(url))).headers.get("etag") ?? "";
    return new Request(url, { headers: { "if-none-match": etag } });
  }));
}

/** Nanoseconds per request: one figure per round, sorted, after as many rounds of warming up. */
async function measure(handler: Handler, sent: readonly Request[], status: number): Promise<number[]> {
  const figures: number[] = [];
  for (let round = 0; round < 2 * rounds; round++) {
    const start = performance.now();
    for (let index = 0; index < requests; index++) {
      const request = sent[index & (pages - 1)];
      if (request === undefined) throw new RangeError(`no request ${index}`);
      const answer = handler(request);
      const response = answer instanceof Promise ? await answer : answer;
      if (response.status !== status) {
        throw new Error(`${request.url} was answered ${response.status}, not ${status}`);
      }
    }
    if (round >= rounds) figures.push((performance.now() - start) * 1e6 / requests);
  }
  return figures.sort((a, b) => a - b);
}

const wrapped: Handler = withEtag(page, { version: "bench" });
const cases = [
  { name: "the handler alone", handler: page, sent: await requestsFor(page, "none"), status: 200 },
  { name: "miss: no condition", handler: wrapped, sent: await requestsFor(wrapped, "none"), status: 200 },
  { name: "miss: another tag", handler: wrapped, sent: await requestsFor(wrapped, "stale"), status: 200 },
  { name: "hit: 304", handler: wrapped, sent: await requestsFor(wrapped, "current"), status: 304 },
] as const;

console.log(`${rounds} rounds of ${requests} requests over ${pages} pages, Deno ${Deno.version.deno}\n`);
console.log(`${"".padEnd(22)}${"ns/request".padStart(12)}${"fastest".padStart(12)}${"slowest".padStart(12)}`);
for (const { name, handler, sent, status } of cases) {
  const figures = await measure(handler, sent, status);
  const columns = [figures[rounds >> 1], figures[0], figures[rounds - 1]];
  console.log(name.padEnd(22) + columns.map((ns) => Math.round(ns ?? NaN).toString().padStart(12)).join(""));
}
