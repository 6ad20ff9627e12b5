/**
 * `deno task test`: every test on Deno, Bun and Node, then the doc tests, the tests that use `@std`, and the npm
 * tarball. Says how far it has come, why tests were skipped, and at the end in one line how many passed and failed.
 *
 * `deno task test cache_groups` runs only the test files whose path contains that word, on the three runtimes.
 * `deno task test --runtime=node@22` runs the files on that runtime alone (`deno`, `bun`, `node@` and a major version),
 * and what else needs it: the doc tests and `@std` are Deno's, the tarball is Node's.
 *
 * @module
 */
import { install } from "./install.ts";
import {
  closingLine,
  differences,
  nothing,
  readJunit,
  skips,
  sum,
  type Tally,
  tally,
  type TestResult,
} from "./junit.ts";
import { checkPackage } from "./package.ts";
import { forgetTested, noteTested } from "./release.ts";
import { TestCounter, withProgress } from "./progress.ts";
import { deno, filesUnder, jsrAnswers, needsJsr, type Outcome, root, run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

const oneFailure: Tally = { ...nothing, failed: 1 };
/** Milliseconds one test may take; Bun's own limit of five seconds is short for a site with its database. */
const testLimit = "120000";
/** Seconds one runner may take: a test that hangs is ended, and its runner counts as failed. */
const runnerLimit = 900;
/** Files that Node runs at once: by itself it leaves a core free, which on two cores is one file after another. */
const filesAtOnce = Math.max(2, navigator.hardwareConcurrency - 1);
/** What runners print about tests that went well: left out where one went wrong. */
const wentWell = /^(.* \.\.\. (ok|ignored)\b.*|\s*(\(pass\)|✔) .*)\n/gm;
/** Node of the whole run; a file of TypeScript runs on it as it is. */
const nodeMajor = 24;
/** The first Node that takes types out by itself. */
const strippingNode = 22;
/** The first Node whose report names the files. */
const namingNode = 24;
/** What the run leaves out, and what has to be done about it. */
const leftOut: string[] = [];

/** What a part of the run says for itself. */
export interface Report {
  readonly tally: Tally;
  readonly results: readonly TestResult[];
}

async function typeCheck(): Promise<Tally> {
  const files = filesUnder().filter((path) => path.endsWith(".ts") && !needsJsr(path));
  return await step("type check", () => deno(["check", "-q", "--node-modules-dir=manual", ...files]));
}

/** Takes a step that is no test: one failure, unless it succeeds. */
async function step(title: string, take: () => Promise<Outcome>): Promise<Tally> {
  const { code, output } = await withProgress(title, take);
  console.log(code === 0 ? `${title}: ok` : `${title}: FAILED\n${output}`);
  return code === 0 ? nothing : oneFailure;
}

/** What a runtime is started with to run test files, and to write a report in the XML of JUnit. */
export function commandFor(runtime: Runtime, files: readonly string[], report: string): string[] {
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
          `--test-concurrency=${filesAtOnce}`,
          // That of an older Node is for a whole file.
          `--test-timeout=${isNodeBefore(namingNode, runtime) ? runnerLimit * 1000 : testLimit}`,
          "--test-reporter=spec",
          "--test-reporter-destination=stdout",
        ],
        ...["--test-reporter=junit", `--test-reporter-destination=${report}`, ...files],
      ];
  }
}

/** What a runner is to run. */
export interface Runner {
  readonly title: string;
  /** Said of it beside the result. */
  readonly detail?: string;
  readonly command: string;
  readonly args: (report: string) => readonly string[];
  /** More variables for its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds that it may take; default: 600. */
  readonly limit?: number;
  /** How many files there are. */
  readonly files?: number;
}

