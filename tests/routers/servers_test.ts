/** Real servers on loopback: Deno.serve, Bun.serve or node:http, with fetch and with a client that adds nothing. */
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { dependsOn, invalidates } from "../../mod.ts";
import { send, serve, wrap, type Wrapped } from "../support/http.ts";

const HEADERS = {
  "cache-control": "public, no-cache",
  "content-type": "text/plain",
  "vary": "Origin",
  "access-control-allow-origin": "https://example.org",
};

/** A page of one document, its revision raised by PUT; `/stream` is the same as a stream. */
function blog(): Wrapped {
  let revision = 1;
  return wrap(({ method, url }) => {
    if (method === "PUT") {
      revision++;
      return new Response(null, { status: 204, headers: invalidates("post-1") });
    }
    const headers = { ...HEADERS, ...dependsOn({ _id: "post-1", _rev: `${revision}-a` }) };
    const text = `revision ${revision}`;
    if (!url.endsWith("/stream")) return new Response(text, { headers });
    const chunks = [...text].map((char) => new TextEncoder().encode(char));
    const body = new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
    });
    return new Response(body, { headers });
  });
}

for (const path of ["/", "/stream"]) {
  test(`a server of this runtime, ${path}: tag, 304, write, new tag, on one connection`, async () => {
    const site = blog();
    const server = await serve((request) => site.ask(request));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const url = server.url + path;
    const ask = (headers: Record<string, string | string[]> = {}, method = "GET") =>
      send(url, { headers, method, agent });
    try {
      const first = await ask();
      assert.deepEqual([first.status, first.body], [200, "revision 1"]);
      const etag = first.headers["etag"]!;
      assert.match(etag, /^"1-a\./);
      for (const [name, value] of Object.entries(HEADERS)) assert.equal(first.headers[name], value);

      for (const sent of [etag, `W/${etag}`, `"x,y", ${etag}`, ['"x"', etag], "*"]) {
        for (const method of ["GET", "HEAD"]) {
          const hit = await ask({ "if-none-match": sent }, method);
          // A tag that was marked weak on the way is repeated as it came, and varied there by coding.
          const isWeak = sent === `W/${etag}`;
          const [tag, vary] = isWeak ? [sent, "Origin, Accept-Encoding"] : [etag, "Origin"];
          assert.deepEqual([hit.status, hit.body, hit.headers["etag"]], [304, "", tag], String(sent));
          const { "content-type": type, "content-length": length, "cache-groups": groups } = hit.headers;
          assert.deepEqual([type, groups], [undefined, undefined]);
          assert.ok(length === undefined || length === "0");
          assert.equal(hit.port, first.port, "no 304 ends the connection");
          const { "content-type": _type, ...kept } = { ...HEADERS, vary };
          for (const [name, value] of Object.entries(kept)) assert.equal(hit.headers[name], value);
        }
      }
      assert.equal(site.runs, 1);

      const head = await ask({}, "HEAD");
      assert.deepEqual([head.status, head.body, head.headers["etag"]], [200, "", etag]);
      assert.equal((await ask({ "if-match": '"x"' })).status, 412);
      assert.equal((await ask({ "if-none-match": "x".repeat(8000) })).body, "revision 1");

      assert.deepEqual((await ask({}, "PUT")).status, 204);
      const second = await ask({ "if-none-match": etag });
      assert.deepEqual([second.status, second.body], [200, "revision 2"]);
      const last = await ask({ "if-none-match": second.headers["etag"]! });
      assert.equal(last.status, 304);
      assert.equal(site.registry.open.size, 0);
    } finally {
      agent.destroy();
      await server.close();
    }
  });
}

test("a server of this runtime, asked with fetch: 304 is 304, a hundred at a time", async () => {
  const site = blog();
  const server = await serve((request) => site.ask(request));
  try {
    const first = await fetch(server.url);
    const etag = first.headers.get("etag")!;
    assert.equal(await first.text(), "revision 1");
    const headers = { "if-none-match": etag };
    const hits = await Promise.all(
      Array.from({ length: 100 }, () => fetch(server.url, { headers, cache: "no-store" })),
    );
    for (const hit of hits) {
      assert.deepEqual([hit.status, hit.headers.get("etag"), await hit.text()], [304, etag, ""]);
    }
    assert.deepEqual([site.runs, site.registry.stats.hit], [1, 100]);
  } finally {
    await server.close();
  }
});

test("a server of this runtime: obs-text and odd bytes in conditions arrive, and match or do not", async () => {
  const site = wrap(() =>
    new Response("page", { headers: { ...HEADERS, etag: '"caf\xe9"', ...dependsOn("a") } })
  );
  const server = await serve((request) => site.ask(request));
  try {
    assert.equal((await send(server.url)).status, 200);
    assert.equal((await send(server.url, { headers: { "if-none-match": '"caf\xe9"' } })).status, 304);
    for (const odd of ['"caf\xc3\xa9"', '"', "W/", ",,,", '"a', "\t", 'w/"caf\xe9"', '"\xff"']) {
      assert.equal((await send(server.url, { headers: { "if-none-match": odd } })).status, 200, odd);
    }
  } finally {
    await server.close();
  }
});
