import assert from "node:assert/strict";
import { test } from "node:test";
import { flood, recovery } from "../../bench/flood.ts";
import { dependsOn, EtagRegistry } from "../../mod.ts";
import { PAGE, request, wrap } from "../support/http.ts";

test("a flood of 100,000 URLs: the pages in use survive it", async () => {
  const survived = await flood({ urls: 100_000, maxEntries: 1000, hot: 100, between: 4 });
  assert.ok(survived >= 0.99, `${survived}`);
});

for (const live of [10, 100, 500]) {
  test(`after a shared group has changed: the ${live} of 1,000 that live go on being answered`, async () => {
    assert.deepEqual(await recovery(1000, live), { live: 1, after: 1 });
  });
}

test("a flood of variants: bounded, and other pages do not pay for it", async () => {
  const headers = { "cache-control": "public", vary: "accept-language", ...dependsOn("doc") };
  const site = wrap(() => new Response("page", { headers }));
  const other = "http://localhost/other";
  const etag = (await site.ask(request({}, { url: other }))).headers.get("etag")!;
  for (let n = 0; n < 2000; n++) await site.ask(request({ "accept-language": `x-${n}` }));
  assert.ok(site.registry.size <= 9, `${site.registry.size}`);
  const answer = await site.ask(request({ "if-none-match": etag }, { url: other }));
  assert.deepEqual([answer.status, site.registry.stats.hit], [304, 1]);
});

test("a flood of long keys and group names: bounded in bytes", async () => {
  let n = 0;
  const registry = new EtagRegistry({ manual: true, maxBytes: 2 ** 20 });
  const site = wrap(() => {
    const headers = { "cache-control": "public", ...dependsOn(`${n}-${"g".repeat(5000)}`) };
    return new Response("page", { headers });
  }, { registry });
  for (n = 0; n < 1000; n++) await site.ask(request({}, { url: `${PAGE}/${"k".repeat(2000)}/${n}` }));
  assert.ok(registry.bytes <= 2 ** 20, `${registry.bytes}`);
  assert.ok(registry.size > 100, `${registry.size}`);
});
