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

/** Each picture with its window, its page, and what has happened. */
const pictures: Readonly<Record<string, readonly [view: View, path: string, scene: Scene]>> = {
  "blog-1440": [{ width: 1440, height: 900 }, "/", edited],
  "blog-800": [{ width: 800, height: 720 }, `/posts/${post}`, confirmed],
  "blog-375": [{ width: 375, height: 667 }, `/posts/${post}`, confirmed],
  "blog-1440-dark": [{ width: 1440, height: 900, dark: true }, `/posts/${post}`, changedElsewhere],
  "blog-800-dark": [{ width: 800, height: 900, dark: true }, "/", confirmed],
  "blog-375-dark": [{ width: 375, height: 667, dark: true }, "/", edited],
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
    for (const [name, [view, path, scene]] of Object.entries(pictures)) {
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
  } finally {
    await chromium.close();
    site.endStory();
    await server.close();
    await site.close();
    await database.close();
  }
}

if (import.meta.main) await main();
