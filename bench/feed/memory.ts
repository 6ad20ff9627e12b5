/**
 * Throughput from a body that is already in memory: windows of all readers in turn, in one process. CPU time, which
 * other processes of the machine disturb less than they do the clock on the wall.
 */
import process from "node:process";
import { EMPTY_PAGE, INFORMATION, pieces, TOTAL } from "./rows.ts";
import { readers } from "./readers.ts";
import { print } from "./statistics.ts";

const WINDOWS = 9;
const body = pieces(65_536);

/** Answers from memory; a body goes on for ever once its rows have been sent. */
const fetch = (url: string): Promise<Response> => {
  if (!url.includes("_changes")) return Promise.resolve(new Response(INFORMATION));
  if (!url.includes("continuous")) return Promise.resolve(new Response(EMPTY_PAGE));
  let next = 0;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: async (controller) => {
      const piece = body[next++];
      if (piece === undefined) await new Promise(() => {});
      else controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
  return Promise.resolve(new Response(stream));
};

const windows: Record<string, number[]> = {};
let expected: number | undefined;
for (let round = -2; round < WINDOWS; round++) {
  for (const [name, read] of Object.entries(readers)) {
    const before = process.cpuUsage();
    const sum = await read("http://127.0.0.1/db", fetch);
    const { user, system } = process.cpuUsage(before);
    const ns = (user + system) * 1e3 / TOTAL;
    expected ??= sum;
    if (sum !== expected) throw new Error(`${name} read ${sum} characters, not ${expected}`);
    if (round >= 0) (windows[name] ??= []).push(ns);
  }
}
print("from memory", "ns a change", windows);
