/** Runs many seeds, and adds up what they met. */
import { FAULTS, POLLED_ACTIONS, SNAPSHOT_ACTION, TABLE_ACTIONS } from "./plan.ts";
import { runSeed } from "./simulation.ts";

/** What a number of runs met; plain data, so that processes can send it to each other. */
export interface Tally {
  seeds: number;
  steps: number;
  requests: number;
  hits: number;
  counts: Record<string, number>;
  stats: Record<string, number>;
  /** The seed that failed, what was wrong and the step. */
  failures: { seed: number; message: string; step: number }[];
}

/** Kinds of trouble that are not done but happen. */
const HAPPEN = ["groups threw", "stale read", "rows coalesced", "kept document", "shared headers"];

/** Every kind of fault that is counted. */
export const faultKinds: readonly string[] = [
  ...new Set([
    ...FAULTS.filter((name) => name !== "groups throw"),
    ...TABLE_ACTIONS,
    ...POLLED_ACTIONS,
    SNAPSHOT_ACTION,
    ...HAPPEN,
    "evicted",
    "overflow",
  ]),
];

export function emptyTally(): Tally {
  return { seeds: 0, steps: 0, requests: 0, hits: 0, counts: {}, stats: {}, failures: [] };
}

function addTo(sums: Record<string, number>, more: Iterable<readonly [string, number]>): void {
  for (const [name, count] of more) sums[name] = (sums[name] ?? 0) + count;
}

/** Adds one tally to another. */
export function add(sum: Tally, more: Tally): void {
  sum.seeds += more.seeds;
  sum.steps += more.steps;
  sum.requests += more.requests;
  sum.hits += more.hits;
  addTo(sum.counts, Object.entries(more.counts));
  addTo(sum.stats, Object.entries(more.stats));
  sum.failures.push(...more.failures);
}

/** How often a kind of fault was met. */
export function met({ counts, stats }: Tally, kind: string): number {
  return counts[kind] ?? stats[kind] ?? 0;
}

/** Runs one seed more. */
export async function soakSeed(sum: Tally, seed: number): Promise<void> {
  const { steps, requests, hits, counts, stats, violation } = await runSeed(seed);
  const failures = violation === undefined ? [] : [{ seed, message: violation.message, step: steps }];
  add(sum, {
    ...{ seeds: 1, steps, requests, hits, failures },
    counts: Object.fromEntries(counts),
    stats: Object.fromEntries(stats),
  });
}
