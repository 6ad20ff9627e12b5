import assert from "node:assert/strict";
import { test } from "node:test";
import { conflictResponse, type Current, dependsOn, revisionOf, withEtag } from "../../mod.ts";

const URL = "http://localhost/posts/1";
const REV = "2-" + "a".repeat(32);
const POST = { _id: "post-1", _rev: REV };

function put(headers: HeadersInit, method = "PUT"): Request {
  return new Request(URL, { method, headers });
}

/** Each representation of the document has a tag of its own. */
async function tagOf(type: string, version?: string): Promise<string> {
  const options = version === undefined ? {} : { version };
  const handler = withEtag(
    () => new Response("page", { headers: { "content-type": type, ...dependsOn(POST) } }),
    options,
  );
  return (await handler(new Request(URL))).headers.get("etag")!;
}

/** The status, and whether the handler ran. */
async function write(request: Request, current: Current | Promise<Current>): Promise<[number, boolean]> {
  let ran = false;
  const handler = withEtag(() => {
    ran = true;
    return new Response(null, { status: 204 });
  }, { current: () => current });
  return [(await handler(request)).status, ran];
}

test("withEtag current: If-Match is decided before the handler runs", async () => {
  const json = await tagOf("application/json");
  const html = await tagOf("text/html", "an older build");
  assert.notEqual(json, html);
  const other = { _id: "post-2", _rev: REV };
  const rows: readonly [string, HeadersInit, Current, number][] = [
    ["every tag derived from the revision matches", { "if-match": json }, POST, 204],
    ["in every build and representation", { "if-match": html }, POST, 204],
    ["CouchDB's own tag matches", { "if-match": `"${REV}"` }, POST, 204],
    ["any in a list", { "if-match": `"x", ${json}` }, POST, 204],
    ["an equal document under another id does not", { "if-match": json }, other, 412],
    ["another revision does not", { "if-match": json }, { ...POST, _rev: "3-b" }, 412],
    ["a weak tag does not (§13.1.1)", { "if-match": `W/${json}` }, POST, 412],
    ["* needs something to be there", { "if-match": "*" }, null, 412],
    ["* is content with anything", { "if-match": "*" }, POST, 204],
    ["If-None-Match: * creates only (§13.1.2)", { "if-none-match": "*" }, POST, 412],
    ["If-None-Match: * creates", { "if-none-match": "*" }, null, 204],
    ["If-None-Match of the revision", { "if-none-match": json }, POST, 412],
    ["If-None-Match weakly", { "if-none-match": `W/${json}` }, POST, 412],
    ["If-None-Match of another", { "if-none-match": '"x"' }, POST, 204],
    ["validators", { "if-match": '"x"' }, { etag: '"x"' }, 204],
    ["validators that differ", { "if-match": '"x"' }, { etag: '"y"' }, 412],
    [
      "a date",
      { "if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT" },
      { lastModified: new Date("1994-11-07") },
      412,
    ],
    ["cannot tell: the handler decides", { "if-match": json }, undefined, 204],
  ];
  for (const [why, headers, current, status] of rows) {
    assert.deepEqual(await write(put(headers), current), [status, status === 204], why);
    assert.deepEqual(await write(put(headers), Promise.resolve(current)), [status, status === 204], why);
  }
});

test("withEtag current: is not asked without a precondition, nor for GET", async () => {
  const handler = withEtag(() => new Response(null, { status: 204 }), {
    current: () => assert.fail("not asked"),
  });
  assert.equal((await handler(put({}))).status, 204);
  assert.equal((await handler(new Request(URL, { headers: { "if-match": "*" } }))).status, 204);
});

test("withEtag current: its errors pass through, and a document without a revision is a mistake", async () => {
  const request = put({ "if-match": '"x"' });
  await assert.rejects(write(request, Promise.reject(new Error("no database"))), /no database/);
  await assert.rejects(write(request, { _id: "post-1" }), /without a _rev/);
});

