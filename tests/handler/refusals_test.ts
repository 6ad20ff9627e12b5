/** What a refused request is told, and that the advice works. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Current, dependsOn, revisionOf, withEtag, type WithEtagOptions } from "../../mod.ts";

const URL = "http://localhost/posts/1";
const rev = (generation: number): string => `${generation}-${"a".repeat(32)}`;
const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const OLDER = "Sun, 06 Nov 1994 08:49:36 GMT";

/** A document over a store that compares revisions, and a page of it. */
function siteOf(options: WithEtagOptions = {}) {
  let post: { _id: string; _rev: string } | null = { _id: "post", _rev: rev(2) };
  const meant: (string | undefined)[] = [];
  const handler = withEtag((request: Request) => {
    if (request.method === "GET") {
      return post === null
        ? new Response(null, { status: 404 })
        : Response.json(post, { headers: { "cache-control": "public", ...dependsOn(post) } });
    }
    meant.push(revisionOf(request));
    return new Response(null, { status: 204 });
  }, { manual: true, requirePrecondition: true, current: () => post, ...options });
  return {
    handler,
    meant,
    edit: (next: typeof post) => void (post = next),
    get: async (headers = {}) => await handler(new Request(URL, { headers })),
    send: async (headers: HeadersInit, method = "PUT") => {
      const response = await handler(new Request(URL, { method, headers }));
      const { status } = response;
      return { status, detail: status === 204 ? meant.at(-1) : (await response.json()).detail as string };
    },
    tag: async () => (await handler(new Request(URL))).headers.get("etag")!,
  };
}

