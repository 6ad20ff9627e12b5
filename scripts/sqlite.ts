/**
 * `deno task sqlite`: on Deno, Bun and Node in turn, a site over a SQLite file that four other processes write and are
 * killed, while the file is replaced, its changes are emptied, and it is written past the triggers. No 304 may be wrong as
 * of its own request. Then the same with one rule of the feed taken away at a time, which has to be found.
 *
 * `deno task sqlite 60 7` says for how many seconds on each runtime, and the seed; `deno task sqlite 20 7 "no nonce"` runs
 * one of the weakened feeds alone, and `none` none of them.
 *
 * @module
 */
import type { Outcome } from "../tests/sqlite/ledger_run.ts";
import { weakenings } from "../tests/sqlite/weakened.ts";
import { conclude } from "./ledger_runs.ts";
import { run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

/** Seconds for a weakened feed: the run ends when it is found. */
const WEAKENED = 40;

const PROGRAM = "tests/sqlite/ledger/main.ts";

async function ledger({ name, path }: Runtime, ...args: readonly string[]): Promise<Outcome> {
  const flags = name === "Deno" ? ["run", "-A", "-q", "--no-check", "--node-modules-dir=manual"] : [];
  const { code, stdout, output } = await run(path, [...flags, PROGRAM, ...args]);
  if (code !== 0) throw new Error(`${name} has failed:\n${output}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

function report(
  name: string,
  { hits, wrong, lost, written, kills, replaced, bypasses, events }: Outcome,
): void {
  console.log(
    `${name}: ${hits} 304s of the registry, ${wrong.length} wrong; ${written} changes, ${lost.length} lost; ` +
      `${kills} processes killed, the file replaced ${replaced} times, ${bypasses} writes past the triggers; ` +
      JSON.stringify(events),
  );
}

async function main([seconds = "30", seed = "7", only]: readonly string[]): Promise<number> {
  const runtimes = [denoRuntime(), await bunRuntime(), await nodeRuntime(24)];
  const found: string[] = [];
  let hits = 0;
  for (const runtime of only === undefined || only === "none" ? runtimes : []) {
    const outcome = await ledger(runtime, seconds, seed);
    report(`the feed on ${runtime.name}`, outcome);
    hits += outcome.hits;
    for (const problem of [...outcome.wrong, ...outcome.lost].slice(0, 3)) {
      found.push(`${runtime.name}: ${problem}`);
    }
    // A run in which nothing happened shows nothing.
    if (outcome.hits < 100 * Number(seconds) / 10 || outcome.kills === 0) {
      found.push(`${runtime.name} was too slow to show anything`);
    }
  }
  for (const [at, name] of Object.keys(weakenings).entries()) {
    if (only !== undefined && name !== only) continue;
    const runtime = runtimes[at % runtimes.length]!;
    const outcome = await ledger(runtime, String(WEAKENED), seed, name);
    report(`${name}, on ${runtime.name}`, outcome);
    if (outcome.wrong.length + outcome.lost.length === 0) found.push(`nothing was wrong with ${name}`);
  }
  return conclude(found, only, `0 of ${hits} wrong, 0 lost`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
