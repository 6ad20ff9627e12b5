/** The blog as one Fetch handler: routes, and the registry in front of them. */
import { type IRequestStrict, IttyRouter } from "itty-router";
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { allPosts, currentPost, deletePost, getPost, problem, putPost } from "./api.ts";
import { isPostId } from "./documents.ts";
import { listPage, messagePage, postPage, type Run } from "./pages.ts";
import { openStore, type Store } from "./store.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";

/** A running site. */
export interface Site {
  /** Answers a request. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  readonly follower: Follower;
  /** Stops following the database. */
  close(): Promise<void>;
}

/** Part of every tag that is derived from revisions: change it when the markup changes. */
export const build = "blog-1";
const perPage = 20;

/** Where the site's documents are, and the registry in front of it. */
export interface SiteOptions {
  /** The database; credentials in it are used, and never shown. */
  readonly couchUrl: string;
  /** Default: an empty one. */
  readonly registry?: EtagRegistry;
  /** Where changes come from; default: the database. */
  readonly feed?: ChangesFeed;
  /** ms without contact after which nothing is answered from the registry; default 25,000. */
  readonly maxLag?: number;
  /** What the tags of all its processes are made with, at least 16 characters; default: random for this process. */
  readonly secret?: string | undefined;
}

/** Opens the site. */
export function createSite(
  { couchUrl, registry = new EtagRegistry({ version: build }), feed = changes(couchUrl), ...more }:
    SiteOptions,
): Site {
  const { maxLag = 25_000, secret } = more;
  const groups = ({ id }: { readonly id: string }) => isPostId(id) ? [allPosts] : [];
  const follower = follow(registry, feed, { groups, maxLag });
  const store = openStore(new URL(couchUrl));
  const route = routes(store);
  let runs = 0;
  const site = withEtag((request: Request) => route(request, { number: ++runs, time: new Date() }), {
    registry,
    // Path and query, without host and port, so that instances behind one proxy agree on their tags.
    key: ({ url }) => url.slice(url.indexOf("/", "https://".length)),
    current: (request) => currentPost(store, request),
    cacheStatus: "Stillfresh",
    ...(secret === undefined ? {} : { secret }),
  });
  const stats = () => {
    const { live, lag, since } = follower;
    const body = { runs, entries: registry.size, live, lag, since, stats: registry.stats };
    return Response.json(body, { headers: { "cache-control": "no-store" } });
  };
  return {
    fetch: (request) => new URL(request.url).pathname === "/stats" ? stats() : site(request),
    registry,
    follower,
    close: () => follower.close(),
  };
}

function routes(store: Store): (request: Request, run: Run) => Promise<Response> {
  const router = IttyRouter<IRequestStrict, [Run]>();
  const page = (path: string, handler: (request: IRequestStrict, run: Run) => Promise<Response>) =>
    router.get(path, handler).head(path, handler).all(path, () => notAllowed("GET, HEAD"));
  page("/", (request, run) => list(store, request.query["from"], run));
  page("/posts/:id", ({ params }, run) => post(store, params["id"]!, run));
  router
    .get("/api/posts/:id", ({ params }) => getPost(store, params["id"]!))
    .head("/api/posts/:id", ({ params }) => getPost(store, params["id"]!))
    .put("/api/posts/:id", (request) => putPost(store, request.params["id"]!, request))
    .delete("/api/posts/:id", (request) => deletePost(store, request.params["id"]!, request))
    .all("/api/posts/:id", () => notAllowed("GET, HEAD, PUT, DELETE"))
    .all("*", (_, run) => sent(messagePage("Not found", "There is nothing at this address.", run), 404));
  return (request, run) => router.fetch(request, run).catch((error) => fault(error, run));
}

/** A list depends on every document on it, and on the collection: on posts that do not exist yet. */
async function list(store: Store, from: string | string[] | undefined, run: Run): Promise<Response> {
  const start = typeof from === "string" && isPostId(from) ? from : undefined;
  const posts = await store.posts(perPage + 1, start);
  const older = posts.splice(perPage)[0]?._id;
  const authors = await store.authors(posts.map((post) => post.author));
  // An author who does not exist is a group as well: the page changes when the document appears.
  const missing = posts.map((post) => post.author).filter((id) => !authors.has(id));
  const sources = dependsOn(allPosts, ...posts, ...authors.values(), ...missing);
  return sent(listPage(posts, authors, older, run), 200, sources);
}

async function post(store: Store, id: string, run: Run): Promise<Response> {
  const post = isPostId(id) ? await store.post(id) : null;
  if (post === null) return sent(messagePage("Not found", `There is no post ${id}.`, run), 404);
  const author = (await store.authors([post.author])).get(post.author);
  return sent(postPage(post, author, run), 200, dependsOn(post, author ?? post.author));
}

function sent(body: string, status: number, sources: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      "cache-control": "public, no-cache",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
      "content-type": "text/html; charset=utf-8",
      "vary": "accept-encoding",
      "x-content-type-options": "nosniff",
      ...sources,
    },
  });
}

function notAllowed(allow: string): Response {
  return problem(405, `only ${allow}`, { allow });
}

/** The database refused, or does not answer. Programming mistakes end up here too, hence the log. */
function fault(error: unknown, run: Run): Response {
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode === 400) return problem(400, message ?? "the database refuses the request");
  console.error(`blog: ${statusCode ?? "no answer"}: ${message}`);
  const response = sent(messagePage("Back soon", "The database does not answer at the moment.", run), 503);
  response.headers.set("retry-after", "5");
  return response;
}
