/** Every recorded feed of a real CouchDB, replayed over TCP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/couchdb/changes.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { Client } from "../../src/couchdb/connection/client.ts";
import { parseDatabaseUrl } from "../../src/couchdb/wire/database_url.ts";
import { resolveOptions } from "../../src/couchdb/connection/options.ts";
import { WITHHELD } from "../../src/couchdb/connection/stream.ts";
import type { Rows } from "../../src/couchdb/wire/rows.ts";
import { has, ids, live, lost, resets, until } from "../support/feed_harness.ts";
import { informationResponse, recording, startWireServer } from "../support/wire_server.ts";

const UNICODE = "ünï-✓";

/** What a feed's bytes were read as: ids, how it ended, and the position after it. */
interface Outcome {
  readonly ids: readonly string[];
  /** The page was complete, or the stream said its end, or the code of its fault. */
  readonly end: string;
  /** The number in front of the position after it. */
  readonly since: string;
}

async function replay<T>(
  pieces: readonly (Uint8Array | null)[],
  read: (client: Client) => Promise<T>,
): Promise<T> {
  const server = await startWireServer(() => pieces);
  try {
    return await read(new Client(parseDatabaseUrl(server.url), resolveOptions({})));
  } finally {
    await server.close();
  }
}

async function readPage(client: Client): Promise<Outcome> {
  try {
    const { rows, complete } = await client.readPage("0", 3, new AbortController().signal);
    return outcome([rows], complete ? "complete" : "more");
  } catch (error) {
    return { ids: [], end: faultOf(error), since: "0" };
  }
}

async function readStream(client: Client, enough = Infinity): Promise<Outcome> {
  const session = new AbortController();
  const seen: Rows[] = [];
  try {
    const stream = client.openStream("0", session, false);
    for (;;) {
      const rows = await stream.read(10_000);
      if (rows === undefined || rows === WITHHELD) throw new Error("nothing came");
      seen.push(rows);
      if (rows.fault !== undefined) throw rows.fault;
      if (rows.ended) return outcome(seen, "ended");
      if (outcome(seen, "").ids.length >= enough) return outcome(seen, "open");
    }
  } catch (error) {
    return outcome(seen, faultOf(error));
  } finally {
    session.abort();
  }
}

function outcome(seen: readonly Rows[], end: string): Outcome {
  const since = String(seen.at(-1)?.since ?? "0").split("-", 1)[0] ?? "";
  return { ids: seen.flatMap((rows) => rows.changes.map(({ id }) => id)), end, since };
}

function faultOf(error: unknown): string {
  assert.ok(error instanceof ChangesError, String(error));
  return error.status === undefined ? error.code : `${error.code} ${error.status}`;
}

const ALL = ["post-3", UNICODE, "post-2", "post-5", "post-4", "post-1", "_design/site"];
const INTERLEAVED = ["post-3", "post-5", UNICODE, "post-4", "post-2", "post-1", "_design/site"];

const VIEW = ["post-3", "post-5", UNICODE, "post-2", "post-4", "post-1", "_design/site"];
const STREAM = [
  "post-3",
  UNICODE,
  "post-2",
  "lp-1",
  "live-1",
  "post-5",
  "post-4",
  "post-1",
  "_design/site",
  "live-2",
];
const WITH_DOCS = [
  "post-3",
  "post-5",
  UNICODE,
  "post-4",
  "post-2",
  "post-1",
  "lp-1",
  "_design/site",
  "live-1",
  "live-2",
];

const pages: Record<string, Outcome> = {
  "normal": { ids: ALL, end: "complete", since: "10" },
  "normal-limit": { ids: ["post-3", UNICODE, "post-2"], end: "more", since: "4" },
  "normal-since": { ids: ["post-5", "post-4", "post-1", "_design/site"], end: "complete", since: "10" },
  "normal-style-all-docs-conflicts": { ids: INTERLEAVED, end: "complete", since: "10" },
  "normal-descending": { ids: ["post-2", UNICODE], end: "more", since: "9" },
  "normal-seq-interval": { ids: ALL, end: "complete", since: "10" },
  "normal-selector": { ids: ["post-3", "post-5"], end: "complete", since: "10" },
  "normal-doc-ids": { ids: ["post-4", "post-1"], end: "more", since: "10" },
  "normal-view-filter": { ids: VIEW, end: "complete", since: "10" },
  "longpoll-since-now-heartbeat": { ids: ["lp-1"], end: "complete", since: "11" },
  "longpoll-timeout": { ids: [], end: "complete", since: "11" },
  "database-deleted-during-longpoll": { ids: [], end: "complete", since: "1" },
  "since-of-another-database": { ids: ["post-3", UNICODE, "post-2"], end: "more", since: "5" },
  "since-malformed": { ids: [], end: "bad-request 400", since: "0" },
  "filter-throws-normal": { ids: [], end: "server-error 500", since: "0" },
  "bad-limit": { ids: [], end: "server-error 500", since: "0" },
  "bad-feed": { ids: [], end: "bad-request 400", since: "0" },
  "missing-filter": { ids: [], end: "bad-request 404", since: "0" },
};

