/** The smallest example: a tag, a 304, a write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import hello from "../../examples/hello.ts";

const url = "http://localhost/milk";

test("hello: 200 with a tag, 304 with that tag, 200 with another after a write", async () => {
  const first = await hello.fetch(new Request(url));
  assert.equal(await first.text(), "Remember the milk.\n");
  const headers = { "if-none-match": first.headers.get("etag")! };
  assert.equal((await hello.fetch(new Request(url, { headers }))).status, 304);
  await hello.fetch(new Request(url, { method: "PUT", body: "Oat milk." }));
  const second = await hello.fetch(new Request(url, { headers }));
  assert.equal(await second.text(), "Oat milk.\n");
  assert.notEqual(second.headers.get("etag"), first.headers.get("etag"));
});

test("hello: an unknown note is 404", async () => {
  assert.equal((await hello.fetch(new Request("http://localhost/bread"))).status, 404);
});
