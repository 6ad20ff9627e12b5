/** Rows that come again, compared with those that are known. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CouchChange, Since } from "../../src/changes/change.ts";
import { type Anchor, beforeLast } from "../../src/couchdb/reader/anchor.ts";
import { Recognition } from "../../src/couchdb/reader/recognition.ts";

const row = (id: string, rev: string, seq: Since): CouchChange => ({ id, rev, seq, deleted: false });
const ids = (changes: readonly CouchChange[]): string[] => changes.map(({ id }) => id);

/** How rows after an anchor are sorted, and whether the anchor is among them. */
function sorted(anchor: Anchor, rows: readonly CouchChange[]): unknown[] {
  const recognition = new Recognition(anchor);
  const { news, repeated, unmoved } = recognition.sort(anchor.since, rows);
  return [ids(news), ids(repeated), ids(unmoved), recognition.came, recognition.isExact];
}

const known = [row("a", "1-a", "1-x"), row("b", "1-b", "2-x")];

for (
  const [what, rows, expected] of [
    ["at its position", [row("b", "1-b", "2-x")], [[], [], ["b"], true, true]],
    ["at another position", [row("b", "1-b", "4-x")], [[], ["b"], [], true, true]],
    ["its position spelled otherwise", [row("b", "1-b", "2-y")], [[], ["b"], [], true, true]],
    ["without a position of its own", [row("b", "1-b", "1-x")], [[], ["b"], [], true, true]],
    ["with another revision", [row("b", "2-b", "3-x")], [["b"], [], [], true, false]],
    ["behind others", [row("c", "1-c", "3-x"), row("b", "1-b", "4-x")], [["c"], ["b"], [], true, true]],
    ["not at all", [row("c", "1-c", "3-x")], [["c"], [], [], false, false]],
    ["but for the one before it", [row("a", "1-a", "1-x")], [[], ["a"], [], false, false]],
  ] as const
) {
  test(`Recognition: the last row comes again, ${what}`, () => {
    assert.deepEqual(sorted(beforeLast(0, known), rows), expected);
  });
}

test("Recognition: a row that had no position of its own is never taken for one that has not moved", () => {
  const shared = [row("a", "1-a", "5-x"), row("b", "1-b", "5-x")];
  const anchor = beforeLast("4-x", shared);
  const moved = [row("a", "1-a", "5-x"), row("b", "1-b", "6-x")];
  assert.deepEqual(sorted(anchor, moved), [[], ["a", "b"], [], true, true]);
  assert.deepEqual(sorted(anchor, [row("b", "1-b", "5-x")]), [[], ["b"], [], true, true]);
});

test("Recognition: of a document that comes twice, the second row is news, whatever it says", () => {
  const recognition = new Recognition(beforeLast(0, known));
  assert.deepEqual(ids(recognition.sort("1-x", [row("b", "2-b", "3-x"), row("b", "1-b", "4-x")]).news), [
    "b",
    "b",
  ]);
  assert.equal(recognition.isExact, false);
});

test("Recognition: where no row is known, all are news and none is missing", () => {
  assert.deepEqual(sorted({ since: 0, rows: new Map() }, known), [["a", "b"], [], [], true, true]);
});

test("Recognition: positions of BigCouch are lists", () => {
  const anchor = beforeLast(0, [row("a", "1-a", [1, "x"]), row("b", "1-b", [2, "x"])]);
  assert.deepEqual(sorted(anchor, [row("b", "1-b", [2, "x"])]), [[], [], ["b"], true, true]);
});
