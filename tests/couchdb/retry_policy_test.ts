/** What a fault costs in waiting, apart from any network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { RetryPolicy } from "../../src/couchdb/reader/retry_policy.ts";
import { FeedGap } from "../../src/couchdb/reader/gap.ts";

/** The longest waits that jitter allows, so that none is short by luck. */
const retryPolicy = () => new RetryPolicy(() => 1 - Number.EPSILON);
const unreachable = new ChangesError("network", "refused");

test("RetryPolicy: a reset is an answer: the wait for the database before it is over", () => {
  const reader = retryPolicy();
  const waits = Array.from({ length: 6 }, () => reader.decide(unreachable, true).wait);
  assert.ok((waits.at(-1) ?? 0) > 4_000, `${waits}`);
  assert.deepEqual(reader.decide(new FeedGap("rolled-back"), true), { wait: 0, reset: "rolled-back" });
});

test("RetryPolicy: resets that follow one another wait longer and longer", () => {
  const reader = retryPolicy();
  const waits = Array.from({ length: 6 }, () => reader.decide(new FeedGap("rolled-back"), true).wait);
  assert.equal(waits[0], 0);
  for (let n = 1; n < waits.length; n++) assert.ok((waits[n] ?? 0) > (waits[n - 1] ?? 0), `${waits}`);
});

test("RetryPolicy: a connection that was good for something ends the waits, of resets too", () => {
  const reader = retryPolicy();
  for (let n = 0; n < 5; n++) reader.decide(new FeedGap("rolled-back"), true);
  reader.noteProgress();
  assert.equal(reader.decide(new FeedGap("rolled-back"), true).wait, 0);
});
