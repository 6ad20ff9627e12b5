import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, type EtagRegistry, invalidates, withEtag } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";

const URL = "http://localhost/";
const POST = { _id: "post-1", _rev: "1-a" };

test("Cache-Status: off unless a name is given", async () => {
  const handler = withEtag(() => new Response("page", { headers: dependsOn(POST) }));
  assert.equal((await handler(new Request(URL))).headers.has("cache-status"), false);
});

test("Cache-Status: says what happened and why (RFC 9211)", async () => {
  let headers: Record<string, string> = { "cache-control": "public", ...dependsOn(POST) };
  let during = (_registry: EtagRegistry) => {};
  let status = 200;
  const handler = withEtag(() => {
    during(handler.registry);
    return new Response(status === 200 ? "page" : null, { status, headers });
  }, { manual: true, cacheStatus: "Stillfresh" });
  const ask = async (sent: HeadersInit = {}, method = "GET") => {
    const response = await handler(new Request(URL, { method, headers: sent }));
    return [response.status, response.headers.get("cache-status")];
  };
  assert.deepEqual(await ask(), [
    200,
    "Stillfresh; fwd=request; fwd-status=200; stored; detail=unconditional",
  ]);
  const etag = (await handler(new Request(URL))).headers.get("etag")!;
  assert.deepEqual(await ask({ "if-none-match": etag }), [304, "Stillfresh; hit"]);
  assert.deepEqual(await ask({ "if-match": '"x"' }), [412, "Stillfresh; hit; detail=precondition-failed"]);
  assert.deepEqual(await ask({ "if-none-match": '"x"' }), [
    200,
    "Stillfresh; fwd=request; fwd-status=200; stored; detail=tag-differs",
  ]);
  handler.registry.invalidate("post-1");
  assert.deepEqual(await ask({ "if-none-match": etag }), [
    304,
    "Stillfresh; fwd=stale; fwd-status=200; stored; detail=group-changed",
  ]);
  handler.registry.clear();
  during = (registry) => registry.invalidate("post-1");
  assert.deepEqual(await ask({ "if-none-match": '"x"' }), [
    200,
    'Stillfresh; fwd=uri-miss; fwd-status=200; detail="miss, lease-broken"',
  ]);
  during = () => {};
  headers = { "cache-control": "public" };
  assert.deepEqual(await ask(), [
    200,
    'Stillfresh; fwd=request; fwd-status=200; detail="unconditional, undeclared"',
  ]);
  headers = { "cache-control": "no-store", "cache-status": "Origin; hit", ...dependsOn(POST) };
  assert.deepEqual(await ask(), [
    200,
    'Origin; hit, Stillfresh; fwd=request; fwd-status=200; detail="unconditional, no-store"',
  ]);
  headers = { "cache-control": "public", ...dependsOn(POST) };
  assert.deepEqual(await ask({}, "HEAD"), [
    200,
    "Stillfresh; fwd=request; fwd-status=200; detail=unconditional",
  ]);
  headers = invalidates("post-1");
  status = 204;
  assert.deepEqual(await ask({}, "DELETE"), [
    204,
    "Stillfresh; fwd=method; fwd-status=204; detail=unsafe-method",
  ]);
});

test("Cache-Status: a name is a Token or a String (RFC 9651)", async () => {
  for (
    const [name, member] of [["a.b:1/2", "a.b:1/2"], ["Our Cache", '"Our Cache"'], ['"', '"\\""']] as const
  ) {
    const handler = withEtag(() => new Response("page", { headers: dependsOn(POST) }), { cacheStatus: name });
    assert.ok((await handler(new Request(URL))).headers.get("cache-status")!.startsWith(`${member}; `), name);
  }
  for (const name of ["", "é", "a\n"]) {
    assert.throws(() => withEtag(() => new Response(), { cacheStatus: name }), TypeError);
  }
});

test("purgeFields: the groups go on without revisions, each field in its grammar", async () => {
  const sources = [{ _id: "post,1", _rev: "1-a" }, "all posts"];
  const handler = withEtag(() => new Response("page", { headers: dependsOn(...sources) }), {
    purgeFields: ["cache-groups", "cache-tag", "surrogate-key", "xkey"],
  });
  const { headers } = await handler(new Request(URL));
  assert.equal(headers.get("cache-groups"), '"post%2C1", "all%20posts"');
  assert.equal(headers.get("cache-tag"), "post%2C1,all%20posts");
  assert.equal(headers.get("surrogate-key"), "post%2C1 all%20posts");
  assert.equal(headers.get("xkey"), "post%2C1 all%20posts");
  const writes = withEtag(() => new Response(null, { headers: invalidates("post,1") }), {
    purgeFields: ["cache-groups"],
  });
  const written = await writes(new Request(URL, { method: "PUT" }));
  assert.equal(written.headers.get("cache-group-invalidation"), '"post%2C1"');
});

