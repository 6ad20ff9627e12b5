/** The inspector in a real browser, over the demo: what an operator sees while pages are asked for, edited, and cut off. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { serve } from "../../examples/blog/serve.ts";
import { instant, systemClock } from "../../src/changes/clock.ts";
import { inspector } from "../../src/inspector/inspector.ts";
import { contentSecurityPolicy, page } from "../../src/inspector/page.ts";
import { PushedFeed } from "../support/feed.ts";
import { type Chromium, chromiumProgram, startChromium, type Tab, type View } from "../support/chromium.ts";
import { changed, json, withBlog } from "../examples/blog_support.ts";

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
    withBlog(async (blog) => {
      const { origin, ask, database, site, closeDatabase } = blog;
      const tab = await chromium.tab();
      // Rows that are out of sight have no text in this sense: they are not laid out.
      await tab.resize({ width: 1280, height: 3_000 });
      await tab.open(`${origin}/_stillfresh`);
      await until(
        tab,
        text("#state-text"),
        /^Live: the registry answers, version blog-2$/,
      );
      assert.match(
        await tab.evaluate(text("#unprotected, .banner")),
        /^No access check protects this page/,
      );

      const first = await ask(path);
      await first.body?.cancel();
      const etag = first.headers.get("etag")!;
      const again = await ask(path, { headers: { "if-none-match": etag } });
      assert.equal(again.status, 304);
      await until(tab, newest, new RegExp(`304 registry GET ${path}$`));
      assert.match(
        await tab.evaluate(text("#decisions li:nth-child(2)")),
        new RegExp(`200 handler GET ${path} unconditional, registered$`),
      );
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
      await until(tab, text("#pause"), /^Resume \(0 new\)$/);
      await tab.evaluate(
        "document.querySelector('#decisions .link').click()",
      );
      await until(tab, text("#found-note"), /^1 entry, of 1\.$/);
      assert.equal(
        await tab.evaluate("document.querySelector('#text').value"),
        path,
      );
      await tab.evaluate(
        "document.querySelector('#decisions summary').click()",
      );
      await until(tab, text("#pause"), /^Pause$/);

      // An entry, what it depends on, and what else would be void.
      await tab.evaluate(
        `document.querySelector("#text").value = "${post}"; document.querySelector("#search button").click()`,
      );
      await until(tab, text("#found-note"), /^1 entry, of 1\.$/);
      await tab.evaluate("document.querySelector('#found summary').click()");
      const entry = await until(tab, text("#found .detail"), /^Resource /);
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
      await (await changed(blog, path, etag)).body?.cancel();
      await tab.evaluate("document.querySelector('#search button').click()");
      await until(tab, text("#found"), /void \/ accept-encoding/);
      await withEtag(() =>
        new Response("", {
          headers: { ...dependsOn("x"), "set-cookie": "a=b" },
        }), {
        registry: site.registry,
      })(new Request("http://localhost/login"));
      await until(tab, newest, /GET \/login unconditional, set-cookie$/);
      assert.match(
        await tab.evaluate(text("#decisions li:nth-child(2)")),
        new RegExp(`200 handler GET ${path} group-changed, registered$`),
      );
      assert.match(await tab.evaluate(text(".card")), /Changes 1, /);

      // Each filter, and each of the reasons that are shown.
      const filter = (kind: string) =>
        tab.evaluate(
          `document.querySelector("#kind").value = "${kind}"; document.querySelector("#kind").dispatchEvent(new Event("change"))`,
        );
      await filter("hit");
      assert.equal(
        await tab.evaluate("document.querySelectorAll('#decisions .badge:not(.hit)').length"),
        0,
      );
      await filter("refused");
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
    const inspect = inspector({ registry, authorize: () => true, readOnly: false });
    const server = await serve(inspect, { hostname: "127.0.0.1", port: 0 });
    const tab = await chromium.tab();
    await tab.resize({ width: 1280, height: 1_600 });
    await tab.open(`http://127.0.0.1:${server.port}/any/path?of=it`);
    await until(
      tab,
      text("#trouble"),
      /no feed is followed.* Call follow\(registry, changes\(url\)\)/,
    );
    assert.equal(
      await tab.evaluate(
        "document.querySelectorAll('.banner:not([hidden], #trouble)').length",
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

    // What depends on a document is void at the press of a button.
    await withEtag(() => new Response("", { headers: dependsOn("post-1") }), { registry })(
      new Request("http://localhost/posts/1"),
    );
    await tab.evaluate(
      `document.querySelector("#by").value = "dependents"; document.querySelector("#text").value = "post-1";
      document.querySelector("#search button").click()`,
    );
    await until(tab, text("#found summary"), /^valid \S*\/posts\/1 1 group$/);
    await tab.evaluate("document.querySelector('#void').click()");
    await until(tab, text("#found summary"), /^void \S*\/posts\/1 1 group$/);
    assert.match(await tab.evaluate(text("#void-note")), /^What depends on "post-1" is void\.$/);

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
      /^posts: contact lost .* Losses lost 1 time, and came back 0 times/,
    );
    live();
    await until(tab, "document.querySelector('#trouble').hidden", /^true$/);
    await until(
      tab,
      text(".card"),
      /^posts: live .* Position 7-x .* Losses lost 1 time, and came back each time/,
    );
    feed.reader.fail(new TypeError("the password is SECRET"));
    await until(
      tab,
      text(".card"),
      /^posts: ended .* Fault TypeError, /,
    );
    assert.deepEqual(tab.complaints, []);
    await follower.close();
    inspect.close();
    await server.close();
  },
);

/** How much of hits and of runs of the handler is lighter than the other, whatever its colour: they touch in the chart. */
async function contrast(tab: Tab): Promise<number> {
  const colours = await tab.evaluate<string[]>(
    `["hit", "run"].map((name) => getComputedStyle(document.querySelector("#rate-chart ." + name)).fill)`,
  );
  // WCAG 2.2, "contrast ratio".
  const [hit = 0, run = 0] = colours.map((colour) => {
    const [red = 0, green = 0, blue = 0] = colour.match(/\d+/g)!.map((part) => (Number(part) / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  });
  return Math.max(hit / run, run / hit);
}

/** Windows, and in which of them axe-core judges: it takes two seconds. */
const views: readonly (View & { readonly isJudged: boolean })[] = [
  { width: 320, height: 600, isJudged: false },
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
      await until(tab, text("#state-text"), /^Live/);
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
        // The numbers of a row of tiles stand at one height, whatever their labels are.
        const heights = await tab.evaluate<number[]>(
          `[...document.querySelectorAll(".tiles b")].map((number) => number.getBoundingClientRect().top)`,
        );
        assert.equal(new Set(heights).size, view.width < 480 ? 3 : 1, where);
        assert.ok(await contrast(tab) > 2.5, where);
        assert.deepEqual(
          await tab.evaluate(
            `[getComputedStyle(document.querySelector("#decisions")).maxHeight === "none",
              getComputedStyle(document.querySelector(".swatch")).forcedColorAdjust]`,
          ),
          // A narrow page has no list that scrolls within it; the colours of an area stay where a system sets its own.
          [view.width < 480, "none"],
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

// ——— What the page does with what it is told: by a server that tells what a test wants

/** A decision, as far as a test says. */
type Told = Readonly<Record<string, unknown>>;

function decision(number: number, told: Told = {}): Told {
  return {
    ...{
      number,
      time: 1_764_000_000_000 + number,
      method: "GET",
      path: `/${number}`,
      reason: "unconditional",
    },
    ...{ status: 200, end: "handled", stored: true, text: `GET /${number}: the handler ran.`, sections: [] },
    ...told,
  };
}

function decisions(from: number, to: number): Told[] {
  return Array.from({ length: to - from + 1 }, (_, at) => decision(from + at));
}

/** A server with the page at `/any?key=k`, and a tab that shows it. */
interface ToldPage {
  readonly tab: Tab;
  /** What the console has shown in this test. */
  complaints(): readonly string[];
  /** Tells all that is open; what is told stays, so that a page that comes later is told it first. */
  tell(told: { decisions?: Told[]; samples?: number[][]; untold?: number; state?: Told; log?: string }): void;
  /** Ends all streams. */
  end(): void;
  /** The answer to the next request for a stream, and to all that follow, in the place of a stream. */
  answer: (() => Response) | undefined;
  /** What searches find. */
  found: unknown;
  /** Searches and orders, in turn. */
  readonly orders: string[];
}

/** One for all of these tests: to open a tab takes as long as a test. */
let toldTab: Tab | undefined;

async function withToldPage(use: (world: ToldPage) => Promise<void>): Promise<void> {
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const kept: { decisions: Told[]; samples: number[][]; untold: number; state: Told; log: string } = {
    ...{ decisions: [], samples: [[1_764_000_000_000, 0, 0, 0, 0, 0, 0, 0, 0]], untold: 0, log: "one" },
    state: {
      ...{ time: 1_764_000_000_000, state: "live", entries: 3, groups: 1, bytes: 100, counters: {} },
      ...{ running: 0, handlerRuns: 0, handlerSeconds: 0, savedBytes: 0, feeds: [] },
    },
  };
  const event = (told: unknown) => new TextEncoder().encode(`retry: 1000\ndata: ${JSON.stringify(told)}\n\n`);
  function stream(): Response {
    if (world.answer !== undefined) return world.answer();
    let mine: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        open.add(mine = controller);
        controller.enqueue(event(kept));
      },
      cancel: () => void open.delete(mine),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
  async function respond(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    if (searchParams.get("key") !== "k") return new Response("the query is lost", { status: 403 });
    if (request.method === "POST") {
      const type = request.headers.get("content-type");
      world.orders.push(`${type} ${await request.text()}`);
      return world.answer?.() ?? new Response(null, { status: 204 });
    }
    if (searchParams.has("events")) return stream();
    if (searchParams.has("by")) {
      world.orders.push(`${searchParams.get("by")} ${searchParams.get("text")}`);
      return Response.json(world.found);
    }
    return new Response(page({ isUnprotected: false, canVoid: true, hidesValues: true }), {
      headers: { "content-type": "text/html", "content-security-policy": contentSecurityPolicy },
    });
  }
  const server = await serve(respond, { hostname: "127.0.0.1", port: 0 });
  const tab = toldTab ??= await chromium.tab();
  const former = tab.complaints.length;
  const world: ToldPage = {
    tab,
    complaints: () => tab.complaints.slice(former),
    tell(told) {
      const { decisions: more = [], samples = [], log = kept.log } = told;
      if (log !== kept.log) kept.decisions = [];
      kept.decisions.push(...more);
      kept.samples.push(...samples);
      kept.state = { ...kept.state, ...told.state };
      Object.assign(kept, { log, untold: told.untold ?? kept.untold });
      const data = event({ ...kept, decisions: more, samples });
      for (const controller of open) controller.enqueue(data);
    },
    end() {
      for (const controller of open) controller.close();
      open.clear();
    },
    answer: undefined,
    found: { entries: [], total: 0, lookedAt: 3 },
    orders: [],
  };
  // Rows that are out of sight have no text in this sense.
  await world.tab.resize({ width: 1280, height: 1_600 });
  await world.tab.open(`http://127.0.0.1:${server.port}/any?key=k`);
  try {
    await use(world);
  } finally {
    await world.tab.open("about:blank");
    world.end();
    await server.close();
  }
}

const rows = "document.querySelectorAll('#decisions li').length";
const note = text("#decision-note");

/** Becomes hidden or visible, as with a change of tabs. */
const show = (visibility: "hidden" | "visible") =>
  `Object.defineProperty(document, "visibilityState", { value: "${visibility}", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"))`;

test(
  "inspector in a browser: a paused list stays while another tab is looked at, and goes on",
  { skip },
  () =>
    withToldPage(async ({ tab, tell }) => {
      await until(tab, text("#state-text"), /^Live/);
      tell({ decisions: decisions(1, 3), untold: 7 });
      await until(tab, note, /^3 noted\. 7 more were not noted \(at most 50 each half second\)\.$/);
      await tab.evaluate(
        "document.querySelector('#pause').click(); document.querySelector('#decisions li').id = 'first'",
      );
      await tab.evaluate(show("hidden"));
      await until(tab, "listening === undefined", /^true$/);
      tell({ decisions: decisions(4, 5) });
      await tab.evaluate(show("visible"));
      await until(tab, text("#pause"), /^Resume \(2 new\)$/);
      assert.equal(await tab.evaluate(rows), 3);
      await tab.evaluate("document.querySelector('#pause').click()");
      await until(tab, rows, /^5$/);
      await until(tab, "document.querySelector('#decisions li:nth-child(3)').id", /^first$/);
      assert.match(await tab.evaluate(text("#pause")), /^Pause$/);
    }),
);

test(
  "inspector in a browser: a row that is open or has the focus stays, and the list is bounded",
  { skip },
  () =>
    withToldPage(async ({ tab, tell }) => {
      tell({ decisions: decisions(1, 100) });
      await until(tab, rows, /^100$/);
      const last = "document.querySelector('#decisions li:last-child')";
      await tab.evaluate(`${last}.querySelector("summary").click()`);
      await until(
        tab,
        note,
        /^100 noted\. 7?.*Paused while a row is open\.$|^100 noted\. Paused while a row is open\.$/,
      );
      tell({ decisions: decisions(101, 300) });
      await until(tab, text("#pause"), /^Resume \(200 new\)$/);
      assert.equal(await tab.evaluate(rows), 100);
      await tab.evaluate("document.querySelector('#pause').click()");
      await until(tab, note, /^Newest 100 of 300 noted\.$/);
      assert.equal(await tab.evaluate(rows), 101);
      assert.equal(await tab.evaluate(`${last}.querySelector(".row code").textContent`), "GET /1");
      await tab.evaluate(`${last}.previousElementSibling.querySelector("summary").focus()`);
      for (let from = 301; from < 700; from += 100) tell({ decisions: decisions(from, from + 99) });
      await until(tab, note, /^Newest 100 of 700 noted\.$/);
      assert.equal(await tab.evaluate(rows), 102);
      await tab.evaluate(
        `document.querySelector("#words").value = "/6"; document.querySelector("#words").dispatchEvent(new Event("input"))`,
      );
      await until(tab, note, /^Newest 100 of 111 that match, of 700 noted\.$/);
      assert.equal(await tab.evaluate(rows), 100);
    }),
);

test(
  "inspector in a browser: a server that was started anew tells its decisions from number one",
  { skip },
  () =>
    withToldPage(async ({ tab, tell, end }) => {
      tell({ decisions: decisions(1, 3) });
      await until(tab, rows, /^3$/);
      // It comes back after a tenth of its second, long before it would say that the server is away.
      await tab.evaluate(
        `setTimeout = ((later) => (run, ms) => later(run, ms / 10))(setTimeout);
        globalThis.alarms = 0;
        new MutationObserver(() => alarms++).observe(document.querySelector("#away"), { attributes: true })`,
      );
      tell({ log: "two", decisions: [decision(1, { path: "/anew" })] });
      await until(tab, text("#decisions li"), /GET \/anew/);
      assert.equal(await tab.evaluate(rows), 4);
      end();
      await until(tab, "samples.length", /^1$/);
      tell({ decisions: [decision(2)], samples: [[1_764_000_001_000, 1, 0, 1, 0, 0, 1, 0.5, 0]] });
      await until(tab, rows, /^5$/);
      assert.equal(await tab.evaluate("alarms"), 0);
    }),
);

/** What a client got, by the end of its request. */
const badges: readonly (readonly [end: string, told: Told, row: RegExp])[] = [
  ["hit", { reason: "hit", status: undefined }, /^\S+ 304 registry GET \/1$/],
  ["not-modified", { stored: true }, /304 handler GET \/1 unconditional, registered$/],
  ["precondition-failed", { reason: "precondition-failed", status: undefined }, /412 registry GET \/1$/],
  [
    "precondition-failed-late",
    { reason: "unsafe-method" },
    /412 handler GET \/1 unsafe-method$/,
  ],
  ["precondition-required", { reason: "precondition-required", status: undefined }, /428 registry GET \/1$/],
  ["handled", { refusal: "no-store" }, /200 handler GET \/1 unconditional, no-store$/],
  ["handler-threw", { status: undefined }, /error in the handler GET \/1 unconditional$/],
  ["current-threw", { status: undefined }, /error in current GET \/1 unconditional$/],
  ["passed-on", { reason: "passed-on", status: undefined }, /passed on GET \/1$/],
];

test(
  "inspector in a browser: a decision shows what its client got, and errors can be picked out",
  { skip },
  () =>
    withToldPage(async ({ tab, tell }) => {
      tell({
        decisions: badges.map(([end, told], at) =>
          decision(at + 1, { path: "/1", end, stored: false, ...told })
        ),
      });
      await until(tab, rows, new RegExp(`^${badges.length}$`));
      const shown = await tab.evaluate<string[]>(
        `[...document.querySelectorAll("#decisions .row")].map((row) =>
        [...row.children].map(({ textContent }) => textContent).join(" ").trim()).reverse()`,
      );
      badges.forEach(([, , row], at) => assert.match(shown[at]!, row));
      await tab.evaluate(
        `document.querySelector("#kind").value = "errors"; document.querySelector("#kind").dispatchEvent(new Event("change"))`,
      );
      await until(tab, note, /^2 that match, of 9 noted\.$/);
    }),
);

/** Figures that must not be rounded to what they are not. */
const figures: readonly (readonly [call: string, shown: string])[] = [
  ["percent(0.99996)", "99.99 %"],
  ["percent(1)", "100 %"],
  ["percent(0.9975)", "99.75 %"],
  ["percent(0.5)", "50 %"],
  ["percent(0.0004)", "< 0.1 %"],
  ["percent(0)", "0 %"],
  ["count(0.04)", "< 0.1"],
  ["count(9.96)", "10"],
  ["duration(999.6)", "1 s"],
  ["duration(0.9996)", "1 ms"],
  ["duration(59_600)", "1 min"],
  ["duration(0)", "0 s"],
  ["duration(48 * 3_600_000)", "2 days"],
  ["scaleFor(0)", "1"],
  ["scaleFor(31)", "40"],
  ["scaleFor(1_000)", "1000"],
];

test(
  "inspector in a browser: figures are not rounded to what they are not, and a clock that is set back breaks no chart",
  { skip },
  () =>
    withToldPage(async ({ tab, tell, complaints }) => {
      for (const [call, shown] of figures) assert.equal(String(await tab.evaluate(call)), shown, call);
      const sample = (time: number, hits: number) => [time, hits, 0, 0, 0, 0, 0, 0, 0];
      tell({ samples: [sample(1_764_000_001_000, 5), sample(1_764_000_001_500, 9)] });
      await until(tab, "samples.length", /^3$/);
      // A day, then two hours, as a row of each event and as all that a new page is told.
      for (const [at, time] of [1_763_913_600_000, 1_763_906_400_000].entries()) {
        tell({ samples: [sample(time, 10 + at), sample(time + 500, 20 + at)] });
        await until(tab, "samples.length", /^2$/);
      }
      await tab.evaluate(show("visible"));
      assert.equal(await tab.evaluate(text("#rate")), "20");

      assert.deepEqual(complaints(), []);
      assert.doesNotMatch(await tab.evaluate("document.querySelector('.charts').innerHTML"), /NaN/);
    }),
);

test(
  "inspector in a browser: feeds that are gone, that never had contact, and their faults",
  { skip },
  () =>
    withToldPage(async ({ tab, tell }) => {
      const feed = {
        ...{
          name: "blog",
          state: "starting",
          maxLag: 0,
          replicaLag: 0,
          changes: 0,
          losses: 0,
          recoveries: 0,
        },
        ...{ fault: "connection refused", faultAt: 1_763_999_990_000 },
      };
      const trouble = { what: "Every request runs its handler.", advice: ["Call `follow()`."] };
      tell({ state: { feeds: [feed], state: "suspended", trouble } });
      await until(
        tab,
        text("#feeds"),
        /^blog: no contact yet Lag no contact yet Position .* Fault connection refused, \S+, 10 s ago$/,
      );
      assert.match(await tab.evaluate("document.title"), /^suspended – /);
      assert.equal(await tab.evaluate("document.querySelector('#trouble li code').innerText"), "follow()");
      tell({ state: { feeds: [], state: "unfollowed" } });
      await until(tab, text("#feeds"), /^No feed is followed\.$/);
    }),
);

/** Answers in the place of a stream, what the page says, and whether it asks again. */
const answers: readonly (readonly [status: number, says: RegExp, asksAgain: boolean])[] = [
  [502, /^The server answers 502\. Trying again/, true],
  [503, /^Too many pages are open\. Trying again/, true],
  [401, /^The server does not let you look any more: .* Log in first$/, false],
  [302, /^The server does not let you look any more/, false],
  [204, /^The inspector was closed\./, false],
];
const said: Readonly<Record<number, string>> = { 503: "Too many pages are open.", 401: "Log in first" };

test("inspector in a browser: what a server answers that tells nothing is shown, and a page comes back", {
  skip,
}, () =>
  withToldPage(async (world) => {
    const { tab, end, tell } = world;
    const isTold = () =>
      until(tab, "`${document.querySelector('#away').hidden} ${listening !== undefined}`", /^true true$/);
    await until(tab, text("#state-text"), /^Live/);
    // Time passes ten times as fast.
    await tab.evaluate(`void ((later, now) => {
      globalThis.setTimeout = (run, ms) => later(run, ms / 10);
      performance.now = () => 10 * now();
    })(setTimeout, performance.now.bind(performance))`);
    await until(tab, text("#away-what"), /^The server does not answer\./);
    tell({});
    await isTold();
    for (const [status, says, asksAgain] of answers) {
      const headers = { "content-type": status in said ? "text/plain" : "text/html", location: "/login" };
      const body = status === 204 ? null : said[status] ?? "<p>of a gateway</p>";
      world.answer = () => new Response(body, { status, headers });
      end();
      await until(tab, text("#away-what"), says);
      assert.match(await tab.evaluate(text("#as-of")), /^as of \d\d:\d\d:\d\d$/);
      world.answer = undefined;
      if (!asksAgain) {
        assert.equal(await tab.evaluate("listening"), undefined);
        await tab.evaluate(show("visible"));
      }
      await isTold();
      assert.match(await tab.evaluate(text("#state-text")), /^Live/);
    }
  }));

test(
  "inspector in a browser: names are searched for as they are, and what cannot be seen in them is shown by its number",
  {
    skip,
  },
  () =>
    withToldPage(async (world) => {
      const { tab, tell, orders, complaints } = world;
      const name = "line\nfeed\u202e";
      const entry = {
        ...{ resource: "/caf%C3%A9", etag: '"a"', state: "void", place: 1, variant: ["accept-language: de"] },
        ...{ groups: [name], groupCount: 1, changed: [name], fields: [], length: 0, isPublic: true },
      };
      world.found = { entries: [entry], total: 1, lookedAt: 3 };
      tell({ decisions: [decision(1, { path: `/${"x".repeat(3_000)}…` })] });
      await until(tab, rows, /^1$/);
      assert.ok(await tab.evaluate<number>("document.querySelector('#decisions li').offsetHeight") < 150);
      await tab.evaluate("document.querySelector('#search button').click()");
      const row = await until(tab, text("#found summary"), /^void/);
      assert.match(row, /^void \/café accept-language: de · 1 group$/);
      await tab.evaluate("document.querySelector('#found summary').click()");
      const facts = await until(tab, text("#found .detail"), /^Changed since/);
      assert.match(
        facts,
        /^Changed since line\\u\{a\}feed\\u\{202e\} Resource \/caf%C3%A9 .* Age not known /,
      );
      await tab.evaluate("document.querySelector('#found .group').click()");
      await until(tab, text("#found-note"), /^1 entry depends on "line.*feed.*", of 3\.$/);
      assert.equal(orders.at(-1), `dependents ${name}`);
      assert.equal(await tab.evaluate("document.querySelector('#dependents-note').hidden"), false);

      // What the last search was for can be voided, and all; the answer of a server that refuses is shown.
      await until(tab, text("#void"), /^Void what depends on "line/);
      await tab.evaluate("document.querySelector('#void').click()");
      await until(tab, text("#void-note"), /^What depends on .* is void\.$/);
      // It has searched again.
      await until(tab, text("#found-note"), /^1 entry depends/);
      assert.deepEqual(orders.slice(-2), [
        `application/json ${JSON.stringify({ void: name })}`,
        `dependents ${name}`,
      ]);
      await tab.evaluate("globalThis.confirm = (question) => (globalThis.question = question, false)");
      await tab.evaluate("document.querySelector('#clear').click()");
      assert.match(await tab.evaluate("question"), /^Void all 3 entries\?/);
      await tab.evaluate("globalThis.confirm = () => true; document.querySelector('#clear').click()");
      await until(tab, text("#void-note"), /^All entries are void\.$/);
      assert.ok(orders.includes('application/json {"clear":true}'));
      world.answer = () => new Response("Not you.", { status: 403 });
      await tab.evaluate("document.querySelector('#clear').click()");
      await until(tab, text("#void-note"), /^Nothing was voided: Not you\.$/);

      // A whole name is needed.
      world.found = { entries: [], total: 0, lookedAt: 3 };
      await tab.evaluate(
        `document.querySelector("#text").value = "fee"; document.querySelector("#search button").click()`,
      );
      await until(
        tab,
        text("#found-note"),
        /^0 entries depend on "fee", of 3\. Only a whole name is found here/,
      );
      await tab.evaluate(
        `document.querySelector("#text").value = ""; document.querySelector("#search button").click()`,
      );
      await until(tab, text("#found-note"), /^Give the whole name/);
      assert.equal(await tab.evaluate("document.querySelector('#void').disabled"), true);
      assert.deepEqual(complaints().filter((complaint) => !complaint.includes("403")), []);
    }),
);