test("withEtag requirePrecondition: a replacing write has to say what it replaces", async () => {
  let runs = 0;
  const handler = withEtag(() => (runs++, new Response(null, { status: 204 })), {
    requirePrecondition: true,
  });
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const refused = await handler(put({}, method));
    assert.equal(refused.status, 428, method);
    assert.equal(refused.headers.get("cache-control"), "no-store");
    assert.match((await refused.json()).detail, /If-Match/);
  }
  assert.equal(runs, 0);
  assert.equal(handler.registry.stats["precondition-required"], 3);
  for (
    const [headers, method] of [[{ "if-match": "*" }, "PUT"], [{ "if-none-match": "*" }, "PUT"], [{}, "POST"]]
  ) {
    assert.equal((await handler(put(headers as HeadersInit, method as string))).status, 204);
  }
});

test("problem details: JSON unless the client prefers text (RFC 9457, RFC 9110 §12.5.1)", async () => {
  const handler = withEtag(() => new Response(), { requirePrecondition: true });
  const rows: readonly [string | undefined, string][] = [
    [undefined, "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/json", "application/problem+json"],
    ["text/html, application/json;q=0.9", "application/problem+json"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "text/plain; charset=utf-8"],
    ["text/plain", "text/plain; charset=utf-8"],
  ];
  for (const [accept, type] of rows) {
    const response = await handler(put(accept === undefined ? {} : { accept }));
    assert.deepEqual(
      [response.headers.get("content-type"), response.headers.get("vary")],
      [type, "Accept"],
      accept,
    );
    const body = await response.text();
    if (type.startsWith("text")) assert.match(body, /^Precondition Required: /);
    else {assert.deepEqual({ ...JSON.parse(body), detail: "" }, {
        type: "about:blank",
        title: "Precondition Required",
        status: 428,
        detail: "",
      });}
  }
});

test("revisionOf: without withEtag, what the strong tags name, if they name one revision", async () => {
  const tag = await tagOf("text/html");
  const rows: readonly [string | undefined, string | undefined][] = [
    [tag, REV],
    [` ${tag} `, REV],
    [`"${REV}"`, REV],
    [undefined, undefined],
    ["*", undefined],
    [`W/${tag}`, undefined],
    [`${tag}, "x"`, REV],
    [`"x", "${REV}", ${tag}`, REV],
    [`${tag}, "3-${"b".repeat(32)}"`, undefined],
    [`${tag}, ${await tagOf("application/json", "an older build")}`, REV],
    ['"x"', undefined],
    ['"2-abc"', undefined],
    [`"${REV}+${REV}.abcdefghijk"`, undefined],
    [`"3-c+1-d.abcdefghijk+abcdefghijl.abcdefghijm"`, "3-c"],
    [`"abcdefghijklmnopqrstuv.3-c+1-d.abcdefghijk+abcdefghijl.abcdefghijm"`, "3-c"],
    [`"abcdefghijklmnopqrstuv.abcdefghijk"`, undefined],
    [`":abcdefghijk.abcdefghijk"`, undefined],
    ["", undefined],
  ];
  for (const [field, rev] of rows) {
    assert.equal(revisionOf(put(field === undefined ? {} : { "if-match": field })), rev, field);
  }
});

test("conflictResponse: CouchDB's 409 as the 412 of a conditional request, whoever brings it", async () => {
  let cancelled = false;
  const body = new ReadableStream({ cancel: () => void (cancelled = true) });
  const conflicts = [
    { statusCode: 409 },
    { status: 409, name: "conflict" },
    new Response(body, { status: 409 }),
  ];
  for (const conflict of conflicts) {
    const response = conflictResponse(put({ "if-match": "*" }), conflict)!;
    assert.equal(response.status, 412);
    assert.match((await response.json()).detail, /GET it again/);
  }
  assert.equal(cancelled, true);
  for (const other of [undefined, null, "409", new Error("x"), new Response(), { statusCode: 404 }]) {
    assert.equal(conflictResponse(put({}), other), undefined);
  }
});
