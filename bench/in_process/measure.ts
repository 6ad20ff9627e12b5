/**
 * One group of contestants on the runtime that runs this: `measure.ts GROUP ROUNDS` prints the windows as JSON,
 * in nanoseconds of CPU a call.
 *
 * @module
 */
import process from "node:process";
import { alternate } from "../windows.ts";
import * as groups from "./contestants.ts";
import { type Contestant, PAGES } from "./contestants.ts";

/** Microseconds of a window: short, so that there are many, and most meet the caches as they left them. */
const WINDOW = 6000;
const BATCH = 256;

let sink: unknown;

function synchronously({ handler, requests }: Contestant, calls: number): void {
  for (let index = 0; index < calls; index++) sink = handler(requests[index & (PAGES - 1)]!);
}

async function asynchronously({ handler, requests }: Contestant, calls: number): Promise<void> {
  for (let index = 0; index < calls; index++) sink = await handler(requests[index & (PAGES - 1)]!);
}

/** Microseconds of CPU that all threads of this process have taken: a clock would count what others took meanwhile. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Every request once; an answer that is not the expected one ends it all. */
async function check({ name, handler, requests, status }: Contestant): Promise<boolean> {
  let isAsync = false;
  for (const request of requests) {
    const answer = handler(request);
    isAsync = answer instanceof Promise;
    if (status === undefined) continue;
    const response = await answer as Response;
    if (response.status !== status) {
      throw new Error(`${name}: ${request.url} was answered ${response.status}`);
    }
    if (status === 304 && (!response.headers.has("etag") || !response.headers.has("cache-control"))) {
      throw new Error(`${name}: a 304 without its fields`);
    }
  }
  return isAsync;
}

async function measure(contestants: readonly Contestant[], rounds: number) {
  const byName = new Map<string, Contestant & { isAsync: boolean }>();
  for (const contestant of contestants) {
    byName.set(contestant.name, { ...contestant, isAsync: await check(contestant) });
  }
  const window = async (name: string): Promise<number> => {
    const contestant = byName.get(name)!;
    const start = cpu();
    for (let batch = BATCH, calls = 0;;) {
      if (contestant.isAsync) await asynchronously(contestant, batch);
      else synchronously(contestant, batch);
      calls += batch;
      const elapsed = cpu() - start;
      if (elapsed >= WINDOW) return elapsed * 1000 / calls;
      // Asking costs more than a call of some of them.
      if (elapsed < WINDOW / 20) batch *= 2;
    }
  };
  await alternate([...byName.keys()], Math.ceil(rounds / 2), window);
  return await alternate([...byName.keys()], rounds, window);
}

const [group = "", rounds = ""] = process.argv.slice(2);
const contestants = await groups[group as Exclude<keyof typeof groups, "PAGES">]();
console.log(JSON.stringify(await measure(contestants, Number(rounds))));
if (sink === contestants) throw new Error("never");
process.exit(0);
