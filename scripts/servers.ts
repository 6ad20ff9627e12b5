/**
 * `deno task servers`: takes one site through each server on each runtime, as `tests/servers/` does with three of them.
 * What came of it has to be what `docs/compatibility/servers.json` says; `--write` writes it.
 *
 * @module
 */
import { checks } from "../tests/servers/checks.ts";
import { examine, type Findings, problems, programs, type ServerProgram } from "../tests/servers/start.ts";
import { record, type Row } from "./compatibility.ts";
import { deno, root } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

const all = Object.keys(checks).length;

function columnOf({ name, version }: Runtime): string {
  return name === "Node" ? `${name} ${version.split(".")[0]}` : name;
}

function cellOf(findings: Findings): string {
  const failed = Object.keys(findings).filter((check) => findings[check] !== undefined);
  return failed.length === 0 ? `all ${all}` : `all but ${failed.join(", ")}`;
}

/** Where the version of a server is that is a package. */
const manifests: Readonly<Record<string, string>> = {
  "`srvx`": "tests/node_modules/srvx/package.json",
  "`@hono/node-server`": "node_modules/@hono/node-server/package.json",
};

function nameOf({ name, protocol }: ServerProgram): string {
  return protocol === undefined ? name : `${name}, ${protocol}`;
}

function versionOf({ name }: ServerProgram): Record<string, string> {
  const manifest = manifests[name.split(",")[0]!];
  return manifest === undefined
    ? {}
    : { version: JSON.parse(Deno.readTextFileSync(root + manifest)).version };
}

/** What itty-router 6 makes of a 304: a fault of its own, on the page until it is mended. */
async function examineItty(): Promise<string[]> {
  const program = 'import { cors } from "npm:itty-router@6";' +
    "const { corsify } = cors(); const request = new Request('http://localhost/');" +
    "console.log(corsify(new Response(null, { status: 304 }), request).status);";
  const { output } = await deno(["eval", "-q", "--no-config", "--no-lock", program], {
    cwd: await Deno.makeTempDir(),
  });
  if (output.trim() === "200") return [];
  return [`itty-router: corsify makes ${output.trim()} of a 304 now, and docs/servers.md warns of 200`];
}

async function main(): Promise<number> {
  const runtimes: Runtime[] = [denoRuntime(), await bunRuntime()];
  for (const major of [20, 22, 24, 26]) runtimes.push(await nodeRuntime(major));
  const faults: string[] = await examineItty();
  const rows = new Map<string, Record<string, string>>();
  let count = 0;
  for (const server of programs) {
    const name = nameOf(server);
    const cells = rows.get(name) ?? versionOf(server);
    rows.set(name, cells);
    for (const runtime of runtimes.filter(({ name }) => name === server.runtime)) {
      const findings = await examine(server, runtime.path);
      count += all;
      faults.push(...problems(server, findings));
      cells[columnOf(runtime)] = cellOf(findings);
      console.log(`${columnOf(runtime)}, ${name}: ${cells[columnOf(runtime)]}`);
    }
  }
  faults.push(...record("servers", {
    task: "servers",
    head: "server",
    columns: ["version", ...runtimes.map(columnOf)],
    rows: Array.from(rows, ([name, cells]): Row => ({ name, cells })),
  }));
  for (const fault of faults) console.log(`FAILED: ${fault}`);
  console.log(`servers: ${count} checks of ${programs.length} servers, ${faults.length} failed`);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
