/** A database, an application in another language in front of it, and the sidecar in front of both. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArguments } from "../../src/proxy/command/arguments.ts";
import { type RunningProxy, start } from "../../src/proxy/command/command.ts";
import { Log } from "../../src/proxy/command/log.ts";
import type { TestDatabase } from "../examples/database_support.ts";
import { freePort } from "../support/server_program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The command of a program; undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return (process.env["PATH"] ?? "").split(":").map((folder) => `${folder}/${name}`).find((path) =>
    existsSync(path)
  );
}

/** An application that can be killed and started anew, on one port. */
export interface Application {
  readonly url: string;
  /** Ends it at once, with whatever it is doing. */
  kill(): Promise<void>;
  /** Starts it (again). Resolves when it listens. */
  start(): Promise<void>;
}

/** The application, not started yet. */
export async function application(command: readonly string[], database: URL): Promise<Application> {
  const port = await freePort();
  const [program = "", ...args] = command;
  let child: ReturnType<typeof spawn> | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      const started = spawn(program, args, {
        cwd: root,
        env: { ...process.env, PORT: String(port), COUCHDB_URL: database.href },
        stdio: ["ignore", "pipe", "inherit"],
      });
      child = started;
      await new Promise<void>((resolve, reject) => {
        started.once("error", reject);
        started.once("exit", (code) => reject(new Error(`${program} ended with ${code}`)));
        started.stdout?.once("data", () => resolve());
      });
    },
    async kill() {
      const ended = child;
      child = undefined;
      if (ended === undefined || ended.exitCode !== null) return;
      const end = new Promise<void>((resolve) => ended.once("exit", () => resolve()));
      ended.kill("SIGKILL");
      await end;
    },
  };
}

/** Writes a document; gives its revision. */
export async function put(database: TestDatabase, document: Record<string, unknown>): Promise<string> {
  const id = encodeURIComponent(String(document["_id"]));
  const response = await database.ask(`/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(document),
  });
  const { rev, error } = await response.json() as { rev?: string; error?: string };
  if (rev === undefined) throw new Error(`${document["_id"]}: ${error}`);
  return rev;
}

/** A database of its own, with so many posts. */
export async function fill(database: TestDatabase, posts: number): Promise<void> {
  await (await database.ask("", { method: "PUT" })).text();
  for (let n = 0; n < posts; n++) await put(database, { _id: idOf(n), title: "first" });
}

/** The id of a post by its number. */
export function idOf(n: number): string {
  return `post-${String(n).padStart(3, "0")}`;
}

/** The sidecar in this process, live. */
export async function sidecar(
  app: Application,
  database: URL,
  words: readonly string[] = [],
  write: (text: string) => void = () => {},
): Promise<RunningProxy & { readonly url: string }> {
  const options = parseArguments([
    ...[
      "--upstream",
      app.url,
      "--group",
      "posts=post-",
      "--listen",
      "127.0.0.1:0",
      "--drain",
      "1ms",
      ...words,
    ],
  ], { COUCHDB_URL: database.href });
  const running = await start(options, new Log(write));
  const url = `http://127.0.0.1:${running.port}`;
  await until(async () => (await head(`${url}/_stillfresh/ready`)) === 200);
  return Object.assign(running, { url });
}

async function head(url: string): Promise<number> {
  const response = await fetch(url);
  await response.body?.cancel();
  return response.status;
}

/** Waits until something is so; ms that it took. Throws after ten seconds. */
export async function until(holds: () => Promise<boolean>): Promise<number> {
  for (const begin = performance.now();;) {
    if (await holds()) return performance.now() - begin;
    if (performance.now() - begin > 10_000) throw new Error(`not so after ten seconds: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
