/**
 * The same site on the library of any checkout, through what is public in it: pages of one document each, behind a
 * registry that a live feed keeps.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { EtagRegistry } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";

/** What is compared. */
export interface Site {
  readonly handler: (request: Request) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  /** How often the handler inside ran. */
  readonly runs: () => number;
}

/** Pages below this path declare nothing. */
export const PLAIN = "/plain/";

/** Sent with every page that declares something. */
export const CACHE_CONTROL = "public, no-cache";

/** The tag of a page that is given one by its handler; as long as one derived from a document. */
export function tagOf(page: number): string {
  return `"${String(page).padStart(8, "0")}-a00dff5e02add41819138abb3284d.k3XvQ0PZ9qd1"`;
}

/** A feed that is complete, has nothing to report, and goes on saying so. */
function liveFeed(): ChangesFeed {
  return {
    async *[Symbol.asyncIterator]() {},
    position: undefined,
    async *batches() {
      for (;;) {
        const contact = { wall: Date.now(), monotonic: performance.now() };
        yield { changes: [], position: undefined, state: "live", contact };
        await new Promise((resolve) => setTimeout(resolve, 5_000));
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/**
 * Opens it on the library of a checkout.
 *
 * @param ownTags Whether the handler gives its pages tags; else they are derived.
 */
export async function openSite(checkout: string, ownTags: boolean): Promise<Site> {
  const root = pathToFileURL(`${checkout}/`);
  const { exports } = JSON.parse(readFileSync(new URL("deno.json", root), "utf8"));
  const library: typeof import("../../mod.ts") = await import(new URL(exports["."], root).href);
  const { dependsOn, EtagRegistry, follow, withEtag } = library;
  const registry = new EtagRegistry({ version: "compare" });
  await follow(registry, liveFeed(), { maxLag: 60_000 }).ready;
  let runs = 0;
  const handler = withEtag(({ url }: Request): Response => {
    runs++;
    if (url.includes(PLAIN)) return new Response("plain", { headers: { "content-type": "text/plain" } });
    const page = url.slice(url.lastIndexOf("/") + 1);
    const headers: Record<string, string> = {
      "cache-control": CACHE_CONTROL,
      ...dependsOn({ _id: `post-${page}`, _rev: "1-967a00dff5e02add41819138abb3284d" }),
    };
    if (ownTags) headers["etag"] = tagOf(Number(page));
    return new Response("page", { headers });
  }, { registry });
  return { handler, registry, runs: () => runs };
}
