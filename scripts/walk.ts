/**
 * `deno task walk`: takes the library through random walks of the model. Spin chooses each step among those that the
 * model allows, the real classes take it, and what can be seen of them has to be what the model shows. Needs Spin.
 *
 * `deno task walk snapshot` takes the configurations whose name contains one of the words; `--seeds=100` walks longer
 * (default 16 walks of each; with `--mutants`, at most 200). `--mutants` takes the library without one rule after the other through the configuration of
 * that rule: each has to part from the model.
 *
 * @module
 */
import { mutants } from "../tests/mutants/all.ts";
import { furtherMutants } from "../tests/mutants/further.ts";
import { type Configuration, configurations } from "../tests/model/configurations.ts";
import { type Library, loadLibrary } from "../tests/model/library.ts";
import { withMutant } from "../tests/model/mutated_library.ts";
import { furtherRules, isModelled, type ModelledRule, rules } from "../tests/model/rules.ts";
import { stepsOf } from "../tests/model/spin_output.ts";
import { type Disagreement, disagreementIn } from "../tests/model/walk.ts";
import { root, run } from "./run.ts";
import { requirePackages, withModel } from "./spin.ts";

/** How many of its own steps Spin takes: some 300 of the model's. */
const SPIN_STEPS = 20_000;

/** Writes of one walk, at most: what the model's numbers have room for. */
const WRITES = 250;

const AT_ONCE = 2;

interface Walk {
  readonly steps: number;
  readonly disagreement: Disagreement | undefined;
}

function walkable({ macros, ...others }: Configuration): Configuration {
  const kept = macros.filter((macro) => !macro.startsWith("WRITES="));
  return { ...others, macros: [...kept, `WRITES=${WRITES}`, "WALK"] };
}

async function walk(library: Library, place: Configuration, seed: number): Promise<Walk> {
  const configuration = walkable(place);
  const { model = "consistency.pml", macros } = configuration;
  const options = [`-n${seed}`, `-u${SPIN_STEPS}`, ...macros.map((macro) => `-D${macro}`)];
  const { output } = await withModel(model, (folder) => run("spin", [...options, model], { cwd: folder }));
  // The last one may be cut off.
  const steps = stepsOf(output).slice(0, -1);
  if (steps.length < 100) throw new Error(`Spin took ${steps.length} steps of ${place.name}:\n${output}`);
  const disagreement = await disagreementIn(library, configuration, steps);
  return { steps: disagreement?.step ?? steps.length, disagreement };
}

/** Walks until one disagrees. */
async function walks(
  library: Library,
  place: Configuration,
  seeds: number,
): Promise<Walk & { seed: number }> {
  let steps = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const taken = await walk(library, place, seed);
    steps += taken.steps;
    if (taken.disagreement !== undefined) return { steps, seed, disagreement: taken.disagreement };
  }
  return { steps, seed: seeds, disagreement: undefined };
}

const count = (value: number): string => value.toLocaleString("en").padStart(9);

async function judgeConfiguration(place: Configuration, library: Library, seeds: number): Promise<Verdict> {
  const { steps, seed, disagreement } = await walks(library, place, seeds);
  if (disagreement === undefined) {
    return { steps, isRight: true, line: `${place.name.padEnd(60)} ${count(steps)} steps` };
  }
  const { problem, steps: last } = disagreement;
  const line = `${place.name}, seed ${seed}: after ${count(steps)} steps, ${problem}\n          ${
    last.join("\n          ")
  }`;
  return { steps, isRight: false, line };
}

async function judgeMutant(rule: ModelledRule, seeds: number): Promise<Verdict> {
  const mutant = [...mutants, ...furtherMutants].find(({ name }) => name === rule.name)!;
  const place = configurations.find(({ name }) => name === rule.in)!;
  const configuration = { ...place, macros: [...place.macros, ...rule.also ?? []] };
  const { steps, disagreement } = await withMutant(mutant, (library) => walks(library, configuration, seeds));
  const how = disagreement === undefined ? "is not noticed" : disagreement.problem;
  return {
    steps,
    isRight: disagreement !== undefined,
    line: `${rule.name.padEnd(60)} ${count(steps)} steps: ${how}`,
  };
}

interface Verdict {
  readonly steps: number;
  readonly isRight: boolean;
  readonly line: string;
}

async function judgeAll(tasks: readonly (() => Promise<Verdict>)[]): Promise<Verdict[]> {
  const waiting = [...tasks];
  const verdicts: Verdict[] = [];
  const work = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const verdict = await task();
      verdicts.push(verdict);
      console.log(`${verdict.isRight ? "ok      " : "FAILED  "}${verdict.line}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return verdicts;
}

if (import.meta.main) {
  await requirePackages("no walks are taken", ["spin"]);
  const words = Deno.args.filter((arg) => !arg.startsWith("--"));
  const isMutants = Deno.args.includes("--mutants");
  const seeds = Number(
    Deno.args.find((arg) => arg.startsWith("--seeds="))?.slice(8) ?? (isMutants ? 200 : 16),
  );
  const isWanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word));
  const library = await loadLibrary(new URL(`file://${root}`));
  const tasks = isMutants
    ? [...rules, ...furtherRules].filter(isModelled).filter(({ name }) => isWanted(name))
      .map((rule) => () => judgeMutant(rule, seeds))
    : configurations.filter(({ name }) => isWanted(name))
      .map((place) => () => judgeConfiguration(place, library, seeds));
  const verdicts = await judgeAll(tasks);
  const right = verdicts.filter(({ isRight }) => isRight).length;
  const steps = verdicts.reduce((sum, verdict) => sum + verdict.steps, 0);
  console.log(`${right} of ${verdicts.length} as they should be, in ${steps.toLocaleString("en")} steps`);
  Deno.exit(right === verdicts.length && right > 0 ? 0 : 1);
}
