/** A MariaDB server of the test's own, on loopback, in a folder that goes with it. Deno only: `deno task mysql`. */
import { existsSync } from "node:fs";
import { freePort } from "../support/server_program.ts";

const folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"];

function find(program: string): string | undefined {
  return folders.map((folder) => `${folder}/${program}`).find((path) => existsSync(path));
}

/** The server and what makes its folder; undefined: MariaDB is not installed. */
export const programs: { readonly server: string; readonly install: string } | undefined = (() => {
  const [server, install] = [find("mariadbd"), find("mariadb-install-db")];
  return server === undefined || install === undefined ? undefined : { server, install };
})();

/** ms between two attempts to reach a server that starts, and how many there are. */
const [REST, ATTEMPTS] = [50, 600];

/** One that runs. */
export class Server {
  readonly port: number;
  /** Its data, and files that statements write and load. */
  readonly folder: string;
  readonly #options: readonly string[];
  #process: Deno.ChildProcess | undefined;

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  /** Starts one. Root may not: then it is the user `mysql` that it runs as. */
  static async start(options: readonly string[] = []): Promise<Server> {
    const folder = await Deno.makeTempDir({ prefix: "mariadb-" });
    const user = Deno.uid() === 0 ? ["--user=mysql"] : [];
    if (Deno.uid() === 0) await new Deno.Command("chown", { args: ["mysql", folder] }).output();
    const { success, stdout, stderr } = await new Deno.Command(programs!.install, {
      args: [
        "--no-defaults",
        ...user,
        `--datadir=${folder}/data`,
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
      ],
      cwd: folder,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    const server = new Server(await freePort(), folder, [...user, ...options]);
    await server.#run();
    return server;
  }

  async #run(): Promise<void> {
    this.#process = new Deno.Command(programs!.server, {
      args: [
        "--no-defaults",
        `--datadir=${this.folder}/data`,
        `--port=${this.port}`,
        "--bind-address=127.0.0.1",
        `--socket=${this.folder}/socket`,
        `--log-error=${this.folder}/log`,
        `--pid-file=${this.folder}/pid`,
        // A temporary table of another server may have the same name.
        `--tmpdir=${this.folder}`,
        "--max-connections=200",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=32M",
        "--skip-name-resolve",
        `--secure-file-priv=${this.folder}`,
        ...this.#options,
      ],
      cwd: this.folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        const greeting = await connection.read(new Uint8Array(100));
        connection.close();
        if (greeting !== null) return;
      } catch {
        // Not yet.
      }
      await new Promise((resolve) => setTimeout(resolve, REST));
    }
    throw new Error(`The server does not answer:\n${await Deno.readTextFile(`${this.folder}/log`)}`);
  }

  /** Ends it as a crash would, and starts it again. */
  async crash(): Promise<void> {
    await this.#kill();
    await this.#run();
  }

  async stop(): Promise<void> {
    await this.#kill();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
  }
}
