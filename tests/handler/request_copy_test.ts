import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, withEtag } from "../../mod.ts";
import { wholeRequest } from "../../src/handler/request_copy.ts";

const PAGE = "http://localhost/file?a=1";
const FIELDS = { range: "bytes=5-", "if-range": '"a"', cookie: "a=1", "x-more": "yes" };

class Framed extends Request {
  readonly #user: string;
  readonly params: { readonly id: string } = { id: "7" };
  constructor(url: string, init: RequestInit, user: string) {
    super(url, init);
    this.#user = user;
  }
  get user(): string {
    return this.#user;
  }
  override get url(): string {
    return super.url.replace("/file", "/mounted");
  }
  greet(): string {
    return `hello ${this.#user}`;
  }
}

test("wholeRequest: everything but Range and the method is the request's", () => {
  const controller = new AbortController();
  const symbol = Symbol("context");
  const request = Object.assign(
    new Request(PAGE, { method: "HEAD", headers: FIELDS, signal: controller.signal }),
    {
      ip: "127.0.0.1",
      [symbol]: "kept",
    },
  );
  const copy = wholeRequest(request);
  assert.ok(copy instanceof Request);
  assert.deepEqual([copy.method, copy.url, copy.ip, copy[symbol]], ["GET", PAGE, "127.0.0.1", "kept"]);
  const { range, ...rest } = FIELDS;
  assert.deepEqual(Object.fromEntries(copy.headers), rest);
  assert.equal(request.headers.get("range"), range, "the request itself is not written to");
  assert.equal(new Request(copy).headers.has("range"), false);
  assert.equal(copy.clone().headers.has("range"), false);
  controller.abort();
  assert.equal(copy.signal.aborted, true);
});

test("wholeRequest: a Range that is the only field goes too", () => {
  const request = new Request(PAGE, { method: "HEAD", headers: { range: "bytes=5-" } });
  const copy = wholeRequest(request);
  assert.deepEqual([[...copy.headers], copy.method], [[], "GET"]);
  assert.equal(request.headers.get("range"), "bytes=5-");
});

test("wholeRequest: what a class of its own adds is there, private fields included", () => {
  const copy = wholeRequest(new Framed(PAGE, { headers: FIELDS }, "ann"));
  assert.deepEqual([copy.user, copy.greet(), copy.params.id], ["ann", "hello ann", "7"]);
  assert.equal(copy.url, "http://localhost/mounted?a=1");
  assert.equal(copy.headers.has("range"), false);
});

test("wholeRequest: what is written to the copy reaches the request", () => {
  const request = Object.assign(new Request(PAGE), { user: "ann" });
  wholeRequest(request).user = "bob";
  assert.equal(request.user, "bob");
});

test("wholeRequest: an object that only looks like a Request will do", () => {
  const { signal } = new AbortController();
  const request = { method: "GET", url: PAGE, headers: new Headers(FIELDS), signal, ip: "::1" };
  const copy = wholeRequest(request as unknown as Request & { readonly ip: string });
  assert.deepEqual([copy.method, copy.url, copy.ip], ["GET", PAGE, "::1"]);
  assert.equal(copy.headers.has("range"), false);
});

test("withEtag: after a failed If-Range the handler gets the same request without Range, and the same arguments", async () => {
  const seen: { readonly request: Request; readonly self: unknown; readonly rest: readonly unknown[] }[] = [];
  const info = { remoteAddr: "127.0.0.1" };
  const site = {
    handle: withEtag(function (this: unknown, request: Request, ...rest: unknown[]) {
      seen.push({ request, self: this, rest });
      const headers = dependsOn({ _id: "a", _rev: "1-a" });
      if (!request.headers.has("range")) return new Response("0123456789", { headers });
      return new Response("56789", { status: 206, headers: { ...headers, "content-range": "bytes 5-9/10" } });
    }, { manual: true }),
  };
  const controller = new AbortController();
  const request = new Framed(PAGE, { headers: FIELDS, signal: controller.signal }, "ann");
  const answer = await site.handle(request, info, 2);
  assert.deepEqual([answer.status, await answer.text()], [200, "0123456789"]);
  const [first, second] = seen;
  assert.equal(first!.request, request);
  assert.deepEqual([second!.self, second!.rest], [site, [info, 2]]);
  assert.deepEqual([second!.rest[0], seen.length], [info, 2]);
  const { range: _, ...rest } = FIELDS;
  assert.deepEqual(Object.fromEntries(second!.request.headers), rest);
  assert.deepEqual([(second!.request as Framed).user, second!.request.method], ["ann", "GET"]);
  controller.abort();
  assert.equal(second!.request.signal.aborted, true);
});
