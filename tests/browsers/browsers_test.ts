/** A browser as the client: its network log says what it asked, and what came. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { type Chromium, chromiumProgram, startChromium, type Tab } from "../support/chromium.ts";
import { serve, wrap, type Wrapped } from "../support/http.ts";

const skip = chromiumProgram === undefined ? "no browser; apt-get install chromium" : false;

/** A site whose pages are of one document each. */
interface Site {
  readonly url: string;
  readonly handler: Wrapped;
  /** Each answer as it was sent: path and status. */
  readonly answers: readonly string[];
  edit(path: string): void;
  close(): Promise<void>;
}

const worker = `
  self.addEventListener("install", () => self.skipWaiting());
  self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
  self.addEventListener("fetch", (event) => {
    if (event.request.url.endsWith("/data")) event.respondWith(answer(event.request));
  });
  async function answer(request) {
    const cache = await caches.open("pages");
    const copy = await cache.match(request);
    const headers = copy === undefined ? {} : { "if-none-match": copy.headers.get("etag") };
    const response = await fetch(request.url, { headers });
    if (response.status === 304) return copy;
    await cache.put(request, response.clone());
    return response;
  }
`;

async function startSite(allowedOrigin = ""): Promise<Site> {
  const revisions = new Map<string, number>();
  const answers: string[] = [];
  const handler = wrap(({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/favicon.ico") return new Response(null, { status: 404 });
    if (pathname === "/worker.js") {
      return new Response(worker, { headers: { "content-type": "text/javascript" } });
    }
    const revision = revisions.get(pathname) ?? 1;
    const headers = {
      "cache-control": "public, no-cache",
      "content-type": "text/html",
      ...allowedOrigin === "" ? {} : {
        "access-control-allow-origin": allowedOrigin,
        "access-control-allow-credentials": "true",
        "vary": "Origin",
      },
      ...dependsOn({ _id: pathname, _rev: `${revision}-a` }),
    };
    return new Response(`<title>${revision}</title><p>revision ${revision} of ${pathname}`, { headers });
  });
  const server = await serve(async (request) => {
    const response = await handler.ask(request);
    answers.push(`${new URL(request.url).pathname} ${response.status}`);
    return response;
  });
  return {
    url: server.url,
    handler,
    answers,
    edit(path) {
      revisions.set(path, (revisions.get(path) ?? 1) + 1);
      handler.registry.invalidate(path);
    },
    close: server.close,
  };
}

/** The statuses of what went over the network for one address, once so many are known. */
async function statuses(tab: Tab, url: string, count: number): Promise<number[]> {
  return (await tab.exchanged({ url }, count)).map(({ status }) => status);
}

/** Waits until an expression in the page is true. */
async function until(tab: Tab, expression: string): Promise<void> {
  for (let left = 500; !await tab.evaluate<boolean>(expression); left--) {
    assert.ok(left > 0, expression);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function inChromium(body: (chromium: Chromium) => Promise<void>): Promise<void> {
  const chromium = await startChromium();
  try {
    await body(chromium);
  } finally {
    await chromium.close();
  }
}

test(
  "Chromium: of 20 visits with 2 edits in between, three are 200, and the rest 304",
  { skip },
  async () => {
    const site = await startSite();
    try {
      await inChromium(async (chromium) => {
        const tab = await chromium.tab();
        const page = `${site.url}/page`;
        const titles: string[] = [];
        for (let visit = 0; visit < 20; visit++) {
          if (visit === 7 || visit === 14) site.edit("/page");
          await tab.open(page);
          titles.push(await tab.evaluate("document.title"));
        }
        const log = await statuses(tab, page, 20);
        assert.equal(log.length, 20);
        const expected = Array.from({ length: 20 }, (_, visit) => visit % 7 === 0 ? 200 : 304);
        assert.deepEqual(log, expected);
        assert.deepEqual(titles, Array.from({ length: 20 }, (_, visit) => String(1 + Math.floor(visit / 7))));
        assert.equal(
          site.handler.runs - site.answers.filter((line) => line.startsWith("/favicon")).length,
          3,
        );
        assert.deepEqual(tab.complaints.filter((text) => !text.includes("favicon")), []);
      });
    } finally {
      await site.close();
    }
  },
);

test("Chromium: reload is conditional, hard reload is not, and back asks nothing", { skip }, async () => {
  const site = await startSite();
  try {
    await inChromium(async (chromium) => {
      const tab = await chromium.tab();
      const [first, second] = [`${site.url}/first`, `${site.url}/second`];
      await tab.open(first);
      await tab.reload(false);
      assert.deepEqual(await statuses(tab, first, 2), [200, 304]);
      await tab.reload(true);
      assert.deepEqual(await statuses(tab, first, 3), [200, 304, 200]);
      const hard = (await tab.exchanged({ url: first }, 3)).at(-1)!;
      assert.equal(hard.sent["if-none-match"], undefined);
      site.edit("/first");
      await tab.reload(false);
      assert.deepEqual(await statuses(tab, first, 4), [200, 304, 200, 200]);
      assert.equal(await tab.evaluate("document.title"), "2");

      await tab.open(second);
      site.edit("/first");
      await tab.evaluate("history.back()");
      await until(tab, 'location.pathname === "/first" && document.readyState === "complete"');
      assert.equal(
        (await statuses(tab, first, 4)).length,
        4,
        "as it was left: Cache-Control: no-cache is not for history",
      );
      assert.equal(await tab.evaluate("document.title"), "2");
      await tab.evaluate("history.forward()");
      await until(tab, 'location.pathname === "/second" && document.readyState === "complete"');
      await tab.open(first);
      assert.deepEqual(await statuses(tab, first, 5), [200, 304, 200, 200, 200]);
      assert.equal(await tab.evaluate("document.title"), "3", "a visit sees the edit");
      assert.deepEqual(await statuses(tab, second, 1), [200]);
    });
  } finally {
    await site.close();
  }
});

test(
  "Chromium: a script of another origin, with credentials, gets 304 and can read it",
  { skip },
  async () => {
    const other = await startSite();
    const site = await startSite(other.url);
    try {
      await inChromium(async (chromium) => {
        const tab = await chromium.tab();
        await tab.open(`${other.url}/`);
        await tab.evaluate('document.cookie = "session=1"');
        const data = `${site.url}/data`;
        const read = () =>
          tab.evaluate<string>(
            `fetch(${
              JSON.stringify(data)
            }, { credentials: "include" }).then((r) => r.text().then((t) => r.status + t))`,
          );
        for (const [visit, revision] of [1, 1, 1, 2, 2].entries()) {
          if (visit === 3) site.edit("/data");
          assert.match(await read(), new RegExp(`^200.*revision ${revision} of /data$`));
        }
        assert.deepEqual(await statuses(tab, data, 5), [200, 304, 304, 200, 304]);
        const hit = (await tab.exchanged({ url: data }, 5)).at(-1)!;
        assert.equal(hit.sent["cookie"], "session=1");
        assert.equal(hit.received["access-control-allow-origin"], other.url);
        assert.equal(hit.received["access-control-allow-credentials"], "true");
        assert.equal(site.handler.runs, 2);
      });
    } finally {
      await site.close();
      await other.close();
    }
  },
);

test(
  "Chromium: a service worker keeps copies in the Cache API, and asks whether they are good",
  { skip },
  async () => {
    const site = await startSite();
    try {
      await inChromium(async (chromium) => {
        const tab = await chromium.tab();
        await tab.open(`${site.url}/`);
        await tab.evaluate(
          'navigator.serviceWorker.register("/worker.js").then(() => navigator.serviceWorker.ready)',
        );
        await until(tab, "navigator.serviceWorker.controller !== null");
        const read = () => tab.evaluate<string>('fetch("/data").then((r) => r.text())');
        for (const [visit, revision] of [1, 1, 2, 2].entries()) {
          if (visit === 2) site.edit("/data");
          assert.match(await read(), new RegExp(`revision ${revision} of`));
        }
        const log = site.answers.filter((line) => line.startsWith("/data"));
        assert.deepEqual(log, ["/data 200", "/data 304", "/data 200", "/data 304"]);
      });
    } finally {
      await site.close();
    }
  },
);
