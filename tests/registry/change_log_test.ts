import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeLog } from "../../src/registry/change_log.ts";
import { SettableClock } from "../support/clock.ts";

const FEED = { name: "a feed" };
const OTHER_FEED = { name: "another feed" };
const SETTLE = 5_000;

function setUp({ replicaLag = 0, maxBytes = 10_000 } = {}) {
  const clock = new SettableClock();
  let overflows = 0;
  const log = new ChangeLog(clock, maxBytes, () => overflows++);
  log.replicaLag = replicaLag;
  /** A change reported by a feed that settles. */
  const report = (rev: string | undefined, feed: unknown = FEED, group = "a") =>
    log.record(group, rev, feed, replicaLag);
  /** Why a response begun now from this revision would not be registered. */
  const refusal = (rev: string | undefined, group = "a") => {
    const lease = log.lease("/", undefined);
    const reason = log.conflict(lease, [{ _id: group, _rev: rev }]);
    lease.release();
    return reason;
  };
  return { clock, log, report, refusal, overflows: () => overflows };
}

test("ChangeLog: a change after the lease was taken overtakes what is built under it", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  assert.equal(log.conflict(lease, [{ _id: "a" }]), undefined);
  log.record("a", undefined, FEED, 0);
  assert.equal(log.conflict(lease, [{ _id: "a" }]), "lease-broken");
  assert.equal(log.conflict(lease, [{ _id: "b" }]), undefined, "only what depends on it");
  assert.equal(log.conflict(lease, [{ _id: "b" }, { _id: "a", _rev: "1-x" }]), "lease-broken");
});

test("ChangeLog: the revision reported after the lease does not excuse the change on a single node", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  log.record("a", "2-x", FEED, 0);
  assert.equal(log.conflict(lease, [{ _id: "a", _rev: "2-x" }]), "lease-broken");
});

test("ChangeLog: a change before the lease does not concern it", () => {
  const { log } = setUp();
  const older = log.lease("/old", undefined);
  log.record("a", undefined, FEED, 0);
  const lease = log.lease("/", undefined);
  assert.equal(log.conflict(lease, [{ _id: "a" }]), undefined);
  assert.equal(log.conflict(older, [{ _id: "a" }]), "lease-broken");
});

test("ChangeLog: a change is remembered while a lease taken before it is open, and no longer", () => {
  const { log } = setUp();
  const first = log.lease("/", undefined);
  log.record("a", undefined, FEED, 0);
  const second = log.lease("/", undefined);
  log.record("b", undefined, FEED, 0);
  assert.equal(log.size, 2);
  first.release();
  assert.equal(log.size, 1, "a concerned only the first");
  assert.equal(log.conflict(second, [{ _id: "b" }]), "lease-broken");
  second.release();
  assert.deepEqual([log.size, log.open], [0, 0]);
});

test("ChangeLog: with no lease open and nothing to settle, nothing is remembered", () => {
  const { log } = setUp();
  for (let i = 0; i < 100; i++) log.record(`g${i}`, undefined, FEED, 0);
  assert.equal(log.size, 0);
  assert.equal(log.sequence, 100);
});

test("ChangeLog: a group that keeps changing is remembered once, by its last change", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  for (let i = 0; i < 100; i++) log.record("a", undefined, FEED, 0);
  assert.equal(log.size, 1);
  const late = log.lease("/", undefined);
  lease.release();
  assert.equal(log.conflict(late, [{ _id: "a" }]), undefined);
});

test("ChangeLog: a lease is good once, and releasing it again is harmless", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  lease.release();
  lease.release();
  assert.equal(log.conflict(lease, [{ _id: "a" }]), "lease-broken");
  assert.equal(log.open, 0);
});

test("ChangeLog: a lease of another log is no lease", () => {
  const lease = setUp().log.lease("/", undefined);
  assert.equal(setUp().log.conflict(lease, []), "lease-broken");
});

test("ChangeLog: one document read at two revisions is never registered", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  const torn = [{ _id: "a", _rev: "1-x" }, { _id: "b" }, { _id: "a", _rev: "2-y" }];
  assert.equal(log.conflict(lease, torn), "revision-differs");
  assert.equal(
    log.conflict(lease, [{ _id: "a" }, { _id: "a", _rev: "1-x" }, { _id: "a", _rev: "1-x" }]),
    undefined,
  );
});

test("ChangeLog: a write to the resource itself overtakes who is building it", () => {
  const { log } = setUp();
  const lease = log.lease("/page", "ann");
  const elsewhere = log.lease("/other", "ann");
  log.breakLeases("/page");
  assert.equal(log.conflict(lease, [{ _id: "a" }]), "lease-broken");
  assert.equal(log.conflict(elsewhere, [{ _id: "a" }]), undefined);
});

test("floor: every open lease is void, whatever it depends on; later ones are not", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  const before = log.sequence;
  log.invalidateAll();
  assert.ok(log.sequence > before);
  assert.equal(log.conflict(lease, []), "lease-broken");
  assert.equal(log.open, 0);
  assert.equal(log.conflict(log.lease("/", undefined), [{ _id: "a" }]), undefined);
});

