/** What a tag tells those who do not know the secret of its site: nothing of ids, and, where it is asked for, of revisions. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import { dependsOn, revisionOf, withEtag, type WithEtagOptions } from "../../mod.ts";
import { deriveTag } from "../../src/handler/derived_tag.ts";
import { TagKey } from "../../src/handler/tag_key.ts";
import { isOurTag, tagState } from "../../src/handler/tag_state.ts";
import fc from "../support/fast_check.ts";
import { PAGE, request, wrap } from "../support/http.ts";

const SECRET = "a secret of 16 characters or more";
const PROFILE = { _id: "user:ada@example.org", _rev: "4-8de7a93e0c0ffee00c0ffee00c0ffee0" };
const SITE: WithEtagOptions = { version: "build 7", secret: SECRET };

/** The tag of a page of these sources. */
async function tagOf(options: WithEtagOptions, ...sources: Parameters<typeof dependsOn>): Promise<string> {
  const headers = { "cache-control": "public", ...dependsOn(...sources) };
  const response = await wrap(() => new Response("page", { headers }), options).ask(request());
  return response.headers.get("etag")!;
}

test("secret: one site has one tag, another site has another, in every digest of it", async () => {
  const tag = await tagOf(SITE, PROFILE);
  assert.equal(await tagOf({ ...SITE }, PROFILE), tag);
  const other = await tagOf({ ...SITE, secret: `${SECRET}.` }, PROFILE);
  assert.equal(tagState(tag)!.revs![0], PROFILE._rev);
  const [, id, page] = tag.slice(1, -1).split(".");
  const [, otherId, otherPage] = other.slice(1, -1).split(".");
  assert.notEqual(id, otherId);
  assert.notEqual(page, otherPage);
});

test("secret: without one, tags are of this process, and of all wrappers in it", async () => {
  const options = { version: "build 7" };
  assert.equal(await tagOf(options, PROFILE), await tagOf(options, PROFILE));
  assert.notEqual(await tagOf(options, PROFILE), await tagOf(SITE, PROFILE));
});

test("secret: the tag of a known secret is the same in every process", () => {
  // A change of this text voids every tag of every site.
  assert.equal(
    deriveTag(new TagKey(SECRET), [PROFILE], "version build 7", [PAGE])!.split(".")[1],
    createHmac("sha256", SECRET).update(JSON.stringify(["document", PROFILE._id])).digest("base64url").slice(
      0,
      11,
    ),
  );
});

test("secret: no part of a tag is an unkeyed digest of what can be guessed", async () => {
  const guesses = [
    ["document", PROFILE._id],
    ["revision", PROFILE._id, PROFILE._rev],
    [JSON.stringify([PROFILE._id, PROFILE._rev])],
    PROFILE._id,
    ["version build 7", [PAGE, null, null, null, null, []], [PROFILE._id], [PROFILE._rev]],
    [[PAGE, null, null, null, null, []], [JSON.stringify([PROFILE._id, PROFILE._rev])]],
    [[PAGE, null, null, null, null, []], [JSON.stringify([PROFILE._id, null])]],
  ];
  const tags = [
    await tagOf(SITE, PROFILE),
    await tagOf(SITE, PROFILE._id),
    await tagOf({ ...SITE, hideRevisions: true }, PROFILE),
    await tagOf({ ...SITE, hashBody: true }, PROFILE._id),
    await tagOf({ version: "build 7" }, PROFILE),
    await tagOf({}, PROFILE),
  ];
  for (const tag of tags) {
    for (const guess of guesses) {
      for (const text of [JSON.stringify(guess), String(guess)]) {
        const digest = createHash("sha256").update(text).digest("base64url");
        assert.equal(tag.includes(digest.slice(0, 11)), false, `${tag}: ${text}`);
      }
    }
    assert.equal(tag.includes(createHash("sha256").update("page").digest("base64url").slice(0, 11)), false);
  }
});

test("hideRevisions: no tag shows a revision, and how often a document was edited", async () => {
  const hidden = { ...SITE, hideRevisions: true };
  const list = Array.from({ length: 40 }, (_, n) => ({ _id: `note-${n}`, _rev: `${n + 1}-c0ffee` }));
  for (const count of [1, 2, 8, 9, 24, 25, 40]) {
    const tag = await tagOf(hidden, ...list.slice(0, count));
    assert.equal(isOurTag(tag), true, tag);
    assert.equal(tagState(tag)!.revs, undefined);
    assert.equal(/c0ffee/.test(tag), false, tag);
    const edited = list.slice(0, count).with(count - 1, { _id: `note-${count - 1}`, _rev: "99-c0ffee" });
    assert.notEqual(await tagOf(hidden, ...edited), tag);
  }
  assert.equal(/c0ffee/.test(await tagOf(hidden, list[0]!, "a name")), false);
});

for (const hideRevisions of [false, true]) {
  test(`hideRevisions ${hideRevisions}: a write is judged by its tag, and is told its revision`, async () => {
    let post = { _id: "post", _rev: "1-a" };
    let seen: string | undefined;
    const site = withEtag((asked: Request) => {
      if (asked.method === "GET") {
        return new Response(null, { headers: { "cache-control": "public", ...dependsOn(post) } });
      }
      seen = revisionOf(asked);
      post = { _id: "post", _rev: `${Number(post._rev[0]) + 1}-a` };
      return new Response(null, { status: 204 });
    }, { ...SITE, hideRevisions, manual: true, current: () => post });
    const etag = (await site(request())).headers.get("etag")!;
    const put = () => site(request({ "if-match": etag }, { method: "PUT" }));
    assert.deepEqual([(await put()).status, seen], [204, "1-a"]);
    assert.equal((await put()).status, 412);
  });
}

test("secret: a write with a tag that was made with another is refused, and told to read again", async () => {
  const etag = await tagOf({ ...SITE, secret: "the secret of last year" }, PROFILE);
  const site = withEtag(() => new Response(null, { status: 204 }), { ...SITE, current: () => PROFILE });
  const response = await site(request({ "if-match": etag }, { method: "PUT" }));
  assert.equal(response.status, 412);
});

test("secret: what is none is refused, without being shown; no object shows one", () => {
  for (const secret of ["", "short", 7, null, {}, SECRET.slice(0, 15)] as string[]) {
    assert.throws(() => withEtag(() => new Response(), { secret }), (error: TypeError) => {
      assert.equal(error.name, "TypeError");
      return !error.message.includes(SECRET.slice(0, 8)) && !error.message.includes("short");
    });
  }
  const key = new TagKey(SECRET);
  key.digest("x");
  const site = withEtag(() => new Response(), SITE);
  for (const value of [key, site, site.registry, globalThis]) {
    assert.equal(inspect(value, { depth: 9, showHidden: value !== globalThis }).includes(SECRET), false);
  }
});

test("TagKey: two keys agree on nothing, one key on everything", () => {
  const secret = fc.string({ unit: "grapheme", minLength: 16, maxLength: 100 });
  fc.assert(fc.property(secret, secret, fc.string(), (one, other, id) => {
    assert.equal(new TagKey(one).idDigest(id), new TagKey(one).idDigest(id));
    if (one !== other) assert.notEqual(new TagKey(one).idDigest(id), new TagKey(other).idDigest(id));
  }));
});
