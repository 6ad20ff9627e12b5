/** A PostgreSQL server of the test's own, on loopback, in a folder that goes with it. Deno only: `deno task postgres`. */
import { existsSync } from "node:fs";
import { freePort } from "../support/server_program.ts";

const folders = [
  "/usr/lib/postgresql/15/bin",
  "/usr/lib/postgresql/16/bin",
  "/usr/lib/postgresql/17/bin",
  "/usr/local/bin",
];

/** Where `initdb` and `pg_ctl` are; undefined: PostgreSQL is not installed. */
export const programs: string | undefined = folders.find((folder) => existsSync(`${folder}/initdb`));

/** One that runs. */
export class Server {
  readonly port: number;
  readonly #folder: string;
  readonly #user: { readonly uid?: number; readonly gid?: number };

  private constructor(port: number, folder: string, user: { readonly uid?: number; readonly gid?: number }) {
    this.port = port;
    this.#folder = folder;
    this.#user = user;
  }

  /** Starts one. Root may not: then it is the user `postgres` that does. */
  static async start(): Promise<Server> {
    const folder = await Deno.makeTempDir({ prefix: "postgres-" });
    const user = Deno.uid() === 0 ? { uid: await idOf("-u"), gid: await idOf("-g") } : {};
    if (user.uid !== undefined) await Deno.chown(folder, user.uid, user.gid!);
    const server = new Server(await freePort(), folder, user);
    await server.#run("initdb", ["-D", `${folder}/data`, "-A", "trust", "-U", "postgres", "-E", "UTF8"]);
    const settings = [
      `port = ${server.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${folder}'`,
      "max_prepared_transactions = 50",
      "max_connections = 120",
      // A crash undoes the commits of the last seconds, as a failover to a replica does that lost them.
      "synchronous_commit = off",
      "wal_writer_delay = 10s",
    ];
    await Deno.writeTextFile(`${folder}/data/postgresql.auto.conf`, settings.join("\n"));
    await server.#control("start");
    return server;
  }

  /** Ends it as a crash would, and starts it again. */
  async crash(): Promise<void> {
    await this.#control("restart", "-m", "immediate");
  }

  async stop(): Promise<void> {
    await this.#control("stop", "-m", "immediate");
    await Deno.remove(this.#folder, { recursive: true });
  }

  #control(deed: string, ...more: string[]): Promise<void> {
    return this.#run("pg_ctl", [
      "-D",
      `${this.#folder}/data`,
      "-w",
      "-l",
      `${this.#folder}/log`,
      deed,
      ...more,
    ]);
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command(`${programs}/${program}`, {
      args: [...args],
      cwd: this.#folder,
      stdout: "null",
      stderr: "piped",
      ...this.#user,
    }).output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  }
}

async function idOf(flag: string): Promise<number> {
  const { stdout } = await new Deno.Command("id", { args: [flag, "postgres"] }).output();
  return Number(new TextDecoder().decode(stdout));
}
