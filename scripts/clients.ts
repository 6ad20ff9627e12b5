/**
 * `deno task clients`: what a browser and other clients ask of a site, as `tests/browsers/` has it. What came of it has to be
 * what `docs/compatibility/clients.json` says; `--write` writes it.
 *
 * @module
 */
import { chromiumProgram } from "../tests/support/chromium.ts";
import { record, type Row } from "./compatibility.ts";
import { install } from "./install.ts";
import type { TestResult } from "./junit.ts";
import { root, run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "./runtimes.ts";
import { commandFor, runTests } from "./test.ts";

const files = ["tests/browsers/browsers_test.ts", "tests/browsers/clients_test.ts"];

/** The first number with a point in what a program says of itself. */
async function versionOf(program: string | undefined): Promise<Record<string, string>> {
  if (program === undefined) return {};
  const { output } = await run(program, ["--version"]);
  return { version: /\d+(?:\.\d+)+/.exec(output)?.[0] ?? "" };
}

/** Whether the tests with this beginning have passed; one that was skipped says nothing. */
function verdict(results: readonly TestResult[], beginning: string): string {
  const own = results.filter(({ name }) => name.startsWith(beginning));
  if (own.length === 0) throw new Error(`no test begins with ${beginning}`);
  if (own.some(({ outcome }) => outcome === "skipped")) return "not run";
  return own.every(({ outcome }) => outcome === "passed") ? "yes" : "no";
}

const { code, output } = await install();
if (code !== 0) throw new Error(output);
const undici: string =
  JSON.parse(Deno.readTextFileSync(`${root}tests/node_modules/undici/package.json`)).version;
const rows: Row[] = [];
const clients = {
  "Chromium": { beginning: "Chromium", ...await versionOf(chromiumProgram) },
  "curl": { beginning: "curl", ...await versionOf("curl") },
  "undici": { beginning: "undici", version: undici },
};
for (const find of [denoRuntime, bunRuntime, () => nodeRuntime(24)]) {
  const runtime = await find();
  const isFirst = rows.length === 0;
  const { results } = await runTests({
    title: `${runtime.name} ${runtime.version}`,
    command: runtime.path,
    args: (report) => commandFor(runtime, isFirst ? files : files.slice(1), report),
    files: isFirst ? files.length : 1,
  });
  if (isFirst) {
    for (const [name, { beginning, ...version }] of Object.entries(clients)) {
      rows.push({ name, cells: { ...version, result: verdict(results, beginning) } });
    }
  }
  const result = verdict(results, "fetch of this runtime");
  rows.push({ name: `\`fetch\` of ${runtime.name}`, cells: { version: runtime.version, result } });
}
const problems = record("clients", { task: "clients", head: "client", columns: ["version", "result"], rows });
for (const problem of problems) console.log(problem);
const yes = rows.filter(({ cells }) => cells["result"] === "yes").length;
console.log(`clients: ${yes} of ${rows.length} as they should be`);
Deno.exit(problems.length === 0 && yes === rows.length ? 0 : 1);
