import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { type Dependency, dependsOn, guard, type WithEtagOptions } from "../../mod.ts";
import { parseEntityTag } from "../../src/http/entity_tag.ts";
import { PAGE, request, wrap } from "../support/http.ts";

interface Given {
  readonly sources?: readonly Dependency[];
  readonly fields?: Record<string, string>;
  readonly sent?: Record<string, string>;
  readonly options?: WithEtagOptions;
  readonly url?: string;
}

const ONE = { _id: "post-1", _rev: "2-8de7a93e" };
const V1 = { version: "1" };

/** The tag a page gets. */
async function tagOf(
  { sources = [ONE], fields = {}, sent = {}, options = V1, url = PAGE }: Given = {},
): Promise<string> {
  const headers = {
    "cache-control": "public",
    "content-type": "text/html",
    ...fields,
    ...dependsOn(...sources),
  };
  const response = await wrap(() => new Response(null, { headers }), options).ask(request(sent, { url }));
  const etag = response.headers.get("etag")!;
  assert.equal(parseEntityTag(etag)?.weak, false, etag);
  return etag;
}

function documents(count: number, rev = "1-a"): readonly Dependency[] {
  return Array.from({ length: count }, (_, at) => ({ _id: `post-${at}`, _rev: rev }));
}

test("derived tag: the same for the same", async () => {
  assert.equal(await tagOf(), await tagOf());
  assert.equal(
    await tagOf({ options: {} }),
    await tagOf({ options: {} }),
    "in one process, without a version",
  );
});

test("derived tag: the revision of one document can be read in it", async () => {
  assert.match(await tagOf(), /^"2-8de7a93e\.[\w.-]+"$/);
});

test("derived tag: up to eight revisions are spelled out, up to 24 told by a digest each, more by one", async () => {
  const list = (count: number, each: string) => Array.from({ length: count }, () => each).join("\\+");
  for (const count of [2, 8]) {
    const form = `^"${list(count, "1-a")}\\.${list(count, "[\\w-]{11}")}\\.[\\w-]{11}"$`;
    assert.match(await tagOf({ sources: documents(count) }), new RegExp(form));
  }
  for (const count of [9, 24]) {
    const form = `^":${list(count, "[\\w-]{11}")}\\.[\\w-]{11}"$`;
    assert.match(await tagOf({ sources: documents(count) }), new RegExp(form));
  }
  for (const count of [25, 500]) {
    assert.match(await tagOf({ sources: documents(count) }), /^":[\w-]{11}\+[\w-]{43}\.[\w-]{11}"$/);
  }
});

for (const count of [1, 2, 8, 9, 24, 25, 60]) {
  test(`derived tag: of ${count} documents covers each id and each revision`, async () => {
    const sources = documents(count);
    const tags = new Set([await tagOf({ sources })]);
    for (let at = 0; at < count; at++) {
      tags.add(await tagOf({ sources: sources.with(at, { _id: `post-${at}`, _rev: "2-a" }) }));
      tags.add(await tagOf({ sources: sources.with(at, { _id: "another", _rev: "1-a" }) }));
    }
    tags.add(await tagOf({ sources: [...sources, { _id: "one more", _rev: "1-a" }] }));
    assert.equal(tags.size, 2 * count + 2);
  });
}

test("derived tag: revisions swapped between two documents are another tag", async () => {
  const ab = await tagOf({ sources: [{ _id: "a", _rev: "1-x" }, { _id: "b", _rev: "2-y" }] });
  const ba = await tagOf({ sources: [{ _id: "a", _rev: "2-y" }, { _id: "b", _rev: "1-x" }] });
  assert.notEqual(ab, ba);
});

test("derived tag: revisions that hold separators are not mistaken for several", async () => {
  const joined = await tagOf({ sources: [{ _id: "a", _rev: "1-x+2-y" }] });
  const two = await tagOf({ sources: [{ _id: "a", _rev: "1-x" }, { _id: "b", _rev: "2-y" }] });
  assert.notEqual(joined.split(".")[0], two.split(".")[0]);
  for (const _rev of ["a.b", "a+b", "a,b", "*", "\xe9".normalize("NFD")[0]!]) {
    const tag = await tagOf({ sources: [{ _id: "a", _rev }] });
    assert.ok(tag.length <= 45, tag);
  }
});

test("derived tag: two representations never share one (RFC 9110 §8.8.1)", async () => {
  const vary = { vary: "Accept" };
  const caller = (name: string | undefined) => ({ ...V1, caller: () => name });
  const given: readonly Given[] = [
    {},
    { fields: { "content-type": "application/json" } },
    { fields: { "content-type": "text/html; charset=utf-8" } },
    { fields: { "content-encoding": "gzip" } },
    { fields: { "content-encoding": "br" } },
    { fields: { "content-language": "en" } },
    { fields: { "content-language": "gzip" } },
    { fields: vary },
    { fields: vary, sent: { accept: "" } },
    { fields: vary, sent: { accept: "a" } },
    { fields: vary, sent: { accept: "b" } },
    { fields: { vary: "Accept, Origin" }, sent: { accept: "a" } },
    { fields: { vary: "Origin" }, sent: { origin: "a" } },
    { options: caller("ann") },
    { options: caller("bob") },
    { options: caller("") },
    { options: caller("null") },
    { options: caller("\ud800") },
    { options: caller("\ud801") },
    { options: { version: "2" } },
    { options: {} },
    { url: `${PAGE}/other` },
    { url: `${PAGE}?format=json` },
  ];
  const tags = await Promise.all(given.map(tagOf));
  assert.equal(new Set(tags).size, given.length, JSON.stringify(tags));
});

