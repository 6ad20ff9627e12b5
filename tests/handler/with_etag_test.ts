import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { PAGE, request, WatchedRegistry, wrap } from "../support/http.ts";
import { coreOf } from "../../src/registry/core.ts";
import { DEPENDS_ON } from "../../src/http/dependency.ts";

const POST = { _id: "post-1", _rev: "2-abc" };
const PUBLIC = { "cache-control": "public, no-cache" };

function page(extra: Record<string, string> = {}): Response {
  return new Response("page", { headers: { ...PUBLIC, ...dependsOn(POST), ...extra } });
}

test("withEtag: a 200 with a tag, then a 304 at once and without the handler, then a 200 again", async () => {
  const site = wrap(async () => (await Promise.resolve(), page()));
  const first = await site.ask(request());
  const etag = first.headers.get("etag")!;
  assert.equal(first.status, 200);
  assert.equal(await first.text(), "page");

  const hit = site.raw(request({ "if-none-match": etag }));
  assert.ok(hit instanceof Response, "not a promise of one");
  assert.deepEqual([hit.status, hit.headers.get("etag"), await hit.text(), site.runs], [304, etag, "", 1]);

  site.registry.invalidate("post-1");
  const missed = await site.ask(request({ "if-none-match": etag }));
  assert.deepEqual([missed.status, site.runs], [304, 2], "evaluated: the handler still answers revision 2");
  const { hit: hits, "not-modified": evaluated, "group-changed": changed } = site.registry.stats;
  assert.deepEqual([hits, evaluated, changed], [1, 1, 1]);
});

test("withEtag: a handler that is synchronous stays so", () => {
  const site = wrap(() => page());
  assert.ok(site.raw(request()) instanceof Response);
  assert.ok(site.raw(request({ "if-none-match": '"x"' })) instanceof Response);
});

test("withEtag: whatever else the server passes reaches the handler, and nothing more, whatever the method", () => {
  const handler = withEtag((...all: readonly unknown[]) => all.slice(1), { key: () => undefined });
  const keyed = withEtag((...all: readonly unknown[]) => all.slice(1));
  for (const method of ["GET", "HEAD", "OPTIONS", "POST"]) {
    for (const rest of [[], [undefined], [{ ip: "::1" }], [1, 2], [1, undefined, 3, undefined]]) {
      const sent = new Request("http://localhost/", { method });
      for (const wrapped of [handler, keyed]) {
        const call = wrapped as unknown as (request: Request, ...rest: readonly unknown[]) => unknown;
        assert.deepEqual(call(sent, ...rest), rest, `${method} with ${rest.length}`);
      }
    }
  }
});

test("withEtag: the very request object reaches the handler", async () => {
  let seen: Request | undefined;
  const site = wrap((request) => (seen = request, page()));
  const sent = request();
  await site.ask(sent);
  assert.equal(seen, sent);
});

test("withEtag: errors pass, nothing is registered, no lease is left", async () => {
  const failure = new Error("broken");
  const throws = wrap(() => {
    throw failure;
  });
  assert.throws(() => throws.raw(request()), (error) => error === failure);
  const rejects = wrap(() => Promise.reject(failure));
  await assert.rejects(rejects.ask(request()), (error) => error === failure);
  for (const { registry } of [throws, rejects]) assert.deepEqual([registry.size, registry.open.size], [0, 0]);
  for (const method of ["HEAD", "PUT", "OPTIONS"]) {
    assert.throws(() => throws.raw(request({}, { method })), (error) => error === failure);
  }
  assert.equal(throws.registry.open.size, 0);
});

for (const method of ["GET", "HEAD", "PUT"]) {
  test(`withEtag: what is no Response comes back as it is, ${method}`, async () => {
    const values: unknown[] = [
      undefined,
      null,
      0,
      "page",
      { status: 200 },
      { status: 200, headers: {} },
      { status: 200, headers: new Map([["etag", '"a"']]) },
      { status: 200, headers: new Headers(dependsOn("x")), data: "of a client that is no fetch" },
      { status: 201, headers: { get: () => undefined } },
      [200],
      () => page(),
    ];
    for (const value of values) {
      const site = wrap(() => value);
      assert.equal(site.raw(request({}, { method })), value);
      const later = wrap(() => Promise.resolve(value));
      assert.equal(await later.raw(request({}, { method })), value);
      for (const { registry } of [site, later]) {
        assert.deepEqual([registry.size, registry.open.size], [0, 0]);
      }
    }
  });
}

test("withEtag: a Response of another class is one, because servers replace the global", async () => {
  class Other {
    readonly status: number = 200;
    readonly statusText: string = "OK";
    readonly bodyUsed: boolean = false;
    readonly body: null = null;
    readonly headers: Headers = new Headers({ ...PUBLIC, ...dependsOn(POST) });
  }
  const site = wrap(() => new Other());
  const etag = (await site.ask(request())).headers.get("etag")!;
  assert.equal((await site.ask(request({ "if-none-match": etag }))).status, 304);
  assert.equal(site.runs, 1);
});

test("withEtag: an undeclared response is the very same object, with nothing added", async () => {
  const responses = [
    new Response("plain"),
    new Response("tagged", { headers: { etag: '"a"' } }),
    new Response("dated", { headers: { "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" } }),
    new Response(null, { status: 404 }),
    new Response(null, { status: 204 }),
    Response.redirect("http://localhost/"),
    Response.error(),
  ];
  for (const response of responses) {
    const before = [...response.headers];
    const site = wrap(() => response);
    for (const method of ["GET", "HEAD", "PUT", "OPTIONS"]) {
      assert.equal(await site.raw(request({}, { method })), response);
    }
    assert.deepEqual([...response.headers], before);
    assert.deepEqual([site.registry.size, site.registry.open.size], [0, 0]);
  }
});

