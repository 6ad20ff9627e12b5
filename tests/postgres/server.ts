/**
 * A PostgreSQL server of the test's own, on loopback, with a replica that takes its place when it fails; in folders that
 * go with it.
 */
import { execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../support/server_program.ts";

const folders = [
  "/usr/lib/postgresql/15/bin",
  "/usr/lib/postgresql/16/bin",
  "/usr/lib/postgresql/17/bin",
  "/usr/local/bin",
];

/** Where `initdb` and `pg_ctl` are; undefined: PostgreSQL is not installed. */
export const programs: string | undefined = folders.find((folder) => existsSync(`${folder}/initdb`));

/** PostgreSQL refuses to run as root: then it is the user that Debian has for it. */
const asUser: readonly string[] = process.getuid?.() === 0 ? ["runuser", "-u", "postgres", "--"] : [];

/** A data directory, and the port at which it is served. */
class Instance {
  readonly port: number;
  readonly #folder: string;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  /** In an empty folder. */
  static async create(): Promise<Instance> {
    const folder = mkdtempSync(join(tmpdir(), "postgres-"));
    if (asUser.length > 0) chownSync(folder, idOf("-u"), idOf("-g"));
    return new Instance(await freePort(), folder);
  }

  /** Settings that differ from the defaults; those that are written last count. */
  configure(settings: readonly string[]): void {
    const own = [
      ...settings,
      `port = ${this.port}`,
      "listen_addresses = '127.0.0.1'",
      `unix_socket_directories = '${this.#folder}'`,
    ];
    appendFileSync(`${this.data}/postgresql.auto.conf`, own.join("\n") + "\n");
  }

  async control(deed: string, ...more: string[]): Promise<void> {
    await this.run("pg_ctl", ["-D", this.data, "-w", "-l", `${this.#folder}/log`, deed, ...more]);
  }

  get data(): string {
    return `${this.#folder}/data`;
  }

  /** Runs a program of PostgreSQL, and gives what it writes. */
  run(program: string, args: readonly string[]): Promise<string> {
    const [command, ...rest] = [...asUser, `${programs}/${program}`, ...args];
    // The server that pg_ctl starts keeps what it is given.
    const stdout = program === "pg_ctl" ? "ignore" : "pipe";
    const child = spawn(command!, rest, { cwd: this.#folder, stdio: ["ignore", stdout, "pipe"] });
    let [said, complaint] = ["", ""];
    child.stdout?.on("data", (chunk) => said += chunk);
    child.stderr?.on("data", (chunk) => complaint += chunk);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once(
        "close",
        (code) => code === 0 ? resolve(said) : reject(new Error(`${program}: ${complaint}`)),
      );
    });
  }

  async remove(): Promise<void> {
    await this.control("stop", "-m", "immediate").catch(() => {});
    rmSync(this.#folder, { recursive: true });
  }
}

/** One that runs. */
export class Server {
  #primary: Instance;
  #replica: Promise<Instance> | undefined;

  private constructor(primary: Instance) {
    this.#primary = primary;
  }

  /**
   * Starts one. Root may not: then it is the user `postgres` that does.
   *
   * @param settings Lines of its configuration, besides those that every server of the tests needs.
   */
  static async start(settings: readonly string[] = []): Promise<Server> {
    const primary = await Instance.create();
    await primary.run("initdb", ["-D", primary.data, "-N", "-A", "trust", "-U", "postgres", "-E", "UTF8"]);
    primary.configure([
      "max_prepared_transactions = 50",
      "max_connections = 120",
      "wal_retrieve_retry_interval = 100ms",
      ...settings,
    ]);
    await primary.control("start");
    return new Server(primary);
  }

  /** CPU time of all its processes, in seconds; Linux only. */
  cpuTime(): number {
    const postmaster = Number(readFileSync(`${this.#primary.data}/postmaster.pid`, "utf8").split("\n")[0]);
    let ticks = 0;
    for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const path = `/proc/${name}/stat`;
      const stat = existsSync(path) ? readFileSync(path, "utf8") : "";
      // After the name of the program, which may hold spaces: state, parent, … utime, stime, and those of ended children.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
      if (fields[1] !== postmaster && Number(name) !== postmaster) continue;
      ticks += fields[11]! + fields[12]! + fields[13]! + fields[14]!;
    }
    return ticks / 100;
  }

  /** Runs a program of PostgreSQL that connects to it, and gives what it writes. */
  output(program: string, args: readonly string[], database = "postgres"): Promise<string> {
    const address = ["-h", "127.0.0.1", "-p", `${this.port}`, "-U", "postgres", database];
    return this.#primary.run(program, [...args, ...address]);
  }

  /** Of the server that is the primary now. */
  get port(): number {
    return this.#primary.port;
  }

  /** Makes roles that may do nothing, and have to give the password `right`. */
  async admit(roles: readonly string[]): Promise<void> {
    const path = `${this.#primary.data}/pg_hba.conf`;
    const rules = roles.map((role) => `host all ${role} 127.0.0.1/32 scram-sha-256\n`).join("");
    writeFileSync(path, rules + readFileSync(path, "utf8"));
    await this.#primary.control("reload");
    const statements = roles.map((role) => `create role ${role} login password 'right';`).join(" ");
    await this.output("psql", ["-q", "-c", statements]);
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
    replica.configure(["primary_conninfo = ''"]);
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
    const replica = await Instance.create();
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
    replica.configure([]);
    await replica.control("start");
    return replica;
  }
}

function idOf(flag: string): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}