test("derived tag: fields that select nothing leave it alone", async () => {
  assert.equal(await tagOf({ sent: { accept: "a", "user-agent": "x" } }), await tagOf());
  assert.equal(await tagOf({ fields: { "x-total": "3", date: "now" } }), await tagOf());
  const vary = { vary: "accept,  ORIGIN , accept" };
  const sent = { accept: "a", origin: "b" };
  assert.equal(
    await tagOf({ fields: vary, sent }),
    await tagOf({ fields: { vary: "Origin, Accept" }, sent }),
  );
});

test("derived tag: a version outlives the process, its absence says so with a salt", async () => {
  const versions = ["1", "2", "salt", "version 1"].map((version) => tagOf({ options: { version } }));
  const tags = await Promise.all([...versions, tagOf({ options: {} })]);
  assert.equal(new Set(tags).size, 5);
});

test("derived tag: any id and any legal revision make a legal tag, and no two the same", async () => {
  const id = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !text.startsWith("_local/"));
  const rev = fc.stringMatching(/^[!#-[\]-~]{1,40}$/);
  const list = fc.uniqueArray(fc.record({ _id: id, _rev: rev }), {
    minLength: 1,
    maxLength: 10,
    selector: ({ _id }) => _id,
  });
  await fc.assert(
    fc.asyncProperty(list, list, async (one, other) => {
      const same = JSON.stringify(one) === JSON.stringify(other);
      const [a, b] = [await tagOf({ sources: one }), await tagOf({ sources: other })];
      assert.equal(a === b, same);
      assert.ok(a.length <= 450);
    }),
    { numRuns: 50 },
  );
});

test("hashBody: covers the body, the media type and who asks", async () => {
  const of = async (body: string, type: string, caller?: string) => {
    const site = wrap(() => new Response(body, { headers: { "content-type": type } }), {
      hashBody: true,
      caller: () => caller,
    });
    return (await site.ask(request({}, { url: PAGE }))).headers.get("etag")!;
  };
  assert.equal(await of("a", "text/plain"), await of("a", "text/plain"));
  const tags = [
    await of("a", "text/plain"),
    await of("b", "text/plain"),
    await of("", "text/plain"),
    await of("a", "text/html"),
    await of("a", "text/plain", "ann"),
    await of("a", "text/plain", "bob"),
  ];
  assert.equal(new Set(tags).size, tags.length);
  for (const tag of tags) assert.match(tag, /^"[\w-]{43}"$/);
});

test("derived tag: what decides on access is no part of it, and voids all the same", async () => {
  const session = (rev: string) => guard({ _id: "session", _rev: rev });
  assert.equal(await tagOf({ sources: [ONE, session("1-a")] }), await tagOf());
  assert.equal(await tagOf({ sources: [session("2-b"), ONE, guard("role")] }), await tagOf());
  const headers = { "cache-control": "public", ...dependsOn(ONE, session("1-a"), guard("role")) };
  for (const change of ["post-1", "session", "role"]) {
    const site = wrap(() => new Response(null, { headers }), V1);
    const etag = (await site.ask(request())).headers.get("etag")!;
    assert.equal((await site.ask(request({ "if-none-match": etag }))).status, 304);
    assert.equal(site.runs, 1);
    site.registry.invalidate(change);
    assert.equal((await site.ask(request({ "if-none-match": etag }))).status, 304);
    assert.equal(site.runs, 2, change);
  }
});

test("derived tag: guards alone declare nothing", async () => {
  const site = wrap(
    () => new Response("page", { headers: { "cache-control": "public", ...dependsOn(guard(ONE)) } }),
    V1,
  );
  const answer = await site.ask(request());
  assert.deepEqual([answer.headers.get("etag"), site.registry.size], [null, 0]);
  assert.equal(site.registry.stats.undeclared, 1);
});

test("derived tag: a random tag does not hold guards", async () => {
  const site = wrap(() => new Response(null, { headers: { "cache-control": "public", ...declared } }), V1);
  let declared = dependsOn("posts", guard({ _id: "session", _rev: "1-a" }));
  const ask = async () => (await site.ask(request())).headers.get("etag");
  const first = await ask();
  declared = dependsOn("posts", guard({ _id: "session", _rev: "2-b" }));
  assert.equal(await ask(), first, "still registered, for the same groups");
});
