/**
 * `deno task fuzz`: the parsers 10,000,000 times and the whole wrapper 2,000,000 times on each of Deno, Bun and Node,
 * against the oracle of `tests/support/oracle.ts`. Takes the better part of an hour.
 *
 * `deno task fuzz 100000 20000 42` says how many of either, and the seed; a fourth word, one runtime.
 *
 * @module
 */
import { root } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

/** Seconds after which a runtime is taken to hang: ten times what a slow machine needs. */
const LIMIT = 6 * 3600;

function commandFor({ name }: Runtime, words: readonly string[]): string[] {
  const flags = { Deno: ["run", "-q", "-A", "--no-check"], Bun: [], Node: [] }[name];
  return [...flags, "tests/fuzz/run.ts", ...words];
}

/** Whether nothing was found; what the run prints is printed as it comes. */
async function fuzz(runtime: Runtime, words: readonly string[]): Promise<boolean> {
  const start = performance.now();
  console.log(`${runtime.name} ${runtime.version} (${runtime.origin}), seed ${words[2]}`);
  const signal = AbortSignal.timeout(LIMIT * 1000);
  const command = new Deno.Command(runtime.path, {
    args: commandFor(runtime, words),
    cwd: root,
    stdin: "null",
    signal,
  });
  const { success } = await command.spawn().status;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${success ? "clean" : "NOT CLEAN"}, ${seconds} s${signal.aborted ? ": it hung" : ""}\n`);
  return success;
}

async function main(
  [parsers = "10000000", wrapper = "2000000", seed = String(Math.floor(Math.random() * 2 ** 31)), only]:
    readonly string[],
): Promise<number> {
  let clean = true;
  for (const find of [denoRuntime, bunRuntime, () => nodeRuntime(24)]) {
    const runtime = await find();
    if (only !== undefined && runtime.name.toLowerCase() !== only.toLowerCase()) continue;
    clean = await fuzz(runtime, [parsers, wrapper, seed]) && clean;
  }
  return clean ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
