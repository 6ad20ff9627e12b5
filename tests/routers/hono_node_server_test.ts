/** `@hono/node-server` puts a class in the place of `Response` that keeps the `Headers` it is given, and reads them late. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, withEtag } from "../../mod.ts";

/** Elsewhere the class of the platform stays, so that other tests keep theirs. */
const isNode = !("Deno" in globalThis) && !("Bun" in globalThis);

test("@hono/node-server: constant Headers stay as they are, page after page", async () => {
  const { createAdaptorServer } = await import("@hono/node-server");
  const shared = new Headers({ "cache-control": "public, no-cache", ...dependsOn("posts") });
  let text = "one";
  const handler = withEtag(() => new Response(text, { headers: shared }), { manual: true });
  const server = createAdaptorServer({ fetch: handler, overrideGlobalObjects: isNode });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const { port } = server.address() as { readonly port: number };
    const ask = (path: string, headers: HeadersInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const first = await ask("/a");
    const etag = first.headers.get("etag")!;
    assert.deepEqual([await first.text(), first.headers.get("content-length")], ["one", "3"]);
    assert.equal((await ask("/a", { "if-none-match": etag })).status, 304);
    text = "two";
    handler.registry.invalidate("posts");
    const again = await ask("/a", { "if-none-match": etag });
    assert.deepEqual([again.status, await again.text()], [200, "two"]);
    assert.notEqual((await ask("/b")).headers.get("etag"), again.headers.get("etag"));
    assert.equal(handler.registry.stats.undeclared, 0);
  } finally {
    await new Promise((closed) => server.close(closed));
  }
});
