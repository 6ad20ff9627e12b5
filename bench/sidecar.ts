/**
 * `deno task bench:sidecar`: what a hit costs behind the sidecar, next to a hit of the library behind the same server on
 * the same runtime. `deno task bench:sidecar Node` takes one runtime.
 *
 * @module
 */
import { type Entrant, race } from "./http/lane.ts";
import { chooseLoad, type Load } from "./http/load.ts";
import { ServerProcess } from "./http/server.ts";
import { type Runner, runners } from "./runners.ts";
import { atMost, comparison, printTable, spread } from "./table.ts";
import { quartiles } from "./windows.ts";

/** The server that each runtime's users put a fetch handler behind. */
const OWN: Readonly<Record<string, string>> = {
  Deno: "Deno.serve",
  Bun: "Bun.serve",
  Node: "@hono/node-server",
};

/** What a hit of the sidecar may cost, in hits of the library. */
const BOUND = 1.3;

async function measure(runner: Runner, load: Load, rounds: number): Promise<void> {
  const own = OWN[runner.name]!;
  const kinds: readonly (readonly [name: string, args: readonly string[], reference?: string])[] = [
    [`withEtag, ${own}`, ["library", own]],
    [`proxy(), ${own}`, ["module", own], `withEtag, ${own}`],
    ["withEtag, node:http", ["library", "node:http"]],
    ["command, logs faults", ["command", "faults"], "withEtag, node:http"],
    ["command, logs requests", ["command", "requests"], "withEtag, node:http"],
  ];
  await using stack = new AsyncDisposableStack();
  const entrants: Entrant[] = [];
  for (const [name, args] of kinds) {
    const server = stack.use(await ServerProcess.start(runner, ["bench/sidecar/serve.ts", ...args]));
    entrants.push({ name, server, every: 1, answers: 304, makes: false });
  }
  const { cpu, speed } = await race(entrants, load, rounds);
  printTable(
    `A hit, ${runner.name} ${runner.version}: medians of ${rounds} windows (and quartiles)`,
    ["", "µs of CPU a request", "requests/s", "compared with", "figure", "target"],
    kinds.map(([name, , reference]) => [
      name,
      spread(cpu[name]!, 2),
      quartiles(speed[name]!)[0].toFixed(0),
      ...reference === undefined
        ? []
        : comparison(cpu, name, { with: reference, as: "÷", target: atMost(BOUND) }),
    ]),
  );
}

const quick = Deno.args.includes("--quick");
const only = Deno.args.find((word) => !word.startsWith("--"));
const [node] = await runners("Node") as [Runner];
const load = await chooseLoad(node);
for (const runner of await runners(only)) await measure(runner, load, quick ? 3 : 9);