test("floor: counts as a change of everything, so new leases are refused until it has settled", () => {
  const { log, clock, refusal } = setUp({ replicaLag: SETTLE });
  log.invalidateAll();
  assert.equal(refusal("1-x"), "settling");
  clock.advance(SETTLE - 1);
  assert.equal(refusal("1-x"), "settling");
  clock.advance(1);
  assert.equal(refusal("1-x"), undefined);
});

test("floor: the smaller of both clocks says whether it has settled", () => {
  const { log, clock, refusal } = setUp({ replicaLag: SETTLE });
  log.invalidateAll();
  clock.wall += 3_600_000;
  assert.equal(refusal("1-x"), "settling", "the wall clock was set");
  clock.wall -= 3_600_000;
  clock.mono += SETTLE;
  assert.equal(refusal("1-x"), "settling");
  clock.wall += SETTLE;
  assert.equal(refusal("1-x"), undefined);
});

test("floor: forgets the revisions reported before it", () => {
  const { log, clock, report, refusal } = setUp({ replicaLag: SETTLE });
  clock.advance(SETTLE);
  report("2-b");
  log.invalidateAll();
  assert.equal(log.size, 0);
  assert.equal(refusal("2-b"), "settling", "even the one that was let through");
});

test("settling: a replica may lag, so another revision than the reported one is refused", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  assert.equal(refusal("1-a"), "revision-differs");
  clock.advance(SETTLE - 1);
  assert.equal(refusal("1-a"), "revision-differs");
  clock.advance(1);
  assert.equal(refusal("1-a"), undefined, "settled: whatever is read is what the database holds");
});

test("settling: the revision that was reported is let through at once", () => {
  const { report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  assert.equal(refusal("2-b"), undefined);
  report("2-b");
  assert.equal(refusal("2-b"), undefined, "reported again");
});

test("settling: a source that carries no revision has to wait", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  assert.equal(refusal(undefined), "settling");
  clock.advance(SETTLE);
  assert.equal(refusal(undefined), undefined);
});

test("settling: a change that carries no revision lets none through", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  report(undefined);
  assert.equal(refusal("2-b"), "settling");
  clock.advance(1);
  report("2-b");
  assert.equal(refusal("2-b"), "settling", "the one in between still counts");
  clock.advance(SETTLE - 1);
  assert.equal(refusal("2-b"), undefined);
});

test("settling: a winner of a lower generation counts like any other (the previous winner was deleted)", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("3-c");
  clock.advance(10);
  report("2-b");
  assert.equal(refusal("3-c"), "revision-differs", "the last report counts, not the highest generation");
  assert.equal(refusal("2-b"), "settling", "a replica may still answer with the one before");
  clock.advance(SETTLE - 10);
  assert.equal(refusal("2-b"), undefined);
  assert.equal(refusal("3-c"), "revision-differs");
});

test("settling: every revision reported within the time counts, not only the last", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("1-a");
  clock.advance(10);
  report("2-b");
  clock.advance(10);
  report("2-b");
  assert.equal(refusal("2-b"), "settling");
  clock.advance(10);
  report("1-a");
  assert.equal(refusal("1-a"), "settling", "2-b was reported 10 ms ago");
  clock.advance(SETTLE - 10);
  assert.equal(refusal("1-a"), undefined, "2-b is settled, 1-a is the one reported");
});

test("settling: the smaller clock counts, whichever it is", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  clock.wall += SETTLE;
  assert.equal(refusal("1-a"), "revision-differs");
  clock.mono += SETTLE - 1;
  assert.equal(refusal("1-a"), "revision-differs");
  clock.mono += 1;
  assert.equal(refusal("1-a"), undefined);
  report("3-c");
  clock.mono += SETTLE;
  assert.equal(refusal("1-a"), "revision-differs");
});

test("settling: revisions of two feeds are recorded apart, and each must agree", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b", FEED);
  report("2-z", OTHER_FEED);
  assert.equal(refusal("2-b"), "revision-differs");
  assert.equal(refusal("2-z"), "revision-differs");
  clock.advance(SETTLE - 1);
  report("2-b", FEED);
  clock.advance(1);
  assert.equal(refusal("2-b"), undefined, "the other feed's report is settled");
  assert.equal(refusal("2-z"), "revision-differs");
});

