/** What a script of another origin sees of a refusal, by where CORS is: docs/placement.md. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { cors } from "hono/cors";
import { dependsOn, withEtag } from "../../mod.ts";
import { chromiumProgram, startChromium } from "../support/chromium.ts";
import { serve } from "../support/http.ts";

const skip = chromiumProgram === undefined ? "no browser; apt-get install chromium" : false;

type Fetch = (request: Request) => Response | Promise<Response>;

const post = { _id: "post-1", _rev: "1-a" };

function site({ method }: Request): Response {
  if (method === "PUT") return new Response(null, { status: 204 });
  return Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } });
}

function tagged(handler: Fetch): Fetch {
  return withEtag(handler, { current: () => post, requirePrecondition: true, manual: true });
}

/** Hono's middleware around a handler. */
function shared(handler: Fetch): Fetch {
  const app = new Hono();
  app.use(cors({ origin: "*", allowHeaders: ["If-Match"], exposeHeaders: ["ETag"], maxAge: 600 }));
  app.all("*", (context) => handler(context.req.raw));
  return (request) => app.fetch(request);
}

const PLACES: Readonly<Record<string, readonly [make: () => Fetch, afterRestart: string]>> = {
  "outside, a script reads every refusal": [() => shared(tagged(site)), "428 This"],
  "inside, none that a new process makes before the handler ran": [
    () => tagged(shared(site)),
    "TypeError: Failed to fetch",
  ],
};

for (const [place, [make, afterRestart]] of Object.entries(PLACES)) {
  test(`CORS in a browser: ${place}`, { skip }, async () => {
    const chromium = await startChromium();
    let handler = make();
    const server = await serve((request) => handler(request));
    const html = { headers: { "content-type": "text/html" } };
    const page = await serve(() => new Response("<title>Another origin</title>", html));
    try {
      const tab = await chromium.tab();
      await tab.open(page.url);
      /** The status and the first word of the reason, or the error that the script gets. */
      const put = (headers: Record<string, string>) =>
        tab.evaluate<string>(
          `fetch(${JSON.stringify(server.url)}, ${JSON.stringify({ method: "PUT", headers })}).then(
            async (response) => response.status + " " + (await response.json()).detail.split(" ")[0],
            String,
          )`,
        );
      const stale = { "if-match": '"old"' };
      // The preflight has been answered by the same layer just before.
      assert.equal(await put(stale), "412 If-Match");
      assert.equal(await put({}), "428 This");
      // The browser remembers the preflight, and a new process knows nothing of it.
      handler = make();
      assert.equal(await put({}), afterRestart);
    } finally {
      await chromium.close();
      await page.close();
      await server.close();
    }
  });
}
