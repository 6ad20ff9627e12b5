/** A slice of `deno task chaos`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { target } from "../examples/database_support.ts";
import { faultNames, slowFaults } from "../support/chaos_proxy.ts";
import { chaos } from "./chaos.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";

test(`chaos: each fault once between ${target.name} and the demo, and no 304 is wrong`, async () => {
  const plan = {
    seed: 20261122,
    clients: 8,
    readsPerWrite: 40,
    calm: 320,
    span: 200,
    seconds: 0,
    conditional: 0,
    each: 1,
  };
  const { tally, faults, before, after } = await chaos(target, plan);
  assert.deepEqual(tally.wrong, []);
  if (!target.name.startsWith("COUCHDB")) assert.deepEqual(tally.stale, []);
  assert.deepEqual(faultNames.filter((fault) => faults[fault] === 0 && !slowFaults.has(fault)), []);
  // So few requests only tell that the registry answers again; how often, the task compares.
  assert.ok(before > 0.5 && after > 0.5, `the hit rate was ${before}, and is ${after}`);
});

/** A feed that keeps some of the news to itself. */
function deaf(feed: ChangesFeed): ChangesFeed {
  return {
    async *batches(from, options) {
      for await (const batch of feed.batches(from, options)) {
        yield { ...batch, changes: batch.changes.filter(({ id }) => !id.endsWith("9")) };
      }
    },
    [Symbol.asyncIterator]: () => feed[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
    get position() {
      return feed.position;
    },
  };
}

test("chaos: a feed that swallows changes is caught", async () => {
  const plan = {
    seed: 1,
    clients: 8,
    readsPerWrite: 8,
    calm: 320,
    span: 0,
    seconds: 0,
    conditional: 0,
    each: 0,
    bend: deaf,
  };
  const { tally } = await chaos(target, plan);
  assert.ok(tally.wrong.length > 0);
});
