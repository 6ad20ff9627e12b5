/**
 * The ways to serve `examples/processes/` with several processes, and nginx with as many.
 *
 * @module
 */
import { root } from "../../scripts/run.ts";
import type { Runtime } from "../../scripts/runtimes.ts";
import { cpuOf } from "../http/server.ts";

/** How many processes, or threads, each of them is to have. */
export const PROCESSES = 2;

/** A way to serve. */
export interface Setup {
  readonly name: string;
  readonly version: string;
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function versionOf(name: string): string {
  return JSON.parse(Deno.readTextFileSync(`${root}bench/node_modules/${name}/package.json`)).version;
}

/** All of them. */
export function setups([deno, bun, node]: readonly [Runtime, Runtime, Runtime], pm2Home: string): Setup[] {
  const folder = `${root}examples/processes`;
  return [
    {
      name: "Deno, `deno serve --parallel`",
      version: deno.version,
      command: deno.path,
      args: (port) => [
        ...["serve", "-A", "-q", "--no-check", "--parallel", "--host", "127.0.0.1", "--port", `${port}`],
        `${folder}/deno.ts`,
      ],
      env: { DENO_JOBS: `${PROCESSES}` },
    },
    {
      name: "Bun, `reusePort`",
      version: bun.version,
      command: bun.path,
      args: () => [`${folder}/bun.ts`],
    },
    {
      name: "Node, `cluster`",
      version: node.version,
      command: node.path,
      args: () => [`${folder}/cluster.ts`],
    },
    {
      name: "Node, PM2",
      version: versionOf("pm2"),
      command: node.path,
      args: () => [`${root}bench/node_modules/pm2/bin/pm2-runtime`, "start", `${folder}/pm2.config.cjs`],
      env: { PM2_HOME: pm2Home, PM2_DISCRETE_MODE: "true" },
    },
  ];
}

/** A port that nothing listens on. */
export function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** A program with all processes that it has started. */
export class ProcessTree implements AsyncDisposable {
  readonly url: string;
  readonly #child: Deno.ChildProcess;
  #output = "";
  #hasEnded = false;

  private constructor(url: string, child: Deno.ChildProcess) {
    this.url = url;
    this.#child = child;
    void child.status.then(() => this.#hasEnded = true);
    for (const stream of [child.stdout, child.stderr]) void this.#collect(stream);
  }

  /** Starts it, and resolves when it answers. */
  static async start(
    command: string,
    args: readonly string[],
    port: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ProcessTree> {
    const child = new Deno.Command(command, {
      args: [...args],
      cwd: root,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const tree = new ProcessTree(`http://127.0.0.1:${port}`, child);
    for (let attempt = 0; attempt < 300 && !tree.#hasEnded; attempt++) {
      try {
        await (await fetch(`${tree.url}/none`)).body?.cancel();
        return tree;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await tree[Symbol.asyncDispose]();
    throw new Error(`${command} ${args.join(" ")} does not serve:\n${tree.#output}`);
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) this.#output += text;
  }

  /** The ids of the program and of all processes below it. */
  get pids(): number[] {
    return descendants(this.#child.pid);
  }

  /** Nanoseconds of CPU so far, of all of them. */
  get cpu(): number {
    return this.pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  }

  /** Ends all of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const pids = this.pids;
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      for (const pid of pids) {
        try {
          Deno.kill(pid, signal);
        } catch {
          // It has ended.
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await this.#child.status;
  }
}

function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const [, parent] = /^\d+ \(.*\) \S+ (\d+)/s.exec(Deno.readTextFileSync(`/proc/${name}/stat`)) ?? [];
      parents.set(Number(name), Number(parent));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found;
}

/** nginx with as many workers on a folder of files; undefined where it is not installed. */
export async function nginx(folder: string): Promise<ProcessTree | undefined> {
  const path = "/usr/sbin/nginx";
  if (!await Deno.stat(path).then(() => true, () => false)) return undefined;
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; worker_processes ${PROCESSES}; pid ${folder}/pid; error_log ${folder}/error;
${Deno.uid() === 0 ? "user root root;" : ""}
events { worker_connections 256; }
http {
  access_log off; keepalive_requests 100000000; default_type application/json; open_file_cache max=2000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port} reuseport; root ${folder}/files; etag on;
    add_header Cache-Control "public, no-cache"; }
}
`,
  );
  return await ProcessTree.start(path, ["-c", `${folder}/nginx.conf`], port);
}