test("withEtag: a declared 200 is the same object too, tagged, and its body is not read", async () => {
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1));
      if (pulled === 3) controller.close();
    },
  }, { highWaterMark: 0 });
  const response = new Response(body, { headers: { ...PUBLIC, ...dependsOn(POST) } });
  const site = wrap(() => response);
  assert.equal(site.raw(request()), response);
  assert.deepEqual([pulled, response.bodyUsed], [0, false]);
  assert.equal((await response.arrayBuffer()).byteLength, 3);
  assert.match(response.headers.get("etag")!, /^"2-abc\./);
});

for (const method of ["OPTIONS", "TRACE"]) {
  test(`withEtag: ${method} is untouched, registers and drops nothing`, async () => {
    const site = wrap(() => page({ etag: '"a"' }));
    await site.ask(request());
    const response = await site.ask(request({ "if-none-match": '"a"', "if-match": '"b"' }, { method }));
    assert.deepEqual([response.status, site.runs, site.registry.size], [200, 2, 1]);
    assert.equal((await site.ask(request({ "if-none-match": '"a"' }))).status, 304);
    assert.equal(site.runs, 2);
  });
}

test("withEtag: hands off where key says undefined", async () => {
  const response = page({ etag: '"a"' });
  const site = wrap(() => response, { key: () => undefined });
  for (const method of ["GET", "HEAD"]) {
    assert.equal(await site.ask(request({ "if-none-match": '"a"' }, { method })), response);
  }
  assert.deepEqual([site.registry.size, site.registry.open.size, site.runs], [0, 0, 2]);
  assert.ok(response.headers.has(DEPENDS_ON), "for another wrapper further out");
});

test("withEtag: one key for many URLs, and many keys for one URL", async () => {
  const one = wrap(() => page({ etag: '"a"' }), { key: () => "one" });
  await one.ask(request({}, { url: "http://localhost/?a" }));
  assert.equal(
    (await one.ask(request({ "if-none-match": '"a"' }, { url: "http://localhost/?b" }))).status,
    304,
  );
  assert.equal(one.runs, 1);
  let key = "a";
  const many = wrap(() => page({ etag: '"a"' }), { key: () => key });
  await many.ask(request());
  key = "b";
  await many.ask(request({ "if-none-match": '"a"' }));
  assert.equal(many.runs, 2);
});

test("withEtag: headers of any shape never throw", async () => {
  const hostile = ["", '"', 'W/"', "*", "*,*", ",", '"a', "\xff", "a b", '"\t"', "W/W/", "9".repeat(65_000)];
  const names = [
    "if-none-match",
    "if-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "range",
  ];
  const site = wrap(() => page({ "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" }));
  await site.ask(request());
  for (const name of [...names, "accept", "cookie", "authorization", "cache-control"]) {
    for (const value of hostile) {
      for (const method of ["GET", "HEAD", "PUT"]) {
        const { status } = await site.ask(request({ [name]: value }, { method }));
        assert.ok([200, 304, 412].includes(status), `${method} ${name}: ${value.slice(0, 9)} → ${status}`);
      }
    }
  }
  assert.equal(site.registry.open.size, 0);
});

test("withEtag: mistakes of the programmer throw at once", () => {
  assert.throws(
    () => withEtag(undefined as unknown as () => Response),
    /withEtag\(\) wraps a function, not und/,
  );
  assert.throws(() => withEtag(() => page(), { version: "" }), TypeError);
  assert.throws(() => withEtag(() => page(), { retainedHeaders: ["x y"] }), TypeError);
});

test("withEtag: has a registry of its own unless given one", () => {
  const registry = new WatchedRegistry({ manual: true });
  assert.equal(withEtag(() => page(), { registry }).registry, registry);
  const a = withEtag(() => page());
  assert.ok(a.registry instanceof EtagRegistry);
  assert.notEqual(withEtag(() => page()).registry, a.registry);
});

test("withEtag: a suspended registry answers nothing; the handler's answer is evaluated", async () => {
  const site = wrap(() => page({ etag: '"a"' }));
  await site.ask(request());
  coreOf(site.registry).subscribe("never live", 1000);
  assert.equal((await site.ask(request({ "if-none-match": '"a"' }))).status, 304);
  assert.deepEqual([site.runs, site.registry.stats.suspended], [2, 1]);
});

test("withEtag: two wrappers, one in the other, answer as one", async () => {
  const inner = wrap(() => page());
  const outer = wrap((request) => inner.ask(request));
  const etag = (await outer.ask(request())).headers.get("etag")!;
  assert.equal((await outer.ask(request({ "if-none-match": etag }, { url: PAGE }))).status, 304);
  assert.deepEqual([outer.runs, inner.runs, outer.registry.size], [2, 1, 0]);
});

test("withEtag: key names a resource at once, and caller who asks: anything else throws", () => {
  for (const value of [Promise.resolve("a"), null, 1, {}] as unknown[]) {
    for (const option of ["key", "caller"]) {
      if (option === "caller" && value instanceof Promise) continue;
      const handler = withEtag(() => new Response("page"), { [option]: () => value as string });
      assert.throws(
        () => handler(new Request("http://localhost/")),
        new RegExp(`^TypeError: ${option}\\(\\)`),
      );
    }
  }
});
