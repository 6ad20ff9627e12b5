/**
 * Preconditions under `withEtag`, where the tables of `tests/vectors` do not reach: when the handler runs, which object
 * comes back, what a request leaves in the registry.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { request, wrap, type Wrapped } from "../support/http.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const A_SECOND_EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT";
const POST = { _id: "post-1", _rev: "2-abc" };

/** A page with the tag `"a"` that a GET registers. */
const REGISTERED = { "cache-control": "public, no-cache", etag: '"a"', ...dependsOn(POST) };

/** A handler that answers every request with these fields. */
function page(headers: Record<string, string>): Wrapped {
  return wrap(() => new Response("page", { headers }));
}

/** The same after a GET, so that the registry knows it: `runs` is 1. */
async function knownPage(headers: Record<string, string>): Promise<Wrapped> {
  const site = page(headers);
  await site.ask(request());
  return site;
}

for (const status of [301, 302, 304, 400, 401, 403, 404, 410, 500, 503]) {
  test(`withEtag: a ${status} passes as the same object, whatever was asked (RFC 9110 §13.2.1)`, async () => {
    const response = new Response(status === 304 ? null : "no", { status, headers: { etag: '"a"' } });
    const site = wrap(() => response);
    for (const method of ["GET", "HEAD"]) {
      const answer = await site.ask(request({ "if-none-match": '"a"', "if-match": '"b"' }, { method }));
      assert.equal(answer, response, method);
    }
  });
}

