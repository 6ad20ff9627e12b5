/**
 * Bun, on all cores: processes that listen on one port (`reusePort`), between which the kernel of Linux divides the
 * connections.
 *
 *     bun examples/processes/bun.ts
 *
 * Environment: `PORT` (8000), `PROCESSES` (one for each core).
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createSite } from "./site.ts";

/** The part of `Bun` that is used here. */
interface BunServers {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly reusePort: boolean;
    readonly fetch: (request: Request) => Response | Promise<Response>;
  }): unknown;
}

const program = fileURLToPath(import.meta.url);
const processes = Number(process.env["PROCESSES"] ?? availableParallelism());

/** Starts a process that serves; another one if it ends. */
function start(): void {
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, WORKER: "yes" },
    stdio: "inherit",
  });
  const stop = (): boolean => child.kill();
  process.once("exit", stop);
  child.once("exit", () => {
    process.off("exit", stop);
    setTimeout(start, 1000);
  });
}

if (process.env["WORKER"] === undefined) {
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit());
  for (let n = 0; n < processes; n++) start();
} else {
  const { Bun } = globalThis as unknown as { Bun: BunServers };
  const port = Number(process.env["PORT"] ?? 8000);
  Bun.serve({ hostname: "127.0.0.1", port, reusePort: true, fetch: createSite() });
}
