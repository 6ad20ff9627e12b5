/**
 * `deno task bench:followers`: what other followers of CouchDB's feed do under the faults of `tests/faults/`, and what
 * ours does on each runtime. Each cell is a process of its own. Times are from the fault until everything written had
 * arrived. `deno task bench:followers stillfresh` takes only the followers that are named.
 *
 * @module
 */
import { faults } from "../tests/faults/faults.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "../scripts/runtimes.ts";
import { deno, run } from "../scripts/run.ts";

/** How many cells run at once; most of them only wait. */
const CELLS = 8;

interface Column {
  readonly title: string;
  readonly follower: string;
  readonly path: string;
  readonly args: readonly string[];
}

interface Verdict {
  readonly outcome: string;
  readonly missing: readonly string[];
  readonly recovery: number;
  readonly error?: string;
  readonly requests?: number;
}

const CELL = "bench/followers/cell.ts";
const [denoPath, bunPath, nodePath] = [await denoRuntime(), await bunRuntime(), await nodeRuntime(24)].map(
  ({ path }) => path,
) as [string, string, string];

const columns: readonly Column[] = [
  ...["nano", "cloudant", "pouchdb", "follow"].map((title) => ({
    title,
    follower: title,
    path: nodePath,
    args: [CELL],
  })),
  {
    title: "ours, Deno",
    follower: "stillfresh",
    path: denoPath,
    args: ["run", "-A", "-q", "--no-check", CELL],
  },
  { title: "ours, Bun", follower: "stillfresh", path: bunPath, args: [CELL] },
  { title: "ours, Node", follower: "stillfresh", path: nodePath, args: [CELL] },
].filter(({ follower }) => Deno.args.length === 0 || Deno.args.includes(follower));

async function judge({ path, args, follower }: Column, fault: number): Promise<Verdict> {
  const { output } = await run(path, [...args, follower, String(fault)], { limit: 240 });
  const last = output.trim().split("\n").findLast((line) => line.startsWith('{"outcome"'));
  return last === undefined
    ? { outcome: "crashed", missing: [], recovery: 0, error: output.trim().slice(0, 200) }
    : JSON.parse(last);
}

/** What a cell says. */
function cell({ outcome, recovery }: Verdict, final: boolean): string {
  if (outcome !== "ok") return outcome.toUpperCase();
  if (final) return "ok, gave up";
  return recovery < 1_000 ? `ok ${Math.round(recovery)} ms` : `ok ${(recovery / 1_000).toFixed(1)} s`;
}

await deno(["install", "-q", "--entrypoint", CELL, "bench/followers/peers.ts"]);
const verdicts = faults.map((): Verdict[] => []);
const work = faults.flatMap((_, row) => columns.map((_, column) => ({ row, column })));
await Promise.all(Array.from({ length: CELLS }, async () => {
  for (let next = work.shift(); next !== undefined; next = work.shift()) {
    const { row, column } = next;
    verdicts[row]![column] = await judge(columns[column]!, row);
  }
}));

const line = (head: string, cells: readonly string[]): string =>
  `| ${head.padEnd(44)} | ${cells.map((text) => text.padEnd(12)).join(" | ")} |`;
console.log(line("fault", columns.map(({ title }) => title)));
console.log(line("---", columns.map(() => "---")));
for (const [row, { name, final = false }] of faults.entries()) {
  console.log(line(name, verdicts[row]!.map((verdict) => cell(verdict, final))));
}
console.log("\nWhat was lost, and what a follower gave up with:");
for (const [row, { name }] of faults.entries()) {
  for (const [column, { outcome, missing, error }] of verdicts[row]!.entries()) {
    if (outcome === "ok") continue;
    const why = (error ?? "").replace(/\s+/g, " ").slice(0, 100);
    console.log(
      `  ${columns[column]!.title}, ${name}: ${[missing.join(" "), why].filter(Boolean).join("; ")}`,
    );
  }
}
const ours = columns.flatMap(({ follower }, column) => follower === "stillfresh" ? [column] : []);
const red = faults.filter((_, row) => ours.some((column) => verdicts[row]![column]!.outcome !== "ok"));
if (red.length > 0) Deno.exit(1);
