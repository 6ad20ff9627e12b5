/**
 * Floods by one stranger beside 1,000 hot pages of a registry whose reads may lag: of URLs, of variants, of writes; and
 * keys that were made to collide. Which of the hot pages survive, and what share of their visits is answered 304.
 *
 * Runs on every runtime, on a registry of 10,000 entries: `deno run -A bench/strangers.ts`, `bun bench/strangers.ts`,
 * `node bench/strangers.ts`. An argument names one flood, a second one says how many requests it has; default a million.
 *
 * @module
 */
import process from "node:process";
import { dependsOn, EtagRegistry, invalidates, withEtag } from "../mod.ts";
import { coreOf } from "../src/registry/core.ts";
import { SeededMap } from "../src/registry/seeded_map.ts";

const HOT = 1_000;
/** Requests of the stranger between two visits of hot pages. */
const BETWEEN = 4;

/** One request of a stranger, the nth. */
type Flood = (n: number) => Request;

const hotUrl = (n: number): string => `http://localhost/hot/${n}`;
const language = { "accept-language": "en" };

const floods: Readonly<Record<string, Flood>> = {
  "URLs": (n) =>
    new Request([`http://localhost/${n}`, `http://localhost/?${n}`, `http://h${n}.localhost/`][n % 3]!),
  "variants of one page": (n) =>
    new Request("http://localhost/page", { headers: { "accept-language": `x-${n}` } }),
  "variants of the hot pages": (n) =>
    new Request(hotUrl(n % HOT), { headers: { "accept-language": `x-${n}` } }),
  "POSTs, paths at random": (n) => new Request(`http://localhost/${n}`, { method: "POST" }),
  "POSTs that name what they wrote": (n) => new Request(`http://localhost/${n}?names`, { method: "POST" }),
};

/** Every thousandth request of the stranger is a write to a hot page: it is built anew once, which is what it costs. */
const written = (flood: Flood): Flood => (n) =>
  n % 1_000 === 0 ? new Request(hotUrl((n / 1_000) % HOT), { method: "POST" }) : flood(n);

/** What came of a flood. */
export interface Survival {
  /** Share of the hot pages that are answered 304 afterwards. */
  readonly survived: number;
  /** Share of the visits of hot pages that were answered 304 meanwhile. */
  readonly hits: number;
  readonly entries: number;
  readonly bytes: number;
}

/** Sends a flood, while hot pages are visited in turn. */
export async function sendFlood(flood: Flood, requests: number): Promise<Survival> {
  const registry = new EtagRegistry({ maxEntries: 10_000 });
  const subscription = coreOf(registry).subscribe("changes", 3_600_000, 5_000);
  // Contact from before the replicas had to settle.
  const contact = { wall: Date.now(), monotonic: performance.now() };
  const batch = { changes: [], position: { since: "1-x", source: "bench" }, state: "live", contact } as const;
  subscription.apply(batch, () => []);
  await new Promise((resolve) => setTimeout(resolve, 5_100));
  const handler = withEtag((request: Request) => {
    const { url, method } = request;
    if (method === "POST") {
      const named = url.endsWith("?names") ? invalidates(`note-${url}`) : {};
      return new Response(null, { status: 303, headers: { location: "/login", ...named } });
    }
    const headers = {
      "cache-control": "public",
      vary: "accept-language",
      ...dependsOn({ _id: url, _rev: "1-a" }),
    };
    return new Response("page", { headers });
  }, { registry, version: "flood" });
  const tags = new Map<string, string>();
  const visit = async (url: string): Promise<boolean> => {
    const tag = tags.get(url);
    const headers = tag === undefined ? language : { ...language, "if-none-match": tag };
    const response = await handler(new Request(url, { headers })) as Response;
    tags.set(url, response.headers.get("etag")!);
    // An answer of the handler is a 200: only the registry gives a 304 without it.
    return response.status === 304 && registry.stats.hit > hitsBefore++;
  };
  let hitsBefore = 0;
  const pages = Array.from({ length: HOT }, (_, n) => hotUrl(n));
  const visitAll = async (): Promise<number> => {
    let hits = 0;
    for (const page of pages) {
      hitsBefore = registry.stats.hit;
      if (await visit(page)) hits++;
    }
    return hits / HOT;
  };
  await visitAll();
  if (await visitAll() !== 1) throw new Error("the hot pages are not registered");
  let [visits, hits] = [0, 0];
  for (let n = 0; n < requests; n++) {
    await handler(flood(n));
    if (n % BETWEEN !== 0) continue;
    hitsBefore = registry.stats.hit;
    if (await visit(pages[visits++ % HOT]!)) hits++;
  }
  const survived = await visitAll();
  return { survived, hits: hits / visits, entries: registry.size, bytes: registry.bytes };
}

const hex = (n: number): string => n.toString(16).padStart(8, "0");

/** Keys that have one hash in a Map of the platform, and others of the same length. */
const keys: Readonly<Record<string, (n: number) => string>> = {
  "texts, others": (n) => `${hex(n)}-texts-${hex(n)}-others`,
  "texts, made to collide in JavaScriptCore": (n) =>
    `\xa3\xd4\x33\xd4\x2e\xa6\x33\x4b${hex(n)}0123456789abcdef`,
  "digits, others": (n) => String(2 ** 30 + n * 262_139),
  "digits, made to collide in V8": (n) => String(2 ** 30 + n * 2 ** 18),
};

/** ns for each key to be put into a map and found again. */
function perKey(
  map: { get(key: string): unknown; set(key: string, value: number): unknown },
  names: string[],
): number {
  const start = performance.now();
  for (const [n, name] of names.entries()) map.set(name, n);
  for (const name of names) map.get(name);
  return (performance.now() - start) * 1e6 / names.length;
}

function collisions(count: number): void {
  for (const [name, make] of Object.entries(keys)) {
    const names = Array.from({ length: count }, (_, n) => make(n));
    const [platform, seeded] = [perKey(new Map(), names), perKey(new SeededMap(), names)];
    console.log(
      `${name.padEnd(42)} Map ${platform.toFixed(0).padStart(8)} ns, SeededMap ${
        seeded.toFixed(0).padStart(6)
      } ns`,
    );
  }
}

async function main(only: string | undefined, requests: number): Promise<boolean> {
  let good = true;
  for (const [name, plain] of Object.entries(floods)) {
    if (only !== undefined && only !== name) continue;
    const isWrite = plain(0).method === "POST";
    const { survived, hits, entries, bytes } = await sendFlood(isWrite ? written(plain) : plain, requests);
    const figures = [survived, hits].map((share) => `${(100 * share).toFixed(2)} %`);
    console.log(
      `${requests} ${name}: ${figures[0]} of ${HOT} hot pages survive, ${
        figures[1]
      } of visits are hits meanwhile; ` +
        `${entries} entries, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
    );
    good &&= survived >= 0.99 && hits >= 0.95;
  }
  if (only === undefined || only === "collisions") collisions(Math.min(requests, 20_000));
  return good;
}

if (import.meta.main) {
  const [only, requests = "1000000"] = process.argv.slice(2);
  process.exitCode = await main(only === "all" ? undefined : only, Number(requests)) ? 0 : 1;
}
