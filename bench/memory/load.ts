/**
 * One registry filled in one way, and what the process holds because of it: the program that `bench/memory.ts` starts on
 * each runtime. Prints one line of JSON.
 *
 * `node --expose-gc bench/memory/load.ts vary` runs one load; a number behind it says how many pages.
 *
 * @module
 */
import process from "node:process";
import { dependsOn, EtagRegistry, withEtag, type WithEtagOptions } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { fresh, heap } from "../registry/support.ts";

/** A way to fill a registry. */
interface Load {
  /** Pages asked for, unless the command line says otherwise. */
  readonly pages: number;
  readonly options?: Omit<WithEtagOptions, "registry" | "manual">;
  /** Handlers that share the registry; default 1. */
  readonly wrappers?: number;
  readonly url: (page: number) => string;
  /** Fields of the response beside `Cache-Control` and the declaration. */
  readonly fields?: (page: number) => Record<string, string>;
  /** Fields of the request. */
  readonly asked?: (page: number) => Record<string, string>;
  /** Names of the groups; default: a document of its own, an author of a thousand, and one group for all. */
  readonly groups?: (page: number) => readonly string[];
  /** Changes of documents that no page depends on, within the `replicaLag` of a feed. */
  readonly changes?: number;
}

const origin = "https://example.org";
const short = (page: number): string => `${origin}/posts/some-slug-${page}`;
const query = (page: number, length: number): string => `?q=${String(page).padEnd(length, "q")}`;

function alternately(...values: readonly number[]): () => number {
  let call = 0;
  return () => values[call++ % values.length]!;
}

const loads: Readonly<Record<string, Load>> = {
  "plain": { pages: 40_000, url: short },
  "lengths": { pages: 40_000, url: short, fields: (page) => ({ "content-length": String(5_000 + page) }) },
  "vary": {
    pages: 40_000,
    url: (page) => short(page >> 1),
    fields: () => ({ vary: "accept-encoding" }),
    asked: (page) => ({ "accept-encoding": page % 2 === 0 ? "gzip, br" : "identity" }),
  },
  "one-variant": {
    pages: 40_000,
    url: short,
    fields: () => ({ vary: "accept-encoding" }),
    asked: () => ({ "accept-encoding": "gzip, br" }),
  },
  "long": { pages: 4_000, url: (page) => short(page) + query(page, 4_000) },
  "long-vary": {
    pages: 4_000,
    url: (page) => short(page) + query(page, 4_000),
    fields: () => ({ vary: "accept-encoding" }),
    asked: () => ({ "accept-encoding": "gzip, br" }),
  },
  "wide": {
    pages: 20_000,
    url: (page) => `${short(page)}${query(page, 200)}`,
    options: { key: (request: Request) => `${request.url}\u0416` },
    groups: (page) => [fresh(`\u0416-${page}`)],
  },
  "cut": {
    // The path is a part of the URL, which may be thousands of times as long.
    pages: 4_000,
    url: (page) => short(page) + query(page, 8_000),
    options: { key: (request: Request) => new URL(request.url).pathname },
  },
  "narrowed": {
    // A part of a wide string, and all of its characters are narrow.
    pages: 20_000,
    url: (page) => `${short(page)}${query(page, 200)}`,
    options: { key: (request: Request) => `${request.url}\u0416`.slice(0, -1) },
  },
  "caller": {
    pages: 40_000,
    url: short,
    options: { caller: (request: Request) => `user-${request.url.slice(-5)}` },
  },
  "origins": {
    // Fields that no other entry has: a site that allows each Origin by name.
    pages: 10_000,
    url: short,
    fields: (page) => ({ "access-control-allow-origin": `https://site-${page}.example`, vary: "origin" }),
    asked: (page) => ({ origin: `https://site-${page}.example` }),
  },
  "fields": {
    // Long fields that no other entry has.
    pages: 10_000,
    url: short,
    fields: (page) => ({ "content-location": `/posts/${String(page).padEnd(500, "l")}` }),
  },
  "bodies": {
    // Read for an audit when they are registered, and kept; not at the hit.
    pages: 10_000,
    url: short,
    options: { auditRate: 0.5, auditBodies: true, random: alternately(0, 0.9) },
  },
  "groups": {
    pages: 20_000,
    url: short,
    groups: (page) => Array.from({ length: 12 }, (_, n) => `tag-${(page * 7 + n * 13) % 5_000}`),
  },
  "replicas": { pages: 10_000, url: short, changes: 40_000 },
  "wrappers": { pages: 20_000, url: short, wrappers: 10 },
};

