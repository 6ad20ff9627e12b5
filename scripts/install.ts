/**
 * `deno task install`: lays out every `node_modules`, so that tests, benchmarks and the type check find their packages
 * on all three runtimes.
 *
 * Deno installs everything that a lock file names before it runs a task, and a workspace has one lock file. So `bench`
 * and `tests` are no members of a workspace: each has a manifest, a lock file and a `node_modules` of its own, and
 * `deno task start` installs the root's packages alone. A program finds the rest as on Node: in the nearest
 * `node_modules` of a folder above it (`--node-modules-dir=manual`, where a command is run from the root).
 *
 * @module
 */
import { deno, type Outcome, root } from "./run.ts";

/** Folders with a manifest of their own. */
const folders = ["bench", "tests"];

/** Installs the packages of every manifest, under CI exactly those of the lock files; stops at the first that fails. */
export async function install(): Promise<Outcome> {
  const options = ["install", "-q", ...(Deno.env.get("CI") ? ["--frozen"] : [])];
  // Without an entry point Deno would ask JSR as well, which does not answer everywhere.
  let outcome = await deno([...options, "--config", "deno.json", "--entrypoint", "examples/blog/main.ts"]);
  for (const folder of folders) {
    if (outcome.code !== 0) break;
    outcome = await deno([...options, "--node-modules-dir=auto"], { cwd: `${root}${folder}` });
  }
  return outcome;
}

if (import.meta.main) {
  const { code, output } = await install();
  if (output !== "") console.error(output);
  Deno.exit(code);
}
