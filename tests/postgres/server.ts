/**
 * A PostgreSQL server of the test's own, on loopback, with a replica that takes its place when it fails; in folders that
 * go with it. Deno only: `deno task postgres`.
 */
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

/** The user as which PostgreSQL runs: it refuses to run as root. */
type User = { readonly uid?: number; readonly gid?: number };

/** A data directory, and the port at which it is served. */
class Instance {
  readonly port: number;
  readonly #folder: string;
  readonly #user: User;

  constructor(port: number, folder: string, user: User) {
    this.port = port;
    this.#folder = folder;
    this.#user = user;
  }

  /** Settings that differ from the defaults; those that are written last count. */
  async configure(settings: readonly string[]): Promise<void> {
    const own = [
      ...settings,
      `port = ${this.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${this.#folder}'`,
    ];
    await Deno.writeTextFile(`${this.#folder}/data/postgresql.auto.conf`, own.join("\n") + "\n", {
      append: true,
    });
  }

  control(deed: string, ...more: string[]): Promise<void> {
    return this.run("pg_ctl", ["-D", this.data, "-w", "-l", `${this.#folder}/log`, deed, ...more]);
  }

  get data(): string {
    return `${this.#folder}/data`;
  }

  async run(program: string, args: readonly string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command(`${programs}/${program}`, {
      args: [...args],
      cwd: this.#folder,
      stdout: "null",
      stderr: "piped",
      ...this.#user,
    }).output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  }

  async remove(): Promise<void> {
    await this.control("stop", "-m", "immediate").catch(() => {});
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** One that runs. */
export class Server {
  readonly #user: User;
  #primary: Instance;
  #replica: Promise<Instance> | undefined;

  private constructor(primary: Instance, user: User) {
    this.#primary = primary;
    this.#user = user;
  }

  /** Starts one. Root may not: then it is the user `postgres` that does. */
  static async start(): Promise<Server> {
    const user = Deno.uid() === 0 ? { uid: await idOf("-u"), gid: await idOf("-g") } : {};
    const primary = await instance(user);
    await primary.run("initdb", ["-D", primary.data, "-A", "trust", "-U", "postgres", "-E", "UTF8"]);
    await primary.configure([
      "max_prepared_transactions = 50",
      "max_connections = 120",
      // A crash undoes the commits of the last seconds.
      "synchronous_commit = off",
      "wal_writer_delay = 10s",
      "wal_retrieve_retry_interval = 100ms",
    ]);
    await primary.control("start");
    return new Server(primary, user);
  }

  /** Of the server that is the primary now. */
  get port(): number {
    return this.#primary.port;
  }

  /** Makes roles that may do nothing, and have to give the password `right`. */
  async admit(roles: readonly string[]): Promise<void> {
    const path = `${this.#primary.data}/pg_hba.conf`;
    const rules = roles.map((role) => `host all ${role} 127.0.0.1/32 scram-sha-256\n`).join("");
    await Deno.writeTextFile(path, rules + await Deno.readTextFile(path));
    await this.#primary.control("reload");
    const statements = roles.map((role) => `create role ${role} login password 'right';`).join(" ");
    await this.#primary.run("psql", [
      "-h",
      "127.0.0.1",
      "-p",
      `${this.port}`,
      "-U",
      "postgres",
      "-c",
      statements,
    ]);
  }

  /** Ends it as a crash would, and starts it again. */
  async crash(): Promise<void> {
    await this.#primary.control("restart", "-m", "immediate");
  }

  /** Makes a replica that follows asynchronously, unless there is one. */
  async replicate(): Promise<void> {
    await (this.#replica ??= this.#makeReplica());
  }

  /** From now on the replica, which has been made, gets no commits any more. */
  async cutReplica(): Promise<void> {
    const replica = await this.#replica!;
    await replica.configure(["primary_conninfo = ''"]);
    await replica.control("reload");
  }

  /** The primary is gone for good, and the replica takes its place, at another port. */
  async failOver(): Promise<void> {
    const replica = await this.#replica!;
    const lost = this.#primary;
    await lost.remove();
    await replica.control("promote");
    this.#primary = replica;
    this.#replica = undefined;
  }

  async stop(): Promise<void> {
    await this.#primary.remove();
    await (await this.#replica?.catch(() => undefined))?.remove();
  }

  async #makeReplica(): Promise<Instance> {
    const replica = await instance(this.#user);
    const primary = `host=127.0.0.1 port=${this.#primary.port} user=postgres`;
    await replica.run("pg_basebackup", [
      "-R",
      "-d",
      primary,
      "-D",
      replica.data,
      "-c",
      "fast",
      "-X",
      "stream",
    ]);
    await replica.configure([]);
    await replica.control("start");
    return replica;
  }
}

async function instance(user: User): Promise<Instance> {
  const folder = await Deno.makeTempDir({ prefix: "postgres-" });
  if (user.uid !== undefined) await Deno.chown(folder, user.uid, user.gid!);
  return new Instance(await freePort(), folder, user);
}

async function idOf(flag: string): Promise<number> {
  const { stdout } = await new Deno.Command("id", { args: [flag, "postgres"] }).output();
  return Number(new TextDecoder().decode(stdout));
}
