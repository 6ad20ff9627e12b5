import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The root's packages that no example imports, and why `deno task start` installs them all the same. */
const besides: ReadonlySet<string> = new Set([
  // Tests of every folder import it.
  "fast-check",
  // The types of nano refer to it.
  "@types/node",
  // The server of fetch handlers that users on Node put their handler under; tests and benchmarks do so too.
  "@hono/node-server",
  // From JSR, and installed only where a file imports it.
  "@std/assert",
]);

function packagesOf(path: string): string[] {
  const { imports } = JSON.parse(readFileSync(`${root}${path}`, "utf8")) as {
    imports: Record<string, string>;
  };
  return Object.keys(imports);
}

const examples = readdirSync(`${root}examples`, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(`${root}examples/${path}`, "utf8")).join("\n");

for (const name of packagesOf("deno.json").filter((name) => !besides.has(name))) {
  test(`deno.json: ${name}, which deno task start installs, is imported by an example`, () => {
    assert.match(
      examples,
      new RegExp(`from "${name}["/]`),
      "a package for tests is named in tests/deno.json",
    );
  });
}

for (const folder of ["bench", "tests"]) {
  test(`${folder}/deno.json: names nothing that is found in the root's node_modules`, () => {
    const named = new Set(packagesOf("deno.json"));
    assert.deepEqual(packagesOf(`${folder}/deno.json`).filter((name) => named.has(name)), []);
  });
}
