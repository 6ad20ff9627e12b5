/**
 * What a user gains: a page that costs a read from the database over HTTP and the rendering of 10 KB, asked for by
 * clients that have it already.
 *
 * @module
 */
import { type Entrant, race } from "./http/lane.ts";
import { chooseLoad, type Load } from "./http/load.ts";
import { ServerProcess } from "./http/server.ts";
import { type Runner, runners } from "./runners.ts";
import { atLeast, comparison, printTable, spread } from "./table.ts";
import { quartiles } from "./windows.ts";

const OURS = "Stillfresh";

/** What a table calls them, and what `http/serve.ts` does. */
const CONTESTANTS = [
  { name: "read, render, 200", contestant: "page", answers: 200, makes: true },
  { name: "read, compare, 304", contestant: "page-compared", answers: 304, makes: false },
  { name: OURS, contestant: "page-stillfresh", answers: 304, makes: false },
] as const;

async function measured(
  runner: Runner,
  server: string,
  database: ServerProcess,
  load: Load,
  quick: boolean,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const entrants: Entrant[] = [];
  for (const { name, contestant, answers, makes } of CONTESTANTS) {
    const args = ["bench/http/serve.ts", server, contestant];
    const process = await ServerProcess.start(runner, args, { DATABASE_URL: database.url });
    stack.use(process);
    entrants.push({ name, server: process, every: 1, answers, makes });
  }
  const rounds = quick ? 3 : 7;
  const { cpu, speed } = await race(entrants, load, rounds);
  printTable(
    `A page with a database read, ${server} on ${runner.name} ${runner.version}: medians of ${rounds} windows (and quartiles)`,
    ["", "µs of CPU a request", "requests/s", "compared with", "figure", "target"],
    CONTESTANTS.map(({ name, answers }) => [
      name,
      spread(cpu[name]!, 1),
      quartiles(speed[name]!)[0].toFixed(0),
      ...name === OURS ? [] : comparison(cpu, name, {
        with: OURS,
        as: "÷",
        target: answers === 200 ? atLeast(10) : undefined,
      }),
    ]),
  );
}

/** Which server each runtime is measured behind. */
const SERVERS = { "Deno.serve": "Deno", "Bun.serve": "Bun", "@hono/node-server": "Node" };

/** What may be taken alone. */
export const pageServers: readonly string[] = Object.keys(SERVERS);

/** Prints one table a server, or that of the one named. */
export async function pages(quick: boolean, only?: string): Promise<void> {
  const [node] = await runners("Node") as [Runner];
  const load = await chooseLoad(node);
  await using database = await ServerProcess.start(node, ["bench/http/database.ts"]);
  for (const [server, runtime] of Object.entries(SERVERS)) {
    if (only !== undefined && only !== server) continue;
    const [runner] = await runners(runtime) as [Runner];
    await measured(runner, server, database, load, quick);
  }
}