test("settling: one feed's second report does not make the other feed's one an earlier revision of its own", () => {
  const { clock, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b", FEED);
  report("2-b", OTHER_FEED);
  clock.advance(1);
  report("2-b", FEED);
  assert.equal(refusal("2-b"), undefined);
});

test("settling: a change is remembered until it has settled, and then forgotten", () => {
  const { log, clock, report } = setUp({ replicaLag: SETTLE });
  report("2-b");
  report("1-x", FEED, "b");
  log.lease("/", undefined).release();
  assert.equal(log.size, 2);
  clock.advance(SETTLE);
  log.lease("/", undefined).release();
  assert.equal(log.size, 0);
});

test("settling: a change stays as long as a lease taken within its time is open", () => {
  const { log, clock, report } = setUp({ replicaLag: SETTLE });
  report("2-b");
  clock.advance(SETTLE - 1);
  const lease = log.lease("/", undefined);
  clock.advance(60_000);
  log.lease("/other", undefined).release();
  report("1-x", FEED, "b");
  assert.equal(log.conflict(lease, [{ _id: "a", _rev: "1-a" }]), "revision-differs");
  lease.release();
  assert.equal(log.size, 1, "a is forgotten, b settles");
});

test("settling: a change that settles is judged by the time of the lease, not of the registration", () => {
  const { log, clock, report } = setUp({ replicaLag: SETTLE });
  report("2-b");
  const lease = log.lease("/", undefined);
  clock.advance(10 * SETTLE);
  assert.equal(log.conflict(lease, [{ _id: "a", _rev: "1-a" }]), "revision-differs");
});

test("settling: a feed that needs none does not shorten another's", () => {
  const { log, report, refusal } = setUp({ replicaLag: SETTLE });
  report("2-b");
  log.record("a", "9-z", OTHER_FEED, 0);
  assert.equal(refusal("1-a"), "revision-differs");
});

test("overflow: more than can be remembered voids the leases taken before, and is told", () => {
  const { log, overflows } = setUp({ maxBytes: 2_000 });
  const lease = log.lease("/", undefined);
  let changes = 0;
  while (overflows() === 0 && changes < 100) log.record(`g${changes++}`, undefined, FEED, 0);
  assert.ok(changes > 5 && changes < 100, `overflow after ${changes}`);
  assert.equal(log.size, 0);
  assert.equal(log.conflict(lease, [{ _id: "never-changed" }]), "lease-broken");
  assert.equal(log.conflict(log.lease("/", undefined), [{ _id: "g0" }]), undefined, "a new lease is good");
});

test("overflow: the bytes of what is forgotten are given back", () => {
  const { log, overflows } = setUp({ maxBytes: 2_000 });
  for (let round = 0; round < 100; round++) {
    const lease = log.lease("/", undefined);
    for (let i = 0; i < 5; i++) log.record(`g${i}`, undefined, FEED, 0);
    for (let i = 0; i < 5; i++) log.record(`g${i}`, undefined, FEED, 0);
    lease.release();
  }
  assert.equal(overflows(), 0);
});

test("overflow: settles like any other change of everything", () => {
  const { clock, report, refusal, overflows } = setUp({ replicaLag: SETTLE, maxBytes: 2_000 });
  for (let i = 0; overflows() === 0 && i < 100; i++) report("1-a", FEED, `g${i}`);
  assert.equal(refusal("1-a", "g0"), "settling");
  clock.advance(SETTLE);
  assert.equal(refusal("1-a", "g0"), undefined);
});

test("repeated: an open lease is broken, unless its response declares the revision", () => {
  const { log } = setUp();
  const lease = log.lease("/", undefined);
  log.record("a", "2-b", FEED, 0, true);
  const conflict = (...declared: (string | undefined)[]) =>
    log.conflict(lease, declared.map((_rev) => ({ _id: "a", _rev })));
  assert.equal(conflict("2-b"), undefined);
  for (const declared of [["3-c"], [undefined], ["2-b", undefined]]) {
    assert.equal(conflict(...declared), "lease-broken", String(declared));
  }
  log.record("a", "2-b", FEED, 0, true);
  assert.equal(conflict("2-b"), undefined, "once more");
  log.record("a", "3-c", FEED, 0, true);
  assert.deepEqual([conflict("2-b"), conflict("3-c")], ["lease-broken", "lease-broken"], "at two revisions");
});

test("repeated: what was a change before, and after, still is one", () => {
  const { log } = setUp();
  const older = log.lease("/", undefined);
  log.record("a", "2-b", FEED, 0);
  const younger = log.lease("/", undefined);
  log.record("a", "2-b", FEED, 0, true);
  assert.equal(log.conflict(older, [{ _id: "a", _rev: "2-b" }]), "lease-broken");
  assert.equal(log.conflict(younger, [{ _id: "a", _rev: "2-b" }]), undefined);
  log.record("a", "2-b", FEED, 0);
  assert.equal(log.conflict(younger, [{ _id: "a", _rev: "2-b" }]), "lease-broken");
});

test("repeated: is remembered for as long as a lease is open, and then forgotten", () => {
  const { log } = setUp();
  log.record("a", "2-b", FEED, 0, true);
  assert.equal(log.size, 0, "no lease was open");
  const lease = log.lease("/", undefined);
  log.record("a", "2-b", FEED, 0, true);
  assert.equal(log.size, 1);
  lease.release();
  assert.equal(log.size, 0);
});

test("repeated: settles like any change, so that a replica that lags behind is not believed", () => {
  const { clock, log, refusal } = setUp({ replicaLag: SETTLE });
  log.record("a", "2-b", FEED, SETTLE, true);
  assert.deepEqual([refusal("2-b"), refusal("3-c"), refusal(undefined)], [
    undefined,
    "revision-differs",
    "settling",
  ]);
  clock.advance(SETTLE);
  assert.deepEqual([refusal("3-c"), refusal(undefined)], [undefined, undefined]);
});
