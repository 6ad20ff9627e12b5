/**
 * How many calls of functions in `src`, in how many files, a hit, a miss and a row of the feed take, counted by V8's
 * precise coverage after warm-up. The counts say how long the way of a request is, not what it costs.
 *
 * `deno run -A bench/calls.ts`, `node bench/calls.ts`; arguments are checkouts to count in (default: this one), and
 * `--files` for the calls of each file, `--functions` for those of each function. Only public API is used, so that
 * checkouts of different ages can be compared.
 *
 * Counted are calls of functions, methods, getters, constructors with a body of their own and callbacks, as V8 reports
 * them; a generator or an async function counts once, however often it resumes. Not counted are the runtime, the
 * handler itself and what runs when a module is loaded; `dependsOn()` is, since each response needs it.
 *
 * @module
 */
import { Session } from "node:inspector/promises";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import v8 from "node:v8";
import type { ChangesFeed } from "../src/changes/change.ts";
import { printTable } from "./table.ts";
import { EMPTY_PAGE, INFORMATION } from "./feed/rows.ts";

type Library = typeof import("../mod.ts") & Pick<typeof import("../src/couchdb/changes.ts"), "changes">;

/** Runs before counting: what is made once has been made by then, and V8 has optimised nothing yet. */
const WARM_UP = 10;

/** Counted runs, each on its own. */
const RUNS = 5;

/** Calls by function, as `file function`. */
type Calls = ReadonlyMap<string, number>;

/** Starts what is counted; resolves once all that follows from it has happened. */
type Way = () => unknown;

/** The modules of a checkout, by the names that it publishes them under. */
async function load(checkout: string): Promise<Library> {
  const { exports } = JSON.parse(readFileSync(`${checkout}/deno.json`, "utf8"));
  const [core, couchdb] = await Promise.all(
    [".", "./couchdb"].map((name) => import(new URL(exports[name], pathToFileURL(`${checkout}/`)).href)),
  );
  return { ...core, ...couchdb };
}

/** Two documents whose revisions are as short as in an example, or as long as CouchDB's. */
const documents = {
  short: [{ _id: "post-1", _rev: "2-abc" }, { _id: "post-2", _rev: "1-def" }],
  long: [
    { _id: "post-1", _rev: "2-dcaf7822f26d21ce1d1a2c54a3f5b1c7" },
    { _id: "post-2", _rev: "1-967a00dff5e02add41819138abb3284d" },
  ],
};

/** Requests answered from the registry, and requests for a page that is not registered yet. */
async function requests(
  library: Library,
  sources: readonly { readonly _id: string; readonly _rev: string }[],
): Promise<{ hit: Way; miss: Way }> {
  const { dependsOn, EtagRegistry, withEtag } = library;
  // A registry without a follower may have to be told that this is meant.
  const options: object = { version: "calls", manual: true };
  const handler = withEtag(
    () => new Response("", { headers: { "cache-control": "public, no-cache", ...dependsOn(...sources) } }),
    { registry: new EtagRegistry(options) },
  );
  const first = await handler(new Request("http://localhost/"));
  const headers = { "if-none-match": first.headers.get("etag")! };
  let page = 0;
  return {
    hit: () => expectStatus(304, handler(new Request("http://localhost/", { headers }))),
    miss: () => expectStatus(200, handler(new Request(`http://localhost/${page++}`))),
  };
}

async function expectStatus(status: number, response: Response | Promise<Response>): Promise<void> {
  const answered = (await response).status;
  if (answered !== status) throw new Error(`answered ${answered}, not ${status}`);
}

/** Rows that arrive one by one on a continuous feed. */
async function rows(library: Library): Promise<Way> {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) });
  const feed: ChangesFeed = library.changes("http://localhost/db", {
    since: "1-x",
    heartbeat: 3_600_000,
    maxLag: 3_600_000,
    fetch: (url) => {
      if (!url.includes("_changes")) return Promise.resolve(new Response(INFORMATION));
      return Promise.resolve(new Response(url.includes("continuous") ? stream : EMPTY_PAGE));
    },
  });
  let applied = 0;
  const none: string[] = [];
  const groups = () => {
    applied++;
    return none;
  };
  await library.follow(new library.EtagRegistry(), feed, { maxLag: 3_600_000, groups }).ready;
  const encoder = new TextEncoder();
  let row = 1;
  return async () => {
    const text = `{"seq":"${++row}-x","id":"post-${row}","changes":[{"rev":"1-967a00dff5e02add"}]}\n`;
    const before = applied;
    body!.enqueue(encoder.encode(text));
    while (applied === before) await turn();
    // The reader asks for what comes next before anything else gets a turn.
    await turn();
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

// Optimised code counts no call that was inlined. Deno takes such flags only when it starts, hence the short warm-up.
for (const flag of ["--no-opt", "--no-maglev"]) v8.setFlagsFromString(flag);
const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** The calls since the last time that this was asked for. */
async function take(checkout: string): Promise<Calls> {
  const source = pathToFileURL(`${checkout}/src/`).href;
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const calls = new Map<string, number>();
  for (const { url, functions } of result) {
    if (!url.startsWith(source)) continue;
    for (const { functionName, ranges: [whole] } of functions) {
      if (whole === undefined || whole.count === 0) continue;
      const name = `${url.slice(source.length)} ${functionName || `(at ${whole.startOffset})`}`;
      calls.set(name, (calls.get(name) ?? 0) + whole.count);
    }
  }
  return calls;
}

async function count(checkout: string, way: Way): Promise<readonly Calls[]> {
  for (let run = 0; run < WARM_UP; run++) await way();
  const counted: Calls[] = [];
  for (let run = 0; run < RUNS; run++) {
    await take(checkout);
    await way();
    counted.push(await take(checkout));
  }
  return counted;
}

function sum(calls: Calls): number {
  return [...calls.values()].reduce((total, count) => total + count, 0);
}

/** The same by file. */
function byFile(calls: Calls): Calls {
  const files = new Map<string, number>();
  for (const [name, count] of calls) {
    const file = name.slice(0, name.indexOf(" "));
    files.set(file, (files.get(file) ?? 0) + count);
  }
  return files;
}

/** One figure where all runs agree, else the least and the most. */
function range(figures: readonly number[]): string {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  return least === most ? `${least}` : `${least}–${most}`;
}

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const words = process.argv.slice(2);
const paths = words.filter((word) => !word.startsWith("--"));
for (const path of paths.length === 0 ? [root] : paths) {
  const checkout = path.replace(/\/$/, "");
  const library = await load(checkout);
  const { hit, miss } = await requests(library, documents.short);
  const ways: Record<string, Way> = {
    "hit": hit,
    "miss of two documents, registered": miss,
    "the same, revisions as long as CouchDB's": (await requests(library, documents.long)).miss,
    "feed row": await rows(library),
  };
  const counted: Record<string, readonly Calls[]> = {};
  for (const [name, way] of Object.entries(ways)) counted[name] = await count(checkout, way);
  printTable(
    `Calls in ${checkout}/src`,
    ["", "calls", "files"],
    Object.entries(counted).map(([name, runs]) => [
      name,
      range(runs.map(sum)),
      range(runs.map((calls) => byFile(calls).size)),
    ]),
  );
  for (const [name, [calls]] of Object.entries(counted)) {
    const parts = words.includes("--functions") ? calls! : words.includes("--files") ? byFile(calls!) : [];
    const sorted = [...parts].sort(([, a], [, b]) => b - a);
    if (sorted.length > 0) printTable(name, ["", "calls"], sorted.map(([part, count]) => [part, `${count}`]));
  }
}
process.exit();
