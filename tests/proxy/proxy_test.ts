/** What the proxy passes on, keeps and voids, with an application that is a function. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  proxy,
  type ProxyHandler,
  type ProxyOptions,
  UpstreamFault,
  type UpstreamRequest,
} from "../../src/proxy/proxy.ts";

const PAGE = "http://site.example/page";
const OWN_TAG = '"2-abc"';
const DECLARED = { "etag": OWN_TAG, "cache-groups": '"post-1"', "cache-control": "no-cache" };

interface Staged {
  readonly handler: ProxyHandler;
  /** What the application was asked. */
  readonly asked: UpstreamRequest[];
  ask(headers?: HeadersInit, init?: { readonly url?: string; readonly method?: string }): Promise<Response>;
}

function stage(
  answer: (request: UpstreamRequest) => Response | Promise<Response>,
  options: Partial<ProxyOptions> = {},
): Staged {
  const asked: UpstreamRequest[] = [];
  const handler = proxy({
    upstream: "http://127.0.0.1:3000",
    ...options.registry === undefined ? { manual: true } : {},
    send: async (request) => {
      asked.push(request);
      return await answer(request);
    },
    ...options,
  });
  const ask: Staged["ask"] = async (headers = {}, { url = PAGE, method = "GET" } = {}) =>
    await handler(Object.defineProperty(new Request(url, { headers }), "method", { value: method }));
  return { handler, asked, ask };
}

const page = (fields: Record<string, string> = {}, status = 200) =>
  new Response(status === 304 ? null : "a page", { status, headers: { ...DECLARED, ...fields } });

/** What is answered to a second, conditional request after the page was fetched once. */
const kept: readonly (readonly [
  name: string,
  kept: boolean,
  response: () => Response,
  request?: Record<string, string>,
  options?: Partial<ProxyOptions>,
])[] = [
  ["a 200 with ETag and Cache-Groups", true, () => page()],
  ["without Cache-Groups", false, () => new Response("a page", { headers: { etag: OWN_TAG } })],
  ["malformed Cache-Groups", false, () => page({ "cache-groups": "post-1" })],
  ["a local document among the groups", false, () => page({ "cache-groups": '"post-1", "_local/x"' })],
  ["Set-Cookie", false, () => page({ "set-cookie": "a=1" })],
  ["private", false, () => page({ "cache-control": "private" })],
  ["no-store", false, () => page({ "cache-control": "no-store" })],
  ["a cookie", false, () => page(), { cookie: "a=1" }],
  ["a cookie, public", true, () => page({ "cache-control": "public, no-cache" }), { cookie: "a=1" }],
  ["a cookie, a caller", true, () => page({ "cache-control": "private" }), { cookie: "a=1" }, {
    caller: () => "a",
  }],
  ["404", false, () => page({}, 404)],
  ["500", false, () => page({}, 500)],
  [
    "a declaration of another process",
    false,
    () =>
      new Response("a page", {
        headers: { "etag": OWN_TAG, "stillfresh-depends-on": `${crypto.randomUUID()} post-1` },
      }),
  ],
  ["Connection that hides a field", false, () => page(), { "connection": "close, cookie" }],
  ["Connection: keep-alive", true, () => page(), { connection: "keep-alive" }],
  ["a path that is only passed on", false, () => page(), {}, { passes: () => true }],
];

for (const [name, isKept, response, request = {}, options = {}] of kept) {
  test(`proxy: ${name} is ${isKept ? "kept" : "not kept"}`, async () => {
    const { ask, asked } = stage(response, options);
    await ask(request);
    const second = await ask({ ...request, "if-none-match": OWN_TAG });
    assert.equal(asked.length, isKept ? 1 : 2);
    if (isKept) assert.equal(second.status, 304);
  });
}

test("proxy: a group of a write is void at once, and so is its own page", async () => {
  for (
    const [url, fields, status, isVoid] of [
      ["/other", { "cache-group-invalidation": '"post-1"' }, 204, true],
      ["/other", { "cache-group-invalidation": '"post-2"' }, 204, false],
      ["/other", { "cache-group-invalidation": '"post-1"' }, 409, false],
      ["/page", {}, 204, true],
      ["/page", {}, 500, true],
    ] as const
  ) {
    const { ask, asked } = stage(({ method }) =>
      method === "GET" ? page() : new Response(null, { status, headers: fields })
    );
    await ask();
    await ask({}, { url: `http://site.example${url}`, method: "POST" });
    await ask({ "if-none-match": OWN_TAG });
    assert.equal(asked.length, isVoid ? 3 : 2, `${url} ${JSON.stringify(fields)} ${status}`);
  }
});

test("proxy: the application is asked for the whole page, which is registered and confirms the copy", async () => {
  const { ask, asked } = stage(({ headers }) =>
    headers.has("if-none-match") || headers.has("if-modified-since") ? page({}, 304) : page()
  );
  const condition = { "if-none-match": OWN_TAG, "if-modified-since": "Sat, 28 Nov 2026 00:00:00 GMT" };
  for (let visit = 0; visit < 3; visit++) assert.equal((await ask(condition)).status, 304);
  assert.equal(asked.length, 1);
});

