/** One reader over loopback, in a process of its own: CPU time a change, and the most memory it held. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { readers } from "./readers.ts";
import { TOTAL } from "./rows.ts";

const [url = "", name = ""] = process.argv.slice(2);
const read = readers[name];
if (read === undefined) throw new RangeError(`There is no reader ${name}`);
const fetch = (url: string, init: RequestInit): Promise<Response> => globalThis.fetch(url, init);
const before = process.cpuUsage();
await read(url, fetch);
const { user, system } = process.cpuUsage(before);
// The kernel's own account of the peak; no runtime's API has it on all three.
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "latin1"))?.[1]);
console.log(JSON.stringify({ cpu: (user + system) * 1e3 / TOTAL, peak: peak / 1024 }));
process.exit(0);
