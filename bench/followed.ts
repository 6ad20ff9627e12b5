/**
 * A registry as it is in use: live because of a feed, so that each look-up reads the clock.
 *
 * @module
 */
import { EtagRegistry, follow } from "../mod.ts";
import type { ChangesFeed } from "../src/changes/change.ts";

/** Follows a feed that is complete and has nothing to report. */
export async function followed(): Promise<EtagRegistry> {
  const registry = new EtagRegistry({ version: "bench" });
  const feed: ChangesFeed = {
    async *[Symbol.asyncIterator]() {},
    position: undefined,
    async *batches() {
      const contact = { wall: Date.now(), monotonic: performance.now() };
      yield { changes: [], position: undefined, state: "live", contact };
      await new Promise(() => {});
    },
    async [Symbol.asyncDispose]() {},
  };
  await follow(registry, feed, { maxLag: 1e9 }).ready;
  return registry;
}
