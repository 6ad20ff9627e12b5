/**
 * `deno task servers`: takes one site through each server on each runtime, as `tests/servers/` does with three of them,
 * and compares the table of `docs/servers.md` with what came of it; `--write` writes it.
 *
 * @module
 */
import { checks } from "../tests/servers/checks.ts";
import { examine, type Findings, problems, programs, type ServerProgram } from "../tests/servers/start.ts";
import { deno, root } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

const page = `${root}docs/servers.md`;
const [begin, end] = ["<!-- servers: written by deno task servers --write -->", "<!-- servers: end -->"];
const all = Object.keys(checks).length;

/** The column of a runtime: a minor version of Node is whichever the machine has. */
function columnOf({ name, version }: Runtime): string {
  return `${name} ${name === "Node" ? version.split(".")[0] : version}`;
}

function cellOf(findings: Findings): string {
  const failed = Object.keys(findings).filter((check) => findings[check] !== undefined);
  return failed.length === 0 ? `all ${all}` : `all but ${failed.join(", ")}`;
}

/** The version of a server that is a package, as its row tells it. */
function versionOf(name: string): string {
  const known = name.startsWith("`srvx`")
    ? `tests/node_modules/srvx/package.json`
    : name.startsWith("`@hono/node-server`")
    ? "node_modules/@hono/node-server/package.json"
    : undefined;
  return known === undefined ? "" : ` ${JSON.parse(Deno.readTextFileSync(root + known)).version}`;
}

function rowOf(server: ServerProgram, cells: readonly string[]): string {
  const [program, ...more] = server.name.split(",");
  const name = [program + versionOf(server.name), ...more].join(",");
  return `| ${[name, server.protocol ?? "HTTP/1.1", ...cells].join(" | ")} |`;
}

/** A table without the spaces that line it up. */
function condensed(text: string): string {
  return text.replaceAll(/ +/g, " ").replaceAll(/-{2,}/g, "-").trim();
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

async function main([option]: readonly string[]): Promise<number> {
  const runtimes: Runtime[] = [denoRuntime(), await bunRuntime()];
  for (const major of [20, 22, 24, 26]) runtimes.push(await nodeRuntime(major));
  const faults: string[] = await examineItty();
  const rows = [
    `| server | protocol | ${runtimes.map(columnOf).join(" | ")} |`,
    `| - | - |${" - |".repeat(runtimes.length)}`,
  ];
  let count = 0;
  for (const server of programs) {
    const cells: string[] = [];
    for (const runtime of runtimes) {
      if (runtime.name !== server.runtime) {
        cells.push("");
        continue;
      }
      const findings = await examine(server, runtime.path);
      count += all;
      faults.push(...problems(server, findings));
      cells.push(cellOf(findings));
      console.log(`${columnOf(runtime)}, ${server.name}, ${server.protocol ?? "HTTP/1.1"}: ${cells.at(-1)}`);
    }
    rows.push(rowOf(server, cells));
  }
  const table = rows.join("\n");
  const text = await Deno.readTextFile(page);
  const [before = "", rest = ""] = text.split(begin);
  const [old = "", after = ""] = rest.split(end);
  if (option === "--write") await Deno.writeTextFile(page, `${before}${begin}\n\n${table}\n\n${end}${after}`);
  else if (condensed(old) !== condensed(table)) {
    faults.push(`docs/servers.md has another table; write it with --write:\n${table}`);
  }
  for (const fault of faults) console.log(`FAILED: ${fault}`);
  console.log(`servers: ${count} checks of ${programs.length} servers, ${faults.length} failed`);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