test("proxy: conditions of a write, and of a path that is only passed on, go to the application", async () => {
  const { ask, asked } = stage(() => page({}, 304), { passes: ({ url }) => url.endsWith(".css") });
  await ask({ "if-none-match": OWN_TAG }, { url: "http://site.example/a.css" });
  await ask({ "if-match": OWN_TAG }, { method: "PUT" });
  assert.equal(asked[0]!.headers.get("if-none-match"), OWN_TAG);
  assert.equal(asked[1]!.headers.get("if-match"), OWN_TAG);
});

const sent: readonly (readonly [given: Record<string, string>, name: string, value: string | null])[] = [
  [{ "connection": "x-hop, close", "x-hop": "1" }, "x-hop", null],
  [{ "te": "trailers" }, "te", null],
  [{ "keep-alive": "timeout=5" }, "keep-alive", null],
  [{ "proxy-authorization": "Basic eDp5" }, "proxy-authorization", null],
  [{ "upgrade": "h2c" }, "upgrade", null],
  [{ "http2-settings": "AAMAAABk" }, "http2-settings", null],
  [{ "expect": "100-continue" }, "expect", null],
  [{ "stillfresh-depends-on": "forged post-1" }, "stillfresh-depends-on", null],
  [{ "x_forwarded_for": "10.0.0.1" }, "x_forwarded_for", null],
  [{ "x_other": "1" }, "x_other", "1"],
  [{ "authorization": "Bearer token" }, "authorization", "Bearer token"],
  [{}, "via", "1.1 stillfresh"],
  [{ "via": "1.0 front" }, "via", "1.0 front, 1.1 stillfresh"],
  [{}, "x-forwarded-for", "192.0.2.7"],
  [{ "x-forwarded-for": "192.0.2.1" }, "x-forwarded-for", "192.0.2.1, 192.0.2.7"],
  [{ "x-forwarded-host": "evil.example" }, "x-forwarded-host", "site.example"],
  [{ "x-forwarded-proto": "https" }, "x-forwarded-proto", "http"],
  [{}, "forwarded", 'for=192.0.2.7;host="site.example";proto=http'],
  [{}, "host", "site.example"],
];

for (const [given, name, value] of sent) {
  test(`proxy: with ${JSON.stringify(given)} the application gets ${name}: ${value}`, async () => {
    const { ask, asked } = stage(() => page(), { clientAddress: () => "192.0.2.7" });
    await ask(given);
    assert.equal(asked[0]!.headers.get(name), value);
  });
}

test("proxy: what another proxy in front says of host and scheme is kept if it is trusted", async () => {
  const { ask, asked } = stage(() => page(), { trustForwarded: true });
  await ask({ "x-forwarded-host": "www.example", "x-forwarded-proto": "https" });
  assert.equal(asked[0]!.headers.get("x-forwarded-host"), "www.example");
  assert.equal(asked[0]!.headers.get("x-forwarded-proto"), "https");
});

test("proxy: a response loses what is of one connection, and what only this library may declare", async () => {
  const { ask } = stage(() =>
    page({
      ...{ "connection": "x-hop", "x-hop": "1", "keep-alive": "timeout=5", "via": "1.1 app" },
      "stillfresh-invalidates": "forged post-1",
    })
  );
  const { headers } = await ask();
  for (const name of ["connection", "x-hop", "keep-alive", "stillfresh-invalidates"]) {
    assert.equal(headers.get(name), null);
  }
  assert.equal(headers.get("via"), "1.1 app, 1.1 stillfresh");
  assert.equal(headers.get("cache-groups"), '"post-1"');
});

for (
  const [url, target] of [
    ["http://site.example//evil.example/x", "//evil.example/x"],
    ["http://site.example/a/../b?c=/../d", "/b?c=/../d"],
    ["http://site.example/%2e%2e/b", "/b"],
    ["http://evil.example/", "/"],
  ] as const
) {
  test(`proxy: ${url} is ${target} of the application, and of no other host`, async () => {
    const { ask, asked } = stage(() => page());
    await ask({}, { url });
    assert.equal(asked[0]!.target, target);
  });
}

test("proxy: a fault is answered with problem details and its name in RFC 9209", async () => {
  for (const [error, status] of [["connection_refused", 502], ["http_response_timeout", 504]] as const) {
    const told: UpstreamFault[] = [];
    const fail = () => Promise.reject(new UpstreamFault(error));
    const { ask } = stage(fail, { onFault: (fault) => void told.push(fault) });
    const response = await ask();
    assert.equal(response.status, status);
    assert.equal(response.headers.get("proxy-status"), `stillfresh; error=${error}`);
    assert.equal((await response.json()).status, status);
    assert.equal(told[0]?.error, error);
  }
});

