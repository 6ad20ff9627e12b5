/** A site behind an nginx that compresses, and so marks tags weak: reading and writing all the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, revisionOf, withEtag } from "../../mod.ts";
import { send, serve } from "../support/http.ts";
import { nginxProgram, startNginx } from "../support/nginx.ts";

const skip = nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false;
const REV = `2-${"a".repeat(32)}`;
const GZIP_ON = "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *; gzip_vary on;";
const GZIP = { "accept-encoding": "gzip" };

for (const acceptWeakTags of [false, true]) {
  test(`behind nginx with gzip, acceptWeakTags: ${acceptWeakTags}`, { skip }, async () => {
    const post = { _id: "post", _rev: REV, text: "x".repeat(2_000) };
    let written: string | undefined;
    const handler = withEtag((request: Request) => {
      if (request.method !== "PUT") {
        return Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } });
      }
      written = revisionOf(request);
      return new Response(null, { status: 204 });
    }, { manual: true, key: () => "post", current: () => post, requirePrecondition: true, acceptWeakTags });
    const server = await serve((request) => handler(request));
    const nginx = await startNginx([Number(new URL(server.url).port)], GZIP_ON);
    try {
      const full = await send(nginx.origin, { headers: GZIP });
      const { etag = "" } = full.headers;
      assert.deepEqual([full.status, full.headers["content-encoding"]], [200, "gzip"]);
      assert.match(etag, /^W\/"2-a/, "nginx has marked it weak");

      const again = await send(nginx.origin, { headers: { ...GZIP, "if-none-match": etag } });
      assert.deepEqual([again.status, again.headers.etag], [304, etag]);
      assert.match(String(again.headers.vary), /accept-encoding/i);

      const put = (tag: string) =>
        send(nginx.origin, { method: "PUT", headers: { ...GZIP, "if-match": tag } });
      const weak = await put(etag);
      assert.deepEqual([weak.status, written], acceptWeakTags ? [204, REV] : [412, undefined]);

      // What the 412 advises.
      const plain = await send(nginx.origin, { headers: { "accept-encoding": "identity" } });
      assert.equal((await put(plain.headers.etag!)).status, 204);
      assert.equal(written, REV);

      post._rev = `3-${"b".repeat(32)}`;
      handler.registry.invalidate("post");
      assert.equal((await put(etag)).status, 412);
      assert.equal((await put(plain.headers.etag!)).status, 412);
    } finally {
      await nginx.close();
      await server.close();
    }
  });
}
