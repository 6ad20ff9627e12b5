/** Refusals that are made before the handler carry the fields without which a script of another origin cannot read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag, type WithEtagOptions } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { restored, saved } from "../support/snapshots.ts";

const URL = "http://localhost/posts/1";
const APP = "https://app.test";
const POST = { _id: "post", _rev: "2-b" };

interface Behaviour {
  /** The fields for an origin; null: none is allowed. */
  readonly allow?: (origin: string | null) => Record<string, string>;
  /** The status of a failing write. */
  readonly options?: WithEtagOptions;
}

const reflect = (origin: string | null): Record<string, string> =>
  origin === null ? {} : {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "ETag",
    vary: "Origin",
  };

function siteOf({ allow = reflect, options = {} }: Behaviour = {}) {
  let status = 204;
  const handler = withEtag((request: Request) => {
    const fields = allow(request.headers.get("origin"));
    if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: fields });
    if (request.method !== "GET") return new Response(null, { status, headers: status < 400 ? fields : {} });
    return Response.json(POST, { headers: { "cache-control": "private", ...fields, ...dependsOn(POST) } });
  }, { manual: true, current: () => POST, requirePrecondition: true, ...options });
  const send = async (
    method: string,
    headers: Record<string, string> = {},
    origin: string | null = APP,
    url = URL,
  ) => {
    const sent = new Headers(headers);
    if (origin !== null) sent.set("origin", origin);
    return await handler(new Request(url, { method, headers: sent }));
  };
  return { send, fail: (with_: number) => void (status = with_) };
}

const OLD = { "if-match": '"1-a"' };
const allowed = (response: Response) => response.headers.get("access-control-allow-origin");

test("412, 428: with the fields of whatever the handler answered last to that origin", async () => {
  for (const learnt of ["GET", "OPTIONS", "PUT", "HEAD"]) {
    const site = siteOf();
    assert.equal(allowed(await site.send("PUT")), null, "not known yet");
    await site.send(learnt, learnt === "PUT" ? { "if-match": "*" } : {});
    for (const [method, headers, status] of [["PUT", OLD, 412], ["DELETE", {}, 428]] as const) {
      const refused = await site.send(method, headers);
      assert.equal(refused.status, status);
      assert.deepEqual(
        ["access-control-allow-origin", "access-control-allow-credentials", "vary", "cache-control"].map((
          name,
        ) => refused.headers.get(name)),
        [APP, "true", "Accept, Origin", "no-store"],
        learnt,
      );
    }
  }
});

test("412, 428: another origin and another resource are told nothing", async () => {
  const site = siteOf();
  await site.send("GET");
  assert.equal(allowed(await site.send("PUT", OLD, "https://evil.test")), null);
  assert.equal(allowed(await site.send("PUT", OLD, null)), null);
  assert.equal(allowed(await site.send("PUT", OLD, APP, `${URL}0`)), null);
  assert.equal(allowed(await site.send("PUT", OLD)), APP);
});

test("412, 428: an origin that is not allowed any more is told nothing, and an error without the fields changes nothing", async () => {
  let isAllowed = true;
  const site = siteOf({ allow: (origin) => isAllowed ? reflect(origin) : {} });
  await site.send("GET");
  site.fail(500);
  assert.equal(allowed(await site.send("PUT", { "if-match": "*" })), null);
  assert.equal(allowed(await site.send("PUT", OLD)), APP);
  isAllowed = false;
  await site.send("GET");
  assert.equal(allowed(await site.send("PUT", OLD)), null);
});

test("412, 428: for every origin alike, without a Vary", async () => {
  const site = siteOf({ allow: () => ({ "access-control-allow-origin": "*" }) });
  await site.send("GET");
  const refused = await site.send("PUT", OLD);
  assert.deepEqual([allowed(refused), refused.headers.get("vary")], ["*", "Accept"]);
});

test("412, 428: with cacheStatus, and where key or caller cannot tell", async () => {
  const named = siteOf({ options: { cacheStatus: "Site", caller: () => "ann" } });
  await named.send("GET");
  const refused = await named.send("PUT", OLD);
  assert.deepEqual([allowed(refused), refused.headers.get("cache-status")], [
    APP,
    "Site; hit; detail=precondition-failed",
  ]);
  for (const key of [() => undefined, () => assert.fail("odd")]) {
    const site = siteOf({ options: { key } });
    await site.send("GET");
    await site.send("OPTIONS");
    const answer = await site.send("PUT", OLD);
    assert.deepEqual([answer.status, allowed(answer)], [412, null]);
  }
  const strange = siteOf({ options: { caller: () => assert.fail("odd") } });
  assert.equal((await strange.send("PUT", OLD)).status, 412);
});

test("412, 428: what is remembered is bounded", async () => {
  const site = siteOf();
  await site.send("GET", {}, "https://first.test");
  for (let n = 0; n < 1_000; n++) await site.send("OPTIONS", {}, `https://${n}.test`);
  assert.equal(allowed(await site.send("PUT", OLD, "https://first.test")), null);
  assert.equal(allowed(await site.send("PUT", OLD, "https://999.test")), "https://999.test");
  const long = `https://${"a".repeat(2_000)}.test`;
  await site.send("GET", {}, long);
  assert.equal(allowed(await site.send("PUT", OLD, long)), null);
});

test("412, 428: what was registered in an earlier process is known as well", async () => {
  const options = { version: "1", now: () => 0 };
  const first = new EtagRegistry(options);
  const followed = (registry: EtagRegistry) => {
    coreOf(registry).subscribe("database", 60_000, 0).apply({
      changes: [],
      position: { since: 1, source: "database" },
      state: "live",
      contact: { wall: 0, monotonic: performance.now() },
    }, () => []);
  };
  followed(first);
  const fields = { "cache-control": "public", ...reflect(APP) };
  const handlerOver = (registry: EtagRegistry) =>
    withEtag(() => new Response("page", { headers: { ...fields, ...dependsOn(POST) } }), {
      registry,
      current: () => POST,
    });
  await handlerOver(first)(new Request(URL, { headers: { origin: APP } }));
  const second = await restored(await saved(first), options);
  followed(second);
  const put = (origin: string) => new Request(URL, { method: "PUT", headers: { origin, ...OLD } });
  assert.equal(allowed(await handlerOver(second)(put(APP))), APP);
  assert.equal(allowed(await handlerOver(second)(put("https://evil.test"))), null);
});