test("proxy: hits need no application, and its first response after an outage empties the registry", async () => {
  let isUp = true;
  const { ask, asked, handler } = stage(() => {
    if (!isUp) throw new UpstreamFault("connection_refused");
    return page();
  });
  await ask();
  isUp = false;
  assert.equal((await ask({}, { url: "http://site.example/other" })).status, 502);
  assert.equal((await ask({ "if-none-match": OWN_TAG })).status, 304);
  isUp = true;
  await ask({}, { url: "http://site.example/other" });
  assert.equal(handler.registry.size, 0);
  await ask({ "if-none-match": OWN_TAG });
  assert.equal(asked.length, 4);
});

test("proxy: a loop is noticed, and TRACE and CONNECT are refused", async () => {
  const { ask, asked } = stage(() => page());
  assert.equal((await ask({ via: "1.1 front, 1.1 stillfresh" })).status, 508);
  assert.equal((await ask({}, { method: "TRACE" })).status, 405);
  assert.equal((await ask({}, { method: "CONNECT" })).status, 405);
  assert.equal(asked.length, 0);
});

test("proxy: health is of the process, ready of the feed and of stop(), and neither is passed on", async () => {
  const { ask, asked, handler } = stage(() => page());
  const at = async (path: string) =>
    (await ask({}, { url: `http://site.example/_stillfresh/${path}` })).status;
  assert.deepEqual([await at("health"), await at("ready?x"), await at("else")], [200, 200, 404]);
  handler.stop();
  assert.deepEqual([await at("health"), await at("ready")], [200, 503]);
  const unfollowed = stage(() => page(), { manual: false });
  assert.equal((await unfollowed.ask({}, { url: "http://site.example/_stillfresh/ready" })).status, 503);
  assert.equal(asked.length, 0);
});

for (
  const [options, pattern] of [
    [{ upstream: "127.0.0.1:3000" }, /^upstream is an http: or https: URL/],
    [{ upstream: "http://u:secret@127.0.0.1:3000" }, /^upstream is a URL without credentials$/],
    [{ upstream: "http://127.0.0.1:3000/app" }, /^upstream is a URL without a path/],
    [{ name: "a b" }, /^name is a token .*"a b"/],
    [{ ownPath: "health" }, /^ownPath is one segment .*"health"/],
    [{ idleTimeout: 0 }, /^idleTimeout is a number of milliseconds above 0, not 0$/],
  ] as const
) {
  test(`proxy: ${JSON.stringify(options)} is refused`, () => {
    assert.throws(() => proxy({ upstream: "http://127.0.0.1:3000", ...options }), { message: pattern });
  });
}

for (
  const [field, one, other] of [
    ["x-forwarded-host", "a.example", "b.example"],
    ["x-forwarded-proto", "https", "http"],
    ["forwarded", 'for=192.0.2.1;host="a.example"', "for=192.0.2.1;host=b.example"],
  ] as const
) {
  test(`proxy: a trusted ${field} separates the pages of one URL`, async () => {
    // Each site has a page of its own document, and a tag that is its own at that site.
    const { handler, ask, asked } = stage(
      ({ headers }) => page({ "cache-groups": headers.get(field)!.startsWith(one) ? '"doc-a"' : '"doc-b"' }),
      { trustForwarded: true },
    );
    const conditional = (value: string) => ask({ [field]: value, "if-none-match": OWN_TAG });
    await ask({ [field]: one });
    await conditional(other);
    assert.equal(asked.length, 2, "the other site has not been asked for its page yet");
    handler.registry.invalidate("doc-a");
    await conditional(one);
    assert.equal(asked.length, 3, "the page was confirmed after its document had changed");
    assert.equal((await conditional(other)).status, 304);
    assert.equal(asked.length, 3, "the page of the other site is still valid");
  });
}

test("proxy: the address in a trusted Forwarded separates no pages", async () => {
  const { ask, asked } = stage(() => page(), { trustForwarded: true });
  await ask({ forwarded: "for=192.0.2.1;host=a.example" });
  const { status } = await ask({ "forwarded": "for=192.0.2.2;host=a.example", "if-none-match": OWN_TAG });
  assert.deepEqual([status, asked.length], [304, 1]);
});

test("proxy: a body that the application cut off empties the registry upon the next response", async () => {
  let isCut = false;
  const { ask, asked } = stage(() => {
    if (!isCut) return page();
    return new Response(
      new ReadableStream({ pull: (body) => body.error(new UpstreamFault("http_response_incomplete")) }),
    );
  });
  await (await ask()).text();
  isCut = true;
  await assert.rejects((await ask({}, { url: "http://site.example/other" })).text());
  isCut = false;
  await (await ask({}, { url: "http://site.example/third" })).text();
  await ask({ "if-none-match": OWN_TAG });
  assert.equal(asked.length, 4, "the page of the earlier process was confirmed");
});