/** Runs one runner and reads its report; whatever the report cannot say, the exit code does. */
export async function runTests(
  { title, detail = "", command, args, env = {}, limit = runnerLimit, files }: Runner,
): Promise<Report> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  const start = performance.now();
  const counter = new TestCounter();
  const status = () =>
    `${counter.tests} tests${files === undefined ? "" : `, file ${counter.files} of ${files}`}`;
  const options = { limit, env, onText: counter.read };
  const { code, output } = await withProgress(title, () => run(command, args(report), options), status);
  const results = readJunit(await Deno.readTextFile(report), root);
  await Deno.remove(report);
  const counted = tally(results);
  const crashed = (code !== 0 && counted.failed === 0) || results.length === 0;
  const total = crashed ? sum([counted, oneFailure]) : counted;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${title}${detail}: ${closingLine(total)} (${seconds} s)`);
  if (total.failed > 0) {
    console.log(output.replace(wentWell, ""), `\n${title} ended with exit code ${code}`);
  }
  return { tally: total, results };
}

/** The runtime that `--runtime` names. */
async function runtimeOf(name: string): Promise<Runtime> {
  if (name === "deno") return denoRuntime();
  if (name === "bun") return await bunRuntime();
  const major = Number(/^node@(\d+)$/.exec(name)?.[1]);
  if (!(major >= 20)) throw new RangeError(`--runtime=${name}: say deno, bun, or node@ with 20 or more`);
  return await nodeRuntime(major);
}

/** Whether it is a Node before a major version. */
function isNodeBefore(major: number, { name, version }: Runtime): boolean {
  return name === "Node" && parseInt(version) < major;
}

/**
 * A Node that cannot take types out is given what does, and so are the programs that tests start. Each file of tests is
 * a process there: a newer Node keeps what it has compiled, which saves a quarter of the run.
 */
function environmentOf(runtime: Runtime, compiled: string): Record<string, string> {
  if (runtime.name !== "Node") return {};
  if (!isNodeBefore(strippingNode, runtime)) return { NODE_COMPILE_CACHE: compiled };
  return { NODE_OPTIONS: `--import ${new URL("./strip_types.mjs", import.meta.url).href}` };
}

/**
 * The same files, unchanged, on each runtime; each must run what the first one ran.
 *
 * @param afterFirst What else there is to do, once the first runtime has run them.
 */
async function onRuntimes(
  names: readonly string[],
  files: readonly string[],
  afterFirst: () => Promise<Tally[]>,
): Promise<Tally[]> {
  const runtimes = await Promise.all(names.map(runtimeOf));
  const compiled = await Deno.makeTempDir();
  const runOn = async (runtime: Runtime) => ({
    runtime,
    ...await runTests({
      title: `${runtime.name} ${runtime.version}`,
      detail: ` (${runtime.origin}), files: ${files.length}`,
      command: runtime.path,
      args: (report) => commandFor(runtime, files, report),
      env: environmentOf(runtime, compiled),
      // Alone it may be on a slower machine, and Node 20 has more to do for each file.
      limit: names.length === 1 ? 3 * runnerLimit : runnerLimit,
      files: files.length,
    }),
  });
  const inTurn = async (lane: readonly Runtime[]) => {
    const reports: Awaited<ReturnType<typeof runOn>>[] = [];
    for (const runtime of lane) reports.push(await runOn(runtime));
    return reports;
  };
  // Two lanes, for two cores: the first runtime, and what comes after it, take about as long as the others together.
  const first = inTurn(runtimes.slice(0, 1));
  const lanes = [first, inTurn(runtimes.slice(1)), first.then(afterFirst)] as const;
  const [one, others, further] = await Promise.all(lanes);
  const reports = [...one, ...others];
  await Deno.remove(compiled, { recursive: true });
  const ran = (file: string): number => reports[0]!.results.filter((result) => result.file === file).length;
  const wanted = new Map(files.map((file) => [file, ran(file) || undefined]));
  const tallies: Tally[] = [];
  for (const { runtime, tally, results } of reports) {
    // A runner that ended without a report has failed already; every file would be missing from it. And the report of an
    // older Node names no files.
    const isComparable = results.length > 0 && !isNodeBefore(namingNode, runtime);
    const unlike = isComparable ? differences(results, wanted) : [];
    for (const line of unlike) console.log(`  FAILED: ${line}`);
    tallies.push(tally, { ...nothing, failed: unlike.length });
  }
  return [...tallies, explainSkips(reports.flatMap(({ results }) => results)), ...further];
}

/** Notes for the end of the run why tests were skipped; a skip without a reason is a failure. */
function explainSkips(results: readonly TestResult[]): Tally {
  const { reasons, unexplained } = skips(results);
  for (const [reason, count] of reasons) leftOut.push(`${count} skipped on each runtime: ${reason}`);
  for (const test of unexplained) console.log(`FAILED: skipped without a reason: ${test}`);
  return { ...nothing, failed: unexplained.length };
}

async function docTests(): Promise<Tally> {
  const args = (report: string) => ["test", "-q", "-A", "--doc", `--junit-path=${report}`, "mod.ts", "src/"];
  return (await runTests({ title: "doc tests", command: Deno.execPath(), args })).tally;
}

/** Tests that import from JSR run where JSR answers, with no lock: the committed one names no JSR package. */
async function stdTests(): Promise<Tally> {
  const files = filesUnder("tests/std/").filter((path) => path.endsWith("_test.ts"));
  if (!await jsrAnswers()) {
    leftOut.push(`tests/std left out (${files.length} files): JSR does not answer from here`);
    return nothing;
  }
  const args = (report: string) => ["test", "-q", "-A", "--no-lock", `--junit-path=${report}`, ...files];
  return (await runTests({ title: "tests/std", command: Deno.execPath(), args })).tally;
}

async function main(args: readonly string[]): Promise<number> {
  const words = args.filter((arg) => !arg.startsWith("--"));
  const named = args.find((arg) => arg.startsWith("--runtime="))?.slice("--runtime=".length);
  const names = named === undefined ? ["deno", "bun", `node@${nodeMajor}`] : [named];
  const isWhole = words.length === 0 && named === undefined;
  const all = filesUnder("tests/").filter((path) => path.endsWith("_test.ts") && !needsJsr(path));
  const files = all.filter((path) => words.every((word) => path.includes(word)));
  if (files.length === 0) {
    console.log(`no test file's path contains ${words.join(" and ")}`);
    return 1;
  }
  const tallies: Tally[] = [];
  try {
    if (isWhole) await forgetTested();
    tallies.push(await step("install", () => install()));
    if (isWhole) tallies.push(await typeCheck());
    const further = async () => {
      if (words.length > 0) return [];
      const found: Tally[] = [];
      if (names.includes("deno")) found.push(await docTests(), await stdTests());
      const node = names.find((name) => name.startsWith("node@"));
      if (isWhole) found.push(await checkPackage());
      else if (node !== undefined) found.push(await checkPackage([Number(node.slice("node@".length))]));
      return found;
    };
    tallies.push(...await onRuntimes(names, files, further));
  } catch (error) {
    console.log(error);
    tallies.push(oneFailure);
  }
  for (const line of leftOut) console.log(line);
  const total = sum(tallies);
  if (isWhole && total.failed === 0) await noteTested();
  console.log(closingLine(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
