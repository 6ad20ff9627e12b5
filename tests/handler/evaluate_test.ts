import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { request, wrap, type Wrapped } from "../support/http.ts";
import { type PreconditionRow, PRECONDITIONS } from "../vectors/preconditions.ts";
import { LEFT_TO_HANDLER } from "../vectors/with_etag.ts";

const PUBLIC = { "cache-control": "public, no-cache" };
const POST = { _id: "post-1", _rev: "2-abc" };

/** Serves the representation of a row. */
function serving({ current }: PreconditionRow, declaration: Record<string, string>): Wrapped {
  return wrap(() => {
    if (current === null) return new Response("nothing here", { status: 404 });
    const headers = new Headers({ ...PUBLIC, ...declaration });
    if (current.etag !== undefined) headers.set("etag", current.etag);
    if (current.lastModified !== undefined) headers.set("last-modified", current.lastModified);
    return new Response("page", { headers });
  });
}

function asked({ headers: lines }: PreconditionRow, method: string): Request {
  const headers = new Headers();
  for (const [name, value] of lines) headers.append(name, value);
  return request(headers, { method });
}

function expectedStatus({ expected, current }: PreconditionRow): number {
  if (expected !== "proceed") return expected;
  return current === null ? 404 : 200;
}

// Before a write there is no representation to evaluate: only what retrieves one is asked here, and what ignores all.
const READS = PRECONDITIONS.filter(({ method }) => ["GET", "HEAD", "OPTIONS", "TRACE"].includes(method));

const BOTH: readonly string[] = ["GET", "HEAD"];

for (const row of READS) {
  for (const method of BOTH.includes(row.method) ? BOTH : [row.method]) {
    const title = `§${row.section} ${row.name}, ${method}`;
    const leave = LEFT_TO_HANDLER.find(({ section, name }) => section === row.section && name === row.name);

    test(`withEtag, registry: ${title}`, async () => {
      const site = serving(row, dependsOn("doc"));
      await site.ask(request());
      const response = await site.ask(asked(row, method));
      assert.equal(response.status, expectedStatus(row));
      const atOnce = row.expected !== "proceed" && leave === undefined;
      assert.equal(site.runs, atOnce ? 1 : 2, leave?.why);
      if (response.status === 304 || method === "HEAD") assert.equal((await response.text()).length % 4, 0);
    });

    test(`withEtag, handler: ${title}`, async () => {
      const declared = serving(row, dependsOn("doc"));
      const undeclared = serving(row, {});
      for (const site of [declared, undeclared]) {
        assert.equal((await site.ask(asked(row, method))).status, expectedStatus(row));
        assert.equal(site.runs, 1);
      }
    });
  }
}

test("LEFT_TO_HANDLER: every row is one of PRECONDITIONS, and says 304 or 412", () => {
  for (const { section, name } of LEFT_TO_HANDLER) {
    const row = READS.find((row) => row.section === section && row.name === name);
    assert.ok(row !== undefined && row.expected !== "proceed", `${section} ${name}`);
  }
});

test("withEtag: preconditions count only where the answer would be a 2xx (§13.2.1)", async () => {
  for (const status of [301, 302, 304, 400, 401, 403, 404, 410, 500, 503]) {
    const response = new Response(status === 304 ? null : "no", { status, headers: { etag: '"a"' } });
    const site = wrap(() => response);
    const sent = { "if-none-match": '"a"', "if-match": '"b"' };
    assert.equal(await site.ask(request(sent)), response);
    assert.equal(await site.ask(request(sent, { method: "HEAD" })), response);
  }
  for (const status of [200, 203, 204]) {
    const site = wrap(() => new Response(null, { status, headers: { etag: '"a"' } }));
    assert.equal((await site.ask(request({ "if-none-match": '"a"' }))).status, 304);
    assert.equal((await site.ask(request({ "if-match": '"b"' }))).status, 412);
  }
});

test("withEtag: a date alone is not answered from the registry, two edits fit in a second", async () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  let edit = 1;
  const site = wrap(() => {
    const headers = { ...PUBLIC, "last-modified": date, ...dependsOn({ _id: "a", _rev: `${edit}-x` }) };
    return new Response(`edit ${edit}`, { headers });
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  edit = 2;
  site.registry.invalidate("a");
  await site.ask(request());
  const both = await site.ask(request({ "if-modified-since": date, "if-none-match": etag }));
  assert.deepEqual([both.status, await both.text()], [200, "edit 2"]);
  const before = site.runs;
  await site.ask(request({ "if-modified-since": date }));
  assert.equal(site.runs, before + 1, "the handler is asked");
  assert.equal(site.registry.stats.hit, 0);
});

test("withEtag: the request's Cache-Control: no-cache is no reason to run the handler", async () => {
  const site = wrap(() => new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn("a") } }));
  await site.ask(request());
  await site.ask(request({ "if-none-match": '"a"', "cache-control": "no-cache", pragma: "no-cache" }));
  assert.equal(site.runs, 1);
});

