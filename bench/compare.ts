/**
 * Two states of the library against each other: `deno run -A bench/compare.ts BEFORE AFTER`, each the path of a checkout.
 * More may follow; each is compared with the first.
 *
 * Both run at the same time, each in a process of its own, and take turns in slices of some hundredths of a second: A B
 * B A … A pair is one slice of each, side by side, and gives one ratio. The figure is the CPU time that the process took
 * in the slice (`process.cpuUsage()`), divided by the requests that it answered: what else the machine does reaches it
 * less than throughput. Server and load share one processor, so that it costs the same each time to wake one of them.
 * Processes are started anew several times, because one keeps what its optimiser happened to make of it. Two checkouts
 * of one commit show what a run cannot tell apart: on a busy machine 1 to 2 %.
 *
 * Words choose a part, as in `deno task bench`: `in-process`, `in-process:Bun`, `http`, `http:srvx`. Flags choose further:
 * `--pages=1000,80000` the numbers of registered pages, `--cases=hit` what is measured in process, `--generations=5` and
 * `--pairs=100` how long; `--quick` makes little of both. All of it takes nine minutes on two slow processors.
 *
 * @module
 */
import { CALLS, type Case } from "./compare/call.ts";
import { CACHE_CONTROL, tagOf } from "./compare/site.ts";
import { type LoadCommand, loadCommand } from "./http/load.ts";
import { ServerProcess } from "./http/server.ts";
import { type Runner, runners } from "./runners.ts";
import { withProgress } from "../scripts/progress.ts";
import { run } from "../scripts/run.ts";
import { printTable } from "./table.ts";
import { quartiles } from "./windows.ts";

/** Which runtime each server is measured on. */
const SERVERS = { "Deno.serve": "Deno", "Bun.serve": "Bun", "@hono/node-server": "Node", "srvx": "Node" };

const CASES: readonly Case[] = ["hit", "miss", "undeclared"];

/** Milliseconds of one slice over HTTP: short, so that both slices of a pair meet the machine in one state. */
const SLICE = 40;

/** Milliseconds in which a server answers what was under way when the load was stopped. */
const DRAIN = 3;

/** Slices over HTTP before the first that counts. */
const WARM_UP = 60;

/** How often a slice over HTTP is taken again in which nothing was answered. */
const ATTEMPTS = 20;

interface Options {
  /** At least two. */
  readonly checkouts: readonly string[];
  readonly topics: readonly { readonly name: string; readonly part: string | undefined }[];
  readonly pages: readonly number[];
  readonly cases: readonly Case[];
  /** How often all processes are started anew. */
  readonly generations: number;
  /** Of each generation. */
  readonly pairs: { readonly inProcess: number; readonly http: number };
}

/** In front of a command it keeps that to the last processor. Without `taskset` the figures are less steady. */
const PIN = await run("taskset", ["-V"]).then(
  () => ["taskset", "-c", `${navigator.hardwareConcurrency - 1}`],
  () => [],
);

function pinned(runner: Runner): Runner {
  const [path = "", ...flags] = [...PIN, runner.path, ...runner.flags];
  return { ...runner, path, flags };
}

/** One checkout in a process. Its slices are microseconds of CPU a request. */
interface Contestant extends AsyncDisposable {
  /** Called once all have been started. */
  warmUp(): Promise<void>;
  slice(): Promise<number>;
}

/** The figures of one round, by checkout. */
type Round = readonly number[];

/** All rounds, by generation. */
type Generations = readonly (readonly Round[])[];

/** Gives each a slice in turn, forth and back. */
async function takeTurns(
  contestants: readonly Contestant[],
  rounds: number,
  taken: Round[],
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const figures: number[] = [];
    const order = [...contestants.keys()];
    for (const at of round % 2 === 0 ? order : order.reverse()) figures[at] = await contestants[at]!.slice();
    taken.push(figures);
  }
}

/** Several generations of processes. */
async function compare(
  title: string,
  { checkouts, generations }: Options,
  rounds: number,
  start: (checkout: string) => Promise<Contestant>,
): Promise<Generations> {
  const all: Round[][] = [];
  const measure = async (): Promise<void> => {
    for (let generation = 0; generation < generations; generation++) {
      await using stack = new AsyncDisposableStack();
      const contestants: Contestant[] = [];
      const taken: Round[] = [];
      all.push(taken);
      for (const checkout of checkouts) contestants.push(stack.use(await start(checkout)));
      for (const contestant of contestants) await contestant.warmUp();
      await takeTurns(contestants, rounds, taken);
    }
  };
  await withProgress(title, measure, () => `${all.flat().length} of ${generations * rounds} pairs`);
  return all;
}

