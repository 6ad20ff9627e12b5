/** The parts that need no database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackOff } from "../../src/changes/back_off.ts";
import { Cursor } from "../../src/couchdb/reader/cursor.ts";
import { scopeOf, sourceMismatch, sourceOf } from "../../src/couchdb/reader/position_source.ts";
import { type DatabaseInfo, parseDatabaseInfo, rewindOf } from "../../src/couchdb/wire/database_info.ts";
import { resolveSelection, type SelectionOptions } from "../../src/couchdb/wire/filter.ts";
import type { Since } from "../../src/changes/change.ts";
import { holdsAll, revisionQuery } from "../../src/couchdb/wire/revs_diff.ts";
import { encodeQuery } from "../../src/couchdb/wire/query.ts";
import { parsePage } from "../../src/couchdb/wire/page.ts";
import { Rows } from "../../src/couchdb/wire/rows.ts";
import { deadline, EXPIRED, systemSleep } from "../../src/changes/timing.ts";
import { idleTimeout } from "../../src/couchdb/connection/watchdog.ts";

test("Rows: rows, checkpoints, null positions, heartbeats and the end", () => {
  const rows = new Rows("0");
  rows.addLines([
    "",
    "\r",
    `{"seq":"1-x","id":"a","changes":[{"rev":"1-a"}]}\r`,
    `{"seq":null,"id":"b","changes":[{"rev":"2-b"}],"deleted":true,"unknown":1}`,
    `{"seq":"3-x","id":null,"changes":[]}`,
    `{"seq":[4,"x"],"id":"c","changes":[]}`,
    `{"last_seq":"5-x","pending":0}`,
    `{"seq":"6-x","id":"late","changes":[{"rev":"1-a"}]}`,
  ]);
  assert.deepEqual(rows.changes, [
    { id: "a", rev: "1-a", deleted: false, seq: "1-x" },
    { id: "b", rev: "2-b", deleted: true, seq: "1-x" },
  ]);
  assert.deepEqual([rows.start, rows.since, rows.ended, rows.fault], ["0", "5-x", true, undefined]);
});

test("Rows: reading stops at the first fault, and what precedes it is good", () => {
  const good = `{"seq":"1-x","id":"a","changes":[{"rev":"1-a"}]}`;
  const faults: Record<string, string> = {
    [`{"seq":"2-x","id":"b","changes":[{"rev"`]: "bad-row",
    [`{"seq":"2-x","changes":[{"rev":"1-a"}]}`]: "bad-row",
    [`{"seq":"2-x","id":"b"}`]: "bad-row",
    [`{"seq":"2-x","id":7,"changes":[{"rev":"1-a"}]}`]: "bad-row",
    [`{}`]: "bad-row",
    [`{"error":"timeout","reason":"late"}`]: "server-error",
    [`{"code":500,"error":"x"}`]: "server-error",
    [`<html>`]: "not-json",
    [`HTTP/1.1 500 Internal Server Error`]: "not-json",
  };
  for (const [line, code] of Object.entries(faults)) {
    const rows = new Rows("0");
    rows.addLines([good, line, good]);
    assert.deepEqual([rows.changes.length, rows.fault?.code, rows.fault?.since], [1, code, "1-x"], line);
  }
});

test("parsePage: on one line, without pending, with a pending that is no use", () => {
  const row = `{"seq":1,"id":"a","changes":[{"rev":"1-a"}]}`;
  const complete = (rest: string, limit: number, rows = row) =>
    parsePage(`{"results":[${rows}],"last_seq":9${rest}}`, 0, limit).complete;
  assert.deepEqual(
    [complete("", 2), complete("", 1), complete(`,"pending":null`, 1), complete(`,"pending":-3`, 1)],
    [true, false, false, true],
  );
  assert.deepEqual([complete(`,"pending":5`, 9), complete(`,"pending":5`, 9, "")], [false, true]);
});

test("parsePage: what is no page", () => {
  const faults: Record<string, string> = {
    "": "not-json",
    "<html>": "not-json",
    "[]": "not-json",
    "{}": "not-json",
    "null": "not-json",
    [`{"results":[]}`]: "not-json",
    [`{"results":[\n`]: "truncated",
    [`{"results":[],\n"last_seq":`]: "truncated",
    [`{"results":[{"id":}],"last_seq":1}`]: "bad-row",
    [`{"error":"x","reason":"y"}`]: "server-error",
  };
  for (const [text, code] of Object.entries(faults)) {
    assert.throws(() => parsePage(text, "3-x", 10), { name: "ChangesError", code }, text);
  }
});

test("rewindOf: numbers are compared, and the count in front of a position where there is one count", () => {
  const rewind = (since: Since, updateSeq: Since, cluster?: object) =>
    rewindOf(
      since,
      parseDatabaseInfo({ update_seq: updateSeq, ...(cluster === undefined ? {} : { cluster }) }),
    );
  const alone = { q: 1, n: 1 };
  assert.deepEqual([rewind(5, 4), rewind(5, 5), rewind(5, 6)], ["rewound", undefined, undefined]);
  assert.deepEqual([rewind("5-x", "4-y", alone), rewind("5-x", "5-y", alone), rewind("9-x", "10-y", alone)], [
    "rolled-back",
    undefined,
    undefined,
  ]);
  // Shards that are split count anew, each copy counts by itself, and a server that says neither proves nothing.
  for (const cluster of [{ q: 2, n: 1 }, { q: 1, n: 3 }, undefined]) {
    assert.equal(rewind("5-x", "4-y", cluster), undefined);
  }
  for (const since of [0, "now", "x", ["5-x"]]) assert.equal(rewind(since, "4-y", alone), undefined);
});

test("holdsAll: an empty object says that no revision is missing, and nothing else does", () => {
  assert.deepEqual(revisionQuery(new Map([["a", "1-x"]])), { a: ["1-x"] });
  assert.equal(holdsAll({}), true);
  // The second is what a server sends that takes the path for that of its database.
  for (const answer of [{ a: { missing: ["1-x"] } }, { db_name: "blog" }, [], null, "", 0]) {
    assert.equal(holdsAll(answer), false, JSON.stringify(answer));
  }
});

test("parseDatabaseInfo: tells lives and purges apart, and spellings not", () => {
  const info = (life: string | undefined, purge: unknown) =>
    parseDatabaseInfo({
      update_seq: "5-x",
      instance_start_time: life,
      purge_seq: purge,
      cluster: { q: 2, n: 3 },
    });
  const known = info("170", "0-abc");
  assert.deepEqual([known.shards, known.replicas], [2, 3]);
  const scope = { database: "http://host/db", selection: "" };
  const change = (from: DatabaseInfo, to: DatabaseInfo) =>
    new Cursor(scope, resolveSelection({}), 0, from).identityChange(to);
  assert.equal(change(known, info("170", "0-def")), undefined);
  assert.equal(change(known, info("170", "1-abc")), "purged");
  assert.equal(change(known, info("171", "0-abc")), "recreated");
  assert.equal(
    change(info(undefined, undefined), info(undefined, undefined)),
    undefined,
  );
  assert.equal(
    sourceMismatch(sourceOf(scope, known), { ...scope, database: "http://host/other" }, known),
    "since-refused",
  );
  assert.equal(
    sourceMismatch(sourceOf(scope, known), { ...scope, selection: "x" }, known),
    "since-refused",
  );
  for (const source of ["", "{}", "7", "null"]) {
    assert.equal(sourceMismatch(source, scope, known), "since-refused");
  }
  for (const value of [null, 7, [], {}, { update_seq: null }]) {
    assert.throws(() => parseDatabaseInfo(value), { code: "not-json" });
  }
});

test("scopeOf: a selection is a short digest, and none where every change is sent", async () => {
  const scope = async (options: SelectionOptions) =>
    (await scopeOf("http://host/db", resolveSelection(options))).selection;
  assert.equal(await scope({ includeDocs: true, seqInterval: 10 }), "");
  const docIds = Array.from({ length: 10_000 }, (_, n) => `doc-${n}`);
  const many = await scope({ filter: "_doc_ids", docIds });
  assert.match(many, /^[0-9a-f]{32}$/);
  assert.equal(await scope({ filter: "_doc_ids", docIds: [...docIds] }), many);
  const others = [
    { filter: "_doc_ids", docIds: docIds.slice(1) },
    { filter: "_design" },
    { style: "all_docs" } as const,
  ];
  const digests = await Promise.all(others.map(scope));
  assert.equal(new Set([many, "", ...digests]).size, 5);
});

test("encodeQuery: strings as they are, anything else as JSON", () => {
  assert.equal(
    encodeQuery({ since: "5-g1/+", limit: 7, doc_ids: ["ü"], "a b": true }),
    "since=5-g1%2F%2B&limit=7&doc_ids=%5B%22%C3%BC%22%5D&a%20b=true",
  );
});

test("BackOff: doubles, is capped, and begins anew after a success", () => {
  const backOff = new BackOff(() => 0.5);
  const waits = Array.from({ length: 9 }, () => backOff.next());
  assert.deepEqual(waits, [250, 500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
  assert.equal(backOff.next(40_000), 40_000);
  for (let n = 0; n < 2_000; n++) assert.ok(backOff.next() <= 2_000);
  backOff.reset();
  assert.deepEqual([backOff.nextEager(), backOff.nextEager(), backOff.next()], [0, 500, 1_000]);
});

test("idleTimeout: three heartbeats, or one and ten seconds", () => {
  assert.deepEqual([1_000, 5_000, 10_000, 60_000].map(idleTimeout), [11_000, 15_000, 30_000, 180_000]);
});

test("deadline: the result, the deadline, or the signal's reason", async () => {
  const { signal } = new AbortController();
  const never = new Promise<never>(() => {});
  assert.equal(await deadline(Promise.resolve(7), 1e9, systemSleep, signal), 7);
  assert.equal(await deadline(never, 1, systemSleep, signal), EXPIRED);
  assert.equal(await deadline(never, -1, systemSleep, signal), EXPIRED);
  await assert.rejects(deadline(Promise.reject(new Error("no")), 1e9, systemSleep, signal), /no/);
  await assert.rejects(deadline(never, 1e9, systemSleep, AbortSignal.abort(new Error("enough"))), /enough/);
  const controller = new AbortController();
  const waiting = deadline(never, 1e12, systemSleep, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
});
