/**
 * `deno task memory`: what registries hold against what `registry.bytes` says, filled in many ways on the three runtimes,
 * and what is left after `clear()`. Fails where the two differ by more than 15 %, or where 1 MiB is left.
 *
 * `deno task memory plain vary` takes only those loads. The loads are in `bench/memory/load.ts`.
 *
 * @module
 */
import { root, run } from "../scripts/run.ts";
import type { Measured } from "./memory/load.ts";
import { type Runner, runners } from "./runners.ts";

/** Loads whose memory must be as `registry.bytes` says. */
const LOADS = [
  ...[
    "plain",
    "lengths",
    "vary",
    "one-variant",
    "long",
    "long-vary",
    "wide",
    "cut",
    "caller",
    "origins",
    "fields",
    "bodies",
  ],
  ...["groups", "replicas", "wrappers"],
];

const MOST_OFF = 0.15;
const MOST_LEFT = 2 ** 20;

async function measure({ name, path, flags }: Runner, load: string): Promise<Measured> {
  const collectable = { Deno: ["--v8-flags=--expose-gc"], Node: ["--expose-gc"], Bun: [] }[name];
  const { code, stdout, output } = await run(path, [...flags, ...collectable, "bench/memory/load.ts", load], {
    cwd: root,
  });
  if (code !== 0) throw new Error(`${name}, ${load}: ${output}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

const loads = Deno.args.length === 0 ? LOADS : Deno.args;
const all = await runners();
console.log(
  `held ÷ registry.bytes (left after clear(), KiB)\n${"".padEnd(14)}${
    all.map(({ name }) => name.padStart(16)).join("")
  }`,
);
for (const load of loads) {
  let line = load.padEnd(14);
  for (const runner of all) {
    const { held, said, cleared } = await measure(runner, load);
    const ratio = held / said;
    const isOff = Math.abs(ratio - 1) > MOST_OFF || cleared > MOST_LEFT;
    if (isOff) Deno.exitCode = 1;
    line += `${isOff ? "!" : ""}${ratio.toFixed(2)} (${Math.round(cleared / 1024)})`.padStart(16);
  }
  console.log(line);
}
