/**
 * A feed into a registry with 10^6 groups, half of its changes of groups in use: CPU time a change against a bare loop
 * of `split` and `JSON.parse` over the same bytes; and how late a request every other millisecond gets its turn.
 *
 * `deno run -A bench/registry/feed.ts`, `bun bench/registry/feed.ts`, `node --expose-gc bench/registry/feed.ts`; an
 * argument is the number of groups. A second one is the URL that `bench/feed/server.ts` has printed: then the flood
 * comes through a socket, and only lateness is measured.
 *
 * @module
 */
import process from "node:process";
import { changes } from "../../src/couchdb/changes.ts";
import { follow } from "../../src/registry/follow.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { EMPTY_PAGE, INFORMATION, TOTAL } from "../feed/rows.ts";
import { add, fresh, line, mixes, NO_FIELDS, quartiles, runtime, shuffled, url } from "./support.ts";
import { coreOf } from "../../src/registry/core.ts";

const GROUPS = Number(process.argv[2] ?? 1_000_000);
const ROWS = 100_000;
const SERVER = process.argv[3];
const PIECE = 65_536;
const PACKED =
  "g1AAAAB5eJzLYWBgYMpgTmEQTM4vTc5ISXIwNDLXMwBCwxyQVCJDUv3___-zMpgTmXKBAuzGyUlmlskW2DTgMSaPBUgyNACp_yDT";

const document = (n: number): string => `post-${n.toString(16).padStart(8, "0")}`;

function* rows(): Generator<string> {
  let n = 0;
  for (const id of shuffled(2 * GROUPS)) {
    if (n++ === ROWS) return;
    const rev = `${1 + n % 12}-dcaf7822f26d21ce1d1a2c54${n.toString(16).padStart(8, "0")}`;
    yield `{"seq":"${n}-${PACKED}EhmyAFrd","id":"${document(id)}","changes":[{"rev":"${rev}"}]}\n`;
  }
}
const bytes = new TextEncoder().encode([...rows()].join(""));
const pieces: Uint8Array<ArrayBuffer>[] = [];
for (let at = 0; at < bytes.length; at += PIECE) pieces.push(bytes.subarray(at, at + PIECE));

/** A body that goes on for ever: the rows, as often as asked for. */
class Body {
  #left = 0;
  #next = 0;
  #wake = (): void => {};
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> = new ReadableStream({
    pull: async (controller) => {
      while (this.#left === 0) await new Promise<void>((resolve) => this.#wake = resolve);
      this.#left--;
      controller.enqueue(pieces[this.#next++ % pieces.length]!);
    },
  }, { highWaterMark: 0 });

  send(times: number): void {
    this.#left += times * pieces.length;
    this.#wake();
  }
}

/** Split and parse, and look at every id. */
async function bare(): Promise<number> {
  const body = new Body();
  body.send(1);
  const reader = body.stream.pipeThrough(new TextDecoderStream()).getReader();
  let tail = "";
  let count = 0;
  let sum = 0;
  while (count < ROWS) {
    const { value } = await reader.read();
    const lines = (tail + value).split("\n");
    tail = lines.pop() ?? "";
    for (const text of lines) {
      sum += JSON.parse(text).id.length;
      count++;
    }
  }
  await reader.cancel();
  return sum;
}

const body = new Body();
let openGate = (): void => {};
const gate = new Promise<void>((resolve) => openGate = resolve);
/** From memory; or from the server, once the gate is open. */
const feed = changes(SERVER ?? "http://localhost/db", {
  since: "1-x",
  // Until the gate opens there is none, and that is no fault.
  heartbeat: 3_600_000,
  fetch: async (url, init) => {
    const continuous = url.includes("continuous");
    if (SERVER !== undefined) {
      if (continuous) await gate;
      return await fetch(url, init);
    }
    if (!url.includes("_changes")) return new Response(INFORMATION);
    return new Response(continuous ? body.stream : EMPTY_PAGE);
  },
});
let count = 0;
let sum = 0;
let wanted = 0;
let reached = (): void => {};
const none: string[] = [];
const registry = new EtagRegistry({ manual: true, maxEntries: 1e8, maxBytes: 1e11 });
const follower = follow(registry, feed, {
  maxLag: 3_600_000,
  groups: ({ id }) => {
    sum += id.length;
    if (++count === wanted) reached();
    return none;
  },
});
await follower.ready;
for (let page = 0; page < GROUPS / 3; page++) {
  const groups = [3 * page, 3 * page + 1, 3 * page + 2].map((n) => fresh(document(n))) as [
    string,
    string,
    string,
  ];
  add(registry, page, { ...mixes.own, groups: () => groups }, '"1"');
}

/** Resolves once so many rows have been applied, and gives the characters of their ids. */
async function followed(rows: number, send: () => void): Promise<number> {
  sum = 0;
  wanted = count + rows;
  const done = new Promise<void>((resolve) => reached = resolve);
  send();
  await done;
  return sum;
}

/** ms that a request every other millisecond comes late, sorted. */
async function lateness(until: () => boolean): Promise<number[]> {
  const late: number[] = [];
  while (!until()) {
    const due = performance.now() + 2;
    await new Promise((resolve) => setTimeout(resolve, 2));
    coreOf(registry).lookup(url(late.length), NO_FIELDS);
    late.push(performance.now() - due);
  }
  return late.sort((a, b) => a - b);
}

async function cpu(run: () => Promise<number>): Promise<readonly [number, number]> {
  const before = process.cpuUsage();
  const sum = await run();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) * 1e3 / ROWS, sum];
}

console.log(`${runtime}: a feed into a registry with ${GROUPS} groups`);
if (SERVER === undefined) await throughput();

async function throughput(): Promise<void> {
  const figures: { bare: number[]; ours: number[]; ratio: number[] } = { bare: [], ours: [], ratio: [] };
  for (let round = -2; round < 5; round++) {
    const [theirs, sum] = await cpu(bare);
    const [ours, same] = await cpu(() => followed(ROWS, () => body.send(1)));
    if (same !== sum) throw new Error(`${same} characters of ids, not ${sum}`);
    if (round < 0) continue;
    figures.bare.push(theirs);
    figures.ours.push(ours);
    figures.ratio.push(theirs / ours);
  }
  for (const [name, values] of Object.entries({ "bare loop": figures.bare, "followed": figures.ours })) {
    const [middle, low, high] = quartiles(values);
    line(`${name}, CPU a change`, `${middle.toFixed(0)} ns`, `(${low.toFixed(0)}–${high.toFixed(0)})`);
  }
  const [ratio, low, high] = quartiles(figures.ratio);
  line("changes/s ÷ bare loop", ratio.toFixed(2), `(${low.toFixed(2)}–${high.toFixed(2)}) ≥ 1.0`);
}

const p99 = (late: readonly number[]): number => late[Math.floor(0.99 * (late.length - 1))] ?? NaN;
const end = performance.now() + 3_000;
const idle = await lateness(() => performance.now() > end);
let over = false;
const flood = SERVER === undefined ? followed(4 * ROWS, () => body.send(4)) : followed(TOTAL, openGate);
void flood.then(() => over = true);
const busy = await lateness(() => over);
await flood;
await follower.close();
if (registry.stats.reset !== 1 || registry.size < GROUPS / 3) {
  throw new Error(`${registry.stats.reset} resets`);
}
line("p99 of a request's lateness, idle", `${p99(idle).toFixed(2)} ms`, `of ${idle.length}`);
line(
  "p99 of a request's lateness, in a flood",
  `${p99(busy).toFixed(2)} ms`,
  `of ${busy.length}, ≤ 2 × idle`,
);
