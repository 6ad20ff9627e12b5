/** One bound for all that a registry keeps: whatever fills it, `bytes` counts it, and `clear()` gives it back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { request } from "../support/http.ts";

const KIB = 2 ** 10;
const url = (n: number): string => `http://localhost/${n}`;

/** A site of so many wrappers over one registry, in a cluster whose reads may lag. */
function clusterSite(maxBytes: number, wrappers = 1) {
  let time = 1_800_000_000_000;
  const clock = { now: () => time, monotonic: () => time };
  const registry = new EtagRegistry({ maxBytes, ...clock });
  const subscription = coreOf(registry).subscribe("changes", 3_600_000, 5_000);
  const report = (...ids: string[]) =>
    subscription.apply({
      changes: ids.map((id) => ({ id, rev: "2-b" })),
      position: { since: "1-x", source: "test" },
      state: "live",
      contact: { wall: time, monotonic: time },
    }, () => []);
  report();
  time += 10_000;
  const sites = Array.from({ length: wrappers }, () =>
    withEtag((given: Request) => {
      const origin = given.headers.get("origin");
      const allowed: Record<string, string> = origin === null
        ? {}
        : { "access-control-allow-origin": origin };
      const headers = { "cache-control": "public", ...allowed, ...dependsOn(given.url) };
      return new Response("page", { headers });
    }, { registry }));
  return { registry, report, sites, pass: (ms: number) => void (time += ms) };
}

test("maxBytes: remembered changes take the room of entries, and give it back when they have settled", async () => {
  const { registry, report, sites, pass } = clusterSite(256 * KIB);
  for (let n = 0; n < 1_000; n++) await sites[0]!(request({}, { url: url(n) }));
  const full = registry.size;
  assert.ok(registry.bytes <= 256 * KIB && registry.bytes > 200 * KIB, `${registry.bytes}`);
  for (let n = 0; n < 250; n++) {
    report(`document-${n}`);
    assert.ok(registry.bytes <= 256 * KIB, `${registry.bytes} after ${n} changes`);
  }
  assert.ok(registry.size < full - 100, `${registry.size} of ${full}`);
  assert.equal(registry.stats.overflow, 0);
  pass(10_000);
  report("another");
  assert.ok(registry.bytes < 200 * KIB, `${registry.bytes}`);
});

test("maxBytes: changes take no more than half of it", async () => {
  const { registry, report, sites } = clusterSite(256 * KIB);
  for (let n = 0; n < 1_000; n++) await sites[0]!(request({}, { url: url(n) }));
  for (let n = 0; n < 3_000; n++) {
    report(`document-${n}`);
    assert.ok(registry.bytes <= 256 * KIB, `${registry.bytes} after ${n} changes`);
  }
  assert.ok(registry.stats.overflow > 0);
  assert.ok(registry.size > 30, `${registry.size}`);
});

test("maxBytes: what handlers send to other origins is within it, however many wrappers there are, and leaves", async () => {
  const { registry, sites } = clusterSite(256 * KIB, 10);
  const before = registry.bytes;
  const origin = (n: number): string => `https://${"o".repeat(900)}-${n}.example`;
  for (let n = 0; n < 2_000; n++) {
    await sites[n % 10]!(request({ origin: origin(n) }, { method: "OPTIONS", url: url(n) }));
    assert.ok(registry.bytes <= 256 * KIB, `${registry.bytes}`);
  }
  assert.ok(registry.bytes > before + 4 * KIB, "it is counted");
  assert.ok(
    registry.bytes < before + 32 * KIB,
    `${registry.bytes}: it takes the room of no more than a few entries`,
  );
  registry.clear();
  assert.equal(registry.bytes, 0);
});

test("clear(): nothing is kept, whatever was: variants, fields, prepared answers, changes", async () => {
  const { registry, report, sites } = clusterSite(2 ** 20, 3);
  for (let n = 0; n < 300; n++) {
    const asked = { origin: "https://app.example", "accept-encoding": `${n}` };
    const first = await sites[n % 3]!(request(asked, { url: url(n) })) as Response;
    await sites[n % 3]!(request({ ...asked, "if-none-match": first.headers.get("etag")! }, { url: url(n) }));
    report(`document-${n}`);
  }
  assert.ok(registry.bytes > 100 * KIB && registry.stats.hit === 300, `${registry.bytes}`);
  registry.clear();
  assert.deepEqual([registry.size, registry.bytes], [0, 0]);
});
