/**
 * An RSS feed with dates. Readers of feeds ask with `If-None-Match`, `If-Modified-Since` or both. The tag decides where there is
 * one: two edits can fall into one second, which a date cannot tell apart. A date alone is answered after the handler has run.
 *
 *     curl -i http://localhost:8000/ -H 'If-Modified-Since: Sat, 28 Nov 2026 08:00:00 GMT'
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, group, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { escaped, PUBLIC, type Served } from "./served.ts";

interface Post {
  readonly title: string;
  /** As `Date.toISOString()` gives it. */
  readonly edited: string;
}

const posts = group("posts", ({ id }) => id.startsWith("post-"));

export function serveRss(blog: DocumentScope<Post>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(blog), { groups: [posts] });
  const handler = withEtag(async () => {
    const range = { startkey: "post-\ufff0", endkey: "post-", descending: true, limit: 20 };
    const { rows } = await blog.list({ ...range, include_docs: true });
    const all = rows.map(({ doc }) => doc!);
    const newest = all.map(({ edited }) => edited).sort().at(-1);
    const items = all.map(({ _id, title, edited }) =>
      `<item><guid isPermaLink="false">${_id}</guid><title>${escaped(title)}</title><pubDate>${
        new Date(edited).toUTCString()
      }</pubDate></item>`
    );
    return new Response(
      `<?xml version="1.0"?><rss version="2.0"><channel><title>Posts</title><link>https://example.com/</link><description>The last twenty</description>${
        items.join("")
      }</channel></rss>`,
      {
        headers: {
          ...PUBLIC,
          "content-type": "application/rss+xml",
          ...(newest === undefined ? {} : { "last-modified": new Date(newest).toUTCString() }),
          ...dependsOn(posts, ...all),
        },
      },
    );
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
