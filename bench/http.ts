/**
 * Hits over loopback HTTP: CPU of the server process a request, next to a server that always answers 304, to one that
 * only reads the request before it does, and to the ways of others to say that nothing has changed.
 *
 * @module
 */
import { type Entrant, race } from "./http/lane.ts";
import { chooseLoad, type Load } from "./http/load.ts";
import { startNginx } from "./http/nginx.ts";
import { ServerProcess } from "./http/server.ts";
import { type Runner, runners } from "./runners.ts";
import { atLeast, atMost, type Comparison, comparison, printTable, spread } from "./table.ts";
import { quartiles } from "./windows.ts";

const OURS = "Stillfresh";
const READING = "only reads, then 304";
const CONSTANT = "constant 304";
const LEAST = "least by hand";

/** What a table calls them, and the name under which `http/serve.ts` knows them. */
const FLOOR = { [CONSTANT]: "constant", [READING]: "reading", [LEAST]: "least", [OURS]: "stillfresh" };
const PEERS = {
  "Hono etag": "hono",
  "etag + fresh": "etag-fresh",
  "SHA-256, as @std/http": "std",
  "h3 handleCacheHeaders": "h3",
  "ocache, after Nitro": "ocache",
};

interface Lane {
  readonly server: string;
  readonly runtime: string;
  readonly peers: Readonly<Record<string, string>>;
  /** For ours ÷ the constant 304. */
  readonly bound: number;
}

const LANES: readonly Lane[] = [
  { server: "Deno.serve", runtime: "Deno", peers: PEERS, bound: 1.15 },
  { server: "Bun.serve", runtime: "Bun", peers: PEERS, bound: 1.15 },
  { server: "@hono/node-server", runtime: "Node", peers: { ...PEERS, "Express": "express" }, bound: 1.08 },
  { server: "srvx", runtime: "Node", peers: {}, bound: 1.08 },
];

/** What may be taken alone. */
export const httpServers: readonly string[] = LANES.map(({ server }) => server);

async function measured(
  { server, runtime, peers, bound }: Lane,
  load: Load,
  quick: boolean,
): Promise<void> {
  const [runner] = await runners(runtime) as [Runner];
  await using stack = new AsyncDisposableStack();
  const entrants: Entrant[] = [];
  for (const [name, contestant] of Object.entries({ ...FLOOR, ...peers })) {
    const process = await ServerProcess.start(runner, ["bench/http/serve.ts", server, contestant]);
    stack.use(process);
    const makes = !["constant", "reading", "least", "stillfresh", "h3", "ocache"].includes(contestant);
    entrants.push({ name, server: process, every: name in FLOOR ? 1 : 3, answers: 304, makes });
  }
  if (server === "Deno.serve") {
    const folder = await Deno.makeTempDir();
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const nginx = await startNginx(folder);
    if (nginx === undefined) console.log("nginx is not installed: left out");
    else {
      stack.use(nginx);
      entrants.push({ name: "nginx, static files", server: nginx, every: 3, answers: 304 });
    }
  }
  const rounds = quick ? 3 : 9;
  const { cpu, speed } = await race(entrants, load, rounds);
  const row = (name: string, compared?: Comparison): string[] => [
    name,
    spread(cpu[name]!, 2),
    quartiles(speed[name]!)[0].toFixed(0),
    ...compared === undefined ? [] : comparison(cpu, name, compared),
  ];
  const toOurs = (name: string): Comparison => ({
    with: OURS,
    as: "÷",
    target: name === "Hono etag" ? atLeast(5) : undefined,
  });
  printTable(
    `Over HTTP, ${server} on ${runner.name} ${runner.version}: medians of up to ${rounds} windows (and quartiles)`,
    ["", "µs of CPU a request", "requests/s", "compared with", "figure", "target"],
    [
      row(CONSTANT),
      row(READING, { with: CONSTANT, as: "÷" }),
      row(LEAST, { with: READING, as: "÷" }),
      row(OURS, { with: READING, as: "÷", target: atMost(1.06) }),
      ["", "", "", ...comparison(cpu, OURS, { with: CONSTANT, as: "÷", target: atMost(bound) })],
      ...entrants.map(({ name }) => name).filter((name) => !(name in FLOOR)).map((name) =>
        row(name, toOurs(name))
      ),
    ],
  );
}

/** Prints one table a server, or that of the one named. */
export async function overHttp(quick: boolean, only?: string): Promise<void> {
  const [node] = await runners("Node") as [Runner];
  const load = await chooseLoad(node);
  for (const lane of LANES) if (only === undefined || lane.server === only) await measured(lane, load, quick);
}
