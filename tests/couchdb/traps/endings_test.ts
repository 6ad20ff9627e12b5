/** Traps of the `_changes` feed: how a connection ends, and what of it is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type FeedEvent } from "../../../src/couchdb/changes.ts";
import { has, ids, live, lost, until, withDatabase } from "../../support/feed_harness.ts";
import { json } from "../../support/scripted_couchdb.ts";

// Trap 11. A continuous feed that ends without a `last_seq` line, or a page without its closing bracket, was cut off. The
// unfinished end is thrown away, and the feed resumes after the last whole row.
test("trap 11: a live feed without its last line is a truncation, and its tail is discarded", () =>
  withDatabase(async ({ database, open }) => {
    const codes: unknown[] = [];
    const onEvent = (event: FeedEvent) => event.type === "lost" && codes.push(event.code);
    const batches = open({ onEvent }).batches();
    await until(batches, live);
    const next = until(batches, lost);
    await database.asked("continuous", 0);
    database.send(`{"seq":"1-g1AAAA","id":"half","chan`);
    database.end(false);
    assert.deepEqual(ids(await next), []);
    assert.deepEqual(codes, ["truncated"]);
  }));

test("trap 11: a page without its closing bracket is a truncation", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    database.fail("page", (_, response) => json(response, 200, `{"results":[\n`));
    const codes: unknown[] = [];
    const onEvent = (event: FeedEvent) => event.type === "lost" && codes.push(event.code);
    assert.deepEqual(ids(await until(open({ since: 0, onEvent }).batches(), live)), ["a"]);
    assert.deepEqual(codes, ["truncated"]);
  }));

// Trap 12. Decoder, line buffer and parser begin anew with each connection: half a character of the last one would spoil
// the first row of the next.
test("trap 12: nothing of a broken connection is left in the next", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    const half = until(batches, lost);
    await database.asked("continuous", 0);
    database.send(new TextEncoder().encode(`{"seq":"1-g1AAAA","id":"ü`).slice(0, -1));
    await database.cut();
    await half;
    const from = database.requests.length;
    const next = until(batches, has("whole"));
    await database.asked("continuous", from);
    database.put("whole");
    assert.deepEqual(ids(await next), ["whole"]);
  }));

// Trap 18. A clean end is normal: a timeout, a limit, maintenance, a new configuration, a deleted database all look alike.
// The first new connection is made at once; connections that bring nothing and end soon are made ever more slowly.
test("trap 18: a clean end is no fault; connections that end without a row are made ever more slowly", () =>
  withDatabase(async ({ database, time, open }) => {
    const waits: number[] = [];
    database.fail("continuous", (_, response) => json(response, 200, `{"last_seq":"0-g1AAAA"}\n`), 3);
    const batches = open({
      random: () => 0.5,
      onEvent: (event) => event.type === "retrying" && waits.push(event.ms),
    }).batches();
    const reading = until(batches, has("a"));
    for (const wait of [500, 1_000]) {
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
    }
    await database.asked("continuous", database.requests.length);
    database.put("a");
    await reading;
    assert.deepEqual(waits, [0, 500, 1_000]);
  }));

// Trap 31. `limit=0` means no rows to CouchDB 3 and one row to PouchDB and CouchDB 1. A live feed ends when its limit is
// reached, and that end is no failure.
test("trap 31: limit ends the iteration quietly; 0 is refused, since servers disagree on it", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const events: FeedEvent[] = [];
    const feed = open({ since: 0, limit: 2, onEvent: (event) => events.push(event) });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual([seen, feed.since], [["a", "b"], "2-g1AAAA"]);
    assert.deepEqual(events.map(({ type }) => type), ["closed"]);
    assert.throws(() => changes("http://127.0.0.1/db", { limit: 0 }), /limit.*0/);
  }));
