/**
 * `deno task hostile`: feeds against servers that do everything at random for ten minutes, and in between behave. Fails if memory grows, if the server is asked more than five times a second, if the feed is not live again five
 * seconds after the server behaves, or if a change is missed.
 *
 * `deno task hostile 120 42` says for how many seconds, and the seed.
 *
 * @module
 */
import { changes } from "../src/couchdb/changes.ts";
import { HostileServer } from "../tests/hostile/hostile_server.ts";
import { Rate } from "../tests/hostile/rate.ts";
import { Random } from "../tests/simulation/random.ts";

const WINDOW = 10_000;
const MOST_IN_WINDOW = 50;
const LONGEST_RECOVERY = 5_000;
/** Of the heap after the first minute. */
const MOST_GROWTH = 1.1;
/** Milliseconds that the server misbehaves, and behaves, in turn. */
const HOSTILE = 20_000;
const GOOD = 6_000;
/** Milliseconds after which memory is measured. */
const MEMORY_FROM = 60_000;
const FOLLOWERS = 8;

declare const gc: () => void;

/** Bytes of the heap that are in use, after a collection. */
function heap(): number {
  gc();
  return Deno.memoryUsage().heapUsed;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What came of one follower. */
interface Outcome {
  readonly requests: number;
  /** The most requests in one window. */
  readonly most: number;
  readonly done: Readonly<Record<string, number>>;
  readonly recoveries: readonly number[];
  readonly missed: number;
  /** The fault that has ended the feed. */
  readonly ended: unknown;
}

async function follow(feed: "continuous" | "longpoll", random: Random, end: number): Promise<Outcome> {
  const rate = new Rate(WINDOW);
  let requests = 0;
  const server = await HostileServer.start(random, () => {
    requests++;
    rate.note(performance.now());
  });
  const known = new Set<string>();
  let isLive = false;
  let ended: unknown;
  const controller = new AbortController();
  const batches = changes(server.url, { since: 0, feed, heartbeat: 2_000, signal: controller.signal })
    .batches();
  const reading = (async () => {
    for await (const { state, changes } of batches) {
      isLive = state === "live";
      for (const { id } of changes) if (id.startsWith("doc-")) known.add(id);
    }
  })().catch((error) => ended = error);
  const recoveries: number[] = [];
  let missed = 0;
  /** From when the server behaves until the feed is live and has brought what was written meanwhile. */
  const recover = async () => {
    const newest = `doc-${++server.database.changes}`;
    server.behaves = true;
    server.hangUp();
    isLive = false;
    const began = performance.now();
    const isBack = () => (isLive && known.has(newest)) || performance.now() - began > 60_000;
    while (!isBack() && ended === undefined) await wait(20);
    recoveries.push(performance.now() - began);
    for (let n = 1; n <= server.database.changes; n++) if (!known.has(`doc-${n}`)) missed++;
  };
  await recover();
  while (performance.now() < end && ended === undefined) {
    server.behaves = false;
    await wait(HOSTILE);
    await recover();
    await wait(GOOD);
  }
  const before = ended;
  controller.abort();
  await reading;
  await server.close();
  return { requests, most: rate.most, done: server.done, recoveries, missed, ended: before };
}

async function main(
  [seconds = "600", seed = String(Math.floor(Math.random() * 2 ** 31))]: readonly string[],
): Promise<number> {
  console.log(`${seconds} s, seed ${seed}, ${FOLLOWERS} followers, each of a server of its own`);
  const random = new Random(Number(seed));
  const start = performance.now();
  const end = start + Number(seconds) * 1_000;
  const following = Array.from(
    { length: FOLLOWERS },
    (_, n) => follow(n % 2 === 0 ? "continuous" : "longpoll", new Random(random.seed()), end),
  );
  const heaps: number[] = [];
  while (performance.now() < end) {
    await wait(10_000);
    if (performance.now() - start >= MEMORY_FROM) heaps.push(heap());
  }
  const outcomes = await Promise.all(following);
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const most = Math.max(...outcomes.map((outcome) => outcome.most));
  const kinds = Object.keys(outcomes[0]!.done).map((kind) => sum(({ done }) => done[kind] ?? 0));
  const recoveries = outcomes.flatMap(({ recoveries }) => recoveries);
  const slow = recoveries.filter((ms) => ms > LONGEST_RECOVERY).length;
  const growth = (heaps.at(-1) ?? 0) / (heaps[0] ?? 1);
  console.log(`${sum(({ requests }) => requests)} requests, at most ${most} of one follower in ten seconds`);
  console.log(`${kinds.length} kinds of misdeeds, each ${Math.min(...kinds)} times at least`);
  console.log(
    `${recoveries.length} times live again, after ${(Math.max(...recoveries) / 1_000).toFixed(1)} s at most`,
  );
  console.log(
    `heap ${((heaps.at(-1) ?? 0) / 1e6).toFixed(1)} MB, ${
      growth.toFixed(2)
    } times that after the first minute`,
  );
  const found = [
    ...outcomes.flatMap(({ ended }) => ended === undefined ? [] : [`a feed ended: ${ended}`]),
    ...(most > MOST_IN_WINDOW ? ["too many requests"] : []),
    ...(slow > 0 ? [`${slow} recoveries took longer than five seconds`] : []),
    ...(sum(({ missed }) => missed) > 0 ? ["changes were missed"] : []),
    ...(growth > MOST_GROWTH ? ["memory has grown"] : []),
  ];
  console.log(found.length === 0 ? "0 wrong" : `NOT CLEAN: ${found.join("; ")}`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
