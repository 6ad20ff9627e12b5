/**
 * `deno task bench:inspector`: what the inspector costs (`deno task bench:inspector page`: the part with a browser alone). In turns: a hit with it mounted and unwatched, and watched by three
 * pages; then, with 100,000 entries and 5,000 decisions a second, how long requests wait with three pages open that search,
 * and without; last, what a real page does meanwhile in a Chromium.
 *
 * @module
 */
import { dependsOn, EtagRegistry, withEtag } from "../mod.ts";
import { inspector } from "../src/inspector/inspector.ts";
import { coreOf } from "../src/registry/core.ts";
import { chromiumProgram, startChromium } from "../tests/support/chromium.ts";
import { atMost, printTable, spread, verdict } from "./table.ts";

const ENTRIES = 100_000;
const DECISIONS = 5_000;
const PAGES = 3;
const here = "http://localhost/_stillfresh";

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** Opens pages that read what they are told, as a browser does; gives what closes them. */
async function openPages(ask: (query: string) => Promise<Response> | Response, pages: number) {
  const readers = await Promise.all(Array.from({ length: pages }, async () => {
    const reader = (await ask("?events")).body!.getReader();
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return reader;
  }));
  return async () => {
    await Promise.all(readers.map((reader) => reader.cancel()));
  };
}

/** A site with an inspector, and the time of one hit in ns over a window. */
async function hitSite(isMounted: boolean, pages: number) {
  const registry = new EtagRegistry({ manual: true });
  const site = withEtag(() => new Response("page", { headers: dependsOn("post") }), { registry });
  const inspect = isMounted ? inspector({ registry }) : undefined;
  const url = "http://localhost/post";
  const etag = (await site(new Request(url))).headers.get("etag")!;
  const request = new Request(url, { headers: { "if-none-match": etag } });
  const hits = 20_000;
  return {
    window: async () => {
      const close = inspect === undefined
        ? undefined
        : await openPages((query) => inspect(new Request(here + query)), pages);
      const start = performance.now();
      for (let hit = 0; hit < hits; hit++) site(request);
      const time = (performance.now() - start) * 1e6 / hits;
      await close?.();
      return time;
    },
    close: () => inspect?.close(),
  };
}

async function measureHits(): Promise<void> {
  const rows: string[][] = [];
  for (const [name, pages] of [["mounted, unwatched", 0], [`${PAGES} pages watch`, PAGES]] as const) {
    const [without, mounted] = [await hitSite(false, 0), await hitSite(true, pages)];
    const times: [number[], number[]] = [[], []];
    for (let round = -10; round < 100; round++) {
      if (round % 20 === 0) console.error(`a hit, ${name}: pair ${round} of 100`);
      // Each goes first in turn.
      const pair = round % 2 === 0
        ? [await without.window(), await mounted.window()]
        : [await mounted.window(), await without.window()].reverse();
      if (round < 0) continue;
      times[0].push(pair[0]!);
      times[1].push(pair[1]!);
    }
    const more = times[1].map((time, at) => time - times[0][at]!);
    const ratio = times[1].map((time, at) => time / times[0][at]!);
    rows.push([
      name,
      median(times[0]).toFixed(0),
      median(times[1]).toFixed(0),
      spread(more, 0),
      spread(ratio, 3),
    ]);
    mounted.close();
  }
  printTable(
    "A hit in one process, 100 pairs of windows of 20,000 hits in turns: medians (and quartiles)",
    ["", "without, ns", "with, ns", "more, ns", "with / without"],
    rows,
  );
}

