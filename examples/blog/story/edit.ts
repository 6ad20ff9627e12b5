/**
 * `POST /edit/:id`: an edit of a post, for a reader who wants to see something change. It is written to the database as
 * any other program would write it, and the registry is not told: the changes feed has to bring it.
 */
import type { Change } from "../../../src/changes/change.ts";
import { problem } from "../api.ts";
import { isPostId, type Post, type Stored } from "../documents.ts";
import type { Store } from "../store.ts";
import { inMicroseconds, shortRevision } from "./sentences.ts";
import type { Exchange, Story } from "./story.ts";

/** ms that the answer waits for the feed, so that the page it leads back to shows the edit. */
const patience = 2_000;

/** Edits a post, waits until the feed has brought the edit, and leads back to the page that `?back=` names. */
export async function edit(
  story: Story,
  store: Store,
  exchange: Exchange,
  request: Request,
): Promise<Response> {
  const refuse = (status: number, why: string, headers?: Record<string, string>) => {
    exchange.deed = `Nothing was edited: ${why}.`;
    return problem(status, why, headers);
  };
  if (request.method !== "POST") return refuse(405, "only POST", { allow: "POST" });
  const url = new URL(request.url);
  if (isCrossSite(request)) return refuse(403, "a page of another site may not edit");
  const id = url.pathname.slice("/edit/".length);
  try {
    const post = isPostId(id) ? await store.post(id) : null;
    if (post === null) return refuse(404, `there is no post ${id}`);
    const before = story.changeOf(id);
    const rev = await store.put(nextEdition(post));
    const written = performance.now();
    const isBrought = await bringsChange(story, id, rev, before);
    const waited = inMicroseconds((performance.now() - written) * 1_000);
    exchange.deed = `Wrote ${id} at ${shortRevision(rev)} to the database; ${
      isBrought ? `the feed brought it ${waited} later.` : `the feed has not brought it after ${waited}.`
    }`;
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message?: string };
    if (statusCode === 409) return refuse(409, "another edit came first: try again");
    return refuse(502, `the database refuses it: ${statusCode ?? "no answer"}, ${message}`);
  }
  return new Response(null, {
    status: 303,
    headers: { "location": placeToGo(url, `/posts/${id}`), "cache-control": "no-store" },
  });
}

/** The post under a title that counts its editions. */
function nextEdition(post: Stored<Post>): Post {
  const [, title = "", edition = "1"] = /^(.*?)(?: \(edition (\d{1,9})\))?$/s.exec(post.title)!;
  return { ...post, title: `${title} (edition ${Number(edition) + 1})` };
}

/**
 * A form on any page of the web can be sent here. What the browser says of it tells it apart (Fetch Metadata); an older
 * one names the origin of the page.
 */
function isCrossSite({ headers, url }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const origin = headers.get("origin");
  // By its host: a proxy in front may have taken TLS off.
  return origin !== null && !(URL.canParse(origin) && new URL(origin).host === new URL(url).host);
}

/** Whether the feed brings a change after an earlier one while there is patience for it: of a revision, if it tells any. */
async function bringsChange(
  story: Story,
  id: string,
  rev: string,
  before: Change | undefined,
): Promise<boolean> {
  const isThere = () => {
    const change = story.changeOf(id);
    return change !== before && (change?.rev === undefined || change.rev === rev);
  };
  if (isThere()) return true;
  let stop = (): void => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patience);
    stop = story.listen({ onChange: () => isThere() && resolve() });
  });
  stop();
  clearTimeout(timer);
  return isThere();
}

/** The page to go back to, which is one of this site. */
function placeToGo(url: URL, otherwise: string): string {
  const back = url.searchParams.get("back");
  if (back === null || !URL.canParse(back, url)) return otherwise;
  const { origin, pathname, search } = new URL(back, url);
  return origin === url.origin ? pathname + search : otherwise;
}
