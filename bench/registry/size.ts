/**
 * The registry at scale: a hit at 10^6 entries against one at 10^3, bytes an entry against what `registry.bytes` says,
 * and the longest stall while it grows.
 *
 * `deno run -A bench/registry/size.ts`, `bun bench/registry/size.ts`, `node --expose-gc bench/registry/size.ts`; an argument
 * names one part (`hit`, `heap`, `growth`), a second one the number of entries.
 *
 * @module
 */
import process from "node:process";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { withEtag } from "../../src/handler/with_etag.ts";
import * as support from "./support.ts";
import {
  add,
  heap,
  line,
  liveRegistry,
  type Mix,
  mixes,
  NO_FIELDS,
  quartiles,
  shuffled,
  url,
} from "./support.ts";
import { coreOf } from "../../src/registry/core.ts";

const [part = "all", size = "1000000"] = process.argv.slice(2);
const ENTRIES = Number(size);

/** Windows of so many calls, each for a page whose URL is a new string, in an order that no cache foresees; ns a call. */
function cold<T>(
  entries: number,
  calls: number,
  prepare: (url: string) => T,
  call: (prepared: T) => boolean,
): number[] {
  const figures: number[] = [];
  const order = [...shuffled(entries)];
  let at = 0;
  for (let round = -5; round < 15; round++) {
    const prepared = Array.from({ length: calls }, () => prepare(url(order[at++ % entries]!)));
    let hits = 0;
    const before = process.cpuUsage();
    for (const one of prepared) if (call(one)) hits++;
    const { user, system } = process.cpuUsage(before);
    if (hits !== calls) throw new Error(`${hits} hits of ${calls}`);
    if (round >= 0) figures.push((user + system) * 1e3 / calls);
  }
  return figures;
}

/** Look-up and comparison alone. */
function lookups(registry: EtagRegistry, entries: number): number[] {
  return cold(entries, 50_000, (key) => key, (key) => {
    const entry = coreOf(registry).lookup(key, NO_FIELDS);
    return typeof entry !== "string" && entry.etag === TAG;
  });
}

/** Whole hits, from the Request to the 304. */
function answers(registry: EtagRegistry, entries: number): number[] {
  const handler = withEtag((): Response => {
    throw new Error("the handler ran");
  }, { registry });
  const headers = { "if-none-match": TAG };
  const prepare = (url: string): Request => new Request(url, { headers });
  return cold(entries, 10_000, prepare, (request) => (handler(request) as Response).status === 304);
}

const TAG = '"2-dcaf7822f26d21ce1d1a2c54.K7gNU3sdo-O"';

function filled(entries: number, mix: Mix): EtagRegistry {
  const registry = liveRegistry();
  for (let page = 0; page < entries; page++) add(registry, page, mix, support.fresh(TAG));
  return registry;
}

function hits(): void {
  const small = filled(1000, mixes.own);
  const large = filled(ENTRIES, mixes.own);
  for (const [name, measure, target] of [["hit", answers, "≤ 4"], ["look-up alone", lookups, ""]] as const) {
    const [little] = quartiles([...measure(small, 1000), ...measure(small, 1000)]);
    const [much, low, high] = quartiles(measure(large, ENTRIES));
    line(`${name} among 10^3, cold keys`, `${little.toFixed(0)} ns`);
    line(
      `${name} among ${ENTRIES}, cold keys`,
      `${much.toFixed(0)} ns`,
      `(${low.toFixed(0)}–${high.toFixed(0)})`,
    );
    line("ratio", (much / little).toFixed(2), target);
  }
}

async function bytes(mix: Mix, target: number | undefined): Promise<void> {
  const before = await heap();
  let registry: EtagRegistry | undefined = new EtagRegistry({
    manual: true,
    maxEntries: 1e8,
    maxBytes: 1e11,
  });
  for (let page = 0; page < ENTRIES; page++) add(registry, page, mix);
  const used = await heap() - before;
  const said = registry.bytes;
  if (registry.size !== ENTRIES) throw new Error(`${registry.size} entries`);
  line(
    `heap an entry, ${mix.name}`,
    `${(used / ENTRIES).toFixed(0)} B`,
    `registry.bytes says ${(100 * said / used - 100).toFixed(1)} %${
      target === undefined ? "" : `, ≤ ${target}`
    }`,
  );
  registry = undefined;
}

/** The longest single calls while something grows. */
function growth(name: string, grow: (page: number) => void, target = ""): void {
  const longest: number[] = [0, 0, 0, 0];
  for (let page = 0; page < ENTRIES; page++) {
    const start = performance.now();
    grow(page);
    const took = performance.now() - start;
    if (took > 2) longest.push(took);
  }
  longest.sort((a, b) => b - a);
  const next = longest.slice(1, 4).map((ms) => ms.toFixed(0)).join(", ");
  line(`longest stall while ${name} grows`, `${longest[0]!.toFixed(1)} ms`, `then ${next} ${target}`);
}

/** Objects of as many fields in as many Maps, and nothing else: what the engine's collector makes of that. */
function bareStore(): (page: number) => void {
  const maps = Array.from({ length: 256 }, () => new Map<string, object>());
  const common = {};
  return (page) => {
    const storageKey = url(page);
    const group = { name: support.fresh(`post-${page}`), changedAt: 0, dependents: 1 };
    const entry = {
      etag: support.fresh(TAG),
      init: common,
      storageKey,
      first: group,
      second: common,
      validAt: 0,
    };
    maps[page & 255]!.set(storageKey, { ...entry, others: common, visited: false, variants: undefined });
  };
}

console.log(`${support.runtime}: registry of ${ENTRIES} entries`);
if (part === "all" || part === "growth") {
  const registry = liveRegistry();
  growth("the registry", (page) => add(registry, page, mixes.own), "≤ 50");
  growth("a bare store", bareStore(), "for comparison");
}
if (part === "all" || part === "hit") hits();
if (part === "all" || part === "heap") {
  await bytes(mixes.few, 340);
  await bytes(mixes.own, 480);
  await bytes(mixes.long, undefined);
}
