/**
 * Lets Node 20, which cannot, run the tests as they are: types are taken out of a module when it is loaded. Given to it
 * by `--import`, also in `NODE_OPTIONS`, so that the programs which a test starts have it too.
 */
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";

if (isMainThread) register(import.meta.url);

/** The hook: called in the thread of the loader. */
// deno-lint-ignore explicit-module-boundary-types
export async function load(url, context, next) {
  if (!url.startsWith("file:") || !/\.ts([?#]|$)/.test(url)) return await next(url, context);
  const { transform } = await import(
    new URL("../tests/node_modules/esbuild/lib/main.js", import.meta.url)
  );
  const text = readFileSync(new URL(url), "utf8");
  const options = { loader: "ts", format: "esm", target: "es2022", sourcemap: "inline", sourcefile: url };
  const { code } = await transform(text, options);
  return { format: "module", source: code, shortCircuit: true };
}
