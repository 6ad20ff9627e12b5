/**
 * The example as a user has it: a copy of `examples/next` outside the repository, with the packed library and Next
 * from npm in its `node_modules`, built and served by Node.
 *
 * @module
 */
import { deno, filesUnder, type Outcome, root, run } from "../../scripts/run.ts";
import { bunRuntime, nodeRuntime } from "../../scripts/runtimes.ts";

const example = "examples/next/";
/** Next asks nothing of the network, and tells it nothing. */
const quiet = { NEXT_TELEMETRY_DISABLED: "1" };

/** A server of Next, on a free port of the loopback interface. */
export interface NextServer {
  /** Its origin. */
  readonly url: string;
  /** What it has printed so far. */
  readonly output: string;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

/** A copy of the example. */
export class NextProject {
  readonly folder: string;
  readonly #node: string;

  private constructor(folder: string, node: string) {
    this.folder = folder;
    this.#node = node;
  }

  /** Installs a copy; undefined where npm does not answer. */
  static async install(): Promise<NextProject | undefined> {
    const { path: bun } = await bunRuntime();
    if ((await run(bun, ["pm", "view", "next", "version"])).code !== 0) return undefined;
    const folder = await Deno.makeTempDir();
    for (const path of filesUnder(example)) {
      const target = `${folder}/${path.slice(example.length)}`;
      if (/\.tgz$|package-lock\.json$/.test(path)) continue;
      await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
      await Deno.copyFile(`${root}${path}`, target);
    }
    succeed(await deno(["pack", "-q", "--allow-dirty", "-o", `${folder}/stillfresh-etag.tgz`]));
    succeed(await run(bun, ["install"], { cwd: folder }));
    return new NextProject(folder, (await nodeRuntime(24)).path);
  }

  /** A file of the copy. */
  read(path: string): Promise<string> {
    return Deno.readTextFile(`${this.folder}/${path}`);
  }

  /** Writes a file of the copy, and its folders. */
  async write(path: string, text: string): Promise<void> {
    const target = `${this.folder}/${path}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(target, text);
  }

  /** `next build`, and what it printed. */
  async build(...flags: readonly string[]): Promise<string> {
    const args = ["node_modules/next/dist/bin/next", "build", ...flags];
    return succeed(await run(this.#node, args, { cwd: this.folder, env: quiet }));
  }

  /** `next start` or `next dev`; resolves when it listens. */
  async serve(command: "start" | "dev", env: Readonly<Record<string, string>>): Promise<NextServer> {
    const next = ["node_modules/next/dist/bin/next", command];
    const child = new Deno.Command(this.#node, {
      args: [...next, "--hostname", "127.0.0.1", "--port", "0"],
      cwd: this.folder,
      env: { ...quiet, NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let output = "";
    const listening = Promise.withResolvers<string>();
    const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        output += text;
        const url = /Local:\s+(http:\S+)[^]*Ready in/.exec(output)?.[1];
        if (url !== undefined) listening.resolve(url);
      }
    };
    const ended = Promise.all([collect(child.stdout), collect(child.stderr), child.status]);
    ended.then(() => listening.reject(new Error(`next ${command} ended:\n${output}`)));
    return {
      url: await listening.promise,
      get output() {
        return output;
      },
      async stop() {
        child.kill();
        await ended;
      },
    };
  }

  /** Deletes the copy. */
  async remove(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function succeed({ code, output }: Outcome): string {
  if (code !== 0) throw new Error(`${output}\nexit code ${code}`);
  return output;
}
