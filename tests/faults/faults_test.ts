/**
 * Every fault: nothing lost, nothing stuck for longer than the watchdog allows, no crash. Time passes twenty times as
 * fast as on the wall; `deno task bench:followers` tells how long each takes at its natural pace.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { faults } from "./faults.ts";
import { faultRun } from "./fault_run.ts";
import { HEARTBEAT, ours } from "./ours.ts";

const pace = 20;
/** Three heartbeats, or one and ten seconds, whichever is longer. */
const watchdog = Math.max(3 * HEARTBEAT, HEARTBEAT + 10_000);
/**
 * The watchdog may have to find two dead connections, the feed's and one that was kept for reuse; it is twice as
 * patient the second time. Then comes a back-off.
 */
const bound = 4 * watchdog;

for (const fault of faults) {
  for (const follower of ours(pace)) {
    test(`changes, ${follower.name}: ${fault.name}`, async () => {
      const limit = (bound + (fault.wait ?? 0)) / pace + 5_000;
      const { outcome, missing, recovery, error } = await faultRun(follower, fault, {
        pace,
        limit,
        grace: 2_000,
      });
      assert.deepEqual({ outcome, missing }, { outcome: "ok", missing: [] }, String(error));
      assert.ok(recovery <= bound + (fault.wait ?? 0), `recovered after ${Math.round(recovery)} ms`);
    });
  }
}
