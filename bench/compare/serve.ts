/**
 * The site of a checkout behind a server, in a process of its own: `serve.ts SERVER CHECKOUT` prints its port, and
 * answers each line on standard input with a number: `size` with that of the entries, `hits` and `runs` with how often the
 * registry answered and the handler ran, `end` with the picoseconds of CPU that a hit took since `begin`, 0 where
 * there was none.
 *
 * @module
 */
import process from "node:process";
import { servers } from "../http/listen.ts";
import { openSite } from "./site.ts";

const [server = "", checkout = ""] = process.argv.slice(2);
const { handler, registry, runs } = await openSite(checkout, true);
let [cpuBefore, hitsBefore] = [0, 0];

/** Microseconds of CPU that all threads have taken, those that have ended included. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const answers: Readonly<Record<string, () => number>> = {
  size: () => registry.size,
  hits: () => registry.stats.hit,
  runs,
  begin: () => {
    [cpuBefore, hitsBefore] = [cpu(), registry.stats.hit];
    return 0;
  },
  end: () => {
    const hits = registry.stats.hit - hitsBefore;
    return hits === 0 ? 0 : Math.round((cpu() - cpuBefore) * 1_000_000 / hits);
  },
};
console.log(await servers[server]!(handler));
process.stdin.on("data", (line) => console.log(answers[String(line).trim()]!()));
// The program that started this one is gone.
process.stdin.on("end", () => process.exit());
