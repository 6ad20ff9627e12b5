/** The feed of PouchDB's server: positions are numbers, no `pending`, a page on one line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDatabase } from "../../examples/blog/database.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { has, ids, live, resets, until } from "../support/feed_harness.ts";

async function put(url: string, body?: string): Promise<void> {
  const init = { method: "PUT", headers: { "content-type": "application/json" } };
  const response = await fetch(url, body === undefined ? init : { ...init, body });
  assert.ok(response.ok, await response.text());
}

test("changes: follows the embedded database, from now, from the beginning and from a position", async () => {
  const server = await startDatabase();
  const url = `${server.url}/blog`;
  const feed = changes(url, { heartbeat: 500 });
  const all = changes(url, { since: 0, batchSize: 7 });
  try {
    await put(url);
    for (let n = 0; n < 20; n++) await put(`${url}/doc-${n}`, "{}");
    const batches = feed.batches();
    assert.deepEqual(ids(await until(batches, live)), []);
    const reading = until(batches, has("ü☃𝄞"));
    await put(`${url}/${encodeURIComponent("ü☃𝄞")}`, "{}");
    const seen = await reading;
    assert.deepEqual([ids(seen), resets(seen)], [["ü☃𝄞"], []]);
    const position = seen.at(-1)!.position!;
    await batches.return?.();

    const everything = await until(all.batches(), live);
    assert.deepEqual([ids(everything).length, resets(everything)], [21, []]);
    await put(`${url}/later`, "{}");
    const resumed = await until(feed.batches(position), live);
    assert.deepEqual([ids(resumed), resets(resumed)], [["later"], []]);
  } finally {
    await feed[Symbol.asyncDispose]();
    await all[Symbol.asyncDispose]();
    await server.close();
  }
});

test("changes: probes of the embedded database raise no alarm", async () => {
  const server = await startDatabase();
  const url = `${server.url}/blog`;
  const feed = changes(url, { maxLag: 20 });
  try {
    await put(url);
    const batches = feed.batches();
    for (let n = 0; n < 5; n++) {
      await until(batches, live);
      await put(`${url}/doc`, n === 0 ? "{}" : JSON.stringify({ _rev: await revision(`${url}/doc`), n }));
      const seen = await until(batches, has("doc"));
      assert.deepEqual([resets(seen), seen.every(({ state }) => state === "live")], [[], true]);
    }
  } finally {
    await feed[Symbol.asyncDispose]();
    await server.close();
  }
});

async function revision(url: string): Promise<string> {
  return (await (await fetch(url)).json())._rev;
}
