import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, type Reason } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";
import { DEPENDS_ON } from "../../src/http/dependency.ts";

const PUBLIC = { "cache-control": "public, no-cache" };
const MINTED = /^"[\w-]{22}\.1-a\+\.[\w-]{11}\+[\w-]{11}\.[\w-]{11}"$/;

function tagged(response: Response): string | null {
  return response.headers.get("etag");
}

test("withEtag: the handler's own tag comes first, weak or strong", async () => {
  for (const etag of ['"own"', 'W/"own"', '""', '"a,b"']) {
    const headers = { ...PUBLIC, etag, ...dependsOn({ _id: "a", _rev: "1-a" }) };
    const site = wrap(() => new Response("page", { headers }), { hashBody: true });
    assert.equal(tagged(await site.ask(request())), etag);
    assert.equal((await site.ask(request({ "if-none-match": etag }))).status, 304);
    assert.equal(site.runs, 1);
  }
});

test("withEtag: then the sources, the digest of the body, and a minted tag", async () => {
  let declaration = dependsOn({ _id: "a", _rev: "1-a" });
  const of = (digest: boolean) =>
    wrap(() => new Response("page", { headers: { ...PUBLIC, ...declaration } }), { hashBody: digest });
  const derived = tagged(await of(true).ask(request()))!;
  assert.equal(derived, tagged(await of(false).ask(request())), "the digest is not asked for");
  declaration = dependsOn({ _id: "a", _rev: "1-a" }, "b");
  const digest = tagged(await of(true).ask(request()))!;
  assert.equal(digest, tagged(await of(true).ask(request())), "the same body");
  const minted = tagged(await of(false).ask(request()))!;
  assert.match(minted, MINTED);
  assert.notEqual(minted, tagged(await of(false).ask(request())), "each registry mints its own");
});

test("withEtag: a minted tag stays while the entry is valid and declares the same groups, no longer", async () => {
  let groups = ["a", "b"];
  const site = wrap(() => new Response("page", { headers: { ...PUBLIC, ...dependsOn(...groups) } }));
  const first = tagged(await site.ask(request()));
  assert.equal(tagged(await site.ask(request())), first, "one reader's GET does not void another's copy");
  groups = ["b", "a"];
  assert.equal(tagged(await site.ask(request())), first);
  groups = ["a"];
  const fewer = tagged(await site.ask(request()));
  assert.notEqual(fewer, first);
  groups = ["a", "b"];
  const again = tagged(await site.ask(request()));
  assert.ok(again !== first && again !== fewer);
  site.registry.invalidate("a");
  assert.notEqual(tagged(await site.ask(request())), again);
});

test("withEtag: a response that is not registered gets its derived tag, or a minted one that nothing knows", async () => {
  for (const [source, same] of [["a", false], [{ _id: "a", _rev: "1-a" }, true]] as const) {
    const site = wrap(() => {
      site.registry.invalidate("a");
      return new Response("page", { headers: { ...PUBLIC, ...dependsOn(source) } });
    });
    const [first, second] = [tagged(await site.ask(request())), tagged(await site.ask(request()))];
    assert.deepEqual([first !== null, first === second, site.registry.size], [true, same, 0]);
    assert.deepEqual([site.registry.stats["lease-broken"], site.registry.open.size], [2, 0]);
  }
});

test("withEtag: a minted tag is kept for the same representation only", async () => {
  const site = wrap((request) => {
    const type = request.headers.get("accept") ?? "text/html";
    return new Response("page", { headers: { ...PUBLIC, "content-type": type, ...dependsOn("a") } });
  });
  const html = tagged(await site.ask(request()))!;
  assert.equal(tagged(await site.ask(request())), html);
  const json = { accept: "application/json" };
  assert.notEqual(tagged(await site.ask(request(json))), html, "the handler forgot Vary");
  assert.equal((await site.ask(request({ ...json, "if-none-match": html }))).status, 200);
});

