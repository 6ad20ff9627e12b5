/**
 * `deno task soak`: drives the real registry, wrapper and feed through random interleavings under virtual time, on two
 * processes, and fails if one 304 was wrong, or if the search was not wide enough to say so.
 *
 * `deno task soak 500` runs 500 seeds instead; `deno task soak 1 12345` the one seed 12345 and shows what happens in it.
 *
 * @module
 */
import { report } from "../tests/simulation/shrink.ts";
import { runSeed } from "../tests/simulation/simulation.ts";
import { add, emptyTally, faultKinds, met, soakSeed, type Tally } from "../tests/simulation/soak.ts";

const LEAST_STEPS = 1_000_000;
const LEAST_SEEDS = 2_000;
/** Of the steps; the messages of a channel are steps as well. */
const LEAST_SHARE = 0.15;
const LEAST_OF_EACH = 1_000;
const PROCESSES = 2;

/** The seeds `first`, `first + step`, … below `end`, in this process; stops at the first failure. */
async function soakHere(first: number, end: number, step: number): Promise<Tally> {
  const tally = emptyTally();
  for (let seed = first; seed < end && tally.failures.length === 0; seed += step) await soakSeed(tally, seed);
  return tally;
}

async function soakElsewhere(first: number, end: number): Promise<Tally> {
  const seeds = [`${first}`, `${end}`, `${PROCESSES}`];
  const args = ["run", "-A", "-q", "--no-check", import.meta.filename!, "--worker", ...seeds];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

function row(name: string, count: number, ok = true): void {
  console.log(`${name.padEnd(30)}${count.toLocaleString("en").padStart(12)}${ok ? "" : "   too few"}`);
}

/** Prints the table; true if the search was wide enough. */
function printTable(tally: Tally): boolean {
  const share = tally.hits / tally.steps;
  const wanting = faultKinds.filter((kind) => met(tally, kind) < LEAST_OF_EACH);
  row("seeds", tally.seeds, tally.seeds >= LEAST_SEEDS);
  row("steps", tally.steps, tally.steps >= LEAST_STEPS);
  row("requests", tally.requests);
  row("304s of the registry", tally.hits, share >= LEAST_SHARE);
  row("  % of steps", Math.round(share * 1000) / 10, share >= LEAST_SHARE);
  row("wrong", tally.failures.length);
  console.log("\nfaults");
  for (const kind of faultKinds) row(`  ${kind}`, met(tally, kind), !wanting.includes(kind));
  return wanting.length === 0 && share >= LEAST_SHARE && tally.steps >= LEAST_STEPS &&
    tally.seeds >= LEAST_SEEDS;
}

/** Says what went wrong, with the shortest interleaving found. */
async function explain({ failures }: Tally): Promise<void> {
  const [failure] = failures;
  if (failure === undefined) return;
  console.log(`\nseed ${failure.seed}, step ${failure.step}: ${failure.message}\n`);
  console.log(await report(failure.seed));
}

async function soak(seeds: number, first: number): Promise<number> {
  const started = performance.now();
  const end = first + seeds;
  const parts = await Promise.all(
    Array.from({ length: PROCESSES }, (_, part) => soakElsewhere(first + part, end)),
  );
  const tally = emptyTally();
  for (const part of parts) add(tally, part);
  const wide = printTable(tally);
  console.log(`\n${Math.round((performance.now() - started) / 1000)} s`);
  await explain(tally);
  return tally.failures.length === 0 && (wide || seeds < LEAST_SEEDS) ? 0 : 1;
}

if (import.meta.main) {
  const [first = "3300", second = "1", ...more] = Deno.args;
  if (first === "--worker") {
    const [end, step] = more.map(Number);
    console.log(JSON.stringify(await soakHere(+second, end!, step!)));
  } else if (first === "1") {
    console.log((await runSeed(+second, console.log)).violation?.message ?? "nothing wrong");
  } else Deno.exit(await soak(+first, +second));
}
