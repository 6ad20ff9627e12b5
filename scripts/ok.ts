/**
 * `deno task ok`: everything that can be judged without running the tests. One line per step, every step is taken,
 * and the exit code is 0 only if all were right.
 *
 * @module
 */
import { updatePages } from "./compatibility.ts";
import { install } from "./install.ts";
import { layerProblems, readGraph } from "./layers.ts";
import { repositoryProblems } from "./repository.ts";
import { deno, filesUnder, jsrAnswers, manifest, needsJsr, type Outcome, root } from "./run.ts";
import { snippetProblems } from "./snippets.ts";

/** What is wrong, in the tool's own words; empty when nothing is. */
type Step = () => Promise<string> | string;

const isTypeScript = (path: string): boolean => path.endsWith(".ts");
const exported = Object.values(manifest().exports);

const steps: Readonly<Record<string, Step>> = {
  "format": () => tool("fmt", "-q", "--check"),
  "lint": () => tool("lint", "-q"),
  "packages": async () => problemsOf("install", await install()),
  "types": () =>
    tool(
      "check",
      "-q",
      "--node-modules-dir=manual",
      ...filesUnder().filter((path) => isTypeScript(path) && !needsJsr(path)),
    ),
  "types of what imports @std": async () =>
    await jsrAnswers()
      ? tool(
        "check",
        "-q",
        "--no-lock",
        ...filesUnder().filter((path) => isTypeScript(path) && needsJsr(path)),
      )
      : skip("JSR does not answer from here"),
  "web standards only": webStandardsOnly,
  "layers": async () => layerProblems(await readGraph()).join("\n"),
  "documentation": () => tool("doc", "-q", "--lint", ...exported),
  "documentation tests": () => tool("test", "-q", "-A", "--doc", "mod.ts", "src/"),
  "snippets of README and docs": snippetProblems,
  "tables of compatibility": () => updatePages(false).join("\n"),
  "workflows": () => tool("test", "-q", "-A", "--no-check", "--node-modules-dir=manual", "tests/release/"),
  "publish, dry run": () => tool("publish", "-q", "--dry-run", "--allow-dirty"),
  "repository": () => repositoryProblems().join("\n"),
};

/** Why a step could not be taken; said, and no failure. */
class Skipped extends Error {}

function skip(why: string): never {
  throw new Skipped(why);
}

async function tool(...args: readonly [string, ...string[]]): Promise<string> {
  return problemsOf(args[0], await deno(args));
}

function problemsOf(command: string, { code, output }: Outcome): string {
  return code === 0 ? "" : output || `deno ${command} ended with exit code ${code}`;
}

/**
 * The compiler knows what a runtime has: with the libraries of ES2023 and the web alone, `Deno`, `Bun`, `process` and
 * whatever Node 20 lacks are unknown names. (Imports are the layers' business.)
 */
async function webStandardsOnly(): Promise<string> {
  const folder = await Deno.makeTempDir();
  const lib = ["es2023", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"];
  const config = { compilerOptions: { ...manifest().compilerOptions, lib, types: [] } };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  const sources = filesUnder("src/").filter(isTypeScript).map((path) => `${root}${path}`);
  const problems = await tool("check", "-q", "--no-lock", "--config", `${folder}/deno.json`, ...sources);
  await Deno.remove(folder, { recursive: true });
  return problems;
}

/** Takes one step and says how it went. */
async function take(name: string, step: Step): Promise<boolean> {
  try {
    const problems = await step();
    console.log(problems === "" ? `ok      ${name}` : `FAILED  ${name}\n${problems}`);
    return problems === "";
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`skipped ${name}: ${error.message}`);
      return true;
    }
    console.log(`FAILED  ${name}\n`, error);
    return false;
  }
}

if (import.meta.main) {
  const outcomes: boolean[] = [];
  for (const [name, step] of Object.entries(steps)) outcomes.push(await take(name, step));
  Deno.exit(outcomes.every(Boolean) ? 0 : 1);
}
