/** The example of groups, run on the embedded database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDatabase } from "../../examples/blog/database.ts";
import { serveNotes } from "../../examples/groups.ts";

const OWNERS = ["ada", "bob", "cy", ""];

test("groups: a note that moves or goes takes out the pages that showed it, and no other", async () => {
  const database = await startDatabase();
  const url = `${database.url}/notes`;
  const revs = new Map<string, string>();
  const write = async (id: string, body: Record<string, unknown>) => {
    const response = await fetch(`${url}/${id}`, {
      method: "PUT",
      body: JSON.stringify({ _rev: revs.get(id), ...body }),
      headers: { "content-type": "application/json" },
    });
    const { rev } = await response.json() as { rev: string };
    revs.set(id, rev);
  };
  await fetch(url, { method: "PUT" });
  const { fetch: serve, follower, registry } = serveNotes(url);
  const ask = (owner: string, etag = "") =>
    serve(new Request(`http://localhost/${owner}`, { headers: { "if-none-match": etag } }));
  /** The pages that a change leaves valid, once the feed has reported it. */
  const validAfter = async (id: string, body: Record<string, unknown>) => {
    const pages = await Promise.all(OWNERS.map(async (owner) => (await ask(owner)).headers.get("etag")!));
    for (const [index, owner] of OWNERS.entries()) {
      assert.equal((await ask(owner, pages[index]!)).status, 304);
    }
    const since = follower.since;
    await write(id, body);
    for (const end = performance.now() + 5_000; follower.since === since && performance.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return OWNERS.filter((_, index) => registry.hasTag(pages[index]!));
  };
  try {
    await follower.ready;
    assert.deepEqual(await validAfter("note-1", { owner: "ada" }), ["bob", "cy"]);
    assert.deepEqual(await validAfter("note-2", { owner: "ada" }), ["bob", "cy"]);
    assert.equal(await (await ask("ada")).text(), "ada has 2 notes.\n");
    assert.deepEqual(await validAfter("note-1", { owner: "bob" }), ["cy"]);
    assert.equal(await (await ask("ada")).text(), "ada has 1 note.\n");
    assert.deepEqual(await validAfter("note-2", { _deleted: true }), ["bob", "cy"]);
    assert.equal(await (await ask("ada")).text(), "ada has 0 notes.\n");
    assert.equal(await (await ask("")).text(), "note-1\n");
    assert.deepEqual(await validAfter("user-1", { owner: "cy" }), OWNERS);
    assert.equal(registry.stats["membership-unknown"], 0);
  } finally {
    await follower.close();
    await database.close();
  }
});
