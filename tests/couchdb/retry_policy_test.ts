/** What a fault costs in waiting, apart from any network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError } from "../../src/changes/changes_error.ts";
import type { ChangesErrorCode } from "../../src/changes/change.ts";
import { LEAST_WAIT } from "../../src/changes/back_off.ts";
import { RetryPolicy } from "../../src/couchdb/reader/retry_policy.ts";
import { FeedGap } from "../../src/couchdb/reader/gap.ts";

const standing = { now: () => 0, monotonic: () => 0 };

/** The longest waits that jitter allows, so that none is short by luck. */
const retryPolicy = () => new RetryPolicy(() => 1 - Number.EPSILON, standing);
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

/** A policy of a feed that was live, with the shortest waits that jitter allows, and its clock. */
function shortestWaits() {
  const time = { ms: 0 };
  const reader = new RetryPolicy(() => 0, { now: () => 0, monotonic: () => time.ms });
  reader.noteProbed();
  return { reader, time };
}

const passing: ChangesErrorCode[] = [
  "network",
  "timeout",
  "truncated",
  "server-error",
  "not-json",
  "too-many-requests",
  "unauthorized",
  "forbidden",
  "not-found",
  "bad-request",
  "bad-row",
];

for (const code of passing) {
  test(`RetryPolicy: no attempt but the first after ${code} is made at once`, () => {
    const { reader } = shortestWaits();
    const fault = new ChangesError(code, code);
    const waits = Array.from({ length: 20 }, () => reader.decide(fault, true).wait);
    assert.ok(waits.slice(1).every((wait) => wait >= LEAST_WAIT), `${waits}`);
  });
}

test("RetryPolicy: ends without progress, and resets, keep the least wait", () => {
  const { reader } = shortestWaits();
  assert.deepEqual([1, 2, 3].map(() => reader.decideAfterEnd().wait), [0, LEAST_WAIT, LEAST_WAIT]);
  const gap = new FeedGap("rolled-back");
  assert.deepEqual([1, 2, 3].map(() => reader.decide(gap, true).wait), [0, LEAST_WAIT, LEAST_WAIT]);
});

test("RetryPolicy: a 401 of the stream alone is no hot loop, although each probe is complete", () => {
  const { reader } = shortestWaits();
  const waits = [1, 2, 3, 4].map(() => {
    reader.noteProbed();
    return reader.decide(new ChangesError("unauthorized", "401", { status: 401 }), true).wait;
  });
  assert.deepEqual(waits, [0, LEAST_WAIT, LEAST_WAIT, LEAST_WAIT]);
});

test("RetryPolicy: credentials that stay wrong fail at most four times in five minutes", () => {
  const { reader } = shortestWaits();
  const refused = new ChangesError("unauthorized", "401", { status: 401 });
  const failures = [0];
  for (let n = 0; n < 9; n++) failures.push(failures.at(-1)! + reader.decide(refused, true).wait);
  for (const from of failures) {
    assert.ok(failures.filter((at) => at >= from && at <= from + 300_000).length <= 4, `${failures}`);
  }
});

test("RetryPolicy: a missing filter is final at any time, another bad request only before the feed was live", () => {
  const { reader } = shortestWaits();
  const missing = new ChangesError("bad-request", "404", { status: 404 });
  const refused = new ChangesError("bad-request", "400", { status: 400 });
  assert.throws(() => reader.decide(missing, true), (error) => error === missing);
  assert.equal(reader.decide(refused, true).code, "bad-request");
  assert.throws(() => retryPolicy().decide(refused, true), (error) => error === refused);
});

test("RetryPolicy: a bad row is final when it came three times more, and a minute has passed", () => {
  const bad = (text: string) => new ChangesError("bad-row", text, { since: "1-x" });
  const { reader, time } = shortestWaits();
  for (let n = 0; n < 9; n++) assert.equal(reader.decide(bad("a"), true).code, "bad-row");
  time.ms = 59_999;
  reader.decide(bad("a"), true);
  time.ms = 60_000;
  assert.throws(() => reader.decide(bad("a"), true), { code: "bad-row" });
});

test("RetryPolicy: another bad row, or a probe that was complete, begins the count of bad rows anew", () => {
  const bad = (text: string) => new ChangesError("bad-row", text, { since: "1-x" });
  const { reader, time } = shortestWaits();
  const comeThrice = () => {
    for (let n = 0; n < 3; n++) {
      time.ms += 60_000;
      reader.decide(bad("a"), true);
    }
  };
  comeThrice();
  reader.decide(bad("b"), true);
  comeThrice();
  reader.noteProbed();
  comeThrice();
  assert.throws(() => reader.decide(bad("a"), true), { code: "bad-row" });
});

test("RetryPolicy: what no check has foreseen passes once the database has answered, and has a name", () => {
  const unforeseen = new TypeError("x is undefined");
  assert.equal(shortestWaits().reader.decide(unforeseen, true).code, "not-json");
  assert.throws(() => retryPolicy().decide(unforeseen, false), (error) => error === unforeseen);
});
