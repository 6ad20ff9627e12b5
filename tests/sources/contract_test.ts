/** What every source keeps: the same suite over each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { has, ids, live, resets, until } from "../support/feed_harness.ts";
import { sources, type TestDatabase } from "./sources.ts";

const contract: Record<string, (database: TestDatabase) => Promise<void>> = {
  "since 0 yields every document once, at its latest revision": async (database) => {
    await database.put("a");
    await database.put("ü☃𝄞");
    const rev = await database.put("a", { n: 2 });
    await database.put("c");
    await database.remove("c");
    const batches = database.open({ since: 0 }).batches();
    const seen = (await until(batches, live)).flatMap(({ changes }) => changes);
    assert.deepEqual(seen.map(({ id, deleted }) => [id, deleted]), [["ü☃𝄞", false], ["a", false], [
      "c",
      true,
    ]]);
    assert.equal(seen[1]?.rev, rev);
    assert.ok(seen.every((change) => !("doc" in change) && !("revs" in change)));
    await batches.return?.();
  },

  "since now yields what is written after it is live, and nothing older": async (database) => {
    for (let n = 0; n < 20; n++) await database.put(`old-${n}`);
    const feed = database.open();
    assert.deepEqual([feed.state, feed.lag, feed.since], ["catching-up", Infinity, undefined]);
    const batches = feed.batches();
    assert.deepEqual(ids(await until(batches, live)), []);
    assert.deepEqual([feed.state, feed.lag < 60_000], ["live", true]);
    for (const id of ["x", "y", "z"]) {
      const reading = until(batches, has(id));
      await database.put(id);
      assert.deepEqual(ids(await reading), [id]);
    }
    assert.equal(feed.counters.changes, 3);
    await batches.return?.();
  },

  "one by one, the position moves when the next is asked for": async (database) => {
    for (const id of ["a", "b", "c"]) await database.put(id);
    const feed = database.open({ since: 0 });
    await assert.rejects(async () => {
      for await (const { id } of feed) if (id === "b") throw new Error("no");
    }, /no/);
    const rest: string[] = [];
    for await (const { id } of feed) {
      rest.push(id);
      if (id === "c") break;
    }
    assert.deepEqual(rest, ["b", "c"]);
  },

  "a stored position resumes in another feed": async (database) => {
    for (const id of ["a", "b", "c"]) await database.put(id);
    const batches = database.open({ since: 0, batchSize: 2 }).batches();
    const [first] = await until(batches, has("a"));
    await batches.return?.();
    await database.put("d");
    const position = JSON.parse(JSON.stringify(first?.position));
    const resumed = database.open().batches(position);
    const seen = await until(resumed, live);
    assert.deepEqual([ids(seen), resets(seen)], [["c", "d"], []]);
    await resumed.return?.();
  },

  "a position of another database is a reset, and everything comes": async (database) => {
    await database.put("a");
    const batches = database.open().batches({ since: 0, source: "elsewhere" });
    const seen = await until(batches, live);
    assert.deepEqual([ids(seen), resets(seen)], [["a"], ["since-refused"]]);
    await batches.return?.();
  },

  "a position under another selection is a reset": async (database) => {
    for (const id of ["a", "b"]) await database.put(id);
    const filtered = database.open({ since: 0, filter: "_doc_ids", docIds: ["a"] }).batches();
    const position = (await until(filtered, live)).at(-1)?.position;
    await filtered.return?.();
    const batches = database.open().batches(position);
    const seen = await until(batches, live);
    assert.deepEqual([ids(seen), resets(seen)], [["a", "b"], ["since-refused"]]);
    await batches.return?.();
  },

  "includeDocs adds the body, a tombstone has one too": async (database) => {
    await database.put("a", { title: "one" });
    await database.put("b");
    await database.remove("b");
    const seen = [];
    for await (const change of database.open({ since: 0, includeDocs: true, feed: "normal" })) {
      seen.push(change);
    }
    const [a, b] = seen.map(({ doc }) => doc as Record<string, unknown>);
    assert.deepEqual([a?.["title"], a?.["_id"]], ["one", "a"]);
    assert.equal(b?.["_deleted"], true);
  },

  'style "all_docs" lists the leaves': async (database) => {
    const rev = await database.put("a");
    for await (const change of database.open({ since: 0, style: "all_docs", feed: "normal" })) {
      assert.deepEqual(change.revs, [rev]);
    }
  },

  "_doc_ids yields those documents only, and the position advances past the others": async (database) => {
    for (let n = 0; n < 30; n++) await database.put(`doc-${n}`);
    const feed = database.open({ since: 0, filter: "_doc_ids", docIds: ["doc-3", "doc-7", "later"] });
    const batches = feed.batches();
    const seen = await until(batches, live);
    assert.deepEqual(ids(seen), ["doc-3", "doc-7"]);
    for (let n = 0; n < 5; n++) await database.put(`more-${n}`);
    const reading = until(batches, has("later"));
    await database.put("later");
    const after = await reading;
    assert.deepEqual([ids(after), resets(after)], [["later"], []]);
    assert.notDeepEqual(after.at(-1)?.position?.since, seen.at(-1)?.position?.since);
    await batches.return?.();
  },

  'feed "normal" is one pass up to now': async (database) => {
    for (const id of ["a", "b", "c"]) await database.put(id);
    const feed = database.open({ since: 0, feed: "normal", batchSize: 2 });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual(seen, ["a", "b", "c"]);
    await database.put("d");
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual(seen, ["a", "b", "c", "d"]);
  },

  "limit ends the iteration after so many changes": async (database) => {
    for (const id of ["a", "b", "c", "d"]) await database.put(id);
    const feed = database.open({ since: 0, limit: 2 });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual(seen, ["a", "b"]);
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual(seen, ["a", "b", "c", "d"]);
  },

  "descending is the newest first, without a position": async (database) => {
    for (const id of ["a", "b", "c"]) await database.put(id);
    const feed = database.open({ feed: "normal", descending: true, limit: 2 });
    const seen: string[] = [];
    for await (const { id } of feed) seen.push(id);
    assert.deepEqual([seen, feed.position], [["c", "b"], undefined]);
  },

  "probes of an idle and of a busy database raise no alarm": async (database) => {
    await database.put("a");
    const batches = database.open({ maxLag: 40 }).batches();
    const seen = await until(batches, live);
    for (let n = 0; n < 6; n++) {
      seen.push(...await until(batches, live));
      const reading = until(batches, has(`doc-${n % 2}`));
      await database.put(`doc-${n % 2}`, { n });
      seen.push(...await reading);
    }
    assert.deepEqual(resets(seen), []);
    await batches.return?.();
  },

  "probes of a filtered feed raise no alarm": async (database) => {
    await database.put("a");
    const feed = database.open({ since: 0, maxLag: 40, filter: "_doc_ids", docIds: ["a", "c"] });
    const batches = feed.batches();
    const seen = await until(batches, live);
    for (let n = 0; n < 6; n++) {
      await database.put("b", { n });
      seen.push(...await until(batches, ({ changes }) => changes.length === 0));
      if (n % 2 === 0) continue;
      const reading = until(batches, has("c"));
      await database.put("c", { n });
      seen.push(...await reading);
    }
    assert.deepEqual([resets(seen), seen.filter(({ state }) => state === "lost").length], [[], 0]);
    assert.deepEqual([...new Set(ids(seen))], ["a", "c"]);
    await batches.return?.();
  },

  "a deleted database is told": async (database) => {
    await database.put("a");
    const batches = database.open().batches();
    await until(batches, live);
    // The embedded server would make a new database of a feed that is connecting.
    const connected = until(batches, has("b"));
    await database.put("b");
    await connected;
    const reading = until(batches, ({ reset }) => reset !== undefined);
    await database.destroy();
    assert.deepEqual(resets(await reading), ["deleted"]);
    await batches.return?.();
  },

  "an abort rejects a pending next()": async (database) => {
    const controller = new AbortController();
    const batches = database.open({ signal: controller.signal }).batches();
    await until(batches, live);
    const next = batches.next();
    controller.abort();
    await assert.rejects(next, { name: "ChangesError", code: "aborted" });
  },
};

for (const { name, start } of sources) {
  for (const [behaviour, body] of Object.entries(contract)) {
    test(`${name}: ${behaviour}`, async () => {
      const database = await start();
      try {
        await body(database);
      } finally {
        await database.close();
      }
    });
  }
}