test("purgeFields: over its limit a field is left out whole, and counted", async () => {
  const long = "x".repeat(1_025);
  const handler = withEtag(() => new Response("page", { headers: dependsOn(long) }), {
    purgeFields: ["cache-tag", "xkey"],
  });
  const { headers } = await handler(new Request(URL));
  assert.deepEqual([headers.get("cache-tag"), headers.get("xkey")], [null, long]);
  assert.equal(handler.registry.stats["purge-field-too-large"], 1);
  assert.throws(() => withEtag(() => new Response(), { purgeFields: ["cdn" as "xkey"] }), /cdn/);
});

test("auditRate: a check runs the handler; equal tags are a 304, others its answer, and the entry goes", async () => {
  let rev = "1-a";
  let runs = 0;
  const mismatches: unknown[] = [];
  let drawn = 0;
  const handler = withEtag(() => {
    runs++;
    return new Response("page", { headers: dependsOn({ _id: "post-1", _rev: rev }, "posts") });
  }, {
    manual: true,
    auditRate: 0.5,
    random: () => drawn,
    onAudit: (mismatch) => mismatches.push(mismatch),
    version: "1",
  });
  const single = withEtag(() => {
    runs++;
    return new Response("page", { headers: dependsOn({ _id: "post-1", _rev: rev }) });
  }, {
    manual: true,
    auditRate: 0.5,
    random: () => drawn,
    onAudit: (mismatch) => mismatches.push(mismatch),
    version: "1",
  });
  for (const site of [handler, single]) {
    rev = "1-a";
    drawn = 0.5;
    const etag = (await site(new Request(URL))).headers.get("etag")!;
    const again = () => site(new Request(URL, { headers: { "if-none-match": etag } }));
    runs = 0;
    assert.deepEqual([(await again()).status, runs], [304, 0], "not drawn");
    drawn = 0.49;
    assert.deepEqual([(await again()).status, runs], [304, 1], "drawn, and right");
    assert.equal(site.registry.stats.audit, 1);
  }
  // Read before the feed tells.
  rev = "2-b";
  const etag = (await withTag(single, 0.9)).headers.get("etag")!;
  assert.deepEqual(mismatches, []);
  drawn = 0;
  rev = "3-c";
  const answer = await single(new Request(URL, { headers: { "if-none-match": etag } }));
  assert.equal(answer.status, 200);
  const [mismatch] = mismatches as Record<string, unknown>[];
  assert.deepEqual({ ...mismatch, answered: answer.headers.get("etag") }, {
    key: URL,
    reason: "tag",
    registered: etag,
    answered: answer.headers.get("etag"),
    status: 200,
    groups: ["post-1"],
    registeredGroups: ["post-1"],
    refusal: undefined,
    difference: undefined,
  });
  assert.deepEqual([single.registry.size, single.registry.stats["audit-mismatch"]], [0, 1]);

  async function withTag(site: typeof single, draw: number): Promise<Response> {
    drawn = draw;
    single.registry.clear();
    return await site(new Request(URL));
  }
});

test("auditRate: a share is from 0 to 1", () => {
  for (const audit of [-0.1, 1.1, NaN]) {
    assert.throws(() => withEtag(() => new Response(), { auditRate: audit }), RangeError);
  }
});

test("cacheStatus: what cannot be rebuilt passes", async () => {
  const failed = Response.error();
  const site = wrap(() => failed, { cacheStatus: "me" });
  assert.equal(await site.ask(request()), failed);
  assert.equal(await site.ask(request({}, { method: "PUT" })), failed);
});

test("purgeFields: a 304 tells a cache in front of groups that its copy does not have yet", async () => {
  let groups = ["a"];
  const site = wrap(
    () =>
      new Response("page", {
        headers: { "cache-control": "public", etag: '"own"', ...dependsOn(...groups) },
      }),
    {
      purgeFields: ["cache-tag"],
    },
  );
  assert.equal((await site.ask(request())).headers.get("cache-tag"), "a");
  site.registry.invalidate("a");
  groups = ["a", "b"];
  for (const run of ["in place of the answer", "from the registry"]) {
    const answer = await site.ask(request({ "if-none-match": '"own"' }));
    assert.deepEqual([answer.status, answer.headers.get("cache-tag")], [304, "a,b"], run);
  }
});
