/** What may be stale, or is another's to declare, where caches in front are purged by group. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { SettableClock } from "../support/clock.ts";
import { request, wrap } from "../support/http.ts";
import { live, noGroups } from "../support/registrations.ts";

const SHARED = { "cache-control": "public, s-maxage=3600" };

test("purgeFields: a response whose group changed meanwhile is not for shared caches", async () => {
  for (const purgeFields of [["xkey"], []] as const) {
    const site = wrap(() => {
      site.registry.invalidate("posts");
      return new Response("old", { headers: { ...SHARED, ...dependsOn("posts") } });
    }, { purgeFields });
    const { headers } = await site.ask(request());
    assert.equal(site.registry.stats["lease-broken"], 1);
    const expected = purgeFields.length > 0 ? "private, no-cache" : SHARED["cache-control"];
    assert.equal(headers.get("cache-control"), expected, "without a purge, its age is the site's own rule");
  }
});

test("purgeFields: whatever its status and its fields, a response that missed a change is not for shared caches", async () => {
  const shared = (headers: Record<string, string>, init: ResponseInit = {}) => () =>
    new Response(init.status === 304 ? null : "old", { ...init, headers: { ...SHARED, ...headers } });
  const responses: Readonly<Record<string, () => Response>> = {
    "404": shared(dependsOn("posts"), { status: 404 }),
    "301": shared({ ...dependsOn("posts"), location: "/" }, { status: 301 }),
    "a cookie": shared({ ...dependsOn("posts"), "set-cookie": "a=b" }),
    "a nonce": shared({ ...dependsOn("posts"), "content-security-policy": "script-src 'nonce-a'" }),
    "Vary: *": shared({ ...dependsOn("posts"), vary: "*" }),
    "a tag of its own": shared({ ...dependsOn("posts"), etag: '"own"' }),
  };
  for (const [name, respond] of Object.entries(responses)) {
    for (const isOvertaken of [false, true]) {
      const site = wrap(() => {
        if (isOvertaken) site.registry.invalidate("posts");
        return respond();
      }, { purgeFields: ["xkey"] });
      const { headers } = await site.ask(request());
      const expected = isOvertaken ? "private, no-cache" : SHARED["cache-control"];
      assert.equal(headers.get("cache-control"), expected, `${name}, overtaken: ${isOvertaken}`);
      assert.equal(headers.get("xkey"), "posts", name);
    }
  }
});

test("purgeFields: what no purge would reach is not for shared caches", async () => {
  const cases: Readonly<Record<string, () => Record<string, string>>> = {
    "a field that is too large": () =>
      dependsOn(...Array.from({ length: 1_000 }, (_, i) => `post-${i}-with-a-name`)),
    "Vary that cannot be read": () => ({ ...dependsOn("posts"), vary: "a b" }),
    "a tag that cannot be read": () => ({ ...dependsOn("posts"), etag: "own" }),
  };
  for (const [name, declare] of Object.entries(cases)) {
    const site = wrap(() => new Response("page", { headers: { ...SHARED, ...declare() } }), {
      purgeFields: ["xkey"],
    });
    const { headers } = await site.ask(request());
    assert.equal(headers.get("cache-control"), "private, no-cache", name);
    assert.equal(headers.get("cdn-cache-control"), "no-store", name);
  }
});

test("purgeFields: no-store and private stay as they are", async () => {
  for (const own of ["no-store", "private, max-age=60"]) {
    const site = wrap(() => {
      site.registry.invalidate("posts");
      return new Response("old", { status: 404, headers: { "cache-control": own, ...dependsOn("posts") } });
    }, { purgeFields: ["xkey"] });
    assert.equal((await site.ask(request())).headers.get("cache-control"), own);
  }
});

test("purgeFields: a response made while suspended is not for shared caches", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const subscription = coreOf(registry).subscribe("changes", 1_000, 0);
  subscription.apply(live(clock), noGroups);
  const site = withEtag(() => new Response("page", { headers: { ...SHARED, ...dependsOn("posts") } }), {
    registry,
    purgeFields: ["surrogate-key"],
  });
  const directives = async () => (await site(request())).headers.get("cache-control");
  assert.equal(await directives(), SHARED["cache-control"]);
  subscription.apply({ ...live(clock), state: "lost" }, noGroups);
  assert.equal(await directives(), "private, no-cache");
});

test("trustCacheGroups: an upstream's groups declare, and its invalidation voids, only when asked for", async () => {
  for (const trustCacheGroups of [true, false]) {
    const site = wrap(({ method }) => {
      if (method === "POST") {
        return new Response("done", { headers: { "cache-group-invalidation": '"news"' } });
      }
      return new Response("news", { headers: { ...SHARED, etag: '"v1"', "cache-groups": '"news"' } });
    }, { trustCacheGroups });
    await site.ask(request());
    assert.equal(site.registry.size, trustCacheGroups ? 1 : 0);
    const hit = await site.ask(request({ "if-none-match": '"v1"' }));
    assert.deepEqual([hit.status, site.registry.stats.hit], [304, trustCacheGroups ? 1 : 0]);
    await site.ask(request({}, { method: "POST", url: "http://localhost/comments" }));
    await site.ask(request({ "if-none-match": '"v1"' }));
    assert.equal(site.registry.stats.hit, trustCacheGroups ? 1 : 0, "voided");
  }
});

test("trustCacheGroups: what cannot be read is no declaration, and an upstream's malformed invalidation empties nothing", async () => {
  const site = wrap(({ method }) => {
    if (method === "POST") {
      return new Response("done", { headers: { "cache-group-invalidation": "all posts" } });
    }
    return new Response("news", { headers: { ...SHARED, etag: '"v1"', "cache-groups": "news" } });
  }, { trustCacheGroups: true });
  await site.ask(request());
  await site.ask(request({}, { method: "POST" }));
  const { malformed, cleared } = site.registry.stats;
  assert.deepEqual([site.registry.size, malformed, cleared], [0, 1, 0]);
});
