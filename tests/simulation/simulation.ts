/**
 * One run: carries a plan out, one event after the other, and checks after each.
 *
 * @module
 */
import { coreOf } from "../../src/registry/core.ts";
import { actions } from "./actions.ts";
import { MS } from "./clocks.ts";
import { digestAtOnce } from "./digest.ts";
import { Violation } from "./invariant.ts";
import { type Action, type Plan, plan } from "./plan.ts";
import type { Process } from "./process.ts";
import { Random } from "./random.ts";
import { World } from "./world.ts";

/** How a run went. */
export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly requests: number;
  /** 304s of the registry. */
  readonly hits: number;
  readonly counts: ReadonlyMap<string, number>;
  /** What the registries counted. */
  readonly stats: ReadonlyMap<string, number>;
  readonly violation: Violation | undefined;
  /** How many of the plan's actions were carried out. */
  readonly done: number;
}

/** True time within which everything must have recovered when nothing goes wrong any more. */
const RECOVERY = 300_000 * MS;

/** Rejections that nobody handled, of whichever run. */
const unhandled: unknown[] = [];

interface Emitter {
  on(name: "unhandledRejection", listener: (reason: unknown) => void): unknown;
}

function watchRejections(): void {
  const { process } = globalThis as { process?: Emitter };
  if (watching || process === undefined) return;
  watching = true;
  process.on("unhandledRejection", (reason) => unhandled.push(reason));
}
let watching = false;

/** Whatever is thrown where nothing may throw is a broken promise too. */
function asViolation(error: unknown): Violation {
  return error instanceof Violation ? error : new Violation(`${error}`, { cause: error });
}

/** Carries one action out, now. */
function perform(world: World, { name, seed }: Action): void {
  world.trace?.(name);
  if (actions[name](world, new Random(seed))) world.count(name);
}

/** Runs events until the plan is through. */
async function carryOut(world: World, plan: Plan): Promise<number> {
  let done = 0;
  const next = () => {
    const action = plan.actions[done++];
    if (action === undefined) return;
    try {
      perform(world, action);
    } catch (error) {
      world.violation ??= asViolation(error);
    }
    const following = plan.actions[done];
    if (following !== undefined) world.scheduler.inProcess(following.gap, next);
  };
  world.scheduler.inProcess(plan.actions[0]?.gap ?? 0, next);
  while (done < plan.actions.length && world.violation === undefined) await world.scheduler.step();
  return done;
}

/** Lets everything that is under way come to its end, and looks at what is left. */
async function comeToRest(world: World): Promise<void> {
  const { server, scheduler } = world;
  server.wrongAnswers = [];
  server.silentUntil = 0;
  world.groupsThrow = false;
  world.snapshots?.heal();
  const deadline = scheduler.time + RECOVERY;
  // A snapshot that is complete by now may be what another process begins with.
  while (world.running > 0 || !world.process.registry.live) {
    if (scheduler.time > deadline) throw new Violation("does not recover");
    await scheduler.step();
    if (world.violation !== undefined) return;
  }
  world.process.stop();
  await scheduler.drain();
  if (world.process.registry.live) throw new Violation("live after it was closed");
  // A restored entry has a tag that an earlier process gave out.
  const tags = new Set(world.processes.flatMap((each) => [...each.tags]));
  for (const each of world.processes) checkEmpty(each, tags);
}

function checkEmpty({ registry }: Process, tags: ReadonlySet<string>): void {
  if (registry.leases.size > 0) throw new Violation(`${registry.leases.size} leases were left open`);
  registry.deleteTag(...tags);
  if (registry.size > 0) throw new Violation(`${registry.size} entries have tags that nobody was given`);
  const { groups } = coreOf(registry);
  if (groups > 0) throw new Violation(`${groups} groups without entries`);
  registry.clear();
  if (registry.bytes > 0) throw new Violation(`${registry.bytes} bytes after everything was taken out`);
}

async function checkRejections(): Promise<void> {
  // They are reported when the promise jobs are through.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const [reason] = unhandled.splice(0);
  if (reason !== undefined) throw new Violation(`unhandled rejection: ${reason}`);
}

/** Runs a plan. */
export async function run(plan: Plan, trace?: (line: string) => void): Promise<Outcome> {
  watchRejections();
  digestAtOnce();
  const world = new World(plan, trace);
  world.start("1");
  let done = 0;
  try {
    done = await carryOut(world, plan);
    if (world.violation === undefined) await comeToRest(world);
    await checkRejections();
  } catch (error) {
    world.violation ??= asViolation(error);
  } finally {
    world.process.stop();
  }
  const { steps } = world.scheduler;
  const { requests, hits, counts, violation } = world;
  return { seed: plan.seed, steps, requests, hits, counts, stats: statsOf(world), violation, done };
}

function statsOf(world: World): Map<string, number> {
  const stats = new Map<string, number>();
  for (const { registry } of world.processes) {
    for (const [reason, count] of Object.entries(registry.stats)) {
      stats.set(reason, (stats.get(reason) ?? 0) + count);
    }
  }
  return stats;
}

/** Runs what a seed stands for. */
export function runSeed(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  return run(plan(seed), trace);
}
