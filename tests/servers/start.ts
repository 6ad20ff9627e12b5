/** The servers, and how each of them is started. */
import { build, stop } from "esbuild";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checks } from "./checks.ts";
import { http1, http2Client } from "./client.ts";

/** A server on a runtime. */
export interface ServerProgram {
  /** As the table names it. */
  readonly name: string;
  readonly runtime: "Deno" | "Bun" | "Node";
  /** A file of `programs/`, without its ending. */
  readonly program: string;
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Arguments of the runtime, in place of `run`. */
  readonly command?: readonly string[];
  readonly protocol?: "HTTP/2";
  /** Checks that fail, and not because of the library; the page says why. */
  readonly faults?: readonly string[];
}

/** All of them. */
export const programs: readonly ServerProgram[] = [
  { name: "`Deno.serve`", runtime: "Deno", program: "deno" },
  { name: "`Deno.serve`, `automaticCompression`", runtime: "Deno", program: "deno", args: ["compressed"] },
  {
    name: "`deno serve`",
    runtime: "Deno",
    program: "deno_serve",
    command: ["serve", "--port=0", "--host=127.0.0.1"],
  },
  { name: "`Deno.serve`", runtime: "Deno", program: "deno", protocol: "HTTP/2", faults: ["HEAD"] },
  { name: "`Bun.serve`, `fetch`", runtime: "Bun", program: "bun" },
  { name: "`Bun.serve`, `routes`", runtime: "Bun", program: "bun", args: ["routes"] },
  { name: "`srvx`, `serve`", runtime: "Bun", program: "srvx" },
  { name: "`@hono/node-server`", runtime: "Node", program: "hono_node_server" },
  { name: "`srvx`, `serve`", runtime: "Node", program: "srvx" },
  { name: "`srvx`, `toNodeHandler`", runtime: "Node", program: "srvx_node" },
  {
    name: "`@hono/node-server`, `http2`",
    runtime: "Node",
    program: "hono_node_server",
    args: ["http2"],
    protocol: "HTTP/2",
  },
  {
    name: "`srvx`, `toNodeHandler`, `http2`",
    runtime: "Node",
    program: "srvx_node",
    args: ["http2"],
    protocol: "HTTP/2",
  },
];

/** What a check found: undefined, or the fault. */
export type Findings = Readonly<Record<string, unknown>>;

/**
 * Starts a server and takes it through each check; it runs from a bundle, because Node 20 reads no TypeScript.
 *
 * @param path The runtime.
 */
export async function examine(server: ServerProgram, path: string): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), "servers-"));
  const file = join(folder, "server.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL(`programs/${server.program}.ts`, import.meta.url))],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2022",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  await stop();
  const { command = server.runtime === "Deno" ? ["run"] : [] } = server;
  const flags = server.runtime === "Deno" ? ["-A", "--no-config", "--no-lock"] : [];
  const child = spawn(path, [...command, ...flags, file, ...server.args ?? []], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const origin = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Uint8Array) => {
      output += new TextDecoder().decode(chunk);
      const port = /listening on \S*:(\d+)/i.exec(output)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${server.name} ended: ${output}`)));
  });
  try {
    const findings: Record<string, unknown> = {};
    for (const [name, check] of Object.entries(checks)) {
      const client = server.protocol === "HTTP/2" ? http2Client(origin) : http1(origin);
      try {
        await within(check({ client, compresses: server.args?.includes("compressed") ?? false }));
        findings[name] = undefined;
      } catch (error) {
        findings[name] = error;
      } finally {
        client.close();
      }
    }
    return findings;
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A sentence for each check that fails, and for each known fault that is mended. */
export function problems({ name, runtime, faults = [] }: ServerProgram, findings: Findings): string[] {
  const of = `${name} on ${runtime}`;
  return Object.entries(findings).flatMap(([check, error]) => {
    if (error !== undefined && !faults.includes(check)) return [`${of}: ${check}: ${error}`];
    const isMended = error === undefined && faults.includes(check);
    return isMended ? [`${of}: ${check} is right now: take it off the list, and off docs/servers.md`] : [];
  });
}

/** Ends a check that a server lets hang. */
async function within(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer within ten seconds")), 10_000);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
