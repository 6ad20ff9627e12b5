/**
 * Invalidation at scale: what a change of a group costs on which 1,000,000 entries depend, how long it and what follows
 * from it hold the event loop up, and how soon the live rest is served again.
 *
 * `deno run -A bench/registry/invalidation.ts`, `bun bench/registry/invalidation.ts`,
 * `node --expose-gc bench/registry/invalidation.ts`; an argument is the number of entries.
 *
 * @module
 */
import process from "node:process";
import {
  add,
  heap,
  line,
  liveRegistry,
  type Mix,
  mixes,
  NO_FIELDS,
  quartiles,
  runtime,
  url,
} from "./support.ts";
import { coreOf } from "../../src/registry/core.ts";

const ENTRIES = Number(process.argv[2] ?? 1_000_000);
/** One entry in so many does not depend on the group. */
const REST = 10;

/** All but a tenth depend on `posts`. */
const mix: Mix = {
  ...mixes.own,
  groups: (page) => {
    const [document, author] = mixes.own.groups(page);
    return [document, author, page % REST === 0 ? "about" : "posts"];
  },
};

const registry = liveRegistry({ maxEntries: ENTRIES });
for (let page = 0; page < ENTRIES; page++) add(registry, page, mix);
await heap();

// A feed has warmed the way of a change by then; the group itself has never changed before.
for (let n = 0; n < 10_000; n++) registry.invalidate("nobody's");
const calls: number[] = [];
for (let round = 0; round < 21; round++) {
  const start = performance.now();
  registry.invalidate("posts");
  calls.push(performance.now() - start);
}
const [middle] = quartiles(calls);
console.log(`${runtime}: a group of ${ENTRIES - ENTRIES / REST} dependents among ${ENTRIES} entries`);
line(
  "invalidating it",
  `${(middle * 1000).toFixed(1)} µs`,
  `first ${(calls[0]! * 1000).toFixed(0)} µs, ≤ 200`,
);

/** The longest pieces of work as an event loop would see them, pauses of the collector included. */
function longest(works: readonly (() => void)[]): readonly number[] {
  const pieces = works.map((work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return pieces.sort((a, b) => b - a).slice(0, 4);
}
function printLongest(name: string, [first = 0, ...next]: readonly number[], target: string): void {
  const then = next.map((ms) => ms.toFixed(1)).join(", ");
  line(`longest piece of work, ${name}`, `${first.toFixed(1)} ms`, `then ${then}; ${target}`);
}

let hits = 0;
const LIVE = 1000;
const asking = Array.from({ length: LIVE }, (_, at) => () => {
  if (typeof coreOf(registry).lookup(url(at * REST), NO_FIELDS) !== "string") hits++;
  if (coreOf(registry).lookup(url(at * REST + 1), NO_FIELDS) !== "group-changed") {
    throw new Error("still answered");
  }
});
printLongest("the change and who asks then", longest([() => registry.invalidate("posts"), ...asking]), "≤ 5");
line("hits on the rest, right after", `${(100 * hits / LIVE).toFixed(1)} %`);

// As many new pages as have died: these must leave before any that lives.
const added = Math.min(200_000, ENTRIES - ENTRIES / REST);
const adding = (from: number) =>
  Array.from({ length: added }, (_, n) => () => add(registry, from + n, mixes.own));
const { evicted } = registry.stats;
const replacing = longest(adding(ENTRIES));
line("live entries evicted for new ones", `${registry.stats.evicted - evicted}`, `of ${added} new ones`);
hits = 0;
let asked = 0;
for (let page = 0; page < ENTRIES; page += REST * 7, asked++) {
  if (typeof coreOf(registry).lookup(url(page), NO_FIELDS) !== "string") hits++;
}
line("hits on the rest, one pass later", `${(100 * hits / asked).toFixed(1)} %`);
printLongest("new pages for dead ones", replacing, "the collector, mostly");
printLongest("new pages for live ones", longest(adding(ENTRIES + added)), "for comparison");