test("withEtag: digest reads an undeclared 200 too, keeps its fields, and registers nothing", async () => {
  const headers = { "content-type": "text/plain", "content-length": "4", "x-other": "1" };
  const site = wrap(() => new Response("page", { status: 200, statusText: "Fine", headers }), {
    hashBody: true,
  });
  const response = await site.ask(request());
  const etag = tagged(response)!;
  assert.deepEqual(Object.fromEntries(response.headers), { ...headers, etag });
  assert.deepEqual([response.statusText, await response.text()], ["Fine", "page"]);
  const again = await site.ask(request({ "if-none-match": etag }));
  assert.deepEqual([again.status, again.body, site.runs, site.registry.size], [304, null, 2, 0]);
  assert.equal(site.registry.open.size, 0);
  assert.equal(tagged(await site.ask(request({}, { method: "HEAD" }))), etag, "the tag of the GET");
});

test("withEtag: digest fails as the body does", async () => {
  const failure = new Error("broken");
  const broken = wrap(() => {
    const body = new ReadableStream({ start: (controller) => controller.error(failure) });
    return new Response(body, { headers: dependsOn("a") });
  }, { hashBody: true });
  await assert.rejects(broken.ask(request()), (error) => error === failure);
  assert.deepEqual([broken.registry.size, broken.registry.open.size], [0, 0]);
});

