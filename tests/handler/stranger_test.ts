/** What one client can take from all others by sending writes: the runs that its own writes cost, and no more. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, invalidates, withEtag } from "../../mod.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";

const LAG = 5_000;
const LOGIN = new Response(null, { status: 303, headers: { location: "/login" } });

/** A site that answers any method, over a database with replicas, which is followed and has settled. */
async function cluster({ pages = 1, write = () => LOGIN as Response } = {}) {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ now: clock.now, monotonic: clock.monotonic });
  const feed = new PushedFeed();
  const follower = follow(registry, feed, { maxLag: 3_600_000 });
  const position = { since: "1-x", source: "blog" };
  const push = async (changes: { id: string; rev: string }[] = []) => {
    const rows = changes.map((change) => ({ ...change, seq: "2-x", deleted: false, revs: [change.rev] }));
    feed.reader.push({ changes: rows, state: "live", contact: clock.instant, position, replicas: 3 });
    await settled();
  };
  await push();
  clock.advance(2 * LAG);
  let revision = 1;
  let runs = 0;
  /** What a handler waits for before it responds; undefined: nothing. */
  let gate: Promise<void> | undefined;
  const site = withEtag(async (request: Request) => {
    if (request.method !== "GET") return write();
    runs++;
    if (gate !== undefined) await gate;
    const { pathname } = new URL(request.url);
    const headers = { "cache-control": "public", ...dependsOn({ _id: pathname, _rev: `${revision}-a` }) };
    return new Response(pathname, { headers });
  }, { registry });
  const tags = new Map<string, string>();
  const read = async (path: string, headers: Record<string, string> = {}) => {
    const tag = tags.get(path);
    const fields = tag === undefined ? headers : { ...headers, "if-none-match": tag };
    const response = await site(new Request(`http://localhost${path}`, { headers: fields }));
    tags.set(path, response.headers.get("etag") ?? tag ?? "");
    return response;
  };
  const urls = Array.from({ length: pages }, (_, n) => `/${n}`);
  for (const path of urls) await read(path);
  return {
    clock,
    registry,
    read,
    urls,
    push,
    post: (path: string) => site(new Request(`http://localhost${path}`, { method: "POST" })),
    edit: () => revision++,
    wait: (until: Promise<void> | undefined) => gate = until,
    close: () => follower.close(),
    get runs() {
      return runs;
    },
    /** Share of `reads` that the registry answers, `each` being called between two of them. */
    async share(reads: number, each: (n: number) => unknown = () => {}): Promise<number> {
      const before = runs;
      for (let n = 0; n < reads; n++) {
        await each(n);
        assert.equal((await read(urls[n % pages]!)).status, 304);
      }
      return 1 - (runs - before) / reads;
    },
  };
}

test("a write every replicaLag: the page is registered again by the next request", async () => {
  const site = await cluster();
  const share = await site.share(1_000, async (n) => {
    site.clock.advance(50);
    if (n % 95 === 0) await site.post("/0");
  });
  assert.equal(await site.share(100), 1, "calm");
  assert.ok(share >= 0.95, `${share}`);
  await site.close();
});

test("a flood of writes to every page: each costs its page one run", async () => {
  const site = await cluster({ pages: 1_000 });
  let writes = 0;
  const share = await site.share(20_000, async (n) => {
    if (n % 50 === 0) await site.post(`/${writes++ % 1_000}`);
  });
  assert.ok(share >= 0.95, `${share}`);
  assert.ok(site.runs <= 1_000 + writes, `${site.runs} runs`);
  await site.close();
});

test("a flood of writes to other URLs while a handler runs: nothing is remembered, and no page leaves", async () => {
  const site = await cluster({ pages: 1_000 });
  let open = () => {};
  site.wait(new Promise((resolve) => open = resolve));
  const slow = site.read("/slow");
  site.wait(undefined);
  const { bytes } = site.registry;
  for (let n = 0; n < 20_000; n++) await site.post(`/flood/${n}?${"x".repeat(200)}`);
  assert.equal(site.registry.bytes, bytes);
  assert.equal(site.registry.stats.overflow, 0);
  assert.equal(await site.share(1_000), 1);
  open();
  await slow;
  assert.equal((await site.read("/slow")).status, 304);
  assert.equal(site.registry.stats.settling, 0);
  await site.close();
});

test("a write breaks the lease of a handler that is building its resource, whoever asked", async () => {
  const site = await cluster();
  let open = () => {};
  site.wait(new Promise((resolve) => open = resolve));
  await site.post("/0");
  const building = site.read("/0");
  await site.post("/0");
  open();
  await building;
  assert.equal(site.registry.stats["lease-broken"], 1);
  assert.equal(site.registry.size, 0);
  await site.close();
});

test("a write settles for what it names, and for nothing else", async () => {
  const site = await cluster({
    pages: 2,
    write: () => new Response(null, { status: 204, headers: invalidates("/0") }),
  });
  await site.post("/1");
  await site.read("/0");
  await site.read("/1");
  assert.equal(site.registry.stats.settling, 1, "/0 was named, and its revision has not been reported yet");
  const runs = site.runs;
  assert.deepEqual([(await site.read("/1")).status, site.runs], [304, runs]);
  site.clock.advance(LAG);
  await site.read("/0");
  const later = site.runs;
  assert.deepEqual([(await site.read("/0")).status, site.runs], [304, later]);
  await site.close();
});

test("what a lagging replica gave after a write that named nothing leaves with the row of the feed", async () => {
  const site = await cluster();
  await site.post("/0");
  await site.read("/0");
  assert.equal(site.registry.size, 1);
  site.edit();
  await site.push([{ id: "/0", rev: "2-a" }]);
  const response = await site.read("/0");
  assert.equal(response.status, 200);
  assert.equal(site.registry.stats["group-changed"], 1);
  await site.close();
});
