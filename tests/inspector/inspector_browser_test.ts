/** The inspector in a real browser, over the demo: what an operator sees while pages are asked for, edited, and cut off. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { serve } from "../../examples/blog/serve.ts";
import { instant, systemClock } from "../../src/changes/clock.ts";
import { inspector } from "../../src/inspector/inspector.ts";
import { PushedFeed } from "../support/feed.ts";
import { type Chromium, chromiumProgram, startChromium, type Tab, type View } from "../support/chromium.ts";
import { json, withBlog } from "../examples/blog_support.ts";

const skip = chromiumProgram === undefined
  ? "no browser; apt-get install chromium"
  : "Deno" in globalThis || "Bun" in globalThis
  ? false
  : "the page is the same on every runtime: seen on Deno and Bun";

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
async function until(
  tab: Tab,
  expression: string,
  expected: RegExp,
): Promise<string> {
  for (const end = performance.now() + 8_000;;) {
    const value = String(
      await tab.evaluate(expression).catch((error) => error),
    );
    if (expected.test(value)) return value;
    assert.ok(
      performance.now() < end,
      `${expression} is ${value}, not ${expected}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const text = (selector: string) => `document.querySelector('${selector}').innerText.replace(/\\s+/g, " ")`;
const newest = text("#decisions li");

/** What axe-core finds against any of its rules, a line each. */
async function violations(tab: Tab, axe: string): Promise<string[]> {
  await tab.evaluate(`void (globalThis.axe ?? (() => { ${axe} })())`);
  return await tab.evaluate(
    `axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ": " + html + " " + failureSummary)))`,
  );
}

test(
  "inspector in a browser: decisions, entries and the feed are told while they happen",
  { skip },
  () =>
    withBlog(async ({ origin, ask, database, site, closeDatabase }) => {
      const tab = await chromium.tab();
      // Rows that are out of sight have no text in this sense: they are not laid out.
      await tab.resize({ width: 1280, height: 3_000 });
      await tab.open(`${origin}/_stillfresh`);
      await until(
        tab,
        text("#state-text"),
        /^Live: the registry answers, build blog-2$/,
      );
      assert.match(
        await tab.evaluate(text("#unprotected, .banner")),
        /^No access check protects this page/,
      );

      const first = await ask(path);
      await first.body?.cancel();
      const etag = first.headers.get("etag")!;
      await until(
        tab,
        newest,
        new RegExp(`200 handler GET ${path} unconditional, registered$`),
      );
      const again = () => ask(path, { headers: { "if-none-match": etag } });
      assert.equal((await again()).status, 304);
      await until(tab, newest, new RegExp(`304 registry GET ${path}$`));
      await until(tab, text("#share"), /^50 %$/);
      await until(
        tab,
        `document.querySelector("#share-chart").getAttribute("aria-label")`,
        /^50 % in the last minute/,
      );
      await tab.evaluate(
        "document.querySelector('#decisions summary').click()",
      );
      await until(
        tab,
        text("#decisions .detail"),
        /answered 304 from the registry; the handler did not run \(hit\)\. RFC 9111 §4\.3\.2/,
      );

      // An entry, what it depends on, and what else would be void.
      await tab.evaluate(
        `document.querySelector("#text").value = "${post}"; document.querySelector("#search button").click()`,
      );
      await until(tab, text("#found-note"), /^1 entry, of 1\.$/);
      await tab.evaluate("document.querySelector('#found summary').click()");
      const entry = await until(tab, text("#found .detail"), /^Tag /);
      assert.ok(entry.includes(`Tag ${etag} Age `), entry);
      assert.match(
        entry,
        new RegExp(
          `Depends on ${post} author-\\d+ For everyone Variant accept-encoding`,
        ),
      );
      await (await ask("/")).body?.cancel();
      await tab.evaluate("document.querySelector('#found .group').click()");
      await until(
        tab,
        text("#found-note"),
        new RegExp(`^2 entries depend on "${post}", of 2\\.$`),
      );

      // An edit that the feed brings.
      const document = await (await database(`/${post}`)).json();
      const written = await database(
        `/${post}`,
        json("PUT", { ...document, title: "Edited" }),
      );
      assert.equal(written.status, 201);
      await written.body?.cancel();
      await until(tab, text(".card"), /Changes 1, /);
      await tab.evaluate("document.querySelector('#search button').click()");
      await until(tab, text("#found .badge"), /^void$/);
      await (await again()).body?.cancel();
      await until(
        tab,
        newest,
        new RegExp(`200 handler GET ${path} group-changed, registered$`),
      );

      // Each filter, and each of the reasons that are shown.
      await tab.evaluate(
        `const kind = document.querySelector("#kind"); kind.value = "hit"; kind.dispatchEvent(new Event("change"))`,
      );
      await until(
        tab,
        "document.querySelectorAll('#decisions li').length",
        /^1$/,
      );
      await tab.evaluate(
        `document.querySelector("#kind").value = "refused"; document.querySelector("#kind").dispatchEvent(new Event("change"))`,
      );
      await withEtag(() =>
        new Response("", {
          headers: { ...dependsOn("x"), "set-cookie": "a=b" },
        }), {
        registry: site.registry,
      })(new Request("http://localhost/login"));
      await until(tab, newest, /GET \/login unconditional, set-cookie$/);
      await tab.evaluate(
        "document.querySelector('#decisions summary').click()",
      );
      await until(
        tab,
        text("#decisions .detail"),
        /the response sets a cookie \(set-cookie\)\. Set the cookie once.* RFC 9111 §7\.3/,
      );

      // The feed is cut.
      await closeDatabase();
      await until(
        tab,
        text("#trouble"),
        /The feed "changes" has lost its contact/,
      );
      assert.match(
        await tab.evaluate(text("#state")),
        /^Suspended: every handler runs/,
      );
      assert.deepEqual(tab.complaints, []);
    }),
);