test("withEtag: no short cut past another condition, the tag alone in If-None-Match or not", async () => {
  const headers = {
    ...PUBLIC,
    etag: '"a"',
    "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    ...dependsOn("a"),
  };
  const site = wrap(() => new Response("page", { headers }));
  await site.ask(request());
  const earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
  const tag = { "if-none-match": '"a"' };
  assert.equal((await site.ask(request({ ...tag, "if-match": '"b"' }))).status, 412);
  assert.equal((await site.ask(request({ ...tag, "if-unmodified-since": earlier }))).status, 412);
  assert.equal((await site.ask(request({ ...tag, "if-modified-since": earlier }))).status, 304);
  assert.equal(site.runs, 1);
});

test("withEtag: HEAD is answered like GET, and registers nothing (RFC 9110 §9.3.2)", async () => {
  const site = wrap(({ method }) => {
    const headers = { ...PUBLIC, ...dependsOn(POST), "content-type": "text/plain" };
    return new Response(method === "HEAD" ? null : "page", { headers });
  });
  const head = await site.ask(request({}, { method: "HEAD" }));
  assert.deepEqual([site.registry.size, site.registry.open.size], [0, 0]);
  const get = await site.ask(request());
  const etag = get.headers.get("etag")!;
  assert.equal(head.headers.get("etag"), etag, "the tag that a GET would have had");
  const answered = site.raw(request({ "if-none-match": etag }, { method: "HEAD" })) as Response;
  assert.deepEqual([answered.status, answered.headers.get("etag"), site.runs], [304, etag, 2]);
});

test("withEtag: a HEAD that the handler answers otherwise does not poison GET", async () => {
  const site = wrap(({ method }) =>
    new Response(null, {
      headers: { ...PUBLIC, ...dependsOn(method === "HEAD" ? "nothing that changes" : "post-1") },
    })
  );
  const head = await site.ask(request({}, { method: "HEAD" }));
  assert.equal(head.headers.get("etag"), null, "a minted tag would mean a registration");
  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({}, { method: "HEAD" }));
  site.registry.invalidate("post-1");
  await site.ask(request({ "if-none-match": etag }));
  assert.equal(site.runs, 4);
});

test("withEtag: 206, 416 and If-Range pass through; If-None-Match of a range request is evaluated", async () => {
  const headers = { etag: '"a"', "content-range": "bytes 0-1/4" };
  for (
    const [status, sent, expected] of [
      [206, { "if-range": '"a"' }, 206],
      [206, { "if-none-match": '"b"' }, 206],
      [206, { "if-none-match": '"a"' }, 304],
      [206, { "if-match": '"b"' }, 412],
      [416, { "if-none-match": '"a"', "if-match": '"b"' }, 416],
    ] as const
  ) {
    const response = new Response("pa", { status, headers });
    const site = wrap(() => response);
    const answer = await site.ask(request({ range: "bytes=0-1", ...sent }));
    assert.deepEqual(
      [answer.status, answer === response],
      [expected, expected === status],
      JSON.stringify(sent),
    );
    assert.equal(site.registry.size, 0);
  }
  const site = wrap(() => new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn(POST) } }));
  await site.ask(request());
  const range = { range: "bytes=0-1" };
  assert.equal((await site.ask(request({ ...range, "if-range": '"a"' }))).status, 200);
  assert.equal((await site.ask(request({ ...range, "if-range": '"b"' }))).status, 200);
  assert.equal((await site.ask(request(range))).status, 200);
  assert.equal(site.runs, 4);
  assert.equal(
    (await site.ask(request({ ...range, "if-range": '"b"', "if-none-match": '"a"' }))).status,
    304,
  );
  assert.equal((await site.ask(request({ ...range, "if-range": '"a"', "if-match": '"b"' }))).status, 412);
  assert.equal(site.runs, 4);
});

test("withEtag: of a list with more than a thousand members the first thousand count, and stats say so", async () => {
  for (const declared of [true, false]) {
    const site = wrap(() =>
      new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...(declared ? dependsOn("a") : {}) } })
    );
    await site.ask(request());
    const others = (count: number) => '"x", '.repeat(count);
    for (const [field, status] of [[`${others(999)}"a"`, 304], [`${others(1_000)}"a"`, 200]] as const) {
      assert.equal((await site.ask(request({ "if-none-match": field }))).status, status);
    }
    assert.ok(site.registry.stats["too-many-tags"] >= 1);
    assert.equal((await site.ask(request({ "if-match": `${others(1_000)}"a"` }))).status, 412);
  }
});
