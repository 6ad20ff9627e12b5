/** Faults of others that docs/servers.md tells of. A test that fails here says that one is mended. */
import { build, stop } from "esbuild";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const flags = "Deno" in globalThis ? ["run", "-A", "--no-config", "--no-lock"] : [];

/** Runs a program of `faults/`, and gives what it wrote and how it ended. */
async function run(program: string): Promise<{ readonly output: string; readonly code: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  try {
    const outfile = join(folder, "fault.mjs");
    const entry = fileURLToPath(new URL(`faults/${program}.ts`, import.meta.url));
    await build({
      entryPoints: [entry],
      outfile,
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
    });
    await stop();
    const child = spawn(process.execPath, [...flags, outfile], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => output += chunk);
    child.stderr.on("data", (chunk) => output += chunk);
    const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearTimeout(limit);
    return { output, code };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("srvx: toFetchHandler under its own server writes past the wrapper", async () => {
  const { output, code } = await run("srvx_past_the_wrapper");
  assert.equal(code, 0, output);
  assert.match(output, /^\{"tag":null,"declared":true\}$/m, "mended? then docs/servers.md need not warn");
});

test("srvx: toFetchHandler ends the process where a body is cancelled", async () => {
  const { output, code } = await run("srvx_cancelled_body");
  assert.notEqual(code, 0, "mended? then docs/servers.md need not warn");
  assert.doesNotMatch(output, /still there/);
});
