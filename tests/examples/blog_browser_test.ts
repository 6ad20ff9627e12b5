/** The demo's story in a real browser: what a reader sees, hears and is not told wrongly. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { type Chromium, chromiumProgram, startChromium, type Tab, type View } from "../support/chromium.ts";
import { withBlog } from "./blog_support.ts";

const skip = chromiumProgram === undefined
  ? "no browser; apt-get install chromium"
  : "Deno" in globalThis
  ? false
  : "the page is the same on every runtime: seen on Deno alone";

let chromium: Chromium;
before(async () => {
  if (skip === false) chromium = await startChromium();
});
after(async () => {
  if (skip === false) await chromium.close();
});

const post = "post-2026-11-20-0060";
const path = `/posts/${post}`;

/** Waits until an expression in the page has a value that will do. */
async function until(tab: Tab, expression: string, expected: RegExp): Promise<string> {
  for (const end = performance.now() + 5_000;;) {
    // While it goes from one page to another, there is none.
    const value = String(await tab.evaluate(expression).catch((error) => error));
    if (expected.test(value)) return value;
    assert.ok(performance.now() < end, `${expression} is ${value}, not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const place = (name: string) => `document.querySelector('[data-tell="${name}"]').textContent`;
/** The answer as it is read out, and the state of this copy. */
const answer = `document.querySelector('[role="status"]').innerText.replace(/\\s+/g, " ")`;

/** What axe-core finds against any of its rules, a line each. */
async function violations(tab: Tab, axe: string): Promise<string[]> {
  await tab.evaluate(`void (globalThis.axe ?? (() => { ${axe} })())`);
  return await tab.evaluate(
    `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`,
  );
}

test(
  "browser: a reload is told to have run nothing, and an edit to have run the handler",
  { skip },
  () =>
    withBlog(async ({ origin, site, runs }) => {
      const tab = await chromium.tab();
      await tab.open(`${origin}${path}`);
      await until(tab, answer, /^200 in [\d,]+ µs, by run № 1 of the handler\. The request named no copy/);
      assert.match(await tab.evaluate(place("copy")), /^Good since then\.$/);

      await tab.follow("location.reload()");
      await until(tab, answer, /^304 in [\d,]+ µs\. The handler did not run\./);
      const shown = await tab.evaluate<string>("document.querySelector('.story').innerText");
      assert.match(shown, /Run № 1,/, "the copy of the first run is what is shown");
      assert.equal(await runs(), 1);
      const codes = async (count: number) =>
        (await tab.exchanged({ url: `${origin}${path}` }, count)).map(({ status }) => status);
      assert.deepEqual(await codes(2), [200, 304]);

      // Changed by another program, while the page is open.
      await (await fetch(`${origin}/edit/${post}`, { method: "POST", redirect: "manual" })).text();
      await until(tab, place("copy"), /^Void since \d\d:\d\d:\d\d: ask again\.$/);
      assert.match(await tab.evaluate(place("state")), /^now 2-\w{8}$/);
      await tab.follow("document.querySelector('.actions a').click()");
      await until(
        tab,
        answer,
        /^200 in [\d,]+ µs, by run № 2 of the handler\. What the copy was built from had/,
      );

      // Changed by the button, which leads back to the page.
      await tab.follow("document.querySelector('.story button').click()");
      await until(tab, answer, /^200 in [\d,]+ µs, by run № 3 /);
      assert.match(await tab.evaluate("document.title"), /\(edition 3\)$/);
      assert.deepEqual(await codes(4), [200, 304, 200, 200]);
      assert.match(
        await tab.evaluate("document.querySelector('[data-edit]').innerText"),
        new RegExp(`^curl -X POST ${origin}/edit/${post}$`),
      );

      // A stream is open for the page that is seen, and for no other.
      await tab.open(`${origin}/`);
      await until(tab, answer, /^200 .* run № 4 /);
      assert.equal(site.streams, 1);
      // The page comes back as it was left, without a request; its stream begins anew.
      await tab.evaluate("void setTimeout(() => history.back())");
      await until(tab, `location.pathname + " " + ${answer}`, new RegExp(`^${path} 200 .* run № 3 `));
      for (const end = performance.now() + 5_000; site.streams !== 1;) {
        assert.ok(performance.now() < end, `${site.streams} streams`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.deepEqual(tab.complaints, []);
    }),
);

/** Windows, and the page that axe-core judges in each: it takes a second. */
const views: readonly (View & { readonly judged: string })[] = [
  { width: 375, height: 667, dark: false, judged: "/" },
  { width: 800, height: 600, dark: false, judged: "/posts/post-2026-11-20-none" },
  { width: 1440, height: 900, dark: true, judged: path },
];

test(
  "browser: axe-core finds nothing, and the story is whole above the fold",
  { skip },
  () =>
    withBlog(async ({ origin }) => {
      const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
      const tab = await chromium.tab();
      for (const page of new Set(views.map(({ judged }) => judged))) {
        await tab.open(`${origin}${page}`);
        await until(tab, place("title"), /^The last request for this page$/);
        for (const { width, height, dark = false, judged } of views) {
          const where = `${page} at ${width} px, ${dark ? "dark" : "light"}`;
          await tab.resize({ width, height, dark });
          const end = await tab.evaluate<number>(
            "document.querySelector('.actions').getBoundingClientRect().bottom",
          );
          assert.ok(end < height, `${where}: the story ends at ${end}`);
          await tab.evaluate("document.querySelector('details')?.setAttribute('open', '')");
          assert.equal(await tab.evaluate("document.documentElement.scrollWidth"), width, where);
          if (judged === page) assert.deepEqual(await violations(tab, axe), [], where);
          await tab.evaluate("document.querySelector('details')?.removeAttribute('open')");
        }
      }
      // That a page does not exist is an error to the browser.
      const others = tab.complaints.filter((complaint) => !/status of 404.*-none$/.test(complaint));
      assert.deepEqual(others, []);
    }),
);
