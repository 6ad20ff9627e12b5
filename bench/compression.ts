/**
 * What compression costs inside of `withEtag`, outside of it, and in nginx in front: CPU a request of all processes of
 * the server, for pages that are sent and for those that the client has.
 *
 * @module
 */
import { startCompressing } from "./http/nginx.ts";
import { ServerProcess } from "./http/server.ts";
import { type Runner, runners } from "./runners.ts";
import { comparison, printTable, spread } from "./table.ts";
import { alternate } from "./windows.ts";

const SERVERS = { "Deno.serve": "Deno", "Bun.serve": "Bun", "@hono/node-server": "Node" };
const PLACES = ["nowhere", "inside", "outside", "nginx"] as const;
const PAGES = 100;
/** Requests of a window, and how many are under way at a time. */
const REQUESTS = 500;
const AT_ONCE = 8;

/** A site. */
interface Entrant {
  readonly origin: string;
  /** Whose CPU counts. */
  readonly processes: readonly ServerProcess[];
  /** By page. */
  readonly tags: readonly string[];
}

/** What may be taken alone. */
export const compressionServers: readonly string[] = Object.keys(SERVERS);

/** Starts the site that compresses at a place; undefined: that would be nginx, which is not installed. */
async function enter(
  stack: AsyncDisposableStack,
  runner: Runner,
  server: string,
  place: typeof PLACES[number],
): Promise<Entrant | undefined> {
  const args = ["bench/compression/serve.ts", server, place === "nginx" ? "nowhere" : place];
  const site = stack.use(await ServerProcess.start(runner, args));
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const proxy = place === "nginx" ? await startCompressing(folder, site) : undefined;
  if (proxy !== undefined) stack.use(proxy);
  else if (place === "nginx") return undefined;
  const origin = (proxy ?? site).url;
  const tags: string[] = [];
  for (let page = 0; page < PAGES; page++) {
    const { headers, body } = await fetch(`${origin}/${page}`, { headers: { "accept-encoding": "gzip" } });
    await body?.cancel();
    if (headers.has("content-encoding") !== (place !== "nowhere")) {
      throw new Error(`${place}: not as it should be`);
    }
    tags.push(headers.get("etag")!);
  }
  return { origin, tags, processes: proxy === undefined ? [site] : [site, proxy] };
}

/** Sends the requests of a window, with the tags where each is to be answered 304. */
async function ask({ origin, tags }: Entrant, status: 200 | 304): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let at = next++; at < REQUESTS; at = next++) {
      const page = at % PAGES;
      const condition = status === 304 ? { "if-none-match": tags[page]! } : {};
      const response = await fetch(`${origin}/${page}`, {
        headers: { "accept-encoding": "gzip", ...condition },
      });
      const { length } = await response.text();
      if (response.status !== status || length > 0 !== (status === 200)) {
        throw new Error(`page ${page} was answered ${response.status}, ${length} characters`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
}

function cpuOf({ processes }: Entrant): number {
  return processes.reduce((sum, { cpu }) => sum + cpu, 0);
}

async function measured(runner: Runner, server: string, rounds: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const entrants = new Map<string, Entrant>();
  for (const place of PLACES) {
    const entrant = await enter(stack, runner, server, place);
    if (entrant !== undefined) entrants.set(place, entrant);
  }
  const names = [...entrants.keys()];
  for (const status of [200, 304] as const) {
    const window = async (name: string): Promise<number> => {
      const entrant = entrants.get(name)!;
      const before = cpuOf(entrant);
      await ask(entrant, status);
      return (cpuOf(entrant) - before) / 1000 / REQUESTS;
    };
    await alternate(names, 2, window);
    const windows = await alternate(names, rounds, window);
    printTable(
      `Compressed where, ${status}, ${server} on ${runner.name} ${runner.version}: medians of ${rounds} windows (and quartiles)`,
      ["", "µs of CPU a request", "compared with", "figure"],
      names.map((name) => [
        name,
        spread(windows[name]!, 1),
        ...name === "inside" ? [] : comparison(windows, name, { with: "inside", as: "÷" }),
      ]),
    );
  }
}

/** Prints two tables a server, or those of the one named. */
export async function compression(quick: boolean, only?: string): Promise<void> {
  for (const [server, runtime] of Object.entries(SERVERS)) {
    if (only !== undefined && only !== server) continue;
    const [runner] = await runners(runtime) as [Runner];
    await measured(runner, server, quick ? 8 : 24);
  }
}