function median(figures: readonly number[]): number {
  return quartiles(figures)[0];
}

/** The rows of a table: one for each checkout but the first. */
function rowsOf(name: string, pages: number, { checkouts }: Options, generations: Generations): string[][] {
  const microseconds = (at: number): string =>
    median(generations.flat().map((round) => round[at]!)).toFixed(2);
  return checkouts.slice(1).map((checkout, index) => {
    const ratios = generations.map((rounds) => rounds.map((round) => round[index + 1]! / round[0]!));
    const pairs = ratios.flat();
    const [middle, low, high] = quartiles(pairs).map((ratio) => ratio.toFixed(3));
    return [
      name,
      `${pages}`,
      ...checkouts.length > 2 ? [labelOf(checkout)] : [],
      microseconds(0),
      microseconds(index + 1),
      `${middle}`,
      `${low}–${high}`,
      `${Math.min(...pairs).toFixed(2)}–${Math.max(...pairs).toFixed(2)}`,
      ratios.map((pairs) => median(pairs).toFixed(2)).join(" "),
    ];
  });
}

function labelOf(checkout: string): string {
  return checkout.slice(checkout.lastIndexOf("/") + 1);
}

function printRows(
  title: string,
  { checkouts, generations }: Options,
  pairs: number,
  rows: string[][],
): void {
  printTable(
    `${title}: µs of CPU a request, medians; after ÷ before in ${generations} × ${pairs} pairs`,
    [
      ...["", "pages"],
      ...checkouts.length > 2 ? ["after"] : [],
      ...["before", "after", "ratio", "quartiles", "least–most", "by generation"],
    ],
    rows,
  );
}

