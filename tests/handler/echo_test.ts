/** Fields that repeat what a request said of itself (Fetch, "CORS check"; RFC 9110 §8.7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";

const DECLARED = { "cache-control": "public, no-cache", ...dependsOn({ _id: "data", _rev: "1-a" }) };
const A = { origin: "https://a.example" };
const B = { origin: "https://b.example" };

/** A CORS layer that reflects the Origin and forgets `Vary: Origin`. */
function reflecting() {
  return wrap(({ headers }) => {
    const origin = headers.get("origin");
    const cors: Record<string, string> = origin === null ? {} : { "access-control-allow-origin": origin };
    return new Response("data", { headers: { ...DECLARED, ...cors } });
  });
}

const allowed = (response: Response) => response.headers.get("access-control-allow-origin");

test("echo: an Origin that is reflected selects the entry, whatever Vary says", async () => {
  const site = reflecting();
  const etag = (await site.ask(request(A))).headers.get("etag")!;
  assert.equal(allowed(await site.ask(request({ ...B, "if-none-match": etag }))), B.origin);
  assert.equal(site.registry.stats.hit, 0);
  for (const from of [A, B]) {
    const hit = await site.ask(request({ ...from, "if-none-match": etag }));
    assert.deepEqual([hit.status, allowed(hit)], [304, from.origin]);
  }
  assert.deepEqual([site.registry.stats.hit, site.runs], [2, 2]);
});

test("echo: once an Origin was allowed, an entry made without one does not answer one", async () => {
  const site = reflecting();
  await site.ask(request(B, { url: "http://localhost/other" }));
  const etag = (await site.ask(request())).headers.get("etag")!;
  const answer = await site.ask(request({ ...A, "if-none-match": etag }));
  assert.deepEqual([answer.status, allowed(answer), site.registry.stats.variant], [304, A.origin, 1]);
  const plain = await site.ask(request({ "if-none-match": etag }));
  assert.equal(allowed(plain), null);
});

test("echo: what allows every origin answers every origin", async () => {
  const headers = { ...DECLARED, "access-control-allow-origin": "*" };
  const site = wrap(() => new Response("data", { headers }));
  const etag = (await site.ask(request())).headers.get("etag")!;
  for (const from of [A, B, {}]) await site.ask(request({ ...from, "if-none-match": etag }));
  assert.deepEqual([site.registry.stats.hit, site.runs], [3, 1]);
});

/** One site under several names, keyed by path. */
function named(fields: (host: string) => Record<string, string>) {
  return wrap(({ url }) => new Response("page", { headers: { ...DECLARED, ...fields(new URL(url).host) } }), {
    key: ({ url }) => new URL(url).pathname,
    retainedHeaders: ["link"],
  });
}

test("echo: a field that repeats the host of a stranger is not repeated to others", async () => {
  const site = named((host) => ({
    "content-location": `http://${host}/a`,
    link: `<http://${host}/a>; rel="canonical"`,
  }));
  const etag = (await site.ask(request({}, { url: "http://www.example.org/a" }))).headers.get("etag")!;
  await site.ask(request({ host: "evil.example" }, { url: "http://evil.example/a" }));
  const reload = await site.ask(request({ "if-none-match": etag }, { url: "http://www.example.org/a" }));
  assert.deepEqual([reload.status, site.registry.stats.hit], [304, 1]);
  assert.equal(JSON.stringify([...reload.headers]).includes("evil"), false);
});

test("echo: a cross-origin field that repeats the host keeps the response out", async () => {
  const site = named((host) => ({ "access-control-allow-origin": `https://${host}` }));
  await site.ask(request({}, { url: "http://evil.example/a" }));
  assert.deepEqual([site.registry.size, site.registry.stats["host-echoed"], site.registry.open.size], [
    0,
    1,
    0,
  ]);
});

test("echo: with the URL for a key, the host is in it", async () => {
  const site = wrap(({ url }) => new Response("page", { headers: { ...DECLARED, "content-location": url } }));
  const url = "http://www.example.org/a";
  const etag = (await site.ask(request({}, { url }))).headers.get("etag")!;
  const hit = await site.ask(request({ "if-none-match": etag }, { url }));
  assert.deepEqual([hit.headers.get("content-location"), site.registry.stats.hit], [url, 1]);
});