/** Asks a server at a steady rate, and prints how long each answer took, in ms. */
async function probe(address: string, seconds: number): Promise<void> {
  const times: number[] = [];
  const first = await fetch(address);
  await first.body?.cancel();
  const headers = { "if-none-match": first.headers.get("etag")! };
  const waiting: Promise<void>[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    waiting.push((async () => {
      const start = performance.now();
      await (await fetch(address, { headers })).body?.cancel();
      times.push(performance.now() - start);
    })());
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  await Promise.all(waiting);
  console.log(JSON.stringify(times));
}

/** Opens pages that read what they are told, and searches once a second, until its input ends. */
async function watch(address: string): Promise<void> {
  const close = await openPages((query) => fetch(address + query), PAGES);
  let longest = 0;
  const searches = setInterval(async () => {
    const start = performance.now();
    await (await fetch(`${address}?by=group&text=post-9999`)).text();
    longest = Math.max(longest, performance.now() - start);
  }, 1_000);
  for await (const _ of Deno.stdin.readable);
  clearInterval(searches);
  await close();
  console.log(longest);
}

/** Starts this program as a process of its own: what a client does must not take time of the server. */
function start(...args: string[]): Deno.ChildProcess {
  const all = ["run", "-A", "-q", "--no-check", import.meta.filename!, ...args];
  return new Deno.Command(Deno.execPath(), { args: all, stdin: "piped", stdout: "piped", stderr: "inherit" })
    .spawn();
}

async function said(process: Deno.ChildProcess): Promise<unknown> {
  await process.stdin.close();
  return JSON.parse(new TextDecoder().decode((await process.output()).stdout));
}

async function probed(address: string): Promise<number[]> {
  return await said(start("probe", address, "4")) as number[];
}

async function measureLoad(rounds: number): Promise<void> {
  const registry = new EtagRegistry({ manual: true, maxEntries: 2 * ENTRIES, maxBytes: 2 ** 30 });
  const core = coreOf(registry);
  console.error(`registering ${ENTRIES.toLocaleString("en-GB")} entries`);
  for (let page = 0; page < ENTRIES; page++) {
    core.register(core.lease(`http://localhost/posts/${page}`), {
      ...{
        etag: `"${page}"`,
        representation: "r",
        lastModified: undefined,
        fields: { "cache-control": "no-cache" },
      },
      ...{ isPublic: true, anyOrigin: true, expires: Infinity, vary: [] },
      dependencies: ["posts", `post-${page}`, `author-${page % 1_000}`].map((_id) => ({
        _id,
        _rev: undefined,
      })),
    }, new Headers());
  }
  const site = withEtag(() => new Response("page", { headers: dependsOn("post") }), { registry });
  const inspect = inspector({ registry });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => request.url.includes("/_stillfresh") ? inspect(request) : site(request),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  // Nine of ten are hits. The others are answered by the handler, and not registered.
  let page = 0;
  let decisions = 0;
  let owed = performance.now();
  const load = setInterval(() => {
    for (; owed < performance.now(); owed += 1_000 / DECISIONS) {
      page = (page + 1) % ENTRIES;
      decisions++;
      const headers: Record<string, string> = page % 10 === 0
        ? { cookie: "a=b" }
        : { "if-none-match": `"${page}"` };
      void site(new Request(`http://localhost/posts/${page}`, { headers }));
    }
  }, 2);
  const without: number[][] = [];
  const watched: number[][] = [];
  let longest = 0;
  for (let round = 0; round < rounds; round++) {
    without.push(await probed(`${origin}/page`));
    const watching = start("watch", `${origin}/_stillfresh`);
    while (inspect.pages < PAGES) await new Promise((resolve) => setTimeout(resolve, 50));
    watched.push(await probed(`${origin}/page`));
    longest = Math.max(longest, await said(watching) as number);
    console.error(`${DECISIONS.toLocaleString("en-GB")} decisions a second: round ${round + 1} of ${rounds}`);
  }
  if (rounds > 0) printWaits(core.size, without, watched, longest);
  if (chromiumProgram !== undefined) await measurePage(`${origin}/_stillfresh`);
  clearInterval(load);
  console.log(`${decisions.toLocaleString("en-GB")} decisions in all.`);
  inspect.close();
  await server.shutdown();
}

/** Prints how long requests waited. */
function printWaits(entries: number, without: number[][], watched: number[][], longest: number): void {
  const p99 = (rounds: readonly number[][]) => median(rounds.map((times) => percentile(times, 0.99)));
  const p50 = (rounds: readonly number[][]) => median(rounds.map((times) => percentile(times, 0.5)));
  printTable(
    `${entries.toLocaleString("en-GB")} entries, ${
      DECISIONS.toLocaleString("en-GB")
    } decisions/s: a request over HTTP, medians of ${without.length} rounds`,
    ["", "p50, ms", "p99, ms", "of one without", "target"],
    [
      ["unwatched", p50(without).toFixed(2), p99(without).toFixed(2), "1", ""],
      [
        `${PAGES} pages watch, one search a second`,
        p50(watched).toFixed(2),
        p99(watched).toFixed(2),
        (p99(watched) / p99(without)).toFixed(2),
        verdict(p99(watched) / p99(without), atMost(1.2)),
      ],
    ],
  );
  console.log(`The slowest search of a group's name took ${longest.toFixed(0)} ms.`);
}

/** What a page does in a browser while it is told. */
async function measurePage(address: string): Promise<void> {
  const chromium = await startChromium();
  const tab = await chromium.tab();
  // High enough for the lists to be in sight: rows that are not cost nothing.
  await tab.resize({ width: 1_280, height: 3_000 });
  await tab.open(address);
  await tab.evaluate(`void (globalThis.tasks = [], new PerformanceObserver((list) =>
    tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ["longtask"] }))`);
  const heap = () => tab.evaluate<number>("performance.memory.usedJSHeapSize");
  const heaps: number[] = [];
  for (let second = 0; second < 40; second++) {
    if (second % 10 === 0) console.error(`a page in a browser: second ${second} of 40`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    if (second % 5 === 4) {
      await tab.evaluate(
        `document.querySelector("#text").value = "${second}"; document.querySelector("#search button").click()`,
      );
    }
    heaps.push(await heap());
  }
  const tasks = await tab.evaluate<number[]>("tasks");
  const rows = await tab.evaluate<number>("document.getElementsByTagName('*').length");
  const longest = Math.max(0, ...tasks);
  const half = (from: number) => Math.max(...heaps.slice(from, from + 20)) / 1e6;
  console.log(
    `A page open for 40 s: ${tasks.length} tasks above 50 ms, the longest ${
      longest.toFixed(0)
    } ms (target 100); ` +
      `${rows} elements; heap at most ${half(0).toFixed(1)} MB in the first half, ${
        half(20).toFixed(1)
      } MB in the second; ` +
      `complaints: ${tab.complaints.length}.`,
  );
  await chromium.close();
}

if (import.meta.main) {
  const [what, address, seconds] = Deno.args;
  if (what === "probe") await probe(address!, Number(seconds));
  else if (what === "watch") await watch(address!);
  else {
    if (what !== "page") await measureHits();
    await measureLoad(what === "page" ? 0 : 8);
  }
}