/** What a load has shown; all in bytes. */
export interface Measured {
  readonly load: string;
  readonly entries: number;
  /** What `registry.bytes` says. */
  readonly said: number;
  /** What the process holds more than with the registry empty. */
  readonly held: number;
  /** The same after `clear()`. */
  readonly cleared: number;
}

/** The registry of a load, and how to fill it with pages. */
function site({ options, wrappers = 1, url, fields, asked, groups, changes = 0 }: Load): {
  readonly registry: EtagRegistry;
  readonly fill: (pages: number) => Promise<void>;
} {
  // A clock that stands while the load comes: what is remembered for `replicaLag` stays for as long as the measurement takes.
  let time = 1_800_000_000_000;
  const clock = { now: () => time, monotonic: () => time };
  const registry = new EtagRegistry({ maxEntries: 1e8, maxBytes: 1e11, manual: changes === 0, ...clock });
  const handler = (request: Request): Response => {
    const page = Number(request.headers.get("x-page"));
    const names = groups?.(page) ?? [`post-${page}`, `author-${page % 1000}`, "posts"];
    const headers = { "cache-control": "public, no-cache", ...fields?.(page) };
    return new Response("page", { headers: { ...headers, ...dependsOn(...names.map(fresh)) } });
  };
  const handlers = Array.from({ length: wrappers }, () => withEtag(handler, { registry, ...options }));
  const subscription = changes === 0 ? undefined : coreOf(registry).subscribe("changes", 3_600_000, 5_000);
  const apply = (ids: readonly string[]) =>
    subscription?.apply({
      changes: ids.map((id) => ({ id, rev: `2-${id.padStart(32, "0")}` })),
      position: { since: "1-x", source: "bench" },
      state: "live",
      contact: { wall: clock.now(), monotonic: clock.monotonic() },
    }, () => []);

  async function fill(pages: number): Promise<void> {
    apply([]);
    // What was before the first contact has settled.
    time += 60_000;
    for (let page = 0; page < pages; page++) {
      const headers = { ...asked?.(page), "x-page": String(page) };
      const wrapped = handlers[page % wrappers]!;
      const { headers: answered } = await wrapped(new Request(fresh(url(page)), { headers })) as Response;
      const etag = answered.get("etag")!;
      const again = { ...headers, "if-none-match": etag };
      const hit = await wrapped(new Request(fresh(url(page)), { headers: again })) as Response;
      if (hit.status !== 304) throw new Error(`page ${page} was answered ${hit.status}`);
    }
    if (registry.size !== pages) throw new Error(`${registry.size} entries of ${pages} pages`);
    for (let n = 0; n < changes; n += 1_000) {
      apply(Array.from({ length: 1_000 }, (_, index) => fresh(`changed-document-${n + index}`)));
    }
  }
  return { registry, fill };
}

const [name = "", count] = process.argv.slice(2);
const load = loads[name];
if (load === undefined) {
  throw new RangeError(`no load is ${name}; there are ${Object.keys(loads).join(", ")}`);
}
const pages = Number(count ?? load.pages);
// The first pages of a process leave compiled code and tables of the platform behind.
await site(load).fill(Math.min(pages, 2_000));
const { registry, fill } = site(load);
const empty = await heap();
await fill(pages);
const held = await heap() - empty;
const { size: entries, bytes: said } = registry;
registry.clear();
// JavaScriptCore takes any word of the stack for a reference, and one entry leads to all others: a page more overwrites
// what is left there of the last one.
await fill(1);
registry.clear();
const cleared = await heap() - empty;
console.log(JSON.stringify({ load: name, entries, said, held, cleared } satisfies Measured));
// What has been measured must be alive until here.
if (registry.size !== 0) throw new Error("it is empty by now");
process.exit();
