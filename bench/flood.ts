/**
 * A flood of distinct URLs against a bounded registry: which of the entries that are in use survive it, what it costs in
 * memory, and how soon the rest is served again after most entries have died at once.
 *
 * Runs on every runtime: `deno run -A bench/flood.ts`, `bun bench/flood.ts`, `node bench/flood.ts`.
 *
 * @module
 */
import process from "node:process";
import { dependsOn, EtagRegistry, withEtag } from "../mod.ts";

/** A site behind a registry of so many entries, and clients that keep what they were told. */
export class Site {
  readonly registry: EtagRegistry;
  readonly #handler: (request: Request) => Response | Promise<Response>;
  readonly #tags: Map<string, string> = new Map();
  #runs = 0;

  /** Pages whose path begins with `/shared/` have one group in common. */
  constructor(maxEntries: number) {
    this.registry = new EtagRegistry({ manual: true, maxEntries });
    this.#handler = withEtag((request: Request) => {
      this.#runs++;
      const { pathname } = new URL(request.url);
      const groups = pathname.startsWith("/shared/") ? [request.url, "shared"] : [request.url];
      return new Response(null, {
        headers: { etag: '"1"', "cache-control": "public", vary: "accept", ...dependsOn(...groups) },
      });
    }, { registry: this.registry, version: "flood" });
  }

  /** A first visit, whose tag nobody remembers. */
  async visit(url: string): Promise<void> {
    await this.#handler(new Request(url));
  }

  /** A visit by a client that sends the tag it was told last; true: answered 304, and the handler did not run. */
  async revisit(url: string): Promise<boolean> {
    const known = this.#tags.get(url);
    const before = this.#runs;
    const headers: Record<string, string> = known === undefined ? {} : { "if-none-match": known };
    const response = await this.#handler(new Request(url, { headers }));
    const etag = response.headers.get("etag");
    if (etag !== null) this.#tags.set(url, etag);
    return response.status === 304 && this.#runs === before;
  }
}

/** How a flood is dealt out. */
export interface Flood {
  readonly urls: number;
  readonly maxEntries: number;
  readonly hot: number;
  /** Visits of the flood between two of hot pages. */
  readonly between: number;
  /** Called a hundred times on the way. */
  readonly onProgress?: (site: Site) => void;
}

/** Floods a site, while hot pages are asked for in turn; the share of these that is still answered afterwards. */
export async function flood({ urls, maxEntries, hot, between, onProgress }: Flood): Promise<number> {
  const site = new Site(maxEntries);
  const pages = Array.from({ length: hot }, (_, n) => `http://localhost/hot/${n}`);
  for (const page of pages) await site.revisit(page);
  for (const page of pages) await site.revisit(page);
  let next = 0;
  for (let n = 0; n < urls; n++) {
    // Distinct paths, queries and hosts.
    await site.visit([`http://localhost/${n}`, `http://localhost/?${n}`, `http://h${n}.localhost/`][n % 3]!);
    if (n % between === 0) await site.revisit(pages[next++ % hot]!);
    if (site.registry.size > maxEntries) throw new RangeError(`${site.registry.size} entries are kept`);
    if (n % Math.ceil(urls / 100) === 0) onProgress?.(site);
  }
  let survived = 0;
  for (const page of pages) if (await site.revisit(page)) survived++;
  return survived / hot;
}

/** What came of {@linkcode recovery}. */
export interface RetryPolicy {
  /** The share of hits on what had not died, in the first pass after the rest has. */
  readonly live: number;
  /** The share of hits on all pages in use, one pass later. */
  readonly after: number;
}

/**
 * Fills a registry with pages in use, most of which depend on one group; that group changes; the rest, and as many new
 * pages as there is room for, are then asked for in turn.
 */
export async function recovery(maxEntries: number, live: number): Promise<RetryPolicy> {
  const site = new Site(maxEntries);
  const rest = Array.from({ length: live }, (_, n) => `http://localhost/live/${n}`);
  const doomed = Array.from({ length: maxEntries - live }, (_, n) => `http://localhost/shared/${n}`);
  // Each twice: all are marked as used, so that nothing but being dead tells them apart.
  for (const page of [...doomed, ...rest, ...doomed, ...rest]) await site.revisit(page);
  site.registry.invalidate("shared");
  const fresh = Array.from({ length: maxEntries - live }, (_, n) => `http://localhost/new/${n}`);
  for (const page of fresh) await site.revisit(page);
  let hits = 0;
  for (const page of rest) if (await site.revisit(page)) hits++;
  let after = 0;
  for (const page of [...rest, ...fresh]) if (await site.revisit(page)) after++;
  return { live: hits / live, after: after / maxEntries };
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

async function main(): Promise<boolean> {
  let good = true;
  for (const between of [1, 4, 8]) {
    const sizes: number[] = [];
    const start = performance.now();
    const survived = await flood({
      urls: 1_000_000,
      maxEntries: 10_000,
      hot: 1000,
      between,
      onProgress: () => sizes.push(process.memoryUsage().rss / 2 ** 20),
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const tenths = [10, 30, 50, 70, 99].map((at) => `${sizes[at]!.toFixed(0)}`).join(", ");
    console.log(
      `1,000,000 URLs, a hot page every ${between}, ${seconds} s: ${percent(survived)} of 1,000 survive`,
    );
    console.log(`  RSS in MiB at 10, 30, 50, 70, 99 % of the way: ${tenths}`);
    // Half of the way is enough for every structure to have reached its size, and the collector its pace.
    good &&= survived >= 0.99 && sizes[99]! < 1.25 * sizes[50]!;
  }
  for (const live of [100, 1000, 5000]) {
    const { live: first, after } = await recovery(10_000, live);
    console.log(
      `${10_000 - live} of 10,000 die: ${percent(first)} hits on the rest, ${percent(after)} one pass later`,
    );
    good &&= first >= 0.99 && after >= 0.99;
  }
  return good;
}

if (import.meta.main) process.exitCode = await main() ? 0 : 1;
