/**
 * What hits, misses and everything else cost in process, without a socket, on Deno, Bun and Node.
 *
 * Each group is a process of its own, so that what the optimiser learns from one does not reach the others, and its
 * members take turns in short windows of that process.
 *
 * @module
 */
import { withProgress } from "../scripts/progress.ts";
import { run } from "../scripts/run.ts";
import { type Runner, runners } from "./runners.ts";
import { atMost, type Comparison, comparison, printTable, spread } from "./table.ts";
import type { Windows } from "./windows.ts";

type ByRuntime = Readonly<Record<"Deno" | "Bun" | "Node", number>>;

/** How the cheapest 304 is made; `@hono/node-server` makes that of Node from an object, too. */
const BARE = { Deno: "bare 304, object", Bun: "bare 304, Headers", Node: "bare 304, object" };

const HIT: ByRuntime = { Deno: 1.5, Bun: 2, Node: 1.35 };
const MATCHING: ByRuntime = { Deno: 160, Bun: 120, Node: 190 };
const MATCHING_CALLER: ByRuntime = { Deno: 280, Bun: 160, Node: 270 };

/** The rows of one runtime: group, contestant, and what it is compared with. */
function rowsFor(name: keyof ByRuntime): [group: string, contestant: string, comparison?: Comparison][] {
  const node = name === "Node";
  const bare = (bound?: number): Comparison => ({
    with: BARE[name],
    as: "÷",
    target: bound === undefined ? undefined : atMost(bound),
  });
  const passing = (reference: string, ns: number): Comparison =>
    node
      ? { with: reference, as: "÷", target: atMost(1.25) }
      : { with: reference, as: "−", target: atMost(ns) };
  const stepNames = [
    ...["request.method", "request.url", "headers.get, present", "headers.has, absent", "registry.lookup"],
    ...["evaluatePreconditions", "dependsOn", "lease, release"],
  ];
  return [
    ["hit", "bare 304, object"],
    ["hit", "bare 304, Headers"],
    ["hit", "hit", bare(HIT[name])],
    ["hitFromObject", "hit by hand, object", bare()],
    ["hitFromHeaders", "hit by hand, Headers", bare()],
    ["variants", "hit, with caller", bare()],
    ["variants", "hit, with Vary", bare()],
    ["miss", "handler alone"],
    ["miss", "miss", { with: "handler alone", as: "−" }],
    ["miss", "registered miss", { with: "handler alone", as: "−" }],
    ["passing", "undeclared, bare"],
    ["passing", "undeclared, by hand", { with: "undeclared, bare", as: node ? "÷" : "−" }],
    ["passing", "undeclared", passing("undeclared, bare", 250)],
    ["passingLater", "undeclared, bare, async"],
    ["passingLater", "undeclared, async", passing("undeclared, bare, async", 350)],
    ["matching", "matching by hand", { with: "nothing", as: "−" }],
    ["matching", "matching", { with: "nothing", as: "−", target: atMost(MATCHING[name]) }],
    ["matching", "matching by hand, with caller", { with: "nothing", as: "−" }],
    ["matching", "matching, with caller", {
      with: "nothing",
      as: "−",
      target: atMost(MATCHING_CALLER[name]),
    }],
    ...stepNames.map((step): [string, string, Comparison] => ["steps", step, { with: "nothing", as: "−" }]),
  ];
}

async function measured({ path, flags }: Runner, group: string, rounds: number): Promise<Windows> {
  const args = [...flags, "bench/in_process/measure.ts", group, String(rounds)];
  const { code, stdout, output } = await run(path, args, { limit: 120 });
  if (code !== 0) throw new Error(`${group} ended with ${code}:\n${output}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

/** Prints one table a runtime, or that of the one named. */
export async function inProcess(quick: boolean, only?: string): Promise<void> {
  const rounds = quick ? 20 : 80;
  for (const runner of await runners(only)) {
    const rows = rowsFor(runner.name);
    const names = [...new Set(rows.map(([group]) => group))];
    const groups: Record<string, Windows> = {};
    await withProgress(`in process, ${runner.name}`, async () => {
      for (const group of names) groups[group] = await measured(runner, group, rounds);
    }, () => `${Object.keys(groups).length} of ${names.length} groups`);
    printTable(
      `In process, ${runner.name} ${runner.version}: medians of ${rounds} alternating windows (and quartiles)`,
      ["", "ns of CPU a call", "compared with", "figure", "target"],
      rows.map(([group, name, compared]) => [
        name,
        spread(groups[group]![name]!, 0),
        ...compared === undefined ? [] : comparison(groups[group]!, name, compared),
      ]),
    );
  }
}
