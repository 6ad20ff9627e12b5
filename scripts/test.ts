/**
 * `deno task test`: every test on Deno, Bun and Node, then the doc tests, the tests that use `@std`, and the npm
 * tarball. Ends with one line, `N passed, N failed`, over all of them.
 *
 * `deno task test cache_groups` runs only the test files whose path contains that word, on the three runtimes.
 *
 * @module
 */
import { install } from "./install.ts";
import {
  closingLine,
  differences,
  nothing,
  readJunit,
  sum,
  type Tally,
  tally,
  type TestResult,
} from "./junit.ts";
import { checkPackage } from "./package.ts";
import { deno, filesUnder, jsrAnswers, needsJsr, type Outcome, root, run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

const oneFailure: Tally = { ...nothing, failed: 1 };
/** Milliseconds one test may take; Bun's own limit of five seconds is short for a site with its database. */
const testLimit = "120000";
/** Seconds one runner may take: a test that hangs is ended, and its runner counts as failed. */
const runnerLimit = 240;
/** What runners print about tests that went well: left out where one went wrong. */
const wentWell = /^(.* \.\.\. (ok|ignored)\b.*|\s*(\(pass\)|✔) .*)\n/gm;
const leftOut: string[] = [];

/** What a part of the run says for itself. */
interface Report {
  readonly tally: Tally;
  readonly results: readonly TestResult[];
}

async function typeCheck(): Promise<Tally> {
  const files = filesUnder().filter((path) => path.endsWith(".ts") && !needsJsr(path));
  return failureOf("type check", await deno(["check", "-q", "--node-modules-dir=manual", ...files]));
}

/** A step that is no test: silent when it succeeds, one failure otherwise. */
function failureOf(step: string, { code, output }: Outcome): Tally {
  if (code === 0) {
    console.log(`${step}: ok`);
    return nothing;
  }
  console.log(`${step}: FAILED\n${output}`);
  return oneFailure;
}

function commandFor(runtime: Runtime, files: readonly string[], report: string): string[] {
  switch (runtime.name) {
    case "Deno":
      return ["test", "-A", "--no-check", "--node-modules-dir=manual", `--junit-path=${report}`, ...files];
    case "Bun":
      return [
        ...["test", `--timeout=${testLimit}`, "--reporter=junit", `--reporter-outfile=${report}`],
        ...files.map((file) => `./${file}`),
      ];
    case "Node":
      return [
        ...[
          "--test",
          `--test-timeout=${testLimit}`,
          "--test-reporter=dot",
          "--test-reporter-destination=stdout",
        ],
        ...["--test-reporter=junit", `--test-reporter-destination=${report}`, ...files],
      ];
  }
}

/** Runs one runner and reads its report; whatever the report cannot say, the exit code does. */
async function runner(title: string, command: string, args: (report: string) => string[]): Promise<Report> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const start = performance.now();
  const { code, output } = await run(command, args(report), { limit: runnerLimit });
  const results = readJunit(await Deno.readTextFile(report), root);
  await Deno.remove(report);
  const counted = tally(results);
  const crashed = (code !== 0 && counted.failed === 0) || counted.passed === 0;
  const total = crashed ? sum([counted, oneFailure]) : counted;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${title}: ${closingLine(total)} (${seconds} s)`);
  for (const { file, name } of results.filter((r) => r.outcome === "skipped")) {
    console.log(`  skipped: ${file}: ${name}`);
  }
  if (total.failed > 0) {
    console.log(output.replace(wentWell, ""), `\n${title} ended with exit code ${code}`);
  }
  return { tally: total, results };
}

/** The same files, unchanged, on one runtime after another; each must run what the first one ran. */
async function onAllRuntimes(files: readonly string[]): Promise<Tally[]> {
  let expected = new Map<string, number | undefined>(files.map((file) => [file, undefined]));
  const tallies: Tally[] = [];
  for (const find of [denoRuntime, bunRuntime, () => nodeRuntime(24)]) {
    const runtime = await find();
    const title = `${runtime.name} ${runtime.version} (${runtime.origin}), files: ${files.length}`;
    const report = await runner(title, runtime.path, (path) => commandFor(runtime, files, path));
    // A runner that ended without a report has failed already; every file would be missing from it.
    const unlike = report.results.length === 0 ? [] : differences(report.results, expected);
    for (const line of unlike) console.log(`  FAILED: ${line}`);
    tallies.push(report.tally, { ...nothing, failed: unlike.length });
    if (runtime.name === "Deno") {
      const ran = (file: string): number => report.results.filter((result) => result.file === file).length;
      expected = new Map(files.map((file) => [file, ran(file) || undefined]));
    }
  }
  return tallies;
}

async function docTests(): Promise<Tally> {
  const args = (report: string) => ["test", "-q", "-A", "--doc", `--junit-path=${report}`, "mod.ts", "src/"];
  return (await runner("doc tests", Deno.execPath(), args)).tally;
}

/** Tests that import from JSR run where JSR answers, with no lock: the committed one names no JSR package. */
async function stdTests(): Promise<Tally> {
  const files = filesUnder("tests/std/").filter((path) => path.endsWith("_test.ts"));
  if (!await jsrAnswers()) {
    leftOut.push(`left out: tests/std (${files.length} files), because JSR does not answer from here`);
    return nothing;
  }
  const args = (report: string) => ["test", "-q", "-A", "--no-lock", `--junit-path=${report}`, ...files];
  return (await runner("tests/std", Deno.execPath(), args)).tally;
}

async function main(words: readonly string[]): Promise<number> {
  const all = filesUnder("tests/").filter((path) => path.endsWith("_test.ts") && !needsJsr(path));
  const files = all.filter((path) => words.every((word) => path.includes(word)));
  if (files.length === 0) {
    console.log(`no test file's path contains ${words.join(" and ")}`);
    return 1;
  }
  const tallies: Tally[] = [];
  try {
    tallies.push(failureOf("install", await install()));
    if (words.length === 0) tallies.push(await typeCheck());
    tallies.push(...await onAllRuntimes(files));
    if (words.length === 0) tallies.push(await docTests(), await stdTests(), await checkPackage());
  } catch (error) {
    console.log(error);
    tallies.push(oneFailure);
  }
  for (const line of leftOut) console.log(line);
  const total = sum(tallies);
  console.log(closingLine(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
