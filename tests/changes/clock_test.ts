import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, possiblyElapsed, surelyElapsed, systemClock } from "../../src/changes/clock.ts";
import { SettableClock } from "../support/clock.ts";

test("surelyElapsed: the smaller of both clocks, because each can run ahead", () => {
  const start = { wall: 1_000, monotonic: 50 };
  assert.equal(surelyElapsed(start, { wall: 1_700, monotonic: 60 }), 10, "the wall clock was set forward");
  assert.equal(surelyElapsed(start, { wall: 1_010, monotonic: 750 }), 10, "the wall clock was set back");
  assert.equal(surelyElapsed(start, { wall: 400, monotonic: 60 }), -600);
});

test("possiblyElapsed: the larger of both clocks, because each can fall behind", () => {
  const start = { wall: 1_000, monotonic: 50 };
  assert.equal(possiblyElapsed(start, { wall: 9_000, monotonic: 60 }), 8_000, "the machine slept");
  assert.equal(possiblyElapsed(start, { wall: 400, monotonic: 250 }), 200, "the wall clock was set back");
});

test("instant: reads both clocks of the one it is given", () => {
  const clock = new SettableClock();
  assert.deepEqual(instant(clock), clock.instant);
  clock.advance(5);
  clock.wall += 100;
  assert.deepEqual(instant(clock), { wall: clock.now(), monotonic: clock.monotonic() });
});

test("systemClock: the wall clock counts from the epoch, the other one never goes back", () => {
  assert.ok(Math.abs(systemClock.now() - Date.now()) < 60_000);
  const before = systemClock.monotonic();
  assert.ok(systemClock.monotonic() >= before);
});
