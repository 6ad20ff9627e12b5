/**
 * A consumer that takes 2 ms a change, for 5 s: how much is taken from the network ahead of it, and how the process
 * grows. Then a feed that waits: how soon the socket is closed.
 */
import process from "node:process";
import { changes } from "../../src/couchdb/changes.ts";

const [url = "", what = ""] = process.argv.slice(2);

/** Milliseconds of the trial. */
const TRIAL = 5_000;

async function slow(): Promise<void> {
  let received = 0;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await globalThis.fetch(url, init);
    if (!url.includes("continuous")) return response;
    const reader = response.body!.getReader();
    // Counts what the feed has asked for, and asks for nothing itself.
    const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const { value, done } = await reader.read();
        if (done) return controller.close();
        for (const byte of value) if (byte === 10) received++;
        controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: () => reader.cancel(),
    }, { highWaterMark: 0 });
    return new Response(counted);
  };
  let taken = 0;
  let first: number | undefined;
  let most = 0;
  let backlog = 0;
  const start = performance.now();
  for await (const _ of changes(url, { since: "1-x", fetch })) {
    taken++;
    backlog = Math.max(backlog, received - taken);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const { rss } = process.memoryUsage();
    // What precedes is the runtime's own warming up.
    if (taken === 100) first = rss;
    if (taken > 100) most = Math.max(most, rss);
    if (performance.now() - start > TRIAL) break;
  }
  console.log(JSON.stringify({ taken, backlog, growth: (most - (first ?? NaN)) / 2 ** 20 }));
}

/** Prints when the feed was told to stop; the server prints when its socket was closed. */
async function idle(): Promise<void> {
  const feed = changes(url, { since: "idle" });
  const batches = feed.batches();
  await batches.next();
  const next = batches.next();
  await new Promise((resolve) => setTimeout(resolve, 500));
  console.log(`stopped ${performance.timeOrigin + performance.now()}`);
  await batches.return?.();
  await next;
  // Closing must not depend on the process going away.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
}

await (what === "slow" ? slow() : idle());
process.exit(0);
