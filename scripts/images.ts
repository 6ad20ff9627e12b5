/**
 * `deno task images`: takes the pictures of the demo in `docs/images/`, with a Chromium, from the running demo.
 *
 * @module
 */
import { startDatabase } from "../examples/blog/database.ts";
import { seed } from "../examples/blog/seed.ts";
import { serve } from "../examples/blog/serve.ts";
import { couchSource } from "../examples/blog/couch_source.ts";
import { createSite } from "../examples/blog/site.ts";
import { chromiumProgram, startChromium, type Tab, type View } from "../tests/support/chromium.ts";
import { root } from "./run.ts";

const folder = `${root}docs/images/`;
const post = "post-2026-11-20-3000";

/** What has happened to a page when its picture is taken. */
type Scene = (tab: Tab, address: string) => Promise<void>;

const confirmed: Scene = async (tab, address) => {
  await tab.open(address);
  await tab.follow("location.reload()");
};

const edited: Scene = async (tab, address) => {
  await tab.open(address);
  await tab.follow("document.querySelector('.story button').click()");
};

const changedElsewhere: Scene = async (tab, address) => {
  await tab.open(address);
  await editElsewhere(new URL(`/edit/${post}`, address));
};

/** The inspector, after visitors and edits have been there for most of a minute. */
const inspected = (show: string): Scene => async (tab, address) => {
  await tab.open(address);
  const left = visitorsSince + 50_000 - performance.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(2_000, left)));
  await tab.evaluate(show);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
};

let visitorsSince = 0;

/** Visitors who mostly come again, to few pages, until the returned function is called. */
function startVisitors(origin: string): () => Promise<void> {
  let isOpen = true;
  visitorsSince = performance.now();
  const tags = new Map<string, string>();
  const visiting = (async () => {
    // The numbers of before are only kept while a page is open.
    const watch = await fetch(`${origin}/_stillfresh?events`);
    const reader = watch.body!.getReader();
    void (async () => {
      while (!(await reader.read()).done);
    })();
    const paths = ["/"];
    for (let page = "/"; paths.length < 80;) {
      const text = await (await fetch(origin + page)).text();
      paths.push(...Array.from(text.matchAll(/href="(\/posts\/[^"]+)"/g), ([, path]) => path!));
      page = /href="(\/\?from=[^"]+)"/.exec(text)![1]!;
    }
    for (let visit = 0; isOpen; visit++) {
      const path = paths[Math.floor(paths.length * Math.random() ** 2)]!;
      const tag = tags.get(path);
      const response = await fetch(
        origin + path,
        tag === undefined ? {} : { headers: { "if-none-match": tag } },
      );
      await response.body?.cancel();
      tags.set(path, response.headers.get("etag") ?? "");
      if (visit % 60 === 59) await editElsewhere(new URL(`/edit/${post}`, origin));
      await new Promise((resolve) => setTimeout(resolve, 10 + 40 * Math.random()));
    }
    await reader.cancel();
  })();
  return () => {
    isOpen = false;
    return visiting;
  };
}

/** From the top, with what the handler had to run for, and why. */
const fromTop = inspected(
  `document.querySelector("#kind").value = "run"; document.querySelector("#kind").dispatchEvent(new Event("change"));
  document.querySelector("#decisions details").open = true`,
);

/** An entry, and what it depends on. */
const anEntry = inspected(
  `document.querySelector("#text").value = "posts"; document.querySelector("#search button").click();
  setTimeout(() => { document.querySelector("#found details").open = true; document.querySelector("#entries-title").scrollIntoView(); }, 600)`,
);

/** Each picture with its window, its page, and what has happened. */
const pictures: Readonly<Record<string, readonly [view: View, path: string, scene: Scene]>> = {
  "blog-1440": [{ width: 1440, height: 900 }, "/", edited],
  "blog-800": [{ width: 800, height: 720 }, `/posts/${post}`, confirmed],
  "blog-375": [{ width: 375, height: 667 }, `/posts/${post}`, confirmed],
  "blog-1440-dark": [{ width: 1440, height: 900, dark: true }, `/posts/${post}`, changedElsewhere],
  "blog-800-dark": [{ width: 800, height: 900, dark: true }, "/", confirmed],
  "blog-375-dark": [{ width: 375, height: 667, dark: true }, "/", edited],
  "inspector-1440": [{ width: 1440, height: 1250 }, "/_stillfresh", fromTop],
  "inspector-800": [{ width: 800, height: 900 }, "/_stillfresh", fromTop],
  "inspector-375": [{ width: 375, height: 667 }, "/_stillfresh", fromTop],
  "inspector-1440-dark": [{ width: 1440, height: 1080, dark: true }, "/_stillfresh", anEntry],
  "inspector-800-dark": [{ width: 800, height: 900, dark: true }, "/_stillfresh", fromTop],
  "inspector-375-dark": [{ width: 375, height: 667, dark: true }, "/_stillfresh", fromTop],
};

async function editElsewhere(address: URL): Promise<void> {
  await (await fetch(address, { method: "POST", redirect: "manual" })).body?.cancel();
}

/** A site that has been asked for a while: the first answers of a process take it a hundred times as long. */
async function warmUp(address: string): Promise<void> {
  const response = await fetch(address);
  await response.text();
  const headers = { "if-none-match": response.headers.get("etag")! };
  for (let index = 0; index < 3_000; index++) await (await fetch(address, { headers })).body?.cancel();
}

async function main(): Promise<void> {
  if (chromiumProgram === undefined) throw new Error("no browser; apt-get install chromium");
  const database = await startDatabase();
  const url = new URL(`${database.url}/blog`);
  await seed(url);
  const site = createSite(couchSource(url));
  await site.follower.ready;
  const server = await serve(site.fetch, { hostname: "127.0.0.1", port: 8000 });
  const chromium = await startChromium();
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const path of ["/", `/posts/${post}`]) await warmUp(`http://127.0.0.1:${server.port}${path}`);
    let stopVisitors: (() => Promise<void>) | undefined;
    for (const [name, [view, path, scene]] of Object.entries(pictures)) {
      // `deno task images inspector` takes those whose names begin so.
      if (!name.startsWith(Deno.args[0] ?? "")) continue;
      if (path === "/_stillfresh") stopVisitors ??= startVisitors(`http://127.0.0.1:${server.port}`);
      const tab = await chromium.tab();
      await tab.resize(view);
      await scene(tab, `http://127.0.0.1:${server.port}${path}`);
      // Until the page has been told, and drawn.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const picture = await tab.screenshot(80);
      await Deno.writeFile(`${folder}${name}.webp`, picture);
      await tab.open("about:blank");
      console.log(`${name}.webp: ${(picture.length / 1000).toFixed(0)} kB`);
    }
    await stopVisitors?.();
  } finally {
    await chromium.close();
    site.endStory();
    await server.close();
    await site.close();
    await database.close();
  }
}

if (import.meta.main) await main();
