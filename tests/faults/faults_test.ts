/**
 * Every fault: nothing lost, nothing stuck for longer than the watchdog allows, no crash. Time passes twenty times as
 * fast as on the wall; `deno task bench:followers` tells how long each takes at its natural pace.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { patience } from "../../src/couchdb/watchdog.ts";
import { faults } from "./faults.ts";
import { ordeal } from "./ordeal.ts";
import { HEARTBEAT, ours } from "./ours.ts";

const pace = 20;
/** Twice what the watchdog needs: a connection that is dead, and one that dies while it is replaced. */
const bound = 2 * patience(HEARTBEAT);

for (const fault of faults) {
  for (const follower of ours(pace)) {
    test(`changes, ${follower.name}: ${fault.name}`, async () => {
      const limit = (bound + (fault.wait ?? 0)) / pace + 5_000;
      const { outcome, missing, recovery, error } = await ordeal(follower, fault, {
        pace,
        limit,
        grace: 2_000,
      });
      assert.deepEqual({ outcome, missing }, { outcome: "ok", missing: [] }, String(error));
      assert.ok(recovery <= bound + (fault.wait ?? 0), `recovered after ${Math.round(recovery)} ms`);
    });
  }
}
