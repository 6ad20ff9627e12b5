/** What a fault costs in waiting, apart from any network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
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
  assert.ok((waits.at(-1) ?? 0) > 3_900, `${waits}`);
  assert.deepEqual(reader.decide(new FeedGap("rolled-back"), true), { wait: 0, reset: "rolled-back" });
});

/** The waits of resets that follow one another, each after an attempt of so many milliseconds. */
function waitsOfResets(count: number, attempt: number): number[] {
  const time = { ms: 0 };
  const reader = new RetryPolicy(() => 1 - Number.EPSILON, { now: () => 0, monotonic: () => time.ms });
  return Array.from({ length: count }, () => {
    time.ms += attempt;
    const { wait } = reader.decide(new FeedGap("rolled-back"), true);
    time.ms += wait;
    return wait;
  });
}

test("RetryPolicy: resets that follow one another wait longer and longer", () => {
  const waits = waitsOfResets(6, 60_000);
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
  assert.deepEqual(waits, [0, LEAST_WAIT, LEAST_WAIT, 301_000]);
});

const refused = new ChangesError("unauthorized", "401", { status: 401 });

test("RetryPolicy: credentials that stay wrong are tried after a minute, and four times in five minutes at most", () => {
  const { reader, time } = shortestWaits();
  const waits = Array.from({ length: 9 }, () => {
    const { wait } = reader.decide(refused, true);
    time.ms += wait;
    return wait / 1_000;
  });
  assert.deepEqual(waits, [0, 60, 60, 181, 60, 60, 60, 121, 60]);
});

test("RetryPolicy: no sequence of 401s, other faults, good probes and pauses brings the fifth 401 in five minutes", () => {
  const step = fc.constantFrom("refused", "refused", "refused", "network", "probed", "gap", "minute");
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (steps, jitter) => {
        const time = { ms: 0 };
        const reader = new RetryPolicy(() => jitter, {
          now: () => 0,
          monotonic: () => time.ms,
        });
        const failures: number[] = [];
        for (const step of steps) {
          if (step === "probed") reader.noteProbed();
          else if (step === "minute") time.ms += 60_000;
          else {
            if (step === "refused") failures.push(time.ms);
            time.ms += reader.decide(
              step === "refused" ? refused : step === "gap" ? new FeedGap("purged") : unreachable,
              true,
            ).wait;
          }
        }
        for (const from of failures) {
          assert.ok(failures.filter((at) => at >= from && at <= from + 300_000).length <= 4, `${failures}`);
        }
      },
    ),
  );
});

test("RetryPolicy: once it was live, nothing but a bad row is final, however often it comes", () => {
  for (const code of passing.filter((code) => code !== "bad-row")) {
    for (const status of [undefined, 200, 400, 401, 403, 404, 410, 500]) {
      const { reader, time } = shortestWaits();
      const fault = new ChangesError(code, code, status === undefined ? {} : { status });
      for (let n = 0; n < 50; n++) {
        const decision = reader.decide(fault, true);
        time.ms += decision.wait + 60_000;
        assert.equal(decision.fault, fault);
      }
    }
  }
});

test("RetryPolicy: a bad request is final before the feed was live", () => {
  const refused = new ChangesError("bad-request", "400", { status: 400 });
  assert.throws(() => retryPolicy().decide(refused, true), (error) => error === refused);
});

test("RetryPolicy: no outage is waited out for longer than four seconds at a time; a server that asks for more gets it", () => {
  for (const code of ["network", "timeout", "truncated", "server-error", "not-json"] as const) {
    const reader = retryPolicy();
    reader.noteProbed();
    const waits = Array.from({ length: 30 }, () => reader.decide(new ChangesError(code, code), true).wait);
    assert.ok(Math.max(...waits) <= 4_000 && waits.at(-1)! > 3_900, `${code}: ${waits}`);
  }
});

test("RetryPolicy: resets that repeat are waited for four times as long as all was read again, up to half a minute", () => {
  const last = (attempt: number) => waitsOfResets(30, attempt).at(-1)!;
  for (const attempt of [0, 100, 900]) assert.ok(last(attempt) > 3_900 && last(attempt) <= 4_000);
  assert.ok(last(5_000) > 19_000 && last(5_000) <= 20_000);
  for (const attempt of [8_000, 60_000]) assert.ok(last(attempt) > 29_000 && last(attempt) <= 30_000);
});

test("RetryPolicy: a bad row is final when it came three times more, and a minute has passed", () => {
  const bad = (text: string) => new ChangesError("bad-row", text, { since: "1-x" });
  const { reader, time } = shortestWaits();
  for (let n = 0; n < 9; n++) assert.equal(reader.decide(bad("a"), true).fault?.code, "bad-row");
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
  const { fault } = shortestWaits().reader.decide(unforeseen, true);
  assert.deepEqual([fault?.code, fault?.cause], ["not-json", unforeseen]);
  assert.throws(() => retryPolicy().decide(unforeseen, false), { name: "ChangesError", cause: unforeseen });
});
