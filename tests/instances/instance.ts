/** One process of the demo among several: on a port of its own, which it keeps across restarts, as its snapshot. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** What `/stats` says, as far as it is of interest. */
export interface Stats {
  readonly runs: number;
  readonly entries: number;
  readonly live: boolean;
  readonly lag: number;
  readonly since: unknown;
  readonly stats: Readonly<Record<string, number>>;
}

const main = fileURLToPath(new URL("../../examples/blog/main.ts", import.meta.url));

/** A process of the demo, or the place of one. */
export class Instance {
  readonly port: number;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  /** Whatever it complained of. */
  complaints = "";

  constructor(port: number, couchUrl: string, snapshot: string) {
    this.port = port;
    this.#environment = {
      PORT: String(port),
      COUCHDB_URL: couchUrl,
      SNAPSHOT: snapshot,
      SECRET: "shared by all instances",
    };
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
    const child = spawn(process.execPath, [...flags, main], {
      env: { ...process.env, ...this.#environment },
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once("close", () => resolve()));
    child.stderr.on("data", (chunk) => this.complaints += chunk);
    let output = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk) => {
        output += chunk;
        if (output.includes("-X PUT")) resolve();
      });
      void this.#ended.then(() => reject(new Error(`the demo ended: ${output}${this.complaints}`)));
    });
  }

  /** Resolves when it has ended. SIGTERM lets it write its snapshot, SIGKILL nothing. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child === undefined) return;
    process.kill(this.#child.pid!, signal);
    this.#child = undefined;
    await this.#ended;
  }

  ask(path: string, etag?: string): Promise<Response> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    return fetch(`http://127.0.0.1:${this.port}${path}`, { headers });
  }

  async stats(): Promise<Stats> {
    return await (await this.ask("/stats")).json() as Stats;
  }
}
