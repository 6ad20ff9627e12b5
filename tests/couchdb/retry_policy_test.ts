/** What a fault costs in waiting, apart from any network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { Recovery } from "../../src/couchdb/reader/retry_policy.ts";
import { Reset } from "../../src/couchdb/reader/gap.ts";

/** The longest waits that jitter allows, so that none is short by luck. */
const recovery = () => new Recovery(() => 1 - Number.EPSILON);
const unreachable = new ChangesError("network", "refused");

test("Recovery: a reset is an answer: the wait for the database before it is over", () => {
  const reader = recovery();
  const waits = Array.from({ length: 6 }, () => reader.judge(unreachable, true).wait);
  assert.ok((waits.at(-1) ?? 0) > 4_000, `${waits}`);
  assert.deepEqual(reader.judge(new Reset("rolled-back"), true), { wait: 0, reset: "rolled-back" });
});

test("Recovery: resets that follow one another wait longer and longer", () => {
  const reader = recovery();
  const waits = Array.from({ length: 6 }, () => reader.judge(new Reset("rolled-back"), true).wait);
  assert.equal(waits[0], 0);
  for (let n = 1; n < waits.length; n++) assert.ok((waits[n] ?? 0) > (waits[n - 1] ?? 0), `${waits}`);
});

test("Recovery: a connection that was good for something ends the waits, of resets too", () => {
  const reader = recovery();
  for (let n = 0; n < 5; n++) reader.judge(new Reset("rolled-back"), true);
  reader.worthwhile();
  assert.equal(reader.judge(new Reset("rolled-back"), true).wait, 0);
});
