/**
 * `deno task routers`: the site of `tests/routers/routers_test.ts` under each router, on each runtime. What came of it
 * has to be what `docs/compatibility/routers.json` says; `--write` writes it.
 *
 * @module
 */
import { record, type Row } from "./compatibility.ts";
import { install } from "./install.ts";
import type { TestResult } from "./junit.ts";
import { root } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "./runtimes.ts";
import { commandFor, runTests } from "./test.ts";

const file = "tests/routers/routers_test.ts";

/** Each router as the tests name it, with the folder of its package. */
const routers: Readonly<Record<string, string | undefined>> = {
  "a switch": undefined,
  "itty-router, Router": "node_modules/itty-router",
  "itty-router, AutoRouter": "node_modules/itty-router",
  "Hono": "node_modules/hono",
  "h3": "tests/node_modules/h3",
};

function versionOf(folder: string | undefined): Record<string, string> {
  if (folder === undefined) return {};
  return { version: JSON.parse(Deno.readTextFileSync(`${root}${folder}/package.json`)).version };
}

/** What the tests of one router say: every one has passed, or not; no test is no answer. */
function verdict(results: readonly TestResult[], router: string): string {
  const own = results.filter(({ name }) =>
    name.startsWith(`${router}:`) || name.startsWith(`${router}, withEtag`)
  );
  if (own.length === 0) throw new Error(`${file} has no test of ${router}`);
  return own.every(({ outcome }) => outcome === "passed") ? "yes" : "no";
}

const { code, output } = await install();
if (code !== 0) throw new Error(output);
const cells = new Map<string, Record<string, string>>(
  Object.entries(routers).map(([name, folder]) => [name, versionOf(folder)]),
);
let unnamed: string[] = [];
for (const find of [denoRuntime, bunRuntime, () => nodeRuntime(24)]) {
  const runtime = await find();
  const { results } = await runTests({
    title: `${runtime.name} ${runtime.version}`,
    command: runtime.path,
    args: (report) => commandFor(runtime, [file], report),
    files: 1,
  });
  for (const [name, row] of cells) row[runtime.name] = verdict(results, name);
  unnamed = results.map(({ name }) => name).filter((name) =>
    !Object.keys(routers).some((router) => name.startsWith(router))
  );
}
const rows = Array.from(cells, ([name, cells]): Row => ({ name, cells }));
const columns = ["version", "Deno", "Bun", "Node"];
const problems = [
  ...record("routers", { task: "routers", head: "router", columns, rows }),
  ...unnamed.map((name) => `${file} tests a router that is no row: ${name}`),
];
for (const problem of problems) console.log(problem);
const yes = rows.flatMap(({ cells }) => columns.slice(1).filter((column) => cells[column] === "yes")).length;
console.log(`routers: ${rows.length}, on 3 runtimes: ${yes} of ${rows.length * 3} as they should be`);
Deno.exit(problems.length === 0 && yes === rows.length * 3 ? 0 : 1);
