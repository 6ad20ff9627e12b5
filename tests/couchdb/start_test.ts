import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError } from "../../mod.ts";
import { has, ids, live, until, withDatabase } from "../support/feed_harness.ts";
import { json } from "../support/scripted_couchdb.ts";

test("changes: since 0 yields every row, then is live", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "ü☃𝄞"]) database.put(id);
    database.put("b", true);
    const batches = await until(open({ since: 0 }).batches(), live);
    assert.deepEqual(batches[0]?.changes, [
      { id: "a", rev: "1-1", deleted: false, seq: "1-g1AAAA" },
      { id: "ü☃𝄞", rev: "1-4", deleted: false, seq: "3-g1AAAA" },
      { id: "b", rev: "2-1", deleted: true, seq: "4-g1AAAA" },
    ]);
    assert.deepEqual(batches.map(({ state }) => state), ["catching-up", "live"]);
  }));

test("changes: at most two requests precede the first row of a fresh feed", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    await until(open({ since: 0 }).batches(), has("a"));
    assert.deepEqual(database.requests.map(({ kind }) => kind), ["information", "page"]);
  }));

test("changes: since now yields nothing older, and everything from the pin on", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 40; n++) database.put(`old-${n}`);
    const batches = open().batches();
    assert.deepEqual(ids(await until(batches, live)), []);
    database.put("new");
    assert.deepEqual(ids(await until(batches, has("new"))), ["new"]);
  }));

test("changes: a write after the pin is yielded, whatever request it comes between", async () => {
  for (const kind of ["page", "newest", "continuous"] as const) {
    await withDatabase(async ({ database, open }) => {
      database.put("old");
      database.fail(kind, () => {
        database.putSilently("gap");
        return false;
      });
      assert.deepEqual(ids(await until(open().batches(), has("gap"))), ["gap"], kind);
    });
  }
});

test("changes: the pin survives faults before the first page", () =>
  withDatabase(async ({ database, open }) => {
    database.put("old");
    database.fail("page", (_, response) => {
      database.putSilently("gap");
      json(response, 503, "{}");
    });
    const seen = await until(open().batches(), has("gap"));
    assert.equal(seen[0]?.state, "lost");
    assert.deepEqual(ids(seen), ["gap"]);
    assert.ok(database.requests.every(({ url }) => url.searchParams.get("since") !== "now"));
  }));

test("changes: an empty database is live, and its first row comes", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    database.put("first");
    assert.deepEqual(ids(await until(batches, has("first"))), ["first"]);
  }));

test("changes: catches up in pages of batchSize", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 25; n++) database.put(`doc-${n}`);
    const batches = await until(open({ since: 0, batchSize: 10 }).batches(), live);
    assert.deepEqual(batches.map(({ changes }) => changes.length), [10, 10, 5, 0]);
    assert.deepEqual(batches.map(({ position }) => position?.since), [
      "10-g1AAAA",
      "20-g1AAAA",
      "25-g1AAAA",
      "25-g1AAAA",
    ]);
  }));

test("changes: works where positions are numbers and pending is absent", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 25; n++) database.put(`doc-${n}`);
    const batches = open({ since: 0, batchSize: 10 }).batches();
    assert.equal(ids(await until(batches, live)).length, 25);
    database.put("new");
    const [batch] = await until(batches, has("new"));
    assert.equal(batch?.position?.since, 26);
  }, { integers: true }));

test("changes: a null seq repeats the last one", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const batches = open({ since: 0 }).batches();
    const [first] = await until(batches, live);
    assert.deepEqual(first?.changes.map(({ seq }) => seq), [0]);
    assert.equal(first?.position?.since, "1-g1AAAA");
    database.put("b");
    const [second] = await until(batches, has("b"));
    assert.equal(second?.position?.since, "1-g1AAAA");
  }, { nullSeqs: true }));

test("changes: tells how many copies the database keeps", () =>
  withDatabase(async ({ open }) => {
    const [batch] = await until(open().batches(), live);
    assert.equal(batch?.replicas, 3);
  }, { replicas: 3 }));

test("changes: contact is when the last page was asked for", () =>
  withDatabase(async ({ database, time, open }) => {
    database.put("a");
    const asked = time.now();
    database.fail("information", () => false);
    database.fail("information", () => {
      time.advance(700);
      return false;
    });
    const [, batch] = await until(open({ since: 0 }).batches(), live);
    assert.equal(time.now(), asked + 700);
    assert.equal(batch?.contact?.wall, asked);
  }));

test("changes: without a database at the start each attempt gives a lost batch with its fault", () =>
  withDatabase(async ({ database, open }) => {
    database.fail("information", (_, response) => json(response, 500, "{}"), 3);
    const seen = await until(open().batches(), live);
    assert.deepEqual(seen.map(({ state }) => state), ["lost", "lost", "lost", "live"]);
    assert.deepEqual([seen[0]?.position, seen[0]?.contact], [undefined, undefined]);
    const faults = seen.map(({ fault }) => fault instanceof ChangesError ? fault.code : fault);
    assert.deepEqual(faults, ["server-error", "server-error", "server-error", undefined]);
  }));
