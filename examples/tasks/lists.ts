/**
 * Lists that grow: all posts by pages, and those of a tag. A page of a list depends on its posts and on the group that a new
 * post would be in: a post with another tag leaves the pages of this one alone.
 *
 *     curl -i 'http://localhost:8000/?from=post-20'     twenty posts from there on
 *     curl -i 'http://localhost:8000/?tag=sea'
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, group, groupBy, withEtag } from "../../mod.ts";
import type { CouchChange } from "../../src/changes/change.ts";
import { changes } from "../../src/nano.ts";
import { PUBLIC, type Served } from "./served.ts";

interface Post {
  readonly title: string;
  readonly tags: readonly string[];
}

/** All posts, whatever is in them: the id says it. */
const posts = group("posts", ({ id }) => id.startsWith("post-"));

/** The tags of a document: the group and the page ask alike, also of one that is not as it should be. */
function tagsOf(doc: unknown): readonly string[] {
  const { tags } = (doc ?? {}) as Partial<Post>;
  return Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [];
}

/** The posts of each tag. A post may get and lose tags, so a follower remembers which it had. */
const byTag = groupBy("tag", ({ id, doc }: CouchChange) => {
  return id.startsWith("post-") ? tagsOf(doc) : [];
});

const PER_PAGE = 20;

export function serveLists(blog: DocumentScope<Post>): Served {
  const registry = new EtagRegistry();
  // Without the documents and all their leaves, each change would void the pages of every tag.
  const feed = changes(blog, { includeDocs: true, style: "all_docs" });
  const follower = follow(registry, feed, { groups: [posts, byTag] });
  const handler = withEtag(async (request: Request) => {
    const asked = new URL(request.url).searchParams;
    const tag = asked.get("tag");
    // Only posts: a page that began before them would show documents that no change of the group tells of.
    const from = asked.get("from") ?? "";
    const startkey = from.startsWith("post-") ? from : "post-";
    const limit = tag === null ? { limit: PER_PAGE } : {};
    const { rows } = await blog.list({ startkey, endkey: "post-\ufff0", include_docs: true, ...limit });
    const all = rows.map(({ doc }) => doc!).filter((doc) => tag === null || tagsOf(doc).includes(tag));
    const titles = all.map(({ title }) => title);
    return Response.json(titles, {
      headers: { ...PUBLIC, ...dependsOn(tag === null ? posts : byTag(tag), ...all) },
    });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
