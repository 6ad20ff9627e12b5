/** Which address a document is asked for at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { currentRevision } from "../../src/couchdb/changes.ts";

const paths: Record<string, string> = {
  "post-1": "post-1",
  "a/b": "a%2Fb",
  "_design/x": "_design/x",
  "_design/x/y": "_design/x%2Fy",
  "_local/seat": "_local/seat",
  "a_design/x": "a_design%2Fx",
  "x/_design/y": "x%2F_design%2Fy",
};

for (const [id, path] of Object.entries(paths)) {
  test(`currentRevision: ${id} is asked for at ${path}`, async () => {
    const urls: string[] = [];
    const current = await currentRevision("http://db.invalid/blog", id, {
      fetch: (url) => {
        urls.push(url);
        return Promise.resolve(new Response(null, { headers: { etag: '"1-a"' } }));
      },
    });
    assert.deepEqual(current, { _id: id, _rev: "1-a" });
    assert.deepEqual(urls.map((url) => url.split("?")[0]), [
      `http://db.invalid/blog/${path}`,
    ]);
  });
}

test("currentRevision: a tag beyond reason is none", async () => {
  const headers = { etag: `"${"1".repeat(5_000)}"` };
  const fetch = () => Promise.resolve(new Response(null, { headers }));
  assert.equal(await currentRevision("http://db.invalid/blog", "a", { fetch }), undefined);
});

test("currentRevision: a signal ends a request that is not answered", async () => {
  const controller = new AbortController();
  const asked = currentRevision("http://db.invalid/blog", "a", {
    fetch: () => new Promise(() => {}),
    signal: controller.signal,
  });
  controller.abort();
  assert.equal(await asked, undefined);
});
