/**
 * Test results in the JUnit XML that Deno, Bun and Node all write, each in its own dialect.
 *
 * @module
 */

/** One test of one file. */
export interface TestResult {
  /** Relative to the repository. */
  readonly file: string;
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped; of the three writers only Node's tells. */
  readonly reason?: string;
}

/** How many tests ended which way. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Nothing has run yet. */
export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

/** The sum of some tallies. */
export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce((a, b) => ({
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  }), nothing);
}

/** The closing line of a test run. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Reads a JUnit report.
 *
 * @param xml The report; quotes and `<` inside names and messages are escaped by all three writers.
 * @param root The repository, with a `/` at its end: Node reports absolute paths.
 */
export function readJunit(xml: string, root: string): TestResult[] {
  const results = xml.split("<testcase ").slice(1).map((element): TestResult => {
    const attributes = /^(?:\s*[\w:.-]+="[^"]*")*/.exec(element)?.[0] ?? "";
    const attribute = (name: string): string | undefined =>
      new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    // A test that is skipped without a reason has `true` there.
    const reason = /<skipped\b[^>]*? message="(?!true")([^"]*)"/.exec(element)?.[1];
    return {
      // Bun and Node say `file`, Deno says it in `classname`.
      file: relative(unescape(attribute("file") ?? attribute("classname") ?? ""), root),
      name: unescape(attribute("name") ?? ""),
      outcome: /<(failure|error)\b/.test(element)
        ? "failed"
        : element.includes("<skipped")
        ? "skipped"
        : "passed",
      ...(reason === undefined ? {} : { reason: unescape(reason) }),
    };
  });
  return withoutFiles(withoutContainers(results));
}

/** Counts results. */
export function tally(results: readonly TestResult[]): Tally {
  const count = (outcome: TestResult["outcome"]): number =>
    results.filter((r) => r.outcome === outcome).length;
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/**
 * What keeps a report from being the whole story: a file that ran no test, one that nobody asked for, a file that ran
 * another number of tests than elsewhere (a module that throws half-way loses the rest, and not every runner minds).
 *
 * @param expected Tests per file, or undefined where any number above 0 will do.
 */
export function differences(
  results: readonly TestResult[],
  expected: ReadonlyMap<string, number | undefined>,
): string[] {
  const ran = new Map<string, number>();
  for (const { file } of results) ran.set(file, (ran.get(file) ?? 0) + 1);
  const missing = [...expected].flatMap(([file, wanted]) => {
    const count = ran.get(file) ?? 0;
    if (count === 0) return [`${file}: ran no test`];
    return wanted === undefined || wanted === count
      ? []
      : [`${file}: ran ${count} tests, ${wanted} elsewhere`];
  });
  return [
    ...missing,
    ...[...ran.keys()].filter((file) => !expected.has(file)).map((file) => `${file}: unexpected`),
  ];
}

/** Skipped tests. */
export interface Skips {
  /** How many tests each reason keeps from running. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Tests that are skipped without a reason, each once. */
  readonly unexplained: readonly string[];
}

/** Why tests were skipped, over the reports of all runtimes: what one of them tells is true of the same test elsewhere. */
export function skips(results: readonly TestResult[]): Skips {
  const reasonOf = new Map<string, string | undefined>();
  for (const { file, name, outcome, reason } of results) {
    const test = `${file}: ${name}`;
    if (outcome === "skipped") reasonOf.set(test, reason ?? reasonOf.get(test));
  }
  const reasons = new Map<string, number>();
  for (const reason of reasonOf.values()) {
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return { reasons, unexplained: [...reasonOf.keys()].filter((test) => reasonOf.get(test) === undefined) };
}

function relative(path: string, root: string): string {
  const slashed = path.replaceAll("\\", "/");
  return slashed.startsWith(root) ? slashed.slice(root.length) : slashed.replace(/^\.\//, "");
}

function unescape(text: string): string {
  const plain: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => plain[name] ?? "");
}

/** Deno reports a suite and its steps; only the steps are tests, and only the suite knows its file. */
function withoutContainers(results: readonly TestResult[]): TestResult[] {
  const isStep = (result: TestResult): boolean => result.file.startsWith("ext:");
  const steps = results.filter(isStep);
  const contains = (outer: TestResult, inner: TestResult): boolean =>
    inner.name.startsWith(`${outer.name} > `);
  return results.filter((result) => !steps.some((step) => contains(result, step))).map((result) => {
    const suite = isStep(result)
      ? results.find((outer) => !isStep(outer) && contains(outer, result))
      : undefined;
    return suite === undefined ? result : { ...result, file: suite.file };
  });
}

/** Node reports a file without a test as a test named like the file. */
function withoutFiles(results: readonly TestResult[]): TestResult[] {
  return results.filter(({ file, name, outcome }) => outcome === "failed" || name !== file);
}
