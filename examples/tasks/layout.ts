/**
 * HTML with a layout that reads a document of its own, the menu. Each function reads what it shows through a tracked handle,
 * and none passes anything on: the page depends on the post and on the menu.
 *
 *     curl -i http://localhost:8000/post-1     edit "menu" in the database, and ask again with If-None-Match: 200
 */
import type { DocumentScope } from "nano";
import { EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { reads, tracked } from "../../src/reads/reads.ts";
import { escaped, nullIfMissing, postIdOf, PUBLIC, type Served } from "./served.ts";

interface Page {
  readonly title: string;
  readonly links?: readonly string[];
}

export function serveWithLayout(database: DocumentScope<Page>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database));
  const db = tracked(database);

  async function layout(title: string, body: string): Promise<string> {
    const menu = await db.get("menu").catch(nullIfMissing);
    const links = (menu?.links ?? []).map((link) => `<a href="/${escaped(link)}">${escaped(link)}</a>`);
    return `<!doctype html><title>${escaped(title)}</title><nav>${links.join(" ")}</nav>${body}`;
  }

  const handler = withEtag(async (request: Request) => {
    const id = postIdOf(request);
    const post = id === undefined ? null : await db.get(id).catch(nullIfMissing);
    const [status, title] = post === null ? [404, "Not found"] as const : [200, post.title] as const;
    const html = await layout(title, `<h1>${escaped(title)}</h1>`);
    return new Response(html, { status, headers: { ...PUBLIC, "content-type": "text/html; charset=utf-8" } });
  }, { registry, reads, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
