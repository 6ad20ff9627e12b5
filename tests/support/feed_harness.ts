/** A feed on a scripted database, with clocks that stand still, and ways to wait for what it yields. */
import type { ChangeBatch, CouchChange } from "../../src/changes/change.ts";
import {
  changes,
  type ChangesOptions,
  type CouchChangesFeed,
  type Sleep,
} from "../../src/couchdb/changes.ts";
import { LEAST_WAIT } from "../../src/changes/back_off.ts";
import { FakeTime } from "./fake_time.ts";
import { type Behaviour, ScriptedCouchdb } from "./scripted_couchdb.ts";

/** The wait of a feed that has sent many requests at once, as it does on clocks that stand still. */
export const BUDGET = 400;

export type Batch = ChangeBatch<CouchChange>;

export interface Harness {
  readonly database: ScriptedCouchdb;
  readonly time: FakeTime;
  readonly open: (options?: ChangesOptions) => CouchChangesFeed;
}

/** Runs a test against a scripted database, and closes both. */
export async function withDatabase(
  test: (harness: Harness) => Promise<void>,
  behaviour?: Behaviour,
): Promise<void> {
  const database = await ScriptedCouchdb.start(behaviour);
  const time = new FakeTime();
  const feeds: CouchChangesFeed[] = [];
  const { now, monotonic } = time;
  // With a `random` of 0, each wait but the first is the least, which these tests do not wait for.
  const sleep: Sleep = (ms, signal) =>
    ms === LEAST_WAIT || ms === BUDGET ? Promise.resolve() : time.sleep(ms, signal);
  const open = (options?: ChangesOptions) => {
    const feed = changes(database.url, { now, monotonic, sleep, random: () => 0, ...options });
    feeds.push(feed);
    return feed;
  };
  try {
    await test({ database, time, open });
  } finally {
    for (const feed of feeds) await feed[Symbol.asyncDispose]();
    await database.close();
  }
}

/** Reads batches up to and including the first that `last` accepts. */
export async function until(
  batches: AsyncIterator<Batch, unknown>,
  last: (batch: Batch) => boolean,
): Promise<Batch[]> {
  const seen: Batch[] = [];
  for (;;) {
    const { done, value } = await batches.next();
    if (done) throw new Error("the feed ended");
    seen.push(value as Batch);
    if (last(value as Batch)) return seen;
  }
}

export const live = (batch: Batch): boolean => batch.state === "live";
export const lost = (batch: Batch): boolean => batch.state === "lost";
export const has = (id: string): (batch: Batch) => boolean => (batch) =>
  batch.changes.some((change) => change.id === id);

/** The document ids of batches, in order. */
export function ids(batches: readonly Batch[]): string[] {
  return batches.flatMap(({ changes }) => changes.map(({ id }) => id));
}

/** The resets told by batches, in order. */
export function resets(batches: readonly Batch[]): string[] {
  return batches.flatMap(({ reset }) => reset ?? []);
}
