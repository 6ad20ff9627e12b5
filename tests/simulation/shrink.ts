/**
 * Finds the shortest interleaving that still fails: leaves out ever smaller groups of actions and runs again
 * (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
 *
 * @module
 */
import { type Action, plan } from "./plan.ts";
import { type Outcome, run, runSeed } from "./simulation.ts";

/** A shorter run that fails, too. */
export interface Shrunk {
  readonly actions: readonly Action[];
  readonly outcome: Outcome;
  /** What happened in it, line by line. */
  readonly trace: readonly string[];
}

/** Runs at most; each takes a few milliseconds. */
const ATTEMPTS = 600;

/** Lines that somebody may want to read. */
const LONGEST_TRACE = 80;

/** Leaves some actions out; what follows happens when it did before. */
function without(actions: readonly Action[], at: number, size: number): Action[] {
  const [next, ...rest] = actions.slice(at + size);
  if (next === undefined) return actions.slice(0, at);
  const gap = actions.slice(at, at + size).reduce((sum, action) => sum + action.gap, next.gap);
  return [...actions.slice(0, at), { ...next, gap }, ...rest];
}

/** Shrinks the run of a seed that fails. */
export async function shrink(seed: number): Promise<Shrunk> {
  const whole = plan(seed);
  let { done } = await runSeed(seed);
  let actions = whole.actions.slice(0, done);
  let attempts = 0;
  for (let size = actions.length >> 1; size >= 1 && attempts < ATTEMPTS; size >>= 1) {
    for (let at = 0; at < actions.length && attempts < ATTEMPTS; attempts++) {
      const fewer = without(actions, at, size);
      const outcome = await run({ ...whole, actions: fewer });
      if (outcome.violation === undefined) at += size;
      else {
        done = outcome.done;
        actions = fewer.slice(0, done);
      }
    }
  }
  const trace: string[] = [];
  const outcome = await run({ ...whole, actions }, (line) => trace.push(line));
  return { actions, outcome, trace };
}

/** Says what went wrong in a seed, with the shortest interleaving found. */
export async function report(seed: number): Promise<string> {
  const { actions, outcome, trace } = await shrink(seed);
  return [
    `seed ${seed} fails; its shortest interleaving found has ${actions.length} actions, ${outcome.steps} steps:`,
    ...trace.slice(-LONGEST_TRACE),
    `${outcome.violation}`,
  ].join("\n");
}
