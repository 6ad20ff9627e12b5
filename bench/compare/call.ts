/**
 * Requests to the site of a checkout without a socket, in a process of its own: `call.ts CHECKOUT CASE PAGES` prints 0
 * once it is warm, and then for each line on standard input the nanoseconds of CPU that as many calls took as {@linkcode CALLS} says.
 *
 * @module
 */
import process from "node:process";
import { openSite, PLAIN } from "./site.ts";

/** What is asked for. */
export type Case = "hit" | "miss" | "undeclared";

/** Calls of one slice: some 10 to 30 ms, so that there are many slices. */
export const CALLS: Readonly<Record<Case, number>> = { hit: 4_000, miss: 500, undeclared: 2_000 };

/** Slices before the first that counts. */
const WARM_UP = 30;

const ORIGIN = "http://localhost";

/** Numbers below `count` for ever, each as often as any other, in an order that no cache foresees. */
function* walk(count: number): Generator<number> {
  // A step that has no factor in common with the count reaches every number.
  let step = Math.floor(count * 0.618) | 1;
  while (commonDivisor(step, count) !== 1) step += 2;
  for (let at = 0;; at = (at + step) % count) yield at;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

async function run(checkout: string, name: Case, pages: number): Promise<void> {
  const { handler, registry } = await openSite(checkout, false);
  const tags: string[] = [];
  for (let page = 0; page < pages; page++) {
    const response = await handler(new Request(`${ORIGIN}/posts/${page}`));
    tags.push(response.headers.get("etag")!);
  }
  if (registry.size !== pages) throw new Error(`${registry.size} entries of ${pages} pages`);
  const requestFor: Readonly<Record<Case, (page: number) => Request>> = {
    hit: (page) => new Request(`${ORIGIN}/posts/${page}`, { headers: { "if-none-match": tags[page]! } }),
    // Unconditional: the handler runs, and its response takes the place of the entry.
    miss: (page) => new Request(`${ORIGIN}/posts/${page}`),
    undeclared: (page) => new Request(`${ORIGIN}${PLAIN}${page}`),
  };
  const expected = name === "hit" ? 304 : 200;
  const calls = CALLS[name];
  const order = walk(pages);

  async function slice(): Promise<number> {
    const requests = Array.from({ length: calls }, () => requestFor[name](order.next().value!));
    const later: Promise<Response>[] = [];
    let answered = 0;
    const before = process.cpuUsage();
    for (const request of requests) {
      const response = handler(request);
      if (response instanceof Promise) later.push(response);
      else if (response.status === expected) answered++;
    }
    for (const response of later) if ((await response).status === expected) answered++;
    const { user, system } = process.cpuUsage(before);
    if (answered !== calls) throw new Error(`${name}: ${answered} of ${calls} were answered ${expected}`);
    return (user + system) * 1000;
  }

  for (let round = 0; round < WARM_UP; round++) await slice();
  console.log(0);
  process.stdin.on("data", async () => console.log(await slice()));
  // The program that started this one is gone.
  process.stdin.on("end", () => process.exit());
}

if (import.meta.main) {
  const [checkout = "", name, pages] = process.argv.slice(2);
  await run(checkout, name as Case, Number(pages));
}
