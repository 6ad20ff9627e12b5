/**
 * `deno task model`: searches every configuration of the model of the consistency protocol to the end, and looks for a
 * counterexample for each rule that is left out. Needs Spin and a C compiler. docs/model.md says what is modelled.
 *
 * `deno task model --write` keeps the counterexamples in tests/model/counterexamples.ts, for the tests that replay them.
 * `deno task model snapshot` takes the configurations and rules whose name contains one of the words, and shows the
 * counterexamples step by step; `--slice` takes less than a minute; `--jobs=1` searches one after the other.
 *
 * @module
 */
import { type Configuration, configurations, EVENTS, eventsOf } from "../tests/model/configurations.ts";
import { furtherRules, isModelled, type ModelledRule, rules, unneededRules } from "../tests/model/rules.ts";
import { stepsOf } from "../tests/model/spin_output.ts";
import { deno, root, run } from "./run.ts";
import { requirePackages, withModel } from "./spin.ts";

/** MB for each of two searches at once. */
const MOST_MEMORY = 3_000;

const MODEL = "consistency.pml";

/** A search that does not say what it is for: it ran out of something, or does not compile. */
class Broken extends Error {}

/** What Spin's verifier says of a search. */
interface Search {
  readonly states: number;
  readonly seconds: number;
  readonly megabytes: number;
  /** The steps of a shortest counterexample; undefined: there is none. */
  readonly steps: readonly string[] | undefined;
  /** Numbers of the events that preceded an answer. */
  readonly reached: ReadonlySet<number>;
}

/** Runs a command to its end, or says that it failed. */
async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, output } = await run(command, args, { cwd });
  if (code !== 0) throw new Broken(`${command} ended with exit code ${code}:\n${output.slice(0, 2_000)}`);
  return output;
}

/** Breadth first, so that a counterexample is a shortest one. */
const SHORTEST_FIRST = "-DBFS";

/** Depth first takes less time and memory where there is none to be found. */
const DEPTH_FIRST = "-UBFS";

/** Steps in a row; a search that is deeper is not complete, and fails. */
const MOST_DEPTH = 1_000_000;

/** A search that is expected to find nothing. */
async function searchToTheEnd(configuration: Configuration, macros: readonly string[]): Promise<Search> {
  const result = await search(configuration, macros, [], DEPTH_FIRST);
  return result.steps === undefined ? result : await search(configuration, macros);
}

function search(
  { model = MODEL }: Configuration,
  macros: readonly string[],
  watched: readonly string[] = [],
  order: string = SHORTEST_FIRST,
): Promise<Search> {
  return withModel(model, async (folder) => {
    const defined = [...macros, ...watched].map((macro) => `-D${macro}`);
    await must("spin", ["-a", ...defined, model], folder);
    const options = [order, "-DSAFETY", "-DNOREDUCE", `-DMEMLIM=${MOST_MEMORY}`];
    await must(
      "cc",
      ["-O1", "-w", ...options, ...watched.map((macro) => `-D${macro}`), "-o", "pan", "pan.c"],
      folder,
    );
    const start = performance.now();
    // A search that watches for events ends where there is nothing left to see.
    const { code, output } = await run(`${folder}/pan`, [
      `-m${MOST_DEPTH}`,
      ...watched.length > 0 ? ["-E"] : [],
    ], {
      cwd: folder,
      limit: 900,
    });
    const seconds = (performance.now() - start) / 1_000;
    const reached = new Set(Array.from(output.matchAll(/^reached (\d+)$/gm), ([, event]) => Number(event)));
    const watching = watched.length > 0;
    const incomplete = /too small|out of memory|MEMLIM|truncated|time limit|not completed|aborting/.exec(
      output,
    );
    const found = /errors: 1\b/.test(output);
    if (!found && incomplete !== null) throw new Broken(`the search is not complete: ${incomplete[0]}`);
    if (code !== 0 && !found) {
      throw new Broken(`the search ended with exit code ${code}:\n${output.slice(-2_000)}`);
    }
    if (!found && !watching && !/errors: 0\b/.test(output)) {
      throw new Broken(`no verdict:\n${output.slice(-2_000)}`);
    }
    return {
      states: Number(/^\s*(\d+) states, stored/m.exec(output)?.[1] ?? 0),
      seconds,
      megabytes: Number(/^\s*([\d.]+)\s+total actual memory usage/m.exec(output)?.[1] ?? 0),
      steps: found ? await trail(folder, model, defined) : undefined,
      reached,
    };
  });
}

async function trail(
  folder: string,
  model: string,
  defined: readonly string[],
): Promise<readonly string[]> {
  const { output } = await run("spin", ["-t", ...defined, model], { cwd: folder });
  return stepsOf(output).map(({ text }) => text);
}

const count = (value: number): string => value.toLocaleString("en");

function figures({ states, seconds, megabytes }: Search): string {
  return `${count(states).padStart(12)} states ${seconds.toFixed(1).padStart(6)} s ${
    count(Math.round(megabytes)).padStart(6)
  } MB`;
}

/** What is to be judged: says how it went, and whether it was right. */
interface Task {
  readonly name: string;
  readonly judge: () => Promise<
    { readonly right: boolean; readonly text: string; readonly steps?: readonly string[] }
  >;
}

