/** A minted tag stands for one state of its sources: what can be seen to differ, or cannot be known, gets another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import type { ChangeBatch, ChangesFeed } from "../../src/changes/change.ts";

test("withEtag: a response built from another revision does not keep a minted tag, though no change was reported", async () => {
  let rev = "1-a";
  const page = () => new Response(rev, { headers: dependsOn("posts", { _id: "post-1", _rev: rev }) });
  const site = withEtag(page, { manual: true });
  const ask = async () => (await site(new Request("http://localhost/"))).headers.get("etag");
  const before = await ask();
  assert.equal(await ask(), before, "nothing has changed, so another reader's copy stays good");
  rev = "2-b";
  assert.notEqual(await ask(), before);
});

/** A feed that is live once, and then gone. */
function lost(): ChangesFeed {
  const position = { since: 1, source: "blog" };
  const contact = { wall: Date.now(), monotonic: performance.now() };
  async function* batches(): AsyncGenerator<ChangeBatch> {
    yield { changes: [], position, state: "live", contact };
    await new Promise((resolve) => leave = () => resolve(undefined));
    yield { changes: [], position, state: "lost", contact };
    await new Promise(() => {});
  }
  return {
    batches,
    position,
    [Symbol.asyncIterator]: () => assert.fail(),
    [Symbol.asyncDispose]: async () => {},
  };
}
let leave = (): void => {};

test("withEtag: while the feed is away, a minted tag is not kept", async () => {
  const registry = new EtagRegistry();
  let text = "before";
  const site = withEtag(() => new Response(text, { headers: dependsOn("posts") }), { registry });
  const ask = (etag = "") => site(new Request("http://localhost/", { headers: { "if-none-match": etag } }));
  await follow(registry, lost()).ready;
  const etag = (await ask()).headers.get("etag")!;
  leave();
  while (registry.live) await Promise.resolve();
  text = "after";
  const response = await ask(etag);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "after");
});
