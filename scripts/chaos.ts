/**
 * `deno task chaos`: the demo under load for ten minutes, a proxy between its follower and the database that breaks
 * everything that can be broken, and each 304 compared with what the database held. With `COUCHDB_URL`, in a database
 * of its own on that server.
 *
 * `deno task chaos 60 10000 2 42` says for how many seconds, with how many conditional requests and how many of each
 * fault at least, and the seed.
 *
 * @module
 */
import { withProgress } from "./progress.ts";
import { chaos, type Outcome, type Plan } from "../tests/chaos/chaos.ts";
import { target } from "../tests/examples/database_support.ts";

/** The least share of the calm hit rate that is left after all faults. */
const LEAST_SHARE = 0.95;
/** The most that the heap may grow after the first minute. */
const MOST_GROWTH = 1.1;
/** Milliseconds after which memory is measured. */
const MEMORY_FROM = 60_000;
/** How many complaints are printed. */
const SHOWN = 20;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

declare const gc: () => void;

/** Bytes of the heap that are in use, after a collection. */
function heap(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}

/** What was found wrong. */
function complaints({ tally, before, within, after }: Outcome, growth: number): string[] {
  const slow = Math.min(within, after) < LEAST_SHARE * before
    ? [
      `the hit rate was ${percent(before)}, then ${percent(within)} outside of outages, and is ${
        percent(after)
      }`,
    ]
    : [];
  if (growth > MOST_GROWTH) slow.push(`the heap has grown ${growth.toFixed(2)} times after the first minute`);
  // A replica's answer may be older than the request for it; the embedded database has none.
  return [...tally.wrong, ...(target.name === "COUCHDB_URL" ? [] : tally.stale), ...slow];
}

async function main(
  [seconds = "600", conditional = "100000", each = "20", seed = String(Math.floor(Math.random() * 2 ** 31))]:
    readonly string[],
): Promise<number> {
  console.log(`${target.name}, seed ${seed}`);
  const start = performance.now();
  let status = "the hit rate before the first fault";
  let first: number | undefined;
  const onProgress: Plan["onProgress"] = ({ conditional: asked, wrong, stale }, faults) => {
    if (performance.now() - start >= MEMORY_FROM) first ??= heap();
    const least = Math.min(...Object.values(faults));
    const bad = wrong.length + stale.length;
    status =
      `${asked} of ${conditional} conditional requests, each fault ${least} of ${each} times, ${bad} wrong`;
  };
  const run = () =>
    chaos(target, {
      seed: Number(seed),
      clients: 32,
      readsPerWrite: 160,
      calm: 6_400,
      span: 1_000,
      seconds: Number(seconds),
      conditional: Number(conditional),
      each: Number(each),
      onProgress,
    });
  const outcome = await withProgress(`chaos, for ${seconds} s at least`, run, () => status);
  const { tally, faults, before, within, after } = outcome;
  const last = heap();
  const growth = last / (first ?? last);
  console.log(
    `${outcome.seconds.toFixed(0)} s, ${tally.requests} requests, ${tally.conditional} of them conditional`,
  );
  console.log(
    `${tally.hits} answered 304 by the registry, ${outcome.suspended} asked while it was suspended`,
  );
  console.log(
    `hit rate of current copies: ${percent(before)} before the first fault, ${percent(after)} after the last`,
  );
  console.log(`  ${percent(after / before)} of the calm one`);
  console.log(
    `  ${percent(within)} between them, outside of outages, ${percent(within / before)} of the calm one`,
  );
  console.log(`heap ${(last / 1e6).toFixed(1)} MB, ${growth.toFixed(2)} times that after the first minute`);
  console.log(`${outcome.floods} writes of a client without rights`);
  console.log(`${outcome.disagreements} answers of copies that disagree about their purges`);
  for (const [fault, times] of Object.entries(faults)) {
    console.log(`  ${String(times).padStart(4)} × ${fault}`);
  }
  const found = complaints(outcome, growth);
  for (const complaint of found.slice(0, SHOWN)) console.log(complaint);
  console.log(found.length === 0 ? "0 wrong" : `NOT CLEAN: ${found.length} complaints`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
