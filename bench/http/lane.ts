/**
 * Contestants behind the same server, each in a process of its own, under load in turn.
 *
 * @module
 */
import { withProgress } from "../../scripts/progress.ts";
import { alternate, type Windows } from "../windows.ts";
import type { Load } from "./load.ts";
import { CACHE_CONTROL, PAGES } from "./pages.ts";
import type { ServerProcess } from "./server.ts";

/** One of those who take turns. */
export interface Entrant {
  readonly name: string;
  readonly server: ServerProcess;
  /** Takes part in each round that this divides. */
  readonly every: number;
  /** Whether it answers a tag that matches 304, and what it makes of a page for that. */
  readonly answers: 200 | 304;
  /** Whether a page may be made for a hit; undefined: it cannot tell. */
  readonly makes?: boolean | undefined;
}

/** CPU and wall-clock figures. */
export interface Measured {
  /** Microseconds of the server's CPU a request. */
  readonly cpu: Windows;
  /** Requests a second. */
  readonly speed: Windows;
}

/** The current tag of every page, as lines for the load. */
async function tags({ name, server }: Entrant): Promise<string[]> {
  const lines: string[] = [];
  for (let from = 0; from < PAGES; from += 50) {
    lines.push(
      ...await Promise.all(Array.from({ length: 50 }, async (_, n) => {
        const path = `/posts/${from + n}`;
        const response = await fetch(server.url + path);
        await response.body?.cancel();
        const etag = response.headers.get("etag");
        if (etag === null && response.status !== 200) throw new Error(`${name}: no tag at ${path}`);
        return `${path} ${etag ?? '"none"'}`;
      })),
    );
  }
  return lines;
}

/** The answers of all are equal but for the tag, which is the one that was sent; what is not, ends it all. */
async function check({ name, server, answers, makes }: Entrant, line: string): Promise<void> {
  const [path = "", ...words] = line.split(" ");
  const etag = words.join(" ");
  const before = makes === undefined ? 0 : await server.ask();
  const response = await fetch(server.url + path, { headers: { "if-none-match": etag } });
  const body = await response.text();
  const made = makes === undefined ? 0 : await server.ask() - before;
  const { status, headers } = response;
  const got = [status, headers.get("etag"), headers.get("cache-control"), headers.get("vary"), made > 0];
  const wanted = [answers, answers === 304 ? etag : headers.get("etag"), CACHE_CONTROL, null, makes ?? false];
  if (String(got) !== String(wanted) || (body !== "") !== (answers === 200)) {
    throw new Error(`${name} answered ${got}, ${body.length} characters; not ${wanted}`);
  }
}

/** Checks each, warms it up, and measures. */
export async function race(
  entrants: readonly Entrant[],
  load: Load,
  rounds: number,
  seconds = 1,
): Promise<Measured> {
  const folder = await Deno.makeTempDir();
  try {
    const windows = entrants.reduce((sum, { every }) => sum + 1 + Math.ceil(rounds / every), 0);
    let done = 0;
    let asked = "";
    const byName = new Map(entrants.map((entrant) => [entrant.name, entrant]));
    const speed: Record<string, number[]> = {};
    const file = (name: string): string =>
      `${folder}/${entrants.findIndex((entrant) => entrant.name === name)}`;
    const window = async ({ name, server }: Entrant): Promise<number> => {
      done++;
      asked = name;
      const before = server.cpu;
      const { requests, seconds: passed } = await load(server.url, file(name), seconds);
      (speed[name] ??= []).push(requests / passed);
      return (server.cpu - before) / 1000 / requests;
    };
    const measure = async (): Promise<Windows> => {
      for (const entrant of entrants) {
        const lines = await tags(entrant);
        await Deno.writeTextFile(file(entrant.name), lines.join("\n") + "\n");
        for (const line of [lines[0]!, lines[PAGES - 1]!]) await check(entrant, line);
        await window(entrant);
        speed[entrant.name] = [];
      }
      return await alternate([...byName.keys()], rounds, (name, round) => {
        const entrant = byName.get(name)!;
        return round % entrant.every === 0 ? window(entrant) : NaN;
      });
    };
    const cpu = await withProgress("under load", measure, () => `window ${done} of ${windows}, ${asked}`);
    return { cpu, speed };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
