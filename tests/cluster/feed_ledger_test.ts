/** When a copy is behind a feed: the judge of `deno task cluster`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FeedLedger, type Reading, type State, Written } from "./feed_ledger.ts";

/** A reading of one document, there at a moment. */
function reading(state: State, at: number): Reading {
  return { states: new Map([["a", state]]), at };
}

test("feed ledger: a copy is behind from the row on that replaces its revision", () => {
  const ledger = new FeedLedger(new Written());
  ledger.report("a", "1-x", false, 10);
  ledger.report("a", "2-x", false, 20);
  assert.equal(ledger.behind(reading("1-x", 12), 19), undefined);
  assert.equal(ledger.behind(reading("1-x", 12), 25), 5);
  assert.equal(ledger.behind(reading("2-x", 12), 25), undefined, "a reading may be ahead of the feed");
});

test("feed ledger: a revision that comes back was never gone, but is once it is replaced again", () => {
  const ledger = new FeedLedger(new Written());
  for (const [index, rev] of ["1-x", "1-y", "1-x", "2-x"].entries()) {
    ledger.report("a", rev, false, index * 10);
  }
  assert.equal(ledger.behind(reading("1-x", 5), 15), undefined);
  assert.equal(ledger.behind(reading("1-x", 5), 35), 5);
  assert.equal(ledger.behind(reading("1-y", 5), 25), 5);
});

test("feed ledger: a revision that the feed left out is behind what was written after it, not before", () => {
  const written = new Written();
  written.note("a", "1-x", 0, false);
  written.note("a", "2-x", 10, false);
  written.note("a", "3-x", 20, false);
  const ledger = new FeedLedger(written);
  ledger.report("a", "1-x", false, 5);
  ledger.report("a", "3-x", false, 30);
  assert.equal(ledger.behind(reading("2-x", 12), 15), undefined);
  assert.equal(ledger.behind(reading("2-x", 12), 35), 5);
});

test("feed ledger: an absent document is behind its creation, unless it was deleted again", () => {
  const written = new Written();
  const ledger = new FeedLedger(written);
  ledger.report("a", "1-x", false, 0);
  ledger.report("a", "2-x", true, 10);
  ledger.report("a", "3-x", false, 20);
  assert.equal(ledger.behind(reading(null, 15), 25), 5);
  written.note("a", "4-x", 22, true);
  assert.equal(ledger.behind(reading(null, 15), 25), 5, "that deletion was later than the reading");
  assert.equal(ledger.behind(reading(null, 24), 25), undefined, "the reading is ahead of the feed");
  written.note("a", "5-x", 38, false);
  ledger.report("a", "5-x", false, 40);
  assert.equal(ledger.behind(reading(null, 24), 45), 5, "it gave way to what was written after it");
});

test("feed ledger: a revision that a deletion brought back is ahead, until the feed tells of something newer", () => {
  const written = new Written();
  for (const [begun, rev] of ["1-x", "2-x", "2-y"].entries()) written.note("a", rev, begun * 30, false);
  written.removing("a", 40);
  const ledger = new FeedLedger(written);
  ledger.report("a", "1-x", false, 10);
  ledger.report("a", "2-x", false, 35);
  assert.equal(ledger.behind(reading("1-x", 38), 50), 15, "read before");
  assert.equal(ledger.behind(reading("1-x", 45), 50), undefined);
  ledger.report("a", "2-y", false, 70);
  assert.equal(ledger.behind(reading("1-x", 45), 80), 45);
});
