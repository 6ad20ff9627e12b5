/**
 * `deno task reads`: builds random pages on Deno, Bun and Node, 100,000 each, and compares what each declares with what it was
 * given. `--pages=N` builds fewer.
 *
 * @module
 */
import { install } from "./install.ts";
import { root, run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "./runtimes.ts";

const pages = Number(/--pages=(\d+)/.exec(Deno.args.join(" "))?.[1] ?? 100_000);

await install();
let failures = 0;
for (const find of [denoRuntime, bunRuntime, () => nodeRuntime(24)]) {
  const { name, version, path } = await find();
  const flags = name === "Deno" ? ["run", "-A", "-q", "--no-check", "--node-modules-dir=manual"] : [];
  const start = performance.now();
  const { code, output } = await run(path, [...flags, `${root}tests/reads/build_trees.ts`, String(pages)], {
    limit: 1_200,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${name} ${version}: ${output.trim()} (${seconds} s)`);
  if (code !== 0) failures++;
}
Deno.exit(failures);
