/** This package's feed as a follower to be put to the faults, one by one and in batches. */
import { changes, type ChangesOptions } from "../../src/couchdb/changes.ts";
import { systemSleep } from "../../src/changes/timing.ts";
import { ConsumerError, type Follower } from "./fault_run.ts";

/** Milliseconds between heartbeats; silence is noticed after eleven seconds. */
export const HEARTBEAT = 1_000;

/** Options under which time passes `pace` times as fast as on the wall. */
export function paced(pace: number): ChangesOptions {
  const start = Date.now();
  return {
    heartbeat: HEARTBEAT,
    now: () => start + (Date.now() - start) * pace,
    monotonic: () => performance.now() * pace,
    sleep: (ms, signal) => systemSleep(ms / pace, signal),
  };
}

type Feed = ReturnType<typeof changes>;

async function one(feed: Feed, seen: (id: string) => void): Promise<void> {
  for await (const { id } of feed) seen(id);
}

async function batches(feed: Feed, seen: (id: string) => void): Promise<void> {
  for await (const batch of feed.batches(feed.position)) for (const { id } of batch.changes) seen(id);
}

const follower = (name: string, read: typeof one, pace: number): Follower => ({
  name,
  follow: (url, since, seen, ended) => {
    const feed = changes(url, { ...paced(pace), since });
    const follow = async (): Promise<void> => {
      try {
        for (;;) {
          // A consumer that throws reads on where it was.
          await read(feed, seen).catch((error) => {
            if (!(error instanceof ConsumerError)) throw error;
          });
          if (stopped) return;
        }
      } catch (error) {
        ended(error);
      }
    };
    let stopped = false;
    void follow();
    return () => {
      stopped = true;
      return feed[Symbol.asyncDispose]();
    };
  },
});

/** The followers of this package. */
export function ours(pace: number): readonly Follower[] {
  return [follower("one by one", one, pace), follower("batches", batches, pace)];
}
