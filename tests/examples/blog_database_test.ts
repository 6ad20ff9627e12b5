/** The embedded database, where it has to be like CouchDB. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { type Database, startDatabase } from "../../examples/blog/database.ts";

async function withDatabase(body: (url: string, database: Database) => Promise<void>): Promise<void> {
  const database = await startDatabase();
  try {
    assert.equal((await fetch(`${database.url}/blog`, { method: "PUT" })).status, 201);
    await body(`${database.url}/blog`, database);
  } finally {
    await database.close();
  }
}

function put(url: string, id: string, body: unknown = {}): Promise<Response> {
  return fetch(`${url}/${id}`, {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
}

/** The lines of a feed, heartbeats left out. */
async function* lines(response: Response): AsyncGenerator<{ seq?: number; id?: string; last_seq?: unknown }> {
  let rest = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    for (const part of parts) if (part !== "") yield JSON.parse(part);
  }
}

test("database: a continuous feed answers at once, gives each change, ends with the database", () =>
  withDatabase(async (url) => {
    const response = await fetch(`${url}/_changes?feed=continuous&heartbeat=1000&since=now`);
    assert.equal(response.status, 200);
    const feed = lines(response);
    assert.equal((await put(url, "one")).status, 201);
    assert.equal((await feed.next()).value?.id, "one");
    await fetch(url, { method: "DELETE" });
    assert.deepEqual((await feed.next()).value, { last_seq: 1 });
    assert.equal((await feed.next()).done, true);
  }));

test("database: rows are not held back for a client that accepts gzip", () =>
  withDatabase(async (url) => {
    const headers = { "accept-encoding": "gzip, br" };
    const feed = lines(await fetch(`${url}/_changes?feed=continuous&since=0`, { headers }));
    for (const id of ["one", "two", "three"]) {
      await put(url, id);
      assert.equal((await feed.next()).value?.id, id);
    }
    await feed.return(undefined);
  }));

test("database: a missing one is 404, a conflict 409", () =>
  withDatabase(async (url) => {
    assert.equal((await fetch(`${url}-2/_changes?feed=continuous`)).status, 404);
    assert.equal((await put(url, "one")).status, 201);
    assert.equal((await put(url, "one", { again: true })).status, 409);
  }));

test("database: each is empty at the start, close() ends feeds and frees the port", () =>
  withDatabase(async (url, first) => {
    const response = await fetch(`${url}/_changes?feed=continuous&since=now`);
    const second = await startDatabase();
    assert.equal((await fetch(`${second.url}/blog`)).status, 404);
    await second.close();
    await first.close();
    await assert.rejects(response.text());
    const third = await startDatabase({ port: Number(new URL(url).port) });
    assert.equal(third.url, first.url);
    await third.close();
  }));

test("database: writes no file", async () => {
  await withDatabase(async (url) => void await put(url, "one"));
  // The names under which express-pouchdb keeps its settings and its log.
  assert.deepEqual(readdirSync(".").filter((name) => /^(config\.json|log\.txt|pouch.*)$/.test(name)), []);
});
