/**
 * One server in a process of its own: `serve.ts SERVER CONTESTANT` prints its port, and, for each line on standard
 * input, how many pages its handler has made.
 *
 * @module
 */
import { createServer } from "node:http";
import process from "node:process";
import { type Contestant, contestants, type Listener, listeners } from "./contestants.ts";
import { pageContestants } from "./database_page.ts";
import { listen, servers } from "./listen.ts";

let pages = 0;
const made = (): number => ++pages;

async function start(server: string, contestant: string): Promise<number> {
  const listener: ((made: () => void) => Promise<Listener>) | undefined = listeners[contestant];
  if (listener !== undefined && server === "@hono/node-server") {
    return await listen(createServer(await listener(made)));
  }
  const prepare: Contestant = { ...contestants, ...pageContestants }[contestant]!;
  return await servers[server]!(await prepare(made));
}

const [server = "", contestant = ""] = process.argv.slice(2);
console.log(await start(server, contestant));
process.stdin.on("data", () => console.log(pages));
// Whoever started this is gone.
process.stdin.on("end", () => process.exit());
