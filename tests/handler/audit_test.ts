import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";
import { coreOf } from "../../src/registry/core.ts";

for (const [what, headers] of [["without a tag", {}], ["with a tag", { etag: '"own"' }]] as const) {
  test(`auditRate: an answer that declares nothing, ${what}, is another too`, async () => {
    let gone = false;
    const mismatches: unknown[] = [];
    let drawn = 0.9;
    const handler = withEtag(() => {
      return gone
        ? new Response("not found", { status: 404, headers })
        : new Response("page", { headers: dependsOn({ _id: "post-1", _rev: "1-a" }) });
    }, {
      manual: true,
      auditRate: 0.5,
      random: () => drawn,
      onAudit: (mismatch) => mismatches.push(mismatch),
      version: "1",
    });
    const etag = (await handler(request())).headers.get("etag")!;
    gone = true;
    drawn = 0;
    assert.equal((await handler(request({ "if-none-match": etag }))).status, 404);
    assert.deepEqual([mismatches.length, handler.registry.stats["audit-mismatch"], handler.registry.size], [
      1,
      1,
      0,
    ]);
  });
}

test("auditRate: a HEAD of a page with a minted tag is no mismatch", async () => {
  const site = wrap(() => new Response("page", { headers: dependsOn("post-1") }), {
    auditRate: 1,
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({ "if-none-match": etag }, { method: "HEAD" }));
  assert.deepEqual([site.registry.stats["audit-mismatch"], site.registry.size], [0, 1]);
});

test("auditRate: a HEAD of a page whose tag is a digest is no mismatch", async () => {
  const site = wrap(() => new Response("page", { headers: dependsOn("post-1") }), {
    auditRate: 1,
    hashBody: true,
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({ "if-none-match": etag }, { method: "HEAD" }));
  assert.deepEqual([site.registry.stats["audit-mismatch"], site.registry.size], [0, 1]);
});

test("auditRate: an entry that was evicted while the handler ran is no mismatch", async () => {
  const registry = new EtagRegistry({ manual: true, maxEntries: 1 });
  let meanwhile = () => {};
  const site = withEtag(({ url }) => {
    if (url.endsWith("/b")) return new Response("b", { headers: dependsOn("b") });
    meanwhile();
    return new Response("page", { headers: dependsOn("post-1") });
  }, { auditRate: 1, registry });
  const etag = (await site(request())).headers.get("etag")!;
  meanwhile = () => void site(request({}, { url: "http://localhost/b" }));
  await site(request({ "if-none-match": etag }));
  assert.equal(registry.stats["audit-mismatch"], 0);
});

test("auditRate: an entry that another request has renewed under the same tag is judged all the same", async () => {
  let tag = '"old"';
  const answers: ((value: void) => void)[] = [];
  const site = withEtag(async () => {
    const waited = new Promise<void>((resolve) => answers.push(resolve));
    await waited;
    return new Response("page", { headers: { ...dependsOn("post-1"), etag: tag } });
  }, { manual: true, auditRate: 1 });
  const ask = (headers: Record<string, string>) => site(request(headers));
  const first = ask({});
  answers.shift()!();
  await first;
  const [slow, quick] = [ask({ "if-none-match": '"old"' }), ask({ "if-none-match": '"old"' })];
  answers[1]!();
  assert.equal((await quick).status, 304);
  tag = '"new"';
  answers[0]!();
  assert.equal((await slow).headers.get("etag"), '"new"');
  assert.equal(site.registry.stats["audit-mismatch"], 1);
  assert.equal(site.registry.hasTag('"old"'), false);
});

test("auditRate: a check that ends while the feed is lost is judged all the same", async () => {
  const registry = new EtagRegistry({ manual: true });
  const subscription = coreOf(registry).subscribe("changes", 1_000, 0);
  const live = subscription.unbatched();
  subscription.apply(live, () => []);
  let [tag, meanwhile] = ['"old"', () => {}];
  const site = withEtag(() => {
    meanwhile();
    return new Response("page", { headers: { ...dependsOn("post-1"), etag: tag } });
  }, { auditRate: 1, registry });
  await site(request());
  tag = '"new"';
  meanwhile = () => subscription.apply({ ...live, state: "lost" }, () => []);
  await site(request({ "if-none-match": '"old"' }));
  assert.equal(registry.stats["audit-mismatch"], 1);
  subscription.apply(live, () => []);
  assert.equal(registry.hasTag('"old"'), false, "it would be confirmed again");
});
