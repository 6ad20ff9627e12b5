/** A server program in a folder of its own, on a free port of the loopback interface. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One that runs. */
export interface ServerProgram {
  readonly origin: string;
  /** Ends it, and takes its folder away. */
  close(): Promise<void>;
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((closed) => server.close(() => closed()));
  return port;
}

/**
 * Starts one; it answers when this resolves.
 *
 * @param configuration The text of its configuration, for its folder and port.
 * @param args Its arguments, for its folder, the file of its configuration and its port.
 * @param answers Rejects until it answers; default: any answer by HTTP.
 */
export async function startProgram(
  program: string,
  configuration: (folder: string, port: number) => string,
  args: (folder: string, file: string, port: number) => readonly string[],
  answers: (port: number) => Promise<unknown> = answersHttp,
): Promise<ServerProgram> {
  const folder = mkdtempSync(join(tmpdir(), "server-"));
  // Started as root it reads it as another user.
  chmodSync(folder, 0o755);
  const port = await freePort();
  const file = join(folder, "server.conf");
  writeFileSync(file, configuration(folder, port));
  const child = spawn(program, args(folder, file, port), {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  let ended = false;
  child.stderr?.on("data", (chunk) => complaint += chunk);
  const end = new Promise<void>((resolve) => child.once("exit", () => resolve())).then(() =>
    void (ended = true)
  );
  const origin = `http://127.0.0.1:${port}`;
  const close = async () => {
    child.kill();
    await end;
    rmSync(folder, { recursive: true, force: true });
  };
  for (const limit = performance.now() + 30_000;;) {
    try {
      await answers(port);
      return { origin, close };
    } catch (cause) {
      if (ended || performance.now() > limit) {
        await close();
        throw new Error(`${program} does not answer: ${complaint}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function answersHttp(port: number): Promise<void> {
  await (await fetch(`http://127.0.0.1:${port}`)).body?.cancel();
}

/** Whether something takes connections at a port, for servers that do not speak HTTP. */
export async function answersTcp(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    }).once("error", reject);
  });
}
