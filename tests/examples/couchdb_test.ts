/** The example over CouchDB, run on the embedded database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDatabase } from "../../examples/blog/database.ts";
import { serveDocuments } from "../../examples/couchdb.ts";

test("couchdb: a document is answered 304 until it changes", async () => {
  const database = await startDatabase();
  const url = `${database.url}/notes`;
  const put = (body: unknown) =>
    fetch(`${url}/one`, {
      method: "PUT",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  await fetch(url, { method: "PUT" });
  const { rev } = await (await put({ text: "first" })).json() as { rev: string };
  const site = serveDocuments(url);
  const ask = (etag = "") =>
    site.fetch(new Request("http://localhost/one", { headers: { "if-none-match": etag } }));
  try {
    await site.follower.ready;
    const etag = (await ask()).headers.get("etag")!;
    assert.equal((await ask(etag)).status, 304);
    await put({ _rev: rev, text: "second" });
    let response = await ask(etag);
    for (const end = performance.now() + 5_000; response.status === 304 && performance.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      response = await ask(etag);
    }
    assert.equal((await response.json() as { text: string }).text, "second");
    for (const path of ["none", "_all_docs", "_local/x", ""]) {
      assert.equal((await site.fetch(new Request(`http://localhost/${path}`))).status, 404, path);
    }
  } finally {
    await site.follower.close();
    await database.close();
  }
});
