/**
 * A server process, seen from outside.
 *
 * @module
 */
import { root } from "../../scripts/run.ts";
import type { Runner } from "../runners.ts";

/** Nanoseconds of CPU that all threads of a process have taken. */
export function cpuOf(pid: number): number {
  let sum = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    sum += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
  }
  return sum;
}

/** A process that serves, and is ended with the block that declares it. */
export class ServerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  #url = "";

  private constructor(command: string, args: readonly string[], env: Record<string, string>) {
    this.#process = new Deno.Command(command, {
      args: [...args],
      cwd: root,
      env,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#output = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#input = this.#process.stdin.getWriter();
  }

  /** Starts a program that prints its port. */
  static async start(
    { path, flags }: Runner,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(path, [...flags, ...args], env);
    server.#url = `http://127.0.0.1:${await server.#number()}`;
    return server;
  }

  /** Starts one that listens where it was told to. */
  static async command(url: string, command: string, args: readonly string[]): Promise<ServerProcess> {
    const server = new ServerProcess(command, args, {});
    server.#url = url;
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        await (await fetch(url)).body?.cancel();
        return server;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    throw new Error(`${command} does not listen at ${url}`);
  }

  get url(): string {
    return this.#url;
  }

  /** Nanoseconds of CPU so far. */
  get cpu(): number {
    return cpuOf(this.#process.pid);
  }

  /** The number that it answers a line with: what that counts is the program's to say. */
  async ask(line = ""): Promise<number> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.#number();
  }

  async #number(): Promise<number> {
    const { value = "", done } = await this.#output.read();
    if (done || !/^\d+\s*$/.test(value)) throw new Error(`the server printed ${JSON.stringify(value)}`);
    return Number(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#output.cancel();
    await this.#input.abort();
    await this.#process.status;
  }
}
