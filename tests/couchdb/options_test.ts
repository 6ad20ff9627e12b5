/** Options that contradict each other, and what can be seen of a feed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type ChangesOptions, type FeedEvent } from "../../src/couchdb/changes.ts";
import { has, ids, live, lost, until, withDatabase } from "../support/feed_harness.ts";
import { json } from "../support/scripted_couchdb.ts";

const contradictions: [Record<string, unknown>, RegExp][] = [
  [{ heartbeat: 1_000, timeout: 1_000 }, /timeout contradicts heartbeat/],
  [{ feed: "normal", timeout: 1_000 }, /timeout contradicts feed: "normal"/],
  [{ feed: "longpoll", descending: true }, /descending needs feed: "normal", not "longpoll"/],
  [{ feed: "live" }, /feed must be .* not "live"/],
  [{ timeout: 0 }, /timeout.*0/],
  [{ limit: 1.5 }, /limit.*1\.5/],
  [{ filter: "_doc_ids" }, /"_doc_ids" needs docIds/],
  [{ filter: "_selector" }, /"_selector" needs selector/],
  [{ filter: "_view" }, /"_view" needs view/],
  [{ filter: "mine" }, /filter must be .* not "mine"/],
  [{ filter: "_other" }, /filter must be .* not "_other"/],
  [{ docIds: ["a"] }, /docIds needs filter: "_doc_ids", not undefined/],
  [{ filter: "_doc_ids", docIds: [7] }, /docIds must be strings/],
  [{ filter: "app/mine", selector: {} }, /selector needs filter: "_selector", not "app\/mine"/],
  [{ filter: "_design", view: "app/all" }, /view needs filter: "_view", not "_design"/],
  [{ filter: "_selector", selector: {}, fields: ["a"] }, /fields needs includeDocs/],
  [{ filter: "_design", query: { a: 1 } }, /query needs filter/],
  [{ filter: "app/mine", query: { since: 1 } }, /query\.since is a parameter of the feed/],
  [{ conflicts: true }, /conflicts needs includeDocs/],
  [{ attachments: true }, /attachments needs includeDocs/],
  [{ style: "all" }, /style.*"all"/],
  [{ seqInterval: 0 }, /seqInterval.*0/],
];

for (const [options, message] of contradictions) {
  test(`changes: ${JSON.stringify(options)} throws at once`, () => {
    assert.throws(() => changes("http://127.0.0.1/db", options as ChangesOptions), message);
  });
}

test("changes: the options of the selection reach every request of the feed, and no other", () =>
  withDatabase(async ({ database, open }) => {
    database.put("a");
    const feed = open({
      since: 0,
      filter: "app/mine",
      query: { user: "jörg & co" },
      includeDocs: true,
      conflicts: true,
      attachments: true,
      style: "all_docs",
      seqInterval: 100,
    });
    const batches = feed.batches();
    const [first] = await until(batches, live);
    assert.deepEqual(first?.changes[0], {
      id: "a",
      rev: "1-1",
      deleted: false,
      seq: "1-g1AAAA",
      doc: { _id: "a", _rev: "1-1" },
      revs: ["1-1", "1-loser"],
    });
    const next = batches.next();
    const stream = await database.asked("continuous", 0);
    const page = await database.asked("page", 0);
    for (const { url } of [page, stream]) {
      const { seq_interval, ...sent } = Object.fromEntries(url.searchParams);
      for (const name of ["since", "limit", "feed", "heartbeat", "_"]) {
        delete sent[name];
      }
      assert.equal(seq_interval, url === page.url ? "100" : undefined);
      assert.deepEqual(sent, {
        filter: "app/mine",
        user: "jörg & co",
        include_docs: "true",
        conflicts: "true",
        attachments: "true",
        style: "all_docs",
      });
    }
    const newest = await database.asked("newest", 0);
    assert.deepEqual([...newest.url.searchParams.keys()], [
      "limit",
      "descending",
      "_",
    ]);
    await feed[Symbol.asyncDispose]();
    await next;
  }));

test("changes: a long poll for each change, at once", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open({ feed: "longpoll" }).batches();
    await until(batches, live);
    for (const id of ["a", "b"]) {
      const from = database.requests.length;
      const next = until(batches, has(id));
      await database.asked("longpoll", from);
      database.put(id);
      assert.deepEqual(ids(await next), [id]);
    }
    assert.equal(database.requests.filter(({ kind }) => kind === "continuous").length, 0);
  }));

test("changes: a server that does not wait in a long poll is asked ever more slowly", () =>
  withDatabase(async ({ database, time, open }) => {
    database.fail(
      "longpoll",
      (_, response) => json(response, 200, `{"results":[],"last_seq":"0-g1AAAA"}`),
      3,
    );
    const batches = open({ feed: "longpoll", random: () => 0.5 }).batches();
    const reading = until(batches, has("a"));
    for (const wait of [500, 1_000]) {
      await time.asleep((ms) => ms === wait);
      time.advance(wait);
    }
    await database.asked("longpoll", database.requests.length);
    database.put("a");
    await reading;
  }));

test('changes: feed "normal" goes on after a fault, and ends when it is complete', () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 5; n++) database.put(`doc-${n}`);
    database.fail("page", () => false);
    database.fail("page", (_, response) => json(response, 503, "{}"));
    const seen: string[] = [];
    for await (const { id } of open({ since: 0, feed: "normal", batchSize: 2 })) seen.push(id);
    assert.deepEqual(seen, ["doc-0", "doc-1", "doc-2", "doc-3", "doc-4"]);
  }));

test("changes: a batch that holds the last change of the limit ends there", () =>
  withDatabase(async ({ database, open }) => {
    for (let n = 0; n < 5; n++) database.put(`doc-${n}`);
    for (const [limit, batchSize] of [[3, 2], [4, 2], [5, 9], [1, 1]] as const) {
      const feed = open({ since: 0, limit, batchSize });
      const seen = [];
      for await (const batch of feed.batches()) seen.push(batch);
      assert.equal(ids(seen).length, limit);
      assert.equal(feed.since, `${limit}-g1AAAA`);
    }
  }));

test("changes: state, lag, counters and events tell what happens", () =>
  withDatabase(async ({ database, time, open }) => {
    const events: FeedEvent[] = [];
    const feed = open({
      random: () => 0.5,
      onEvent: (event) => {
        events.push(event);
        throw new Error("ignored");
      },
    });
    const batches = feed.batches();
    await until(batches, live);
    time.advance(300);
    assert.deepEqual([feed.state, feed.lag], ["live", 300]);
    const reading = until(batches, has("a"));
    await database.asked("continuous", 0);
    database.put("a");
    await reading;
    const losing = until(batches, lost);
    await database.cut();
    await losing;
    assert.equal(feed.state, "lost");
    database.recreate();
    await until(batches, ({ reset }) => reset !== undefined);
    await batches.return?.();
    const error = events.flatMap((event) => event.type === "lost" ? event.error ?? [] : [])[0]!;
    assert.deepEqual([error.name, error.message], ["ChangesError", "The connection broke off"]);
    assert.deepEqual(events, [
      { type: "live" },
      { type: "connected" },
      { type: "lost", code: "truncated", error },
      { type: "retrying", ms: 0, code: "truncated", error },
      { type: "reset", reason: "recreated" },
      { type: "closed" },
    ]);
    const { connections, bytes, changes: handedOut, heartbeats } = feed.counters;
    assert.deepEqual([connections, handedOut, heartbeats <= 1, bytes > 100], [1, 1, true, true]);
    assert.equal(feed.lag, 300);
  }));
