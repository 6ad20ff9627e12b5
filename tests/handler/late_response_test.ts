import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";

const PUBLIC = { "cache-control": "public, no-cache" };

/** As @hono/node-server 2 replaces the global: `init.headers` is looked at when the answer is sent, not before. */
class LazyResponse {
  readonly body = null;
  readonly bodyUsed = false;
  readonly status: number;
  readonly #init: ResponseInit;
  #headers: Headers | undefined;
  constructor(_body: null, init: ResponseInit) {
    this.status = init.status ?? 200;
    this.#init = init;
  }
  get headers(): Headers {
    return this.#headers ??= new Headers(this.#init.headers);
  }
}

test("304: its tag is its own under a server whose Response reads its fields late", async () => {
  const site = wrap(({ url }) =>
    new Response("page", { headers: { ...PUBLIC, ...dependsOn({ _id: url, _rev: "1-a" }) } })
  );
  const urls = ["http://localhost/a", "http://localhost/b"];
  const tags: string[] = [];
  for (const url of urls) tags.push((await site.ask(request({}, { url }))).headers.get("etag")!);
  const { Response: native } = globalThis;
  globalThis.Response = LazyResponse as unknown as typeof Response;
  try {
    // Both are made before either is sent: behind asynchronous middleware, or pipelined.
    const hits = urls.map((url, index) =>
      site.raw(request({ "if-none-match": tags[index]! }, { url })) as Response
    );
    assert.deepEqual(hits.map(({ headers }) => headers.get("etag")), tags);
  } finally {
    globalThis.Response = native;
  }
});
