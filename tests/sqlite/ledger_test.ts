/** A slice of `deno task sqlite`: four processes write and are killed, and no 304 is wrong as of its own request. */
import assert from "node:assert/strict";
import test from "node:test";
import { ledgerRun } from "./ledger_run.ts";
import { weakenings } from "./weakened.ts";

test("changes: four processes that write and are killed: no 304 is wrong, no change is lost", async () => {
  const { hits, wrong, lost, written, kills } = await ledgerRun({
    seed: 7,
    seconds: 2,
    weakening: undefined,
  });
  assert.deepEqual([wrong, lost], [[], []]);
  assert.ok(hits > 0 && written > 10 && kills >= 4, `${hits} 304s, ${written} changes, ${kills} kills`);
});

test("migration: without its BEFORE triggers, that is found", async () => {
  const weakening = weakenings["no BEFORE triggers"]!;
  const { wrong, lost } = await ledgerRun({ seed: 7, seconds: 20, weakening });
  assert.ok(wrong.length + lost.length > 0);
});