const streams: Record<string, Outcome> = {
  "continuous-timeout": { ids: STREAM, end: "ended", since: "13" },
  "continuous-limit": { ids: ["post-3", UNICODE], end: "ended", since: "3" },
  "continuous-include-docs": { ids: WITH_DOCS, end: "ended", since: "13" },
  "database-recreated-during-continuous": { ids: [], end: "ended", since: "1" },
  "database-deleted-during-continuous": { ids: [], end: "truncated", since: "0" },
  "filter-throws-mid-continuous": { ids: [], end: "server-error 500", since: "0" },
  "missing-database": { ids: [], end: "not-found 404", since: "0" },
  "unauthenticated": { ids: [], end: "unauthorized 401", since: "0" },
  "wrong-password": { ids: [], end: "unauthorized 401", since: "0" },
  "eventsource": { ids: [], end: "not-json", since: "0" },
  "eventsource-last-event-id": { ids: [], end: "not-json", since: "0" },
  "db-updates": { ids: [], end: "bad-row", since: "0" },
};

for (const [name, expected] of Object.entries(pages)) {
  test(`couchdb-wire: ${name} as a page`, async () => {
    assert.deepEqual(await replay([recording(`${name}.http`)], readPage), expected);
  });
}

for (const [name, expected] of Object.entries(streams)) {
  test(`couchdb-wire: ${name} as a stream`, async () => {
    assert.deepEqual(await replay([recording(`${name}.http`)], readStream), expected);
  });
}

test("couchdb-wire: database-deleted-during-eventsource as a stream", async () => {
  const { ids, end } = await replay([recording("database-deleted-during-eventsource.http")], readStream);
  // Its first line is no row; Bun tells of the broken framing instead, and drops what came with it.
  assert.ok(ids.length === 0 && ["not-json", "truncated"].includes(end), end);
});

test("couchdb-wire: continuous-heartbeat as a stream, split at every byte of a row and its heartbeats", async () => {
  const whole = recording("continuous-heartbeat.http");
  const rows = ["lp-1", "post-5", "post-4", "post-1", "_design/site", "live-1", "live-2"];
  for (let cut = whole.length - 260; cut < whole.length - 1; cut++) {
    const { ids, since } = await replay(
      [whole.slice(0, cut), whole.slice(cut)],
      (client) => readStream(client, rows.length),
    );
    assert.deepEqual({ ids, since }, { ids: rows, since: "13" });
  }
});

test("couchdb-wire: since-of-another-database and normal-limit continue where they end", async () => {
  for (const name of ["since-of-another-database", "normal-limit"]) {
    const { rows, complete } = await replay(
      [recording(`${name}.http`)],
      (client) => client.readPage("1-g1", 3, new AbortController().signal),
    );
    assert.equal(complete, false);
    assert.equal(rows.since, rows.changes.at(-1)?.seq);
  }
});

/** A database made of recordings: `streams` answer the continuous requests one after the other. */
async function follow(
  answers: { readonly page: string; readonly newest?: string; readonly streams: readonly string[] },
  read: (feed: ReturnType<typeof changes>) => Promise<void>,
  since: string | number = 0,
): Promise<readonly string[]> {
  const left = [...answers.streams];
  const server = await startWireServer((target) => {
    if (!target.includes("_changes")) return informationResponse();
    if (target.includes("descending")) return recording(answers.newest ?? "normal-descending.http");
    if (target.includes("continuous")) return recording(left.shift() ?? "continuous-heartbeat.http");
    return recording(answers.page);
  });
  const feed = changes(server.url, { since, random: () => 0 });
  try {
    await read(feed);
    return server.requests;
  } finally {
    await feed[Symbol.asyncDispose]();
    await server.close();
  }
}

test("couchdb-wire: a feed catches up, is live, and goes on through clean and broken ends", async () => {
  const ends = ["database-recreated-during-continuous.http", "database-deleted-during-continuous.http"];
  const requests = await follow({ page: "normal.http", streams: ends }, async (feed) => {
    const batches = feed.batches();
    assert.deepEqual(ids(await until(batches, live)), ALL);
    for (const end of ends) {
      assert.deepEqual(ids(await until(batches, lost)), [], end);
      await until(batches, live);
    }
    const seen = await until(batches, has("live-2"));
    assert.deepEqual(
      ids(seen),
      ["lp-1", "post-5", "post-4", "live-1", "live-2"],
      "the stream begins early, too",
    );
  });
  // One row early: the position before the last of the recorded rows.
  assert.match(requests.filter((target) => target.includes("limit=")).at(-1) ?? "", /since=9-g1AAAACb/);
});

test("couchdb-wire: since-malformed is a reset, and everything comes again", async () => {
  const server = await startWireServer((target) => {
    if (!target.includes("_changes")) return informationResponse();
    return recording(target.includes("since=abc") ? "since-malformed.http" : "normal.http");
  });
  const feed = changes(server.url, { since: "abc" });
  try {
    const seen = await until(feed.batches(), live);
    assert.deepEqual(resets(seen), ["since-refused"]);
    assert.deepEqual(ids(seen), ALL);
  } finally {
    await feed[Symbol.asyncDispose]();
    await server.close();
  }
});

for (
  const [name, code, status] of [
    ["missing-database", "not-found", 404],
    ["unauthenticated", "unauthorized", 401],
    ["wrong-password", "unauthorized", 401],
  ] as const
) {
  test(`couchdb-wire: ${name} at the start ends a feed`, async () => {
    const server = await startWireServer(() => recording(`${name}.http`));
    try {
      await assert.rejects(changes(server.url).batches().next(), { name: "ChangesError", code, status });
    } finally {
      await server.close();
    }
  });
}
