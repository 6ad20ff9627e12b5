/** A slice of `deno task sqlite`: four processes write and are killed, and no 304 is wrong as of its own request. */
import assert from "node:assert/strict";
import test from "node:test";
import { ledgerRun } from "./ledger_run.ts";

test("changes: four processes that write and are killed: no 304 is wrong, no change is lost", {
  timeout: 60_000,
}, async () => {
  const { hits, wrong, lost, written, kills } = await ledgerRun({
    seed: 7,
    seconds: 1,
    least: 20,
    weakening: undefined,
  });
  assert.deepEqual([wrong, lost], [[], []]);
  assert.ok(hits >= 20 && written > 10 && kills >= 4, `${hits} 304s, ${written} changes, ${kills} kills`);
});
