import assert from "node:assert/strict";
import { test } from "node:test";
import app, { registry } from "../../examples/hono.ts";

test("the Hono example: 304 without the check, a write, a conflict, and the end of a session", async () => {
  const headers = { authorization: "Bearer ann", origin: "https://app.example" };
  const ask = async (path: string, init: RequestInit & { tag?: string; if?: string } = {}) => {
    const condition: Record<string, string> = init.tag === undefined
      ? {}
      : { [init.if ?? "if-none-match"]: init.tag };
    return await app.request(path, { ...init, headers: { ...headers, ...condition } });
  };
  const first = await ask("/notes/milk");
  const tag = first.headers.get("etag")!;
  assert.deepEqual([first.status, (await first.json()).text], [200, "Remember the milk."]);
  const again = await ask("/notes/milk", { tag });
  assert.deepEqual([again.status, registry.stats.hit], [304, 1]);
  for (const answer of [first, again]) {
    assert.equal(answer.headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal(answer.headers.get("access-control-expose-headers"), "ETag");
  }
  assert.equal((await app.request("/notes/milk", { headers: { "if-none-match": tag } })).status, 401);

  const put = { method: "PUT", body: "Oat milk.", if: "if-match", tag };
  assert.equal((await ask("/notes/milk", put)).status, 204);
  const refused = await ask("/notes/milk", put);
  assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [
    412,
    headers.origin,
  ]);
  const second = await ask("/notes/milk", { tag });
  assert.deepEqual([second.status, (await second.json()).text], [200, "Oat milk."]);

  assert.equal((await ask("/session", { method: "DELETE" })).status, 204);
  assert.equal((await ask("/notes/milk", { tag: second.headers.get("etag")! })).status, 401);
});