test(
  "inspector in a browser: a feed that is cut and comes back is told, and so is one that has failed for good",
  { skip },
  async () => {
    const registry = new EtagRegistry();
    const inspect = inspector({ registry, authorize: () => true });
    const server = await serve(inspect, { hostname: "127.0.0.1", port: 0 });
    const tab = await chromium.tab();
    await tab.open(`http://127.0.0.1:${server.port}/any/path?of=it`);
    await until(
      tab,
      text("#trouble"),
      /no feed is followed.* Call follow\(registry, changes\(url\)\)/,
    );
    assert.equal(
      await tab.evaluate(
        "document.querySelectorAll('.banner:not(#trouble)').length",
      ),
      0,
    );

    const feed = new PushedFeed();
    const follower = follow(registry, feed, {
      name: "posts",
      onError: () => {},
    });
    const position = { since: "7-x", source: "posts" };
    const live = () =>
      feed.reader.push({
        changes: [],
        state: "live",
        contact: instant(systemClock),
        position,
      });
    live();
    await until(tab, text("#state-text"), /^Live/);
    await until(tab, "document.querySelector('#trouble').hidden", /^true$/);
    feed.reader.push({
      changes: [],
      state: "lost",
      contact: undefined,
      position,
    });
    await until(tab, text("#trouble"), /The feed "posts" has lost its contact/);
    await until(
      tab,
      text(".card"),
      /^posts: contact lost .* Reconnects 0 after 1 loss/,
    );
    live();
    await until(tab, "document.querySelector('#trouble').hidden", /^true$/);
    await until(
      tab,
      text(".card"),
      /^posts: live .* Position 7-x .* Reconnects 1 after 1 loss/,
    );
    feed.reader.fail(new TypeError("the password is SECRET"));
    await until(
      tab,
      text(".card"),
      /^posts: ended .* Fault TypeError, of which follower\.error has more$/,
    );
    assert.deepEqual(tab.complaints, []);
    await follower.close();
    inspect.close();
    await server.close();
  },
);

/** Windows, and in which of them axe-core judges: it takes two seconds. */
const views: readonly (View & { readonly isJudged: boolean })[] = [
  { width: 375, height: 4_000, isJudged: true },
  { width: 800, height: 600, isJudged: false },
  { width: 1440, height: 3_000, dark: true, isJudged: true },
];

test(
  "inspector in a browser: axe-core finds nothing, and nothing is wider than the window",
  { skip },
  () =>
    withBlog(async ({ origin, ask }) => {
      const axe = readFileSync(
        createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
        "utf8",
      );
      const tab = await chromium.tab();
      await tab.open(`${origin}/_stillfresh`);
      for (const asked of ["/", path, "/none"]) {
        await (await ask(asked)).body?.cancel();
      }
      await until(
        tab,
        "document.querySelectorAll('#decisions li').length",
        /^3$/,
      );
      await tab.evaluate("document.querySelector('#search button').click()");
      await until(
        tab,
        "document.querySelectorAll('#found details').length",
        /^2$/,
      );
      await tab.evaluate(
        "document.querySelectorAll('details').forEach((one) => one.open = true)",
      );
      await until(tab, "document.querySelectorAll('.detail').length", /^5$/);
      for (const view of views) {
        const where = `${view.width} px`;
        await tab.resize(view);
        assert.equal(
          await tab.evaluate("document.documentElement.scrollWidth"),
          view.width,
          where,
        );
        if (view.isJudged) {
          assert.deepEqual(
            await violations(tab, axe),
            [],
            where,
          );
        }
      }
      assert.deepEqual(tab.complaints, []);
    }),
);
