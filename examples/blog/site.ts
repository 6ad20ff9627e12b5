/** The blog as one Fetch handler: routes, and the registry in front of them. */
import { type IRequestStrict, IttyRouter } from "itty-router";
import {
  type Dependency,
  dependsOn,
  EtagRegistry,
  follow,
  type Follower,
  mapFeed,
  withEtag,
} from "../../mod.ts";
import { inspector } from "../../src/inspector/inspector.ts";
import { explain } from "../../src/why/why.ts";
import { allPosts, currentPost, deletePost, getPost, problem, putPost } from "./api.ts";
import { isPostId } from "./documents.ts";
import { listPage, messagePage, postPage } from "./pages.ts";
import type { SignedPost, Source, Store } from "./store.ts";
import { contentSecurityPolicy, sendScript } from "./story/assets.ts";
import { edit } from "./story/edit.ts";
import { StoryEvents, tell } from "./story/events.ts";
import { type Exchange, type Run, Story } from "./story/story.ts";

/** A running site. */
export interface Site {
  /** Answers a request. */
  readonly fetch: (request: Request, ...connection: readonly unknown[]) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  readonly follower: Follower;
  /** What has happened. */
  readonly story: Story;
  /** Ends the streams in which pages are told the story; a server that closes would wait for them. */
  endStory(): void;
  /** How many of these streams are open. */
  readonly streams: number;
  /** Stops following the database. */
  close(): Promise<void>;
}

/** Part of every tag that is derived from revisions: change it when the markup changes. */
export const build = "blog-2";
const perPage = 20;

/** Where the site's documents are, and the registry in front of it. */
export interface SiteOptions extends Source {
  /** Default: an empty one. */
  readonly registry?: EtagRegistry;
  /** ms without contact after which nothing is answered from the registry; default 25,000. */
  readonly maxLag?: number;
  /** ms that a replica may lag behind the feed; default: by the number of copies that the database keeps. */
  readonly replicaLag?: number;
  /** What the tags of all its processes are made with, at least 16 characters; default: random for this process. */
  readonly secret?: string | undefined;
}

/** Opens the site. */
export function createSite(
  { store, feed, registry = new EtagRegistry({ version: build }), ...more }: SiteOptions,
): Site {
  const { maxLag = 25_000, replicaLag, secret } = more;
  const story = new Story();
  const groups = ({ id }: { readonly id: string }) => isPostId(id) ? [allPosts] : [];
  const told = mapFeed(feed, (change) => {
    story.noteChange(change, groups(change));
    return change;
  });
  const follower = follow(registry, told, {
    groups,
    maxLag,
    ...(replicaLag === undefined ? {} : { replicaLag }),
  });
  const route = routes(store);
  const site = withEtag((request: Request, exchange: Exchange) => route(request, story.startRun(exchange)), {
    registry,
    // Path and query, without host and port, so that instances behind one proxy agree on their tags.
    key: ({ url }) => pathOf(url),
    current: (request) => currentPost(store, request),
    cacheStatus: "Stillfresh",
    ...(secret === undefined ? {} : { secret }),
  });
  const events = new StoryEvents(story, follower);
  // Without `authorize` it answers this machine alone. The demo has no secret in its addresses, and anyone may edit it.
  const inspect = inspector({ registry, showValues: true, readOnly: false });
  /** What would become of a request for a page with the fields of this one. */
  const why = async (asking: Request, page: URL): Promise<string> => {
    const request = new Request(page, { headers: asking.headers });
    return (await explain(site, request, story.begin("GET", pathOf(page.href)))).text;
  };
  const aside = asideRoutes({ registry, follower, story, events, store, why });
  return {
    fetch(request, ...connection) {
      const path = pathOf(request.url);
      if (inspected.test(path)) return inspect(request, ...connection);
      if (asides.test(path)) return aside.fetch(request);
      const exchange = story.begin(request.method, path);
      const answer = site(request, exchange);
      // A hit is there at once.
      if (answer instanceof Response) return story.finish(exchange, answer);
      return answer.then((response) => story.finish(exchange, response));
    },
    registry,
    follower,
    story,
    endStory: () => {
      events.close();
      inspect.close();
    },
    get streams() {
      return events.open;
    },
    close: () => follower.close(),
  };
}

/** Path and query. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/", "https://".length));
}

/** What is no part of the blog: no run of its handler, and nothing that is ever confirmed. */
const asides = /^\/(?:stats|story|edit)(?:[/?]|$)/;

/** Where the inspector is: it answers this machine alone. */
const inspected = /^\/_stillfresh(?:[?]|$)/;

/** What the asides work with. */
interface Asides extends Pick<Site, "registry" | "follower" | "story"> {
  readonly events: StoryEvents;
  readonly store: Store;
  readonly why: (asking: Request, page: URL) => Promise<string>;
}

function asideRoutes({ registry, follower, story, events, store, why }: Asides) {
  const shown = ({ query: { path, built } }: IRequestStrict) => ({
    path: String(path),
    built: Number(built),
  });
  const fresh = (body: unknown) => Response.json(body, { headers: { "cache-control": "no-store" } });
  return IttyRouter<IRequestStrict>()
    .get("/stats", () => {
      const { live, lag, since } = follower;
      return fresh({ runs: story.runs, entries: registry.size, live, lag, since, stats: registry.stats });
    })
    .get("/story", (request) => fresh(tell(story, follower, shown(request))))
    .get("/story/events", (request) => events.stream(shown(request)))
    .get("/story/script.js", sendScript)
    .get("/story/why", async (request) => {
      const { path } = shown(request);
      const page = URL.canParse(path, request.url) ? new URL(path, request.url) : undefined;
      // Pages of the blog are explained, and no other site's.
      if (page?.origin !== new URL(request.url).origin || asides.test(page.pathname)) {
        return problem(400, "say which page: ?path=/");
      }
      const headers = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };
      return new Response(`${await why(request, page)}\n`, { headers });
    })
    .all("/edit/:id", async (request) => {
      const exchange = story.begin(request.method, pathOf(request.url));
      return story.finish(exchange, await edit(story, store, exchange, request));
    })
    .all("*", () => problem(404, "there is nothing at this address"));
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
  const posts = await store.signedPosts(perPage + 1, start);
  const older = posts.splice(perPage)[0]?.post._id;
  run.sources = [allPosts, ...new Set(posts.flatMap(sourcesOf))];
  return sent(listPage(posts, older, run), 200, dependsOn(...run.sources));
}

async function post(store: Store, id: string, run: Run): Promise<Response> {
  const signed = isPostId(id) ? await store.signedPost(id) : null;
  if (signed === null) return sent(messagePage("Not found", `There is no post ${id}.`, run), 404);
  run.sources = sourcesOf(signed);
  return sent(postPage(signed, run), 200, dependsOn(...run.sources));
}

/** An author who does not exist is a group as well: the page changes when the document appears. */
function sourcesOf({ post, author }: SignedPost): Dependency[] {
  return [post, author ?? post.author];
}

function sent(body: string, status: number, sources: Record<string, string> = {}): Response {
  return new Response(body, {
    status,
    headers: {
      "cache-control": "public, no-cache",
      "content-security-policy": contentSecurityPolicy,
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
