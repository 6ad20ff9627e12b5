import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, type Reason } from "../../mod.ts";
import { cacheability, hasCredentials } from "../../src/handler/cacheable.ts";
import { request, wrap } from "../support/http.ts";
import { STORING } from "../vectors/with_etag.ts";

const REV = { _id: "post-1", _rev: "1-a" };

for (const row of STORING) {
  const title = `${row.section} ${row.name}`;
  test(`cacheability: ${title}`, () => {
    const response = new Response(null, { status: row.status ?? 200, headers: row.response ?? {} });
    assert.equal(cacheability(new Headers(row.request), response, row.caller).refusal, row.expected);
  });

  for (const hashBody of [false, true]) {
    const name = `${row.expected ?? "registered"}: ${title}${hashBody ? ", hashed" : ""}`;
    test(`withEtag: ${name}`, async () => {
      const headers = { ...row.response, ...dependsOn(REV) };
      const site = wrap(() => new Response(null, { status: row.status ?? 200, headers }), {
        caller: () => row.caller,
        hashBody,
      });
      const response = await site.ask(request(row.request));
      const refused = row.expected !== undefined;
      assert.deepEqual([site.registry.size, site.registry.open.size], [refused ? 0 : 1, 0]);
      const etag = response.headers.get("etag");
      if (!refused || row.status === 206) assert.match(etag!, /^"1-a\./);
      // The handler has run, so the digest of its body depends on nothing else.
      else if (hashBody && row.status === undefined) assert.match(etag!, /^"[\w-]{43}"$/);
      else assert.equal(etag, null, "no derived tag for what depended on who asked");
      if (refused) assert.equal(site.registry.stats[row.expected as Reason], 1);
    });
  }
}

test("hasCredentials: Cookie or Authorization, even empty", () => {
  assert.equal(hasCredentials(new Headers({ cookie: "" })), true);
  assert.equal(hasCredentials(new Headers({ authorization: "x" })), true);
  assert.equal(hasCredentials(new Headers({ "set-cookie": "x", "x-authorization": "x" })), false);
});

const ANN = { cookie: "user=ann" };
const BOB = { cookie: "user=bob" };

/** A handler that greets whoever asks; each tag it gives is its own, so nothing but the key keeps users apart. */
function greeting(cacheControl: string, named: boolean) {
  return wrap(({ headers }) => {
    const fields = { "cache-control": cacheControl, etag: '"a"', ...dependsOn(REV) };
    return new Response(`hello ${headers.get("cookie")}`, { headers: fields });
  }, named ? { caller: ({ headers }) => headers.get("cookie") ?? undefined } : {});
}

const TAG = { "if-none-match": '"a"' };

test("access: another user's tag opens nothing, the caller is in the key", async () => {
  for (const cacheControl of ["no-cache", "private", "public"]) {
    const site = greeting(cacheControl, true);
    await site.ask(request(ANN));
    await site.ask(request({ ...BOB, ...TAG }));
    await site.ask(request(TAG));
    assert.equal(site.runs, 3, "each of them is another");
    assert.deepEqual([site.registry.stats.hit, (await site.ask(request({ ...ANN, ...TAG }))).status], [
      0,
      304,
    ]);
    assert.equal(site.runs, 3);
  }
});

test("access: credentials without a caller are answered by the handler, unless the response is public", async () => {
  for (const credentials of [ANN, { authorization: "Basic YTpi" }, { cookie: "" }]) {
    const site = greeting("no-cache", false);
    await site.ask(request());
    await site.ask(request({ ...credentials, ...TAG }));
    await site.ask(request({ ...credentials, "if-match": '"b"' }));
    await site.ask(request({ ...credentials, ...TAG }, { method: "HEAD" }));
    const { hit, credentials: unanswered, "not-public": unregistered } = site.registry.stats;
    assert.deepEqual([site.runs, hit, unanswered, unregistered], [4, 0, 3, 3]);
    const open = greeting("public, no-cache", false);
    await open.ask(request());
    await open.ask(request({ ...credentials, ...TAG }));
    assert.equal(open.runs, 1);
  }
});

test("access: a page of a logged-in user is no answer to a guest, nor the other way round", async () => {
  const site = greeting("no-cache", false);
  await site.ask(request(ANN));
  assert.equal(site.registry.size, 0);
  await site.ask(request(TAG));
  assert.equal(site.runs, 2);
});

for (const caller of [true, false]) {
  test(`access: after a logout the private copy does not match, ${caller ? "with" : "without"} a caller`, async () => {
    const site = wrap(({ headers }) => {
      const who = headers.get("cookie") ?? "guest";
      return new Response(`hello ${who}`, { headers: { "cache-control": "no-cache", ...dependsOn(REV) } });
    }, caller ? { caller: ({ headers }) => headers.get("cookie") ?? undefined } : {});
    await site.ask(request());
    const mine = await site.ask(request(ANN));
    const etag = mine.headers.get("etag");
    assert.equal(etag !== null, caller);
    const after = await site.ask(request({ "if-none-match": etag ?? '"none"' }));
    assert.deepEqual([after.status, await after.text()], [200, "hello guest"]);
  });
}

test("access: a tag learned before access was taken away, closed by the user's document", async () => {
  let allowed = true;
  const site = wrap(() => {
    if (!allowed) return new Response("no", { status: 403 });
    const headers = { "cache-control": "private", ...dependsOn(REV, { _id: "user:ann", _rev: "1-b" }) };
    return new Response("secret", { headers });
  }, { caller: () => "ann" });
  const sent = { "if-none-match": (await site.ask(request(ANN))).headers.get("etag")! };
  assert.equal((await site.ask(request(sent))).status, 304);
  allowed = false;
  site.registry.invalidate("user:ann");
  assert.equal((await site.ask(request(sent))).status, 403);
  assert.equal((await site.ask(request(sent, { method: "HEAD" }))).status, 403);
});

test("access: one URL's tag opens no other URL, host, scheme, port or query", async () => {
  const site = greeting("public", false);
  await site.ask(request({}, { url: "http://a.example/page" }));
  for (
    const url of [
      "http://a.example/page/",
      "http://a.example/Page",
      "http://a.example/page?",
      "http://a.example/page?a",
      "http://a.example/%70age",
      "http://b.example/page",
      "http://a.example:8080/page",
      "https://a.example/page",
    ]
  ) {
    const before = site.runs;
    await site.ask(request(TAG, { url }));
    assert.equal(site.runs, before + 1, url);
  }
  assert.equal(site.registry.stats.hit, 0);
});

test("access: key and caller that coincide when written one after the other are two", async () => {
  const pairs: readonly (readonly [key: string, caller: string | undefined])[] = [
    ["bc", "a"],
    ["c", "ab"],
    ["abc", ""],
    ["abc", undefined],
    ["\0" + "1:abc", undefined],
    ["\0\0" + "1:abc", undefined],
    ["\0v1:abc", undefined],
    ["", "abc"],
    ["1:abc", ""],
    ["a", "1:"],
    ["__proto__", undefined],
    ["constructor", undefined],
    ["toString", "__proto__"],
  ];
  let at = 0;
  const site = wrap(() => {
    return new Response(null, { headers: { etag: '"a"', "cache-control": "private", ...dependsOn("x") } });
  }, { key: () => pairs[at]![0], caller: () => pairs[at]![1] });
  for (at = 0; at < pairs.length; at++) {
    for (let other = 0; other < at; other++) assert.notDeepEqual(pairs[other], pairs[at]);
    await site.ask(request(TAG));
    assert.equal(site.registry.stats.hit, 0, JSON.stringify(pairs[at]));
  }
  assert.equal(site.runs, pairs.length);
});

test("access: odd keys and callers are keys and callers like any other", async () => {
  for (
    const odd of ["__proto__", "constructor", "hasOwnProperty", "", "\0", "\n", "\ud800", "💚".repeat(9)]
  ) {
    const site = wrap(() => new Response(null, { headers: { etag: '"a"', ...dependsOn("x") } }), {
      key: () => odd,
      caller: () => odd,
    });
    await site.ask(request(TAG));
    await site.ask(request(TAG));
    assert.equal(site.runs, 1, JSON.stringify(odd));
    await site.ask(request({}, { method: "PUT" }));
    await site.ask(request(TAG));
    assert.equal(site.runs, 3, JSON.stringify(odd));
  }
});

test("access: a resource that moves between equal documents gets another tag", async () => {
  let latest = { _id: "post-1", _rev: "1-same" };
  const site = wrap(() => {
    return new Response(latest._id, { headers: { "cache-control": "public", ...dependsOn(latest) } });
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  latest = { _id: "post-2", _rev: "1-same" };
  site.registry.clear();
  const moved = await site.ask(request({ "if-none-match": etag }));
  assert.deepEqual([moved.status, await moved.text()], [200, "post-2"]);
  assert.notEqual(moved.headers.get("etag"), etag);
});
