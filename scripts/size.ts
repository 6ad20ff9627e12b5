/**
 * How much a bundle of the library weighs: minified by esbuild, and gzipped; and which file has how much of it.
 *
 * `deno run -A scripts/size.ts` prints it next to what we aim at; `--update` writes the budget that
 * `tests/package/size_test.ts` holds the sources to.
 *
 * @module
 */
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const budgetPath = `${root}tests/package/size_budget.json`;

/** What is bundled, as a user would import it, and the kB, gzipped, that we aim at. */
export const bundles: Readonly<Record<string, { readonly source: string; readonly aim: number }>> = {
  ".": { source: 'export * from "./mod.ts";', aim: 8 },
  "{ withEtag, EtagRegistry, dependsOn, follow }": {
    source: 'export { withEtag, EtagRegistry, dependsOn, follow } from "./mod.ts";',
    aim: 5,
  },
  "./couchdb": { source: 'export * from "./src/couchdb/changes.ts";', aim: 5 },
  "./nano": { source: 'export * from "./src/nano.ts";', aim: NaN },
  "./pouchdb": { source: 'export * from "./src/pouchdb.ts";', aim: NaN },
};

/** Bytes: minified for each file in the bundle that has most of it, gzipped for each bundle. */
export interface Sizes {
  readonly files: Readonly<Record<string, number>>;
  readonly gzipped: Readonly<Record<string, number>>;
}

/** Bundles everything, and weighs it. */
export async function measureSizes(): Promise<Sizes> {
  const files: Record<string, number> = {};
  const gzipped: Record<string, number> = {};
  for (const [name, { source }] of Object.entries(bundles)) {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      stdin: { contents: source, resolveDir: root },
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      metafile: true,
      write: false,
    });
    gzipped[name] = gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
    for (const [path, { bytesInOutput }] of Object.entries(Object.values(metafile.outputs)[0]!.inputs)) {
      if (path !== "<stdin>") files[path] = Math.max(files[path] ?? 0, bytesInOutput);
    }
  }
  return { files, gzipped };
}

/** The committed budget. */
export function readBudget(): Sizes {
  return JSON.parse(readFileSync(budgetPath, "utf8")) as Sizes;
}

/** A sentence for each file and each bundle that weighs more than it may, that is new, or that is gone. */
export function sizeProblems(sizes: Sizes, budget: Sizes): string[] {
  const compare = (found: Sizes["files"], allowed: Sizes["files"], what: string): string[] => {
    const names = [...new Set([...Object.keys(found), ...Object.keys(allowed)])].sort();
    return names.flatMap((name) => {
      const [bytes, most] = [found[name], allowed[name]];
      if (most === undefined) return [`${name} has no budget: it has ${bytes} bytes ${what}`];
      if (bytes === undefined) return [`${name} has a budget, but no bytes ${what}`];
      return bytes > most ? [`${name} has ${bytes} bytes ${what}, ${bytes - most} more than its budget`] : [];
    });
  };
  return [
    ...compare(sizes.files, budget.files, "minified"),
    ...compare(sizes.gzipped, budget.gzipped, "gzipped"),
  ];
}

/** A little more than there is: renaming a variable is no growth. Runtimes differ in how well they compress. */
export function budgetFor({ files, gzipped }: Sizes): Sizes {
  const slack = (sizes: Sizes["files"], share: number, least: number): Sizes["files"] =>
    Object.fromEntries(
      Object.entries(sizes).sort(([a], [b]) => a < b ? -1 : 1)
        .map(([name, bytes]) => [name, Math.ceil((bytes + Math.max(least, bytes * share)) / 10) * 10]),
    );
  return { files: slack(files, 0.03, 20), gzipped: slack(gzipped, 0.01, 50) };
}

async function main(): Promise<void> {
  const sizes = await measureSizes();
  if (process.argv.includes("--update")) {
    writeFileSync(budgetPath, JSON.stringify(budgetFor(sizes), undefined, 2) + "\n");
  }
  const budget = readBudget();
  const row = (...cells: (string | number)[]): string =>
    cells.map((cell, at) => at === 0 ? String(cell).padEnd(48) : String(cell).padStart(12)).join("");
  console.log(row("minified and gzipped", "bytes", "budget", "aim"));
  for (const [name, bytes] of Object.entries(sizes.gzipped)) {
    const aim = bundles[name]!.aim * 1000;
    console.log(row(name, bytes, budget.gzipped[name] ?? "none", Number.isNaN(aim) ? "" : aim));
  }
  console.log(row("\nminified", "bytes", "budget"));
  for (const [path, bytes] of Object.entries(sizes.files).sort(([, a], [, b]) => b - a)) {
    console.log(row(path, bytes, budget.files[path] ?? "none"));
  }
  const problems = sizeProblems(sizes, budget);
  for (const problem of problems) console.log(problem);
  process.exit(problems.length === 0 ? 0 : 1);
}

if (import.meta.main) await main();
