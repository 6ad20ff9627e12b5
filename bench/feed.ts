/**
 * `deno task bench:feed`: the feed on Deno, Bun and Node: its speed from memory and over loopback against a bare loop
 * over `fetch`, `TextDecoderStream`, `split` and `JSON.parse`; its memory; a slow consumer; and how soon it closes.
 * Compare within one run: figures move with the machine, and with what else it does.
 *
 * @module
 */
import { bunRuntime, denoRuntime, nodeRuntime } from "../scripts/runtimes.ts";
import { root, run } from "../scripts/run.ts";
import { print, quartiles } from "./feed/statistics.ts";

/** Processes of each reader over loopback. */
const ROUNDS = 5;

/** Times that a waiting feed is closed. */
const CLOSINGS = 5;

const READERS = ["bare", "batches", "one by one"];

type Start = (program: string, ...args: readonly string[]) => Promise<string>;

/** Runs one of the programs beside this file, and gives what it prints. */
function starter(path: string, flags: readonly string[]): Start {
  return async (program, ...args) => {
    const { code, output } = await run(path, [...flags, `bench/feed/${program}.ts`, ...args], { limit: 240 });
    if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
    return output.trim();
  };
}

/** The database, in a process of its own, and what it prints. */
class Server implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #tail = "";

  constructor() {
    const args = ["run", "-A", "-q", "--no-check", `${root}bench/feed/server.ts`];
    this.#process = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async line(): Promise<string> {
    while (!this.#tail.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the server has ended");
      this.#tail += value;
    }
    const end = this.#tail.indexOf("\n");
    const line = this.#tail.slice(0, end);
    this.#tail = this.#tail.slice(end + 1);
    return line;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines.cancel();
    this.#process.kill();
    await this.#process.status;
  }
}

async function loopback(start: Start, server: Server, url: string): Promise<void> {
  const cpu: Record<string, number[]> = {};
  const peak: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const reader of READERS) {
      const figures = JSON.parse(await start("loopback", url, reader));
      await server.line();
      (cpu[reader] ??= []).push(figures.cpu);
      (peak[reader] ??= []).push(figures.peak);
    }
  }
  print("over loopback", "ns CPU a change", cpu);
  print("peak memory", "MB", peak);
}

async function closing(start: Start, server: Server, url: string): Promise<void> {
  const figures: number[] = [];
  for (let round = 0; round < CLOSINGS; round++) {
    const stopped = (await start("slow", url, "idle")).split(" ")[1];
    const closed = (await server.line()).split(" ")[1];
    figures.push(Number(closed) - Number(stopped));
  }
  const [middle] = quartiles(figures);
  console.log(`  closing       ${middle.toFixed(1)} ms, at most ${Math.max(...figures).toFixed(1)} ms`);
}

const runtimes = [
  { runtime: denoRuntime(), flags: ["run", "-A", "-q", "--no-check"] },
  { runtime: await bunRuntime(), flags: [] },
  { runtime: await nodeRuntime(24), flags: [] },
];
await using server = new Server();
const url = await server.line();
for (const { runtime: { name, version, path }, flags } of runtimes) {
  const start = starter(path, flags);
  console.log(`${name} ${version}`);
  console.log(await start("memory").then((text) => `  ${text}`));
  await loopback(start, server, url);
  const { taken, backlog, growth } = JSON.parse(await start("slow", url, "slow"));
  await server.line();
  console.log(`  slow consumer ${taken} taken, ${backlog} ahead of it at most, ${growth.toFixed(1)} MB more`);
  await closing(start, server, url);
}
