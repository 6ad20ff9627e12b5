/** QUERY (RFC 10008): conditional as a GET of its equivalent resource would be, and never answered from the registry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { PAGE, request, wrap } from "../support/http.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const PUBLIC = { "cache-control": "public, no-cache" };

function query(content: string, headers: Record<string, string> = {}): Request {
  return new Request(PAGE, {
    method: "QUERY",
    body: content,
    headers: { "content-type": "text/plain", ...headers },
  });
}

/** A handler that answers a query with what was asked, in capitals. */
function site(fields: (asked: string) => Record<string, string>, options = {}) {
  return wrap(async (asked) => {
    const content = asked.method === "QUERY" ? await asked.text() : "the page";
    return new Response(content.toUpperCase(), { headers: { ...PUBLIC, ...fields(content) } });
  }, options);
}

for (
  const [sent, status] of [
    [{}, 200],
    [{ "if-none-match": '"a"' }, 304],
    [{ "if-none-match": 'W/"a"' }, 304],
    [{ "if-none-match": "*" }, 304],
    [{ "if-none-match": '"b"' }, 200],
    [{ "if-none-match": '"b"', "if-modified-since": DATE }, 200],
    [{ "if-modified-since": DATE }, 304],
    [{ "if-match": '"b"' }, 412],
    [{ "if-match": '"a"' }, 200],
    [{ "if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT" }, 412],
  ] as const
) {
  test(`QUERY: with validators of the handler's own, ${JSON.stringify(sent)}: ${status}`, async () => {
    for (const declaration of [{}, dependsOn({ _id: "a", _rev: "1-a" })]) {
      const { ask, registry } = site(() => ({ etag: '"a"', "last-modified": DATE, ...declaration }));
      const answer = await ask(query("all", sent));
      assert.deepEqual([answer.status, registry.size, registry.open.size], [status, 0, 0]);
      if (status === 200) assert.equal(await answer.text(), "ALL");
    }
  });
}

test("QUERY: with a date alone, it is evaluated (RFC 10008, its appendix)", async () => {
  const { ask } = site(() => ({ "last-modified": DATE }));
  assert.equal((await ask(query("all", { "if-modified-since": DATE }))).status, 304);
});

test("QUERY: two queries of one resource never share a derived tag, so it gets none", async () => {
  const { ask, registry } = site(() => dependsOn({ _id: "a", _rev: "1-a" }));
  const [one, other] = [await ask(query("one")), await ask(query("other"))];
  assert.deepEqual([one.headers.get("etag"), other.headers.get("etag")], [null, null]);
  assert.equal(registry.size, 0);
});

test("QUERY: with hashBody, equal results have equal tags, and others others", async () => {
  const { ask } = site(() => ({}), { hashBody: true });
  const one = await ask(query("one"));
  const etag = one.headers.get("etag")!;
  assert.equal(await one.text(), "ONE");
  assert.equal((await ask(query("one", { "if-none-match": etag }))).status, 304);
  assert.equal((await ask(query("other", { "if-none-match": etag }))).status, 200);
});

test("QUERY: no entry of a GET answers it, and it is no answer to a GET", async () => {
  for (const options of [{}, { hashBody: true }]) {
    const { ask, registry } = site(() => dependsOn({ _id: "a", _rev: "1-a" }), options);
    const etag = (await ask(request())).headers.get("etag")!;
    assert.equal(registry.size, 1);
    const answer = await ask(query("the page", { "if-none-match": etag }));
    assert.deepEqual([answer.status, await answer.text()], [200, "THE PAGE"]);
    assert.equal((await ask(request({ "if-none-match": etag }))).status, 304, "it drops no entry");
  }
});

test("QUERY: where key says undefined it is handed on untouched", async () => {
  const response = new Response("x", { headers: { etag: '"a"', ...dependsOn("a") } });
  const { ask } = wrap(() => response, { key: () => undefined });
  assert.equal(await ask(query("all", { "if-none-match": '"a"' })), response);
});