test("withEtag: two declarations appended are one", async () => {
  const site = wrap(() => {
    const headers = new Headers({ ...PUBLIC, ...dependsOn({ _id: "a", _rev: "1-a" }) });
    headers.append(...Object.entries(dependsOn({ _id: "b", _rev: "2-b" }))[0]!);
    return new Response("page", { headers });
  });
  const etag = tagged(await site.ask(request()))!;
  assert.match(etag, /^"1-a\+2-b\./);
  for (const group of ["a", "b"]) {
    assert.equal(site.registry.hasTag(etag), true);
    site.registry.invalidate(group);
    assert.equal(site.registry.hasTag(etag), false, group);
    await site.ask(request());
  }
});

/** What may stand behind the token of a declaration, and is no member. */
const MALFORMED: readonly string[] = ["", "%", "%ff", "_local/a", ";1-a", "a;", "a;1-a;2-b", "a  b"];

for (const member of MALFORMED) {
  test(`withEtag: a declaration that cannot be read is none: ${JSON.stringify(member)}`, async () => {
    const site = wrap(() => {
      const headers = new Headers({ ...PUBLIC, ...dependsOn("a") });
      headers.set(DEPENDS_ON, `${headers.get(DEPENDS_ON)} ${member} b`);
      return new Response("page", { headers });
    }, { hashBody: true });
    const response = await site.ask(request());
    assert.deepEqual([tagged(response), response.headers.has(DEPENDS_ON)], [null, false]);
    assert.deepEqual([site.registry.size, site.registry.open.size, site.registry.stats.malformed], [0, 0, 1]);
  });
}

test("withEtag: a declaration of ours and a foreign one appended are malformed together", async () => {
  const site = wrap(() => {
    const headers = new Headers({ ...PUBLIC, ...dependsOn("a") });
    headers.append(DEPENDS_ON, "token b");
    return new Response("page", { headers });
  });
  await site.ask(request());
  assert.deepEqual([site.registry.size, site.registry.stats.malformed], [0, 1]);
});

test("withEtag: what an upstream declares is no declaration, and passes to the client unread", async () => {
  for (
    const [name, value] of [["cache-groups", '"news"'], ["cache-groups", "no list"]]
  ) {
    const site = wrap(() => new Response("news", { headers: { ...PUBLIC, etag: '"v1"', [name!]: value! } }));
    const response = await site.ask(request());
    assert.equal(response.headers.get(name!), value);
    assert.deepEqual([site.registry.size, site.registry.stats.undeclared], [0, 1]);
  }
});

for (const status of [204, 206, 301, 404, 500]) {
  test(`withEtag: a ${status} that declares nothing is refused for its status: a declaration would not help`, async () => {
    const site = wrap(() => new Response(null, { status, headers: PUBLIC }));
    await site.ask(request());
    assert.deepEqual([site.registry.stats["not-200"], site.registry.stats.undeclared], [1, 0]);
  });
}

test("withEtag: a malformed tag of the handler is left alone, and not registered (RFC 9110 §8.8.3)", async () => {
  for (const etag of ["own", '"a b"', 'w/"a"', '"a"b', '"a", "b"']) {
    const site = wrap(() => new Response("page", { headers: { ...PUBLIC, etag, ...dependsOn("a") } }));
    assert.equal(tagged(await site.ask(request())), etag);
    assert.deepEqual([site.registry.size, site.registry.stats.malformed], [0, 1]);
    assert.equal((await site.ask(request({ "if-none-match": etag }))).status, 200);
  }
});

test("withEtag: Vary selects the entry, and a wider one drops the narrower (RFC 9111 §4.1)", async () => {
  let vary = "Accept-Language";
  const site = wrap(({ headers }) => {
    const etag = `"${headers.get("accept-language")}"`;
    return new Response(etag, { headers: { ...PUBLIC, vary, etag, ...dependsOn("a") } });
  });
  const en = { "accept-language": "en" };
  const de = { "accept-language": "de" };
  await site.ask(request(en));
  await site.ask(request({ ...de, "if-none-match": '"en"' }));
  assert.equal(site.runs, 2, "another variant's tag");
  assert.equal((await site.ask(request({ ...en, "if-none-match": '"en"' }))).status, 304);
  assert.equal((await site.ask(request({ ...de, "if-none-match": '"de"' }))).status, 304);
  assert.equal(site.runs, 2);
  vary = "ORIGIN , accept-language";
  await site.ask(request({ ...en, origin: "https://a.example" }));
  await site.ask(request({ ...de, "if-none-match": '"de"' }));
  await site.ask(request({ ...en, origin: "https://b.example", "if-none-match": '"en"' }));
  assert.equal(site.runs, 5);
});

test("withEtag: a Vary that names what is no field costs the hit, not the answer (RFC 9110 §12.5.5)", async () => {
  const legal = [",", ""];
  for (const vary of ["a b", "\xe9", ...legal, "accept, a b", '"accept"', "accept;q=1"]) {
    const site = wrap(() =>
      new Response("page", { headers: { ...PUBLIC, vary, etag: '"a"', ...dependsOn("a") } })
    );
    await site.ask(request());
    assert.equal((await site.ask(request({ "if-none-match": '"a"' }))).status, 304, vary);
    assert.deepEqual([site.runs, site.registry.open.size], [legal.includes(vary) ? 1 : 2, 0], vary);
  }
});

test("withEtag: a declaration has a limit, and a Vary that cannot be read is refused like one", async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => `document number ${i}`);
  const rows: readonly [Record<string, string>, Reason][] = [
    [dependsOn(...many), "declaration-too-large"],
    [{ vary: "accept; origin", ...dependsOn("a") }, "malformed"],
  ];
  for (const [headers, reason] of rows) {
    const site = wrap(() => new Response("page", { headers: { ...PUBLIC, ...headers } }));
    const response = await site.ask(request());
    assert.deepEqual([tagged(response), response.headers.has("cache-groups")], [null, false], reason);
    assert.deepEqual([site.registry.size, site.registry.stats[reason]], [0, 1], reason);
  }
});

test("withEtag: declarations that are spread into one another all count", async () => {
  const site = wrap(() => new Response("page", { headers: { ...dependsOn("a"), ...dependsOn("b") } }));
  for (const group of ["a", "b"]) {
    const etag = tagged(await site.ask(request()))!;
    site.registry.invalidate(group);
    assert.equal(site.registry.hasTag(etag), false, group);
  }
});