test("withEtag: a date alone is not answered from the registry, two edits fit in a second", async () => {
  let edit = 1;
  const site = wrap(() => {
    const sources = dependsOn({ _id: "a", _rev: `${edit}-x` });
    const headers = { "cache-control": "public, no-cache", "last-modified": DATE, ...sources };
    return new Response(`edit ${edit}`, { headers });
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  edit = 2;
  site.registry.invalidate("a");
  await site.ask(request());

  const both = await site.ask(request({ "if-modified-since": DATE, "if-none-match": etag }));
  assert.deepEqual([both.status, await both.text()], [200, "edit 2"]);

  const before = site.runs;
  await site.ask(request({ "if-modified-since": DATE }));
  assert.equal(site.runs, before + 1, "the handler ran");
  assert.equal(site.registry.stats.hit, 0);
});

for (const method of ["GET", "HEAD"]) {
  for (const source of [{ _id: "a", _rev: "2-x" }, "a"] as const) {
    for (const registered of [true, false]) {
      const what = typeof source === "string" ? "a random tag" : "a derived tag";
      const where = registered ? "registered" : "unknown";
      test(`withEtag: a date alone does not give ${what} to an older copy: ${method}, ${where}`, async () => {
        const headers = { "cache-control": "public, no-cache", "last-modified": DATE, ...dependsOn(source) };
        const site = page(headers);
        if (registered) await site.ask(request());
        for (const date of [DATE, "Sun, 06 Nov 1994 08:49:38 GMT"]) {
          const answer = await site.ask(request({ "if-modified-since": date }, { method }));
          assert.equal(answer.status, 200);
        }
      });
    }
  }
}

test("withEtag: beside a tag of the handler's own, or none, a date alone is evaluated", async () => {
  for (const own of [{ etag: '"a"' }, {}]) {
    const site = page({ "last-modified": DATE, ...own });
    assert.equal((await site.ask(request({ "if-modified-since": DATE }))).status, 304);
  }
});

test("withEtag: the request's Cache-Control: no-cache is no reason to run the handler", async () => {
  const site = await knownPage(REGISTERED);
  await site.ask(request({ "if-none-match": '"a"', "cache-control": "no-cache", pragma: "no-cache" }));
  assert.equal(site.runs, 1);
});

for (
  const [field, value, status] of [
    ["if-match", '"b"', 412],
    ["if-unmodified-since", A_SECOND_EARLIER, 412],
    ["if-modified-since", A_SECOND_EARLIER, 304],
  ] as const
) {
  test(`withEtag: a matching If-None-Match beside ${field} is evaluated whole: ${status}`, async () => {
    const site = await knownPage({ ...REGISTERED, "last-modified": DATE });
    const answer = await site.ask(request({ "if-none-match": '"a"', [field]: value }));
    assert.deepEqual([answer.status, site.runs], [status, 1]);
  });
}

test("withEtag: HEAD is answered like GET, and registers nothing (RFC 9110 §9.3.2)", async () => {
  const site = wrap(({ method }) => {
    const headers = { "cache-control": "public, no-cache", "content-type": "text/plain", ...dependsOn(POST) };
    return new Response(method === "HEAD" ? null : "page", { headers });
  });
  const head = await site.ask(request({}, { method: "HEAD" }));
  assert.deepEqual(
    [site.registry.size, site.registry.open.size],
    [0, 0],
    "neither an entry nor an open lease",
  );

  const etag = (await site.ask(request())).headers.get("etag")!;
  assert.equal(head.headers.get("etag"), etag, "the tag that a GET would have had");

  const again = site.raw(request({ "if-none-match": etag }, { method: "HEAD" })) as Response;
  assert.deepEqual([again.status, again.headers.get("etag")], [304, etag]);
  assert.equal(site.runs, 3, "the HEAD ran as a GET too, to know the tag");
});

test("withEtag: a HEAD with another declaration changes nothing about the entry of its GET", async () => {
  const site = wrap(({ method }) => {
    const sources = dependsOn(method === "HEAD" ? "nothing that changes" : "post-1");
    return new Response(null, { headers: { "cache-control": "public, no-cache", ...sources } });
  });
  const head = await site.ask(request({}, { method: "HEAD" }));
  assert.equal(head.headers.get("etag"), null, "a random tag would mean a registration");

  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({}, { method: "HEAD" }));
  site.registry.invalidate("post-1");
  await site.ask(request({ "if-none-match": etag }));
  assert.equal(site.runs, 5);
});

for (
  const [status, field, value, expected] of [
    [206, "if-range", '"a"', 206],
    [206, "if-none-match", '"b"', 206],
    [206, "if-none-match", '"a"', 304],
    [206, "if-match", '"b"', 412],
    [416, "if-none-match", '"b"', 416],
    [416, "if-match", '"a"', 416],
    [416, "if-none-match", '"a"', 304],
    [416, "if-match", '"b"', 412],
  ] as const
) {
  const same = status === expected ? "the same object" : String(expected);
  test(`withEtag: a ${status} to ${field}: ${value} is answered by ${same}, and not registered`, async () => {
    const headers = { etag: '"a"', "content-range": "bytes 0-1/4" };
    const response = new Response("pa", { status, headers });
    const site = wrap(() => response);
    const answer = await site.ask(request({ range: "bytes=0-1", [field]: value }));
    assert.deepEqual([answer.status, answer === response], [expected, status === expected]);
    assert.equal(site.registry.size, 0);
  });
}

for (
  const [sent, status, runs] of [
    [{}, 200, 2],
    [{ "if-range": '"a"' }, 200, 2],
    [{ "if-range": '"b"' }, 200, 2],
    [{ "if-range": '"b"', "if-none-match": '"a"' }, 304, 1],
    [{ "if-range": '"a"', "if-match": '"b"' }, 412, 1],
  ] as const
) {
  const asked = Object.entries(sent).map(([name, value]) => `${name}: ${value}`).join(", ");
  const who = runs === 1 ? "the registry" : "the handler";
  test(`withEtag: a Range of a registered page, ${asked || "no condition"}: ${status} by ${who}`, async () => {
    const site = await knownPage(REGISTERED);
    const answer = await site.ask(request({ range: "bytes=0-1", ...sent }));
    assert.deepEqual([answer.status, site.runs], [status, runs]);
  });
}

for (const [name, headers] of [["registered", REGISTERED], ["evaluated", { etag: '"a"' }]] as const) {
  test(`withEtag: of a list of tags the first thousand count, and stats say so: ${name}`, async () => {
    const site = await knownPage(headers);
    const others = '"x", '.repeat(999);
    assert.equal((await site.ask(request({ "if-none-match": `${others}"a"` }))).status, 304);
    assert.equal((await site.ask(request({ "if-none-match": `${others}"x", "a"` }))).status, 200);
    assert.ok(site.registry.stats["too-many-tags"] >= 1);
    assert.equal((await site.ask(request({ "if-match": `${others}"x", "a"` }))).status, 412);
  });
}
