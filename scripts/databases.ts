/**
 * `deno task databases`: clients of PostgreSQL on each runtime, over a server of its own: the same changes are reported
 * through each of them. What came of it has to be what `docs/compatibility/postgres-clients.json` says. Then what the feed
 * costs the database and its writers. `--write` writes the tables; `clients` or `cost` takes that part alone.
 *
 * @module
 */
import { measureCost } from "../bench/postgres.ts";
import { printTable } from "../bench/table.ts";
import { clientsRun, type Runner } from "../tests/postgres/clients_run.ts";
import { programs, Server } from "../tests/postgres/server.ts";
import { record, type Row } from "./compatibility.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "./runtimes.ts";

const columns = ["version", "query", "listen", "Deno", "Bun", "Node"];

async function runClients(): Promise<string[]> {
  const runners: Runner[] = [
    { ...denoRuntime(), flags: ["run", "-A", "-q", "--no-check"] },
    { ...await bunRuntime(), flags: [] },
    { ...await nodeRuntime(24), flags: [] },
  ];
  const folder = await Deno.makeTempDir({ prefix: "clients-" });
  const server = await Server.start();
  const problems: string[] = [];
  let [runs, good] = [0, 0];
  try {
    const results = await clientsRun(server, folder, runners, (name, runtime, checked) => {
      runs++;
      if (checked.problems.length === 0) good++;
      console.log(`${name} on ${runtime}: ${checked.reported} of ${checked.of}`);
      problems.push(...checked.problems.map((problem) => `${name} on ${runtime}: ${problem}`));
    });
    const rows = results.map(({ client, version, checked }): Row => ({
      name: client.name,
      cells: {
        ...(version === undefined ? {} : { version }),
        query: `\`${client.query}\``,
        ...(client.listen === undefined ? {} : { listen: `\`${client.listen}\`` }),
        ...(client.runtimes.length === 0 ? { Deno: "not run" } : {}),
        ...Object.fromEntries(
          Array.from(checked, ([name, { reported, of }]) => [name, `${reported} of ${of}`]),
        ),
      },
    }));
    problems.push(...record("postgres-clients", { task: "databases", head: "client", columns, rows }));
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`clients: ${good} of ${runs} runs as they should be`);
  return problems;
}

async function runCost(): Promise<string[]> {
  const problems: string[] = [];
  for (const { name, head, columns, rows } of await measureCost()) {
    printTable(
      name,
      [head, ...columns],
      rows.map(({ name, cells }) => [name, ...columns.map((one) => cells[one]!)]),
    );
    problems.push(...record(name, { task: "databases", head, columns, measured: true, rows }));
  }
  return problems;
}

async function main(args: readonly string[]): Promise<number> {
  if (programs === undefined) {
    console.log("NOT RUN: no PostgreSQL; apt-get install postgresql");
    return 0;
  }
  const [only] = args.filter((arg) => arg !== "--write");
  const problems = [
    ...(only === "cost" ? [] : await runClients()),
    ...(only === "clients" ? [] : await runCost()),
  ];
  for (const problem of problems) console.log(problem);
  console.log(`databases: ${problems.length} problems`);
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