test("412, 428: each says which condition is false, and what to do", async () => {
  const site = siteOf();
  const tag = await site.tag();
  const old = tag.replace("2-", "1-");
  const rows: readonly [HeadersInit, number, RegExp][] = [
    [{ "if-match": old }, 412, /^If-Match names an older state: .* GET it again/],
    [{ "if-match": `"x", ${old}, "y"` }, 412, /older state/],
    [{ "if-match": `W/${tag}` }, 412, /marked weak \(W\/\).*Accept-Encoding: identity/],
    [{ "if-match": tag.replace(/"$/, '-gzip"') }, 412, /content coding.*Accept-Encoding: identity/],
    [{ "if-match": `W/"${rev(2)}"` }, 412, /marked weak/],
    [{ "if-match": `W/${old}` }, 412, /older state/],
    [{ "if-match": '"x"' }, 412, /names no ETag that this resource has now/],
    [{ "if-match": "x" }, 412, /holds no entity tag/],
    [{ "if-match": "" }, 412, /holds no entity tag/],
    [{ "if-match": '*, "x"' }, 412, /names no ETag/],
    [{ "if-none-match": "*" }, 412, /^If-None-Match: \* asks.*there is one/],
    [{ "if-match": "*", "if-none-match": tag }, 412, /^If-None-Match names the current state/],
    [{}, 428, /^This request would replace whatever is there now\. GET/],
    [{ "if-none-match": '"x"' }, 428, /If-None-Match as it was sent does not name a state/],
    [{ "if-none-match": tag }, 428, /If-None-Match as it was sent/],
    [{ "if-none-match": "" }, 428, /If-None-Match as it was sent/],
    [{ "if-unmodified-since": DATE }, 428, /If-Unmodified-Since as it was sent/],
    [{ "if-unmodified-since": "x" }, 428, /If-Unmodified-Since as it was sent/],
  ];
  for (const [headers, status, detail] of rows) {
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      const answer = await site.send(headers, method);
      assert.equal(answer.status, status, JSON.stringify(headers));
      assert.match(answer.detail!, detail);
    }
  }
  site.edit(null);
  const gone = await site.send({ "if-match": tag });
  assert.equal(gone.status, 412);
  assert.match(gone.detail!, /^If-Match asks for a resource that exists.*If-None-Match: \*/);
  assert.equal((await site.send({ "if-none-match": "*" })).status, 204, "as advised");
  assert.equal(site.meant.length, 1);
});

test("412, 428: the advice is followed, and leads on", async () => {
  const site = siteOf();
  const old = await site.tag();
  site.edit({ _id: "post", _rev: rev(3) });
  site.handler.registry.invalidate("post");
  for (const headers of [{ "if-match": old }, { "if-match": '"x"' }, { "if-match": "x" }, {}]) {
    assert.match((await site.send(headers)).detail!, /ETag/);
    const etag = await site.tag();
    assert.deepEqual(await site.send({ "if-match": etag }), { status: 204, detail: rev(3) });
  }
});

test("412: dates, where current gives one", async () => {
  const site = siteOf({ current: () => ({ etag: '"x"', lastModified: DATE }) });
  assert.deepEqual(await site.send({ "if-unmodified-since": DATE }), { status: 204, detail: undefined });
  const refused = await site.send({ "if-unmodified-since": OLDER });
  assert.equal(refused.status, 412);
  assert.match(refused.detail!, /modified after the date in If-Unmodified-Since/);
  assert.equal((await site.send({ "if-unmodified-since": "x" })).status, 428);
  const declared = siteOf({
    current: () => ({ ...dependsOn({ _id: "post", _rev: rev(2) }), "last-modified": DATE }),
  });
  assert.equal((await declared.send({ "if-unmodified-since": OLDER })).status, 412);
  assert.deepEqual(await declared.send({ "if-unmodified-since": DATE }), { status: 204, detail: undefined });
});

test("428: where nothing can be evaluated, a tag or * is enough, and a date is not", async () => {
  for (const current of [undefined, () => undefined]) {
    const site = siteOf(current === undefined ? {} : { current });
    const plain = withEtag(() => new Response(null, { status: 204 }), {
      requirePrecondition: true,
      ...current === undefined ? {} : { current },
    });
    const status = async (headers: HeadersInit) =>
      (await plain(new Request(URL, { method: "PUT", headers }))).status;
    assert.equal(await status({ "if-match": '"x"' }), 204);
    assert.equal(await status({ "if-match": "*" }), 204);
    assert.equal(await status({ "if-none-match": "*" }), 204);
    assert.equal(await status({ "if-match": "x" }), 428, "the handler must not run for it");
    assert.equal(await status({ "if-unmodified-since": DATE }), 428);
    assert.equal(await status({ "if-none-match": '"x"' }), 428);
    assert.ok(site);
  }
});

test("412 of a reader: what to leave off, and what a weak tag is", async () => {
  const site = siteOf();
  const tag = await site.tag();
  const ask = async (headers: HeadersInit) => {
    const response = await site.handler(new Request(URL, { headers }));
    assert.equal(response.status, 412);
    return (await response.json()).detail as string;
  };
  for (const registered of [true, false]) {
    if (!registered) site.handler.registry.clear();
    assert.match(await ask({ "if-match": '"x"' }), /without If-Match/);
    assert.match(await ask({ "if-match": `W/${tag}` }), /marked weak/);
  }
});

test("revisionOf: what withEtag found true, whatever the field looks like", async () => {
  const site = siteOf();
  const tag = await site.tag();
  const of = (current: Current, headers: HeadersInit, id?: string) => {
    let revision: string | undefined;
    const handler = withEtag((request: Request) => {
      revision = revisionOf(request, id);
      return new Response(null, { status: 204 });
    }, { current: () => current });
    const { status } = handler(new Request(URL, { method: "PUT", headers })) as Response;
    return status === 204 ? revision : status;
  };
  const post = { _id: "post", _rev: rev(2) };
  const author = { _id: "author", _rev: rev(7) };
  const rows: readonly [Current, HeadersInit, string | number | undefined, string?][] = [
    [post, { "if-match": "*" }, rev(2)],
    [post, { "if-match": tag }, rev(2)],
    [post, { "if-match": `"${rev(2)}"` }, rev(2)],
    [post, { "if-match": `"x", "${rev(1)}", ${tag}` }, rev(2)],
    [post, { "if-match": `${tag.replace("2-", "1-")}, "${rev(2)}"` }, rev(2)],
    [post, { "if-match": tag }, undefined, "author"],
    [post, { "if-none-match": '"x"' }, undefined],
    [post, {}, undefined],
    [[post, author], { "if-match": "*" }, rev(2)],
    [[post, author], { "if-match": "*" }, rev(7), "author"],
    [[author, post], { "if-match": "*" }, rev(7)],
    [[], { "if-match": "*" }, undefined],
    [{ etag: '"x"' }, { "if-match": '"x"' }, undefined],
    [null, { "if-none-match": "*" }, undefined],
    [post, { "if-match": `"${rev(1)}"` }, 412],
  ];
  for (const [current, headers, expected, id] of rows) {
    assert.equal(of(current, headers, id), expected, JSON.stringify([current, headers, id]));
  }
});

test("acceptWeakTags: the write goes to the database with the revision in the tag", async () => {
  const site = siteOf({ acceptWeakTags: true });
  const tag = await site.tag();
  const with_ = (suffix: string) => tag.replace(/"$/, `${suffix}"`);
  for (
    const field of [
      `W/${tag}`,
      ...["-gzip", "-br", ";gzip", "--gzip", "-zstd"].map(with_),
      `W/${with_("-gzip")}`,
      `W/"${rev(2)}"`,
      `"x", W/${tag}`,
    ]
  ) {
    assert.deepEqual(await site.send({ "if-match": field }), { status: 204, detail: rev(2) }, field);
  }
  site.edit({ _id: "post", _rev: rev(3) });
  for (const field of [`W/${tag}`, with_("-gzip"), `W/"${rev(2)}"`, with_("-pack200-gzip"), 'W/"x"']) {
    assert.equal((await site.send({ "if-match": field })).status, 412, field);
  }
  const foreign = siteOf({ acceptWeakTags: true, current: () => ({ etag: '"x"' }) });
  assert.equal(
    (await foreign.send({ "if-match": 'W/"x"' })).status,
    412,
    "a weak tag of the handler's own may hide a change",
  );
  assert.equal((await foreign.send({ "if-match": '"x-gzip"' })).status, 412);
  const own = siteOf({ acceptWeakTags: true, current: () => ({ etag: tag }) });
  assert.equal((await own.send({ "if-match": `W/${tag}` })).status, 204);
  assert.equal((await own.send({ "if-match": with_("-br") })).status, 204);
});

test("304: in the spelling that the client sent, from the registry and from the handler", async () => {
  for (const declared of [dependsOn({ _id: "a", _rev: rev(1) }), dependsOn("a")]) {
    for (const vary of [undefined, "Origin", "Accept-Encoding", "accept, ACCEPT-encoding"]) {
      const handler = withEtag(() =>
        new Response("page", {
          headers: { "cache-control": "public", ...vary === undefined ? {} : { vary }, ...declared },
        }), { manual: true });
      const tag = (await handler(new Request(URL))).headers.get("etag")!;
      const gzip = tag.replace(/"$/, '-gzip"');
      const varied = vary === undefined
        ? "Accept-Encoding"
        : vary === "Origin"
        ? "Origin, Accept-Encoding"
        : vary;
      const rows: readonly [string, string, string | null][] = [
        [tag, tag, vary ?? null],
        [`W/${tag}`, `W/${tag}`, varied],
        [gzip, gzip, varied],
        [`W/${gzip}`, `W/${gzip}`, varied],
        [`"x", W/${tag}`, `W/${tag}`, varied],
        [`W/${tag}, ${tag}`, tag, vary ?? null],
        [`"x-gzip", ${gzip}`, gzip, varied],
        ["*", tag, vary ?? null],
      ];
      for (const registered of [true, false]) {
        for (const [field, etag, expected] of rows) {
          // A random tag is that of one registration.
          if (!registered && !tag.includes(rev(1))) continue;
          if (!registered) handler.registry.clear();
          const answer = await handler(new Request(URL, { headers: { "if-none-match": field } }));
          assert.deepEqual(
            [answer.status, answer.headers.get("etag"), answer.headers.get("vary")],
            [304, etag, expected],
            `${field}, registered: ${registered}`,
          );
        }
      }
    }
  }
});

test("If-None-Match: a coding behind a tag of another making is another tag", async () => {
  const headers = { etag: '"x"', "cache-control": "public", ...dependsOn("a") };
  const handler = withEtag(() => new Response("page", { headers }), { manual: true });
  for (const field of ['"x-gzip"', 'W/"x-br"', '"x;gzip"']) {
    for (let n = 0; n < 2; n++) {
      assert.equal((await handler(new Request(URL, { headers: { "if-none-match": field } }))).status, 200);
    }
  }
  assert.equal(
    (await handler(new Request(URL, { headers: { "if-none-match": 'W/"x"' } }))).headers.get("etag"),
    '"x"',
  );
});

test("If-Match of a reader: a coding behind the tag does not match strongly (RFC 9110 §13.1.1)", async () => {
  const site = siteOf();
  const tag = await site.tag();
  const gzip = tag.replace(/"$/, '-gzip"');
  assert.equal((await site.get({ "if-match": gzip })).status, 412);
});