/** A configuration: searched to the end without a counterexample, and each event precedes an answer. */
function ofConfiguration(configuration: Configuration): Task {
  const { name, macros } = configuration;
  return {
    name,
    judge: async () => {
      const result = await searchToTheEnd(configuration, macros);
      if (result.steps !== undefined) {
        const text = `has a counterexample of ${result.steps.length} steps`;
        return { right: false, text, steps: result.steps };
      }
      const wanted = eventsOf(configuration);
      const mask = wanted.reduce((bits, event) => bits | 1 << EVENTS[event], 0);
      const { reached } = await search(configuration, macros, [`WATCHED=${mask}`, `WANTED=${wanted.length}`]);
      const missing = wanted.filter((event) => !reached.has(EVENTS[event]));
      return missing.length === 0
        ? { right: true, text: `${figures(result)}, after ${wanted.length} kinds of events` }
        : { right: false, text: `${figures(result)}, and never answers after ${missing.join(", ")}` };
    },
  };
}

/** A search with some rules left out, in the configuration of the first. @param look How it is searched. */
async function searchWithout(
  { in: place, also = [] }: ModelledRule,
  switches: readonly string[],
  look: (configuration: Configuration, macros: readonly string[]) => Promise<Search> = search,
): Promise<Search> {
  const configuration = configurations.find((each) => each.name === place);
  if (configuration === undefined) throw new Broken(`there is no configuration ${place}`);
  return await look(configuration, [
    ...configuration.macros,
    ...also,
    ...switches.map((rule) => `WITHOUT_${rule}`),
  ]);
}

/** A rule: without it, or without the pair, there is a counterexample. */
function ofRule(rule: ModelledRule): Task {
  const { name, without, in: place, guardedBy } = rule;
  return {
    name: `without: ${name}`,
    judge: async () => {
      const result = await searchWithout(rule, [...without, ...guardedBy?.without ?? []]);
      const { steps } = result;
      if (steps === undefined) {
        return { right: false, text: `${figures(result)}, and no counterexample (${place})` };
      }
      const length = `${steps.length} steps, ${count(result.states)} states (${place})`;
      if (guardedBy === undefined) return { right: true, text: length, steps };
      const alone = await searchWithout(rule, without, searchToTheEnd);
      return alone.steps === undefined
        ? {
          right: true,
          text: `${length}, with "${guardedBy.rule}"; alone none in ${count(alone.states)}`,
          steps,
        }
        : { right: false, text: `${alone.steps.length} steps alone, so it is no pair`, steps: alone.steps };
    },
  };
}

/** A rule that another one covers: without it, there is no counterexample. */
function ofUnneeded(rule: ModelledRule): Task {
  const { name, without, in: place } = rule;
  return {
    name: `without: ${name}`,
    judge: async () => {
      const result = await searchWithout(rule, without, searchToTheEnd);
      const { steps } = result;
      return steps === undefined
        ? { right: true, text: `no counterexample in ${count(result.states)} states, as expected (${place})` }
        : { right: false, text: `${steps.length} steps: the rule is needed, so list it as one`, steps };
    },
  };
}

/** Counterexamples by the name of their rule. */
const counterexamples = new Map<string, readonly string[]>();

/** Keeps the counterexamples for the tests that replay them. */
async function write(): Promise<void> {
  const path = `${root}tests/model/counterexamples.ts`;
  const entries = [...rules, ...furtherRules].flatMap(({ name }) => {
    const steps = counterexamples.get(`without: ${name}`);
    return steps === undefined ? [] : [[name, steps] as const];
  });
  const text =
    `/** The model's shortest counterexamples, by the rule that is left out. Written by \`deno task model --write\`. */
export const counterexamples: Readonly<Record<string, readonly string[]>> = ${
      JSON.stringify(Object.fromEntries(entries))
    };
`;
  await Deno.writeTextFile(path, text);
  await deno(["fmt", "-q", path]);
}

async function take({ name, judge }: Task, showsSteps: boolean): Promise<boolean> {
  try {
    const { right, text, steps = [] } = await judge();
    if (right && steps.length > 0) counterexamples.set(name, steps);
    const shown = showsSteps || !right
      ? steps.map((step, index) => `\n${`${index + 1}`.padStart(10)}. ${step}`)
      : [];
    console.log(`${right ? "ok      " : "FAILED  "}${name.padEnd(66)} ${text}${shown.join("")}`);
    return right;
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    console.log(`FAILED  ${name}: ${error.message}`);
    return false;
  }
}

function tasksFor(words: readonly string[], isSlice: boolean): Task[] {
  const places = configurations.filter(({ slice }) => !isSlice || slice === true);
  const names = new Set(places.map(({ name }) => name));
  const modelled = [...rules, ...furtherRules].filter(isModelled);
  return [
    ...places.map(ofConfiguration),
    ...modelled.filter((rule) => names.has(rule.in)).map(ofRule),
    ...unneededRules.filter((rule) => names.has(rule.in)).map(ofUnneeded),
  ].filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
}

if (import.meta.main) {
  await requirePackages("the model is not checked", ["spin", "gcc"]);
  const words = Deno.args.filter((arg) => !arg.startsWith("--"));
  const jobs = Number(Deno.args.find((arg) => arg.startsWith("--jobs="))?.slice(7) ?? 2);
  const waiting = tasksFor(words, Deno.args.includes("--slice"));
  const total = waiting.length;
  const start = performance.now();
  let right = 0;
  const work = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      if (await take(task, words.length > 0)) right++;
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (Deno.args.includes("--write")) await write();
  const minutes = ((performance.now() - start) / 60_000).toFixed(1);
  console.log(`${right} of ${total} as they should be, in ${minutes} minutes`);
  Deno.exit(right === total && total > 0 ? 0 : 1);
}
