/** The traps of the `_changes` feed, 1 to 15: positions, watchdog, lines. Each test names its number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/couchdb/changes.ts";
import { parsePage } from "../../src/couchdb/wire/page.ts";
import { Rows } from "../../src/couchdb/wire/rows.ts";
import { Watchdog } from "../../src/couchdb/connection/watchdog.ts";
import { has, ids, live, lost, until, withDatabase } from "../support/feed_harness.ts";
import { json } from "../support/scripted_couchdb.ts";
import { row, stub } from "../support/stub_couchdb.ts";

const url = "http://127.0.0.1/db";

for (
  const [form, sent] of [
    ["12-g1AAA==+/", "12-g1AAA==+/"],
    [7, "7"],
    [[3, "abc"], `[3,"abc"]`],
    ["12::34", "12::34"],
  ] as const
) {
  test(`trap 1: a position is sent back as it came: ${JSON.stringify(form)}`, async () => {
    const database = stub([row(form, "a"), row(form, "b")], form);
    const feed = changes(url, { since: form, fetch: database.fetch });
    const seen = await until(feed.batches(), live);
    assert.deepEqual(seen.at(-1)?.position?.since, form);
    const sinces = database.asked.flatMap(({ searchParams }) => searchParams.get("since") ?? []);
    assert.ok(sinces.length >= 1 && sinces.every((since) => since === sent), String(sinces));
    await feed[Symbol.asyncDispose]();
  });
}

test("trap 2: a row without a position keeps the last one, and is not replayed by every probe", () =>
  withDatabase(async ({ database, time, open }) => {
    for (let n = 0; n < 11; n++) database.put(`doc-${n}`);
    const feed = open({ since: 0, seqInterval: 4, maxLag: 25_000 });
    const batches = feed.batches();
    const [first] = await until(batches, live);
    assert.deepEqual(first?.changes.map(({ seq }) => seq), [
      ...Array(4).fill("1-g1AAAA"),
      ...Array(4).fill("5-g1AAAA"),
      ...Array(3).fill("9-g1AAAA"),
    ]);
    assert.equal(first?.position?.since, "11-g1AAAA");
    const next = batches.next();
    await time.asleep((ms) => ms === 12_500);
    time.advance(12_500);
    assert.deepEqual((await next).value.changes, []);
    assert.equal(feed.counters.replays, 2);
  }));

test("trap 3: the position is that of the last change processed, not of the last one received", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0 });
    const iterator = feed[Symbol.asyncIterator]();
    for (const expected of [undefined, "1-g1AAAA", "2-g1AAAA"]) {
      await iterator.next();
      assert.equal(feed.since, expected);
    }
  }));

test("trap 4: last_seq is ahead of the last row, and counts once every row is processed", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0, filter: "_doc_ids", docIds: ["a"] });
    const batches = feed.batches();
    const { value } = await batches.next();
    assert.deepEqual([value.changes[0].seq, value.position.since], ["1-g1AAAA", "3-g1AAAA"]);
    assert.equal(feed.since, undefined);
    await batches.next();
    assert.equal(feed.since, "3-g1AAAA");
  }));

test("trap 5: now is pinned by the first request, and told", () =>
  withDatabase(async ({ database, open }) => {
    database.put("old");
    database.fail("page", (_, response) => {
      database.putSilently("gap");
      json(response, 503, "{}");
    });
    const batches = open().batches();
    const { value } = await batches.next();
    assert.deepEqual([value.state, value.position.since], ["lost", "1-g1AAAA"]);
    assert.deepEqual(ids(await until(batches, live)), ["gap"]);
  }));

test("trap 6: now is never sent, and a lost position is no now", () =>
  withDatabase(async ({ database, open }) => {
    const batches = open().batches();
    await until(batches, live);
    const next = until(batches, lost);
    await database.asked("continuous", 0);
    await database.cut();
    await next;
    await until(batches, live);
    assert.ok(database.requests.every(({ url }) => url.searchParams.get("since") !== "now"));
    assert.throws(() => changes(url, { since: undefined } as never), /since is undefined/);
  }));

test("trap 7: a filtered feed without a match advances, with a heartbeat and with a timeout", async () => {
  for (const options of [{}, { timeout: 30_000 }]) {
    await withDatabase(async ({ database, time, open }) => {
      database.matches = () => false;
      const feed = open({ since: 0, filter: "app/mine", maxLag: 25_000, ...options });
      const batches = feed.batches();
      await until(batches, live);
      const next = batches.next();
      const connected = await database.asked("continuous", 0);
      assert.equal(connected.url.searchParams.get("timeout"), "timeout" in options ? "30000" : null);
      assert.equal(connected.url.searchParams.get("heartbeat"), "timeout" in options ? null : "10000");
      for (let n = 0; n < 3; n++) database.put(`other-${n}`);
      await time.asleep((ms) => ms === 12_500);
      if ("timeout" in options) {
        time.advance(2_000);
        const from = database.requests.length;
        database.end(true);
        const again = await database.asked("continuous", from);
        assert.equal(again.url.searchParams.get("since"), "3-g1AAAA");
        await time.asleep((ms) => ms === 10_500);
      }
      time.advance(12_500);
      const { value } = await next;
      assert.deepEqual([value.state, value.changes, value.position.since], ["live", [], "3-g1AAAA"]);
    });
  }
});

test("trap 8: the watchdog is three periods, or one and ten seconds, and learns", () => {
  assert.deepEqual([1_000, 10_000].map((period) => new Watchdog(period).idleTimeout), [11_000, 30_000]);
  const watchdog = new Watchdog(1_000);
  watchdog.noteExpired();
  assert.equal(watchdog.idleTimeout, 22_000);
  watchdog.noteBytes(25_000);
  assert.equal(watchdog.idleTimeout, 35_000);
  for (let n = 0; n < 9; n++) watchdog.noteExpired();
  assert.equal(watchdog.idleTimeout, 180_000);
  watchdog.noteBytes(10);
  assert.equal(watchdog.idleTimeout, 35_000);
});

for (const [trap, headers] of [[9, false], [10, true]] as const) {
  test(`trap ${trap}: a server silent ${headers ? "after" : "before"} its headers is given up by our own clock`, () =>
    withDatabase(async ({ database, time, open }) => {
      const batches = open({ heartbeat: 5_000, maxLag: 1e9 }).batches();
      await until(batches, live);
      database.fail("continuous", (_, response) => {
        if (headers) response.writeHead(200).write("\n");
      });
      const next = until(batches, lost);
      await database.asked("continuous", 0);
      if (headers) await new Promise((resolve) => setTimeout(resolve, 20));
      await time.asleep((ms) => ms === 15_000);
      time.advance(15_000);
      await next;
    }));
}

test("trap 11: an end without a last line is a truncation, and its tail is discarded", () =>
  withDatabase(async ({ database, open }) => {
    const codes: unknown[] = [];
    const onEvent = (event: { readonly type: string; readonly code?: string }) =>
      event.type === "lost" && codes.push(event.code);
    const batches = open({ onEvent }).batches();
    await until(batches, live);
    const next = until(batches, lost);
    await database.asked("continuous", 0);
    database.send(`{"seq":"1-g1AAAA","id":"half","chan`);
    database.end(false);
    assert.deepEqual(ids(await next), []);
    assert.deepEqual(codes, ["truncated"]);
    assert.throws(() => parsePage(`{"results":[\n`, 0, 9), { code: "truncated" });
  }));

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

test("trap 13: blank lines are heartbeats, alone, several, beside a row, and inside a long poll", async () => {
  const rows = new Rows(0);
  rows.addLines(["", "\r", " ", `{"seq":1,"id":"a","changes":[{"rev":"1-a"}]}`, "", ""]);
  assert.deepEqual([rows.changes.length, rows.fault], [1, undefined]);
  await withDatabase(async ({ database, open }) => {
    const batches = open({ feed: "longpoll" }).batches();
    await until(batches, live);
    const polled = database.asked("longpoll", 0);
    const next = until(batches, has("a"));
    await polled;
    for (let n = 0; n < 3; n++) database.heartbeat();
    database.put("a");
    assert.deepEqual(ids(await next), ["a"]);
  });
});

test("trap 14: rows end in CR, LF or a comma, and characters span chunks", () => {
  const rows = new Rows(0);
  const line = (n: number) => `{"seq":${n},"id":"d${n}","changes":[{"rev":"1-a"}]}`;
  rows.addLines([line(1), `${line(2)}\r`, `${line(3)},`, `${line(4)},\r`]);
  assert.deepEqual(rows.changes.map(({ id }) => id), ["d1", "d2", "d3", "d4"]);
  const page = parsePage(`{"results":[\n${line(1)},\r\n${line(2)}\n],\n"last_seq":2,"pending":0}\n`, 0, 9);
  assert.equal(page.rows.changes.length, 2);
});

test("trap 15: a normal feed on one line is read whole", () => {
  const { rows } = parsePage(`{"results":[{"seq":1,"id":"a","changes":[{"rev":"1-a"}]}],"last_seq":1}`, 0, 9);
  assert.deepEqual([rows.changes[0]?.id, rows.since], ["a", 1]);
});
