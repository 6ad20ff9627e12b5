/**
 * The feed against a whole database: the CouchDB at `COUCHDB_URL` (`http://admin:password@host:5984`), else the
 * embedded one with what that can do. What it cannot is skipped, with the reason.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { startDatabase } from "../../examples/blog/database.ts";
import {
  changes,
  type ChangesOptions,
  cookieSession,
  type CouchChangesFeed,
  databaseUpdates,
} from "../../src/couchdb/changes.ts";
import { has, ids, live, resets, until } from "../support/feed_harness.ts";

const server = process.env["COUCHDB_URL"]?.replace(/\/$/, "");
const documents = server === undefined ? 2_000 : 50_000;
/** For tests that the embedded database cannot pass. */
const couchdbOnly = {
  skip: server === undefined ? "no CouchDB; set COUCHDB_URL=http://admin:password@host:5984" : false,
};
const name = `stillfresh-${Date.now().toString(36)}`;

let root = "";
let authorization: Record<string, string> = {};
let close: () => Promise<void> = () => Promise.resolve();
/** Ends what a test that failed has left open. */
const ending = new AbortController();

/** The longest that one feed is read, in milliseconds: a test that waits for what does not come fails. */
const LONGEST = 300_000;

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${root}/${path}`, {
    method,
    headers: { "content-type": "application/json", ...authorization },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(`${method} ${root}/${path}: ${response.status} ${JSON.stringify(answer)}`);
  }
  return answer;
}

async function exists(database: string): Promise<boolean> {
  const response = await fetch(`${root}/${database}`, { method: "HEAD", headers: authorization });
  return response.status === 200;
}

async function write(from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += 1_000) {
    const docs = Array.from({ length: Math.min(1_000, to - start) }, (_, n) => ({
      _id: `doc-${start + n}`,
      kind: (start + n) % 2 === 0 ? "even" : "odd",
    }));
    await ask("POST", `${name}/_bulk_docs`, { docs });
  }
}

function open(options: ChangesOptions = {}): CouchChangesFeed {
  const beat = options.timeout === undefined ? { heartbeat: 2_000 } : {};
  return changes(`${root}/${name}`, { ...beat, headers: authorization, signal: untilTooLong(), ...options });
}

function untilTooLong(): AbortSignal {
  return AbortSignal.any([ending.signal, AbortSignal.timeout(LONGEST)]);
}

async function everyId(options: ChangesOptions): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id } of open({ feed: "normal", since: 0, ...options })) seen.push(id);
  return seen;
}

before(async () => {
  if (server === undefined) {
    console.log("COUCHDB_URL is not set: the integration suite runs on the embedded database");
    const embedded = await startDatabase();
    root = embedded.url;
    close = () => embedded.close();
  } else {
    const url = new URL(server);
    const [user, password] = [url.username, url.password].map(decodeURIComponent);
    if (user) authorization = { authorization: `Basic ${btoa(`${user}:${password}`)}` };
    url.username = url.password = "";
    root = url.href.replace(/\/$/, "");
    close = async () => void await ask("DELETE", name).catch(() => {});
    // Without it, the server has no feed of databases.
    if (!await exists("_global_changes")) await ask("PUT", "_global_changes");
  }
  await ask("PUT", name);
  await write(0, documents);
});

after(async () => {
  ending.abort();
  await close();
});

test("integration: every document comes, in pages", async () => {
  const seen = await everyId({});
  assert.deepEqual([seen.length, new Set(seen).size], [documents, documents]);
});

for (const feed of ["continuous", "longpoll"] as const) {
  test(`integration: ${feed}: what concurrent writers write comes, whatever the reader does`, async () => {
    const follower = open({ feed, maxLag: 400 });
    const batches = follower.batches();
    await until(batches, live);
    const wanted = new Set(Array.from({ length: 40 }, (_, n) => `${feed}-${n}`));
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let n = writer; n < 40; n += 4) await ask("PUT", `${name}/${feed}-${n}`, { n });
    });
    const seen = await until(batches, ({ changes }) => {
      for (const { id } of changes) wanted.delete(id);
      return wanted.size === 0;
    });
    await Promise.all(writers);
    assert.deepEqual(resets(seen), []);
    await batches.return?.();
  });
}

test("integration: a stored position resumes", async () => {
  const feed = open({ since: 0, batchSize: 500 });
  const batches = feed.batches();
  const [first] = await until(batches, ({ changes }) => changes.length > 0);
  await batches.return?.();
  const rest = open().batches(first?.position);
  const seen = await until(rest, live);
  assert.deepEqual(resets(seen), []);
  const all = new Set([...ids([first!]), ...ids(seen)]);
  for (let n = 0; n < documents; n++) assert.ok(all.has(`doc-${n}`), `doc-${n}`);
  await rest.return?.();
});

test("integration: _doc_ids, few and many, and the feed goes on behind it", async () => {
  const many = Array.from({ length: 400 }, (_, n) => `doc-${n}`);
  for (const docIds of [["doc-3", "doc-5"], server === undefined ? many.slice(0, 100) : many]) {
    assert.deepEqual((await everyId({ filter: "_doc_ids", docIds })).sort(), [...docIds].sort());
  }
  const batches = open({ since: 0, filter: "_doc_ids", docIds: ["doc-3", "wanted"] }).batches();
  assert.deepEqual(ids(await until(batches, live)), ["doc-3"]);
  const reading = until(batches, has("wanted"));
  await ask("PUT", `${name}/wanted`, {});
  await reading;
  await batches.return?.();
});

test("integration: includeDocs, style, descending and limit", async () => {
  for await (
    const change of open({ feed: "normal", since: 0, limit: 3, includeDocs: true, style: "all_docs" })
  ) {
    const { _id, _rev } = change.doc as { readonly _id: string; readonly _rev: string };
    assert.deepEqual([_id, _rev, change.revs], [change.id, change.rev, [change.rev]]);
  }
  const newest: string[] = [];
  for await (const { id } of open({ feed: "normal", descending: true, limit: 3 })) newest.push(id);
  assert.equal(newest.length, 3);
});

test("integration: selectors, views, design documents and filter functions", couchdbOnly, async () => {
  await ask("PUT", `${name}/_design/app`, {
    views: { even: { map: "function (doc) { if (doc.kind === 'even') emit(doc._id); }" } },
    filters: { kind: "function (doc, req) { return doc.kind === req.query.kind; }" },
  });
  const half = documents / 2;
  const selected: ChangesOptions[] = [
    { filter: "_selector", selector: { kind: "even" } },
    { filter: "_view", view: "app/even" },
    { filter: "app/kind", query: { kind: "odd" } },
  ];
  for (const options of selected) assert.equal((await everyId(options)).length, half, String(options.filter));
  assert.deepEqual(await everyId({ filter: "_design" }), ["_design/app"]);
});

test("integration: a filtered feed with a timeout stays live and advances", couchdbOnly, async () => {
  const feed = open({ filter: "_selector", selector: { kind: "none" }, timeout: 1_500, maxLag: 2_000 });
  const batches = feed.batches();
  const first = (await until(batches, live)).at(-1)?.position;
  await write(documents, documents + 10);
  const later = await until(batches, ({ position }) => position?.since !== first?.since);
  assert.ok(later.every(({ state }) => state === "live"));
  await batches.return?.();
});

test("integration: seqInterval loses nothing", couchdbOnly, async () => {
  assert.ok((await everyId({ seqInterval: 100 })).length >= documents);
});

test("integration: cookie session", couchdbOnly, async () => {
  const { username, password } = new URL(server ?? "http://embedded");
  const fetch = cookieSession(root, {
    name: decodeURIComponent(username),
    password: decodeURIComponent(password),
  });
  const batches = open({ headers: {}, fetch }).batches();
  await until(batches, live);
  await batches.return?.();
});

test(
  "integration: a database deleted and created again is told, and so are both events",
  couchdbOnly,
  async () => {
    const batches = open().batches();
    await until(batches, live);
    const updates = databaseUpdates(root, { headers: authorization, signal: untilTooLong() });
    const types = new Set<string>();
    const heard = (async () => {
      for await (const { dbName, type } of updates) {
        if (dbName === name) types.add(type);
        if (types.has("deleted") && types.has("created")) return;
      }
    })();
    while (updates.since === undefined) {
      await Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    const reading = until(batches, ({ reset }) => reset !== undefined);
    await ask("DELETE", name);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await ask("PUT", name);
    await ask("PUT", `${name}/again`, {});
    assert.ok(["deleted", "recreated"].includes(resets(await reading)[0] ?? ""));
    await until(batches, has("again"));
    await heard;
    await batches.return?.();
  },
);
