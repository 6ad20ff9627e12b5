/** Each client of PostgreSQL on each of its runtimes, over a server of its own. Deno only: `deno task databases`. */
import { type Checked, schema } from "./client_check.ts";
import { type Client, clients, programOf } from "./clients.ts";
import { connection } from "./connection.ts";
import type { Server } from "./server.ts";

/** A runtime, and the arguments before the program. */
export interface Runner {
  readonly name: "Deno" | "Bun" | "Node";
  readonly path: string;
  readonly flags: readonly string[];
}

/** What one client has shown. */
export interface ClientResult {
  readonly client: Client;
  readonly version: string | undefined;
  /** By the runtime's name. */
  readonly checked: ReadonlyMap<string, Checked>;
}

/** ms that one program may take. */
const LIMIT = 60_000;

/**
 * Runs them all.
 *
 * @param folder An empty one, outside of the repository: the packages are installed there.
 */
export async function clientsRun(
  server: Server,
  folder: string,
  runners: readonly Runner[],
  onDone: (name: string, runtime: string, checked: Checked) => void,
): Promise<ClientResult[]> {
  await server.admit(["site", "stranger"]);
  await install(folder);
  const results: ClientResult[] = [];
  for (const [n, client] of clients.entries()) {
    const program = `${folder}/client_${n}.mjs`;
    await Deno.writeTextFile(program, programOf(client, import.meta.resolve("./client_check.ts")));
    const checked = new Map<string, Checked>();
    for (const runner of runners.filter(({ name }) => client.runtimes.includes(name))) {
      const one = await runOne(server, folder, program, runner, !client.open.includes("schema"));
      checked.set(runner.name, one);
      onDone(client.name, runner.name, one);
    }
    results.push({ client, version: await versionOf(client, folder), checked });
  }
  return results;
}

async function install(folder: string): Promise<void> {
  const dependencies = Object.assign({}, ...clients.map(({ packages }) => packages));
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({ private: true, type: "module", dependencies }),
  );
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "-q"],
    cwd: folder,
  })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function versionOf({ packages }: Client, folder: string): Promise<string | undefined> {
  const [name] = Object.keys(packages);
  if (name === undefined) return undefined;
  return JSON.parse(await Deno.readTextFile(`${folder}/node_modules/${name}/package.json`)).version;
}

/** In a database of its own, because each writes the same rows. */
async function runOne(
  server: Server,
  folder: string,
  program: string,
  runner: Runner,
  isServed: boolean,
): Promise<Checked> {
  const execute = async (database: string, text: string) => {
    const admin = connection(server.port, database);
    await admin.connect();
    await admin.query(text).finally(() => admin.end());
  };
  await execute("postgres", "drop database if exists client with (force)");
  await execute("postgres", "create database client");
  await execute("client", `${schema} grant all on posts to site;`);
  const url = (user: string, password: string) =>
    `postgres://${user}:${password}@127.0.0.1:${server.port}/client`;
  const child = new Deno.Command(runner.path, {
    args: [...runner.flags, program],
    cwd: folder,
    env: {
      DATABASE_URL: url("site", "right"),
      // A database of its own has neither.
      ...(isServed ? { WRONG_URL: url("site", "wrong"), STRANGER_URL: url("stranger", "right") } : {}),
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  const { stdout, stderr } = await child.output();
  clearTimeout(timer);
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  try {
    return JSON.parse(said!.split("\n").at(-1)!);
  } catch {
    return { reported: 0, of: 0, problems: [`it did not end: ${complained!.slice(-500)}`] };
  }
}