async function inProcess(options: Options, only: string | undefined): Promise<void> {
  for (const runner of (await runners(only)).map(pinned)) {
    const rows: string[][] = [];
    for (const name of options.cases) {
      // What declares nothing is not registered, however much else is.
      for (const pages of name === "undeclared" ? options.pages.slice(0, 1) : options.pages) {
        const title = `in process, ${runner.name}, ${name}, ${pages} pages`;
        const rounds = await compare(title, options, options.pairs.inProcess, async (checkout) => {
          const args = ["bench/compare/call.ts", checkout, name, `${pages}`];
          const process = await ServerProcess.start(runner, args);
          return {
            warmUp: async () => {},
            slice: async () => await process.ask() / 1000 / CALLS[name],
            [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
          };
        });
        rows.push(...rowsOf(name, pages, options, rounds));
      }
    }
    printRows(`In process, ${runner.name} ${runner.version}`, options, options.pairs.inProcess, rows);
  }
}

/** A program that sends requests, and can be held at any time. */
class HeldLoad implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  constructor({ command, args }: LoadCommand, url: string, file: string) {
    const [path = "", ...rest] = [...PIN, command, ...args(url, file, 3_600)];
    this.#process = new Deno.Command(path, { args: rest, stdin: "null", stdout: "null" }).spawn();
  }

  hold(): void {
    this.#process.kill("SIGSTOP");
  }

  release(): void {
    this.#process.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** Files of requests for all pages, each a path and a tag: for pages in turn, and again in another order. */
async function requestFiles(folder: string, pages: number): Promise<{ first: string; again: string }> {
  const [first, again] = [`${folder}/first-${pages}`, `${folder}/again-${pages}`];
  const order = Array.from({ length: pages }, (_, page) => page);
  await Deno.writeTextFile(first, order.map((page) => `/posts/${page} "none"\n`).join(""));
  // Fisher and Yates, with a generator of its own, so that all runs ask alike.
  for (let at = pages - 1, state = 1; at > 0; at--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (at + 1);
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  await Deno.writeTextFile(again, order.map((page) => `/posts/${page} ${tagOf(page)}\n`).join(""));
  return { first, again };
}

/** Asks for every page until all are registered. */
async function fill(server: ServerProcess, load: LoadCommand, file: string, pages: number): Promise<void> {
  await using _load = new HeldLoad(load, server.url, file);
  const end = performance.now() + 60_000;
  while (await server.ask("size") < pages) {
    if (performance.now() > end) throw new Error(`${await server.ask("size")} of ${pages} pages`);
    await sleep(50);
  }
}

/** Throws unless a conditional request is answered as it should be. */
async function check(server: ServerProcess, page: number): Promise<void> {
  const etag = tagOf(page);
  const response = await fetch(`${server.url}/posts/${page}`, { headers: { "if-none-match": etag } });
  const { status, headers } = response;
  const got = [status, headers.get("etag"), headers.get("cache-control"), await response.text()];
  if (String(got) !== String([304, etag, CACHE_CONTROL, ""])) throw new Error(`page ${page}: ${got}`);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A server of a checkout with all pages registered, and a load that asks for nothing but hits. */
async function startServer(
  runner: Runner,
  args: readonly string[],
  load: LoadCommand,
  files: { first: string; again: string },
  pages: number,
): Promise<Contestant> {
  const server = await ServerProcess.start(runner, ["bench/compare/serve.ts", ...args]);
  await fill(server, load, files.first, pages);
  for (const page of [0, pages - 1]) await check(server, page);
  const runs = await server.ask("runs");
  let held: HeldLoad | undefined;
  const slice = async (): Promise<number> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await server.ask("begin");
      held!.release();
      await sleep(SLICE);
      held!.hold();
      await sleep(DRAIN);
      const picoseconds = await server.ask("end");
      // None where another program had the processor all the time.
      if (picoseconds > 0) return picoseconds / 1_000_000;
    }
    throw new Error(`${ATTEMPTS} slices without an answer`);
  };
  return {
    warmUp: async () => {
      // Not before: servers close connections that are idle for some seconds.
      held = new HeldLoad(load, server.url, files.again);
      const hits = await server.ask("hits");
      while (await server.ask("hits") === hits) await sleep(20);
      held.hold();
      for (let round = 0; round < WARM_UP; round++) await slice();
    },
    slice,
    [Symbol.asyncDispose]: async () => {
      const misses = await server.ask("runs") - runs;
      await held?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      if (misses > 0) throw new Error(`the handler ran ${misses} times for hits`);
    },
  };
}

async function overHttp(options: Options, only: string | undefined): Promise<void> {
  const [node] = await runners("Node") as [Runner];
  const load = await loadCommand(node);
  const folder = await Deno.makeTempDir();
  try {
    const rows: string[][] = [];
    for (const [server, runtime] of Object.entries(SERVERS)) {
      if (only !== undefined && only !== server) continue;
      const [runner] = (await runners(runtime)).map(pinned) as [Runner];
      for (const pages of options.pages) {
        const files = await requestFiles(folder, pages);
        const start = (checkout: string) => startServer(runner, [server, checkout], load, files, pages);
        const title = `over HTTP, ${server}, ${pages} pages`;
        const rounds = await compare(title, options, options.pairs.http, start);
        rows.push(...rowsOf(server, pages, options, rounds));
      }
    }
    printRows("A hit over HTTP", options, options.pairs.http, rows);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const TOPICS = {
  "in-process": { parts: ["Deno", "Bun", "Node"], measure: inProcess },
  "http": { parts: Object.keys(SERVERS), measure: overHttp },
};

/** What the words of the command line ask for; throws for what is not known. */
function optionsOf(words: readonly string[]): Options {
  const flag = (name: string): string[] | undefined =>
    words.find((word) => word.startsWith(`--${name}=`))?.split("=")[1]?.split(",");
  const topics: { name: string; part: string | undefined }[] = [];
  const checkouts: string[] = [];
  for (const word of words.filter((word) => !word.startsWith("--"))) {
    const [name = "", part] = word.split(":");
    const topic = TOPICS[name as keyof typeof TOPICS];
    if (topic === undefined) checkouts.push(Deno.realPathSync(word));
    else if (part === undefined || topic.parts.includes(part)) topics.push({ name, part });
    else throw new RangeError(`no part of ${name} is ${part}; there are ${topic.parts.join(", ")}`);
  }
  if (checkouts.length < 2) throw new RangeError("compare.ts takes the paths of two checkouts or more");
  const quick = words.includes("--quick");
  const pairs = flag("pairs")?.map(Number)[0];
  return {
    checkouts,
    topics: topics.length > 0 ? topics : Object.keys(TOPICS).map((name) => ({ name, part: undefined })),
    pages: flag("pages")?.map(Number) ?? [1_000, 20_000, 80_000],
    cases: CASES.filter((name) => flag("cases")?.includes(name) ?? true),
    generations: flag("generations")?.map(Number)[0] ?? (quick ? 1 : 2),
    pairs: { inProcess: pairs ?? (quick ? 20 : 30), http: pairs ?? (quick ? 20 : 40) },
  };
}

const options = optionsOf(Deno.args);
console.log(options.checkouts.map((path, at) => `${at === 0 ? "before" : "after"}: ${path}`).join("\n"));
for (const { name, part } of options.topics) {
  await TOPICS[name as keyof typeof TOPICS].measure(options, part);
}
