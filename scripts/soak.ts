/**
 * `deno task soak`: drives the real registry, wrapper and feed through random interleavings under virtual time, on two
 * processes, and fails if one 304 was wrong, or if the search was not wide enough to say so.
 *
 * `deno task soak 500` runs 500 seeds instead; `deno task soak 1 12345` the one seed 12345 and shows what happens in it.
 *
 * @module
 */
import { withProgress } from "./progress.ts";
import { report } from "../tests/simulation/shrink.ts";
import { runSeed } from "../tests/simulation/simulation.ts";
import { add, emptyTally, faultKinds, met, soakSeed, type Tally } from "../tests/simulation/soak.ts";

const LEAST_STEPS = 1_000_000;
const LEAST_SEEDS = 2_000;
/** Of the steps; the messages of a channel are steps as well. */
const LEAST_SHARE = 0.15;
const LEAST_OF_EACH = 1_000;
const PROCESSES = 2;

/** Milliseconds between two lines in which a process says how far it is. */
const TELLS_EVERY = 500;

/** How far a process is: the first figures of its tally. */
type Progress = Pick<Tally, "seeds" | "steps" | "hits">;

/**
 * The seeds `first`, `first + step`, … below `end`, in this process; stops at the first failure.
 *
 * @param tell Told now and then how far it is.
 */
async function soakHere(
  first: number,
  end: number,
  step: number,
  tell: (progress: Progress) => void,
): Promise<Tally> {
  // What a feed without contact says there is neither a figure nor a fault.
  console.warn = () => {};
  const tally = emptyTally();
  let told = performance.now();
  for (let seed = first; seed < end && tally.failures.length === 0; seed += step) {
    await soakSeed(tally, seed);
    if (performance.now() - told < TELLS_EVERY) continue;
    told = performance.now();
    const { seeds, steps, hits } = tally;
    tell({ seeds, steps, hits });
  }
  return tally;
}

/** The same in a process of its own, which prints a line of JSON each time, and the tally as the last one. */
async function soakElsewhere(first: number, end: number, tell: (progress: Progress) => void): Promise<Tally> {
  const seeds = [`${first}`, `${end}`, `${PROCESSES}`];
  const args = ["run", "-A", "-q", "--no-check", import.meta.filename!, "--worker", ...seeds];
  const command = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "inherit" });
  let [rest, last] = ["", ""];
  for await (const piece of command.spawn().stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    for (const line of lines) tell(JSON.parse(last = line));
  }
  return JSON.parse(last);
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
  const progress: Progress[] = Array.from({ length: PROCESSES }, emptyTally);
  const sum = (name: keyof Progress) =>
    progress.reduce((sum, part) => sum + part[name], 0).toLocaleString("en");
  const parts = await withProgress(
    "soak",
    () =>
      Promise.all(
        progress.map((_, part) => soakElsewhere(first + part, end, (told) => progress[part] = told)),
      ),
    () =>
      `${sum("seeds")} of ${seeds.toLocaleString("en")} seeds, ${sum("steps")} steps, ${sum("hits")} 304s`,
  );
  const tally = emptyTally();
  for (const part of parts) add(tally, part);
  const wide = printTable(tally);
  console.log(`\n${Math.round((performance.now() - started) / 1000)} s`);
  await explain(tally);
  return tally.failures.length === 0 && (wide || seeds < LEAST_SEEDS) ? 0 : 1;
}

if (import.meta.main) {
  const [first = "3500", second = "1", ...more] = Deno.args;
  if (first === "--worker") {
    const [end, step] = more.map(Number);
    const tell = (progress: Progress | Tally) => console.log(JSON.stringify(progress));
    tell(await soakHere(+second, end!, step!, tell));
  } else if (first === "1") {
    console.log((await runSeed(+second, console.log)).violation?.message ?? "nothing wrong");
  } else Deno.exit(await soak(+first, +second));
}
