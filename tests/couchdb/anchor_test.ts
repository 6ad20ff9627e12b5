/** One row early, over a database of several shards: positions are vectors there, and rows of shards interleave. */
import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { test } from "node:test";
import type { CouchChange } from "../../src/changes/change.ts";
import { beforeLast, emptyAnchor, fromNewest, rowsNeeded } from "../../src/couchdb/reader/anchor.ts";

/** A shard's rows in order: ids, each document at its latest change only. */
type Shards = readonly (readonly string[])[];

/** Streams the shards' rows in the order in which `picks` takes from them; a position is a number for each shard. */
function stream(
  shards: Shards,
  picks: readonly number[],
  start: readonly number[],
  step: 1 | -1,
): CouchChange[] {
  const at = [...start];
  const rows: CouchChange[] = [];
  for (let pick = 0;; pick++) {
    const open = shards.map((_, shard) => shard).filter((shard) => {
      const next = step > 0 ? at[shard]! : at[shard]! - 1;
      return shards[shard]![next] !== undefined;
    });
    const shard = open[(picks[pick % picks.length] ?? 0) % open.length];
    if (shard === undefined) return rows;
    const id = shards[shard]![step > 0 ? at[shard]! : at[shard]! - 1]!;
    at[shard]! += step;
    // A descending row's position names the row itself: asking from there gives what follows it.
    const seq = step > 0
      ? [...at]
      : at.map((n, other) => other === shard ? n + 1 : n + (n < shards[other]!.length ? 1 : 0));
    rows.push({ id, rev: "1-a", deleted: false, seq });
  }
}

const database = fc.array(fc.nat(12), { minLength: 1, maxLength: 9 }).map((sizes) =>
  sizes.map((size, shard) => Array.from({ length: size }, (_, n) => `${shard}/${n}`))
);
const picks = fc.array(fc.nat(20), { minLength: 1, maxLength: 40 });

test("fromNewest: a known row follows it, however the rows of the shards interleave", () => {
  fc.assert(fc.property(database, picks, picks, (shards, descending, ascending) => {
    const limit = rowsNeeded(shards.length);
    const newest = stream(shards, descending, shards.map(({ length }) => length), -1).slice(0, limit);
    const { since, rows } = fromNewest(newest, limit);
    const again = stream(shards, ascending, since === 0 ? shards.map(() => 0) : since as number[], 1);
    assert.equal(again.some(({ id }) => rows.has(id)), newest.length > 0);
  }));
});

test("fromNewest: two rows would not do for two shards", () => {
  const shards = [["0/0"], ["1/0"]];
  const newest = stream(shards, [0, 1], [1, 1], -1);
  assert.deepEqual(stream(shards, [0], newest[1]!.seq as number[], 1), []);
});

test("beforeLast: the last row follows it", () => {
  fc.assert(fc.property(database, picks, picks, fc.nat(60), (shards, first, second, length) => {
    const start = shards.map(() => 0);
    const rows = stream(shards, first, start, 1).slice(0, length);
    const anchor = beforeLast(start, rows);
    if (rows.length === 0) return assert.deepEqual(anchor, emptyAnchor(start));
    const again = stream(shards, second, anchor.since as number[], 1);
    assert.ok(again.some(({ id }) => anchor.rows.has(id)));
  }));
});

test("emptyAnchor: nothing is known of a position", () => {
  assert.deepEqual(emptyAnchor("1-x"), { since: "1-x", rows: new Map() });
});

test("rowsNeeded: more than there are shards", () => {
  assert.deepEqual([1, 8, 15, 16, 64].map(rowsNeeded), [16, 16, 16, 17, 65]);
});
