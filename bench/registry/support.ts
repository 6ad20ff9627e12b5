/** What the programs beside this file share: windows and their medians, the heap, registries filled with pages. */
import process from "node:process";
import v8 from "node:v8";
import vm from "node:vm";
import { performance } from "node:perf_hooks";
import { EtagRegistry, type EtagRegistryOptions } from "../../src/registry/registry.ts";
import { coreOf } from "../../src/registry/core.ts";

/** The middle of some figures, and the quarter on either side of it. */
export function quartiles(figures: readonly number[]): readonly [number, number, number] {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return [at(0.5), at(0.25), at(0.75)];
}

/** Nanoseconds of CPU time a call, in windows of all cases in turn. */
export function windows(
  cases: Readonly<Record<string, () => void>>,
  calls: number,
  rounds = 15,
): Record<string, number[]> {
  const figures: Record<string, number[]> = {};
  for (let round = -5; round < rounds; round++) {
    for (const [name, run] of Object.entries(cases)) {
      const before = process.cpuUsage();
      run();
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) (figures[name] ??= []).push((user + system) * 1e3 / calls);
    }
  }
  return figures;
}

/** One line of a table. */
export function line(name: string, figure: string, target = ""): void {
  console.log(`  ${name.padEnd(52)}${figure.padStart(12)}  ${target}`);
}

/** A line for each case: the median, and the quarters on either side of it. */
export function print(
  figures: Readonly<Record<string, readonly number[]>>,
  unit: string,
  targets: Readonly<Record<string, string>> = {},
): void {
  for (const [name, values] of Object.entries(figures)) {
    const [middle, low, high] = quartiles(values);
    line(
      name,
      `${middle.toFixed(0)} ${unit}`,
      `(${low.toFixed(0)}–${high.toFixed(0)}) ${targets[name] ?? ""}`,
    );
  }
}

/** Which runtime this is; the first word of the lines that a program prints. */
export const runtime: "Deno" | "Bun" | "Node" = "deno" in process.versions
  ? "Deno"
  : "bun" in process.versions
  ? "Bun"
  : "Node";

function collector(): () => void {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(synchronous: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  if (gc !== undefined) return gc;
  v8.setFlagsFromString("--expose-gc");
  return vm.runInNewContext("gc");
}

const collect = collector();

/** Bytes of the heap and of typed arrays that are in use, after everything that can be has been given back. */
export async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  // What V8 calls external, typed arrays among it, is part of the heap in JavaScriptCore's account.
  return runtime === "Bun" ? heapUsed : heapUsed + external;
}

/** A string of its own, whose hash nobody has worked out: like one that a server takes out of a request. */
export function fresh(text: string): string {
  return decoder.decode(encoder.encode(text));
}
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Numbers below `count`, each once, in an order that no cache foresees. */
export function* shuffled(count: number): Generator<number> {
  // A full-period walk: the step has no factor in common with the count.
  let step = Math.floor(count * 0.618) | 1;
  while (gcd(step, count) !== 1) step += 2;
  for (let n = 0, at = 0; n < count; n++, at = (at + step) % count) yield at;
}
function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** How pages and documents are named. */
export interface Mix {
  readonly name: string;
  /** The groups of a page. */
  readonly groups: (page: number) => readonly [string, string, string];
  readonly prefix: string;
}

const PREFIX = "https://example.org/posts/";

/** Three groups a page, as in the issue. */
export const mixes: Readonly<Record<"few" | "own" | "long", Mix>> = {
  few: {
    name: "250,000 documents",
    groups: (
      page,
    ) => [document(page % 250_000), document((page * 7 + 1) % 250_000), document((page * 13 + 2) % 250_000)],
    prefix: PREFIX,
  },
  own: {
    name: "one document a page",
    groups: (page) => [document(page), `author-${page % 1000}`, "posts"],
    prefix: PREFIX,
  },
  long: {
    name: "long keys, one document a page",
    groups: (page) => [document(page), `author-${page % 1000}`, "posts"],
    prefix: `${PREFIX}${"a-long-path/".repeat(12)}?${"q=something&".repeat(4)}page=`,
  },
};

function document(n: number): string {
  return fresh(`post-${n.toString(16).padStart(8, "0")}`);
}

/** The URL of a page. */
export function url(page: number, prefix: string = PREFIX): string {
  return fresh(`${prefix}${page}`);
}

export const NO_FIELDS: Headers = new Headers();

const FIELDS = { "cache-control": "public, no-cache", vary: "accept-encoding" };

/** Registers a page, as a handler's answer without a tag of its own would be. */
export function add(
  registry: EtagRegistry,
  page: number,
  { groups, prefix }: Mix,
  etag?: string,
  caller?: string,
): void {
  const entry = coreOf(registry).register(coreOf(registry).lease(url(page, prefix), caller), {
    etag,
    representation: "K7gNU3sdo-O",
    lastModified: undefined,
    fields: FIELDS,
    isPublic: true,
    anyOrigin: true,
    expires: Infinity,
    vary: [],
    dependencies: groups(page).map((_id) => ({ _id })),
  }, NO_FIELDS);
  if (typeof entry === "string") throw new Error(`page ${page} was not registered: ${entry}`);
}

/** A registry without bounds that matter, live through a feed that was in contact a moment ago. */
export function liveRegistry(options: EtagRegistryOptions = {}): EtagRegistry {
  const registry = new EtagRegistry({ manual: true, maxEntries: 1e8, maxBytes: 1e11, ...options });
  coreOf(registry).subscribe("changes", 3_600_000).apply({
    changes: [],
    position: { since: "1-x", source: "bench" },
    state: "live",
    contact: { wall: Date.now(), monotonic: performance.now() },
  }, () => []);
  return registry;
}
