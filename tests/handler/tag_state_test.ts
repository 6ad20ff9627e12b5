import assert from "node:assert/strict";
import { test } from "node:test";
import { dependenciesId, deriveTag, digestTag, revisionsIn, toldBy } from "../../src/handler/derived_tag.ts";
import { type Revision, TagKey } from "../../src/handler/tag_key.ts";
import { CurrentDocuments, judgeTag } from "../../src/handler/current_state.ts";
import { isOurTag, tagState, withoutCoding } from "../../src/handler/tag_state.ts";
import { randomTag } from "../../src/registry/random_tag.ts";
import fc from "../support/fast_check.ts";

const KEY = new TagKey("a secret of these tests");
const D = "abcdefghi_-";
const E = "bcdefghij12";
const UNIQUE = "abcdefghijklmnopqrstuv";
const WHOLE = "a".repeat(43);

test("tagState: the forms of our tags, and no others", () => {
  const rows: readonly [string, ReturnType<typeof tagState>][] = [
    [`"2-abc.${D}.${E}"`, { isWhole: true, revs: ["2-abc"], digests: [D] }],
    [`"2-abc+1-x.${D}+${E}.${E}"`, { isWhole: true, revs: ["2-abc", "1-x"], digests: [D, E] }],
    [`"${UNIQUE}.2-abc.${D}.${E}"`, { isWhole: false, revs: ["2-abc"], digests: [D] }],
    [`"${WHOLE}.2-abc.${D}.${E}"`, { isWhole: false, revs: ["2-abc"], digests: [D] }],
    [`"${UNIQUE}.2-abc+.${D}+${E}.${E}"`, { isWhole: false, revs: ["2-abc", ""], digests: [D, E] }],
    [`"2-abc+.${D}+${E}.${E}"`, undefined],
    [`":${D}+${E}.${D}"`, { isWhole: true, revs: undefined, digests: [D, E] }],
    [`":${D}+${WHOLE}.${D}"`, { isWhole: true, revs: undefined, digests: [D, WHOLE] }],
    [`"${UNIQUE}.:${D}.${E}"`, { isWhole: false, revs: undefined, digests: [D] }],
    [`"${UNIQUE}.${D}"`, { isWhole: false, revs: undefined, digests: [] }],
    [`"${WHOLE}"`, undefined],
    [`"2-abc.${D}"`, undefined],
    [`"2-abc+1-x.${D}.${E}"`, undefined],
    [`"2-abc.${D}+${E}.${E}"`, undefined],
    [`"2-a:c.${D}.${E}"`, undefined],
    [`"short.2-abc.${D}.${E}"`, undefined],
    [`"${UNIQUE}.${UNIQUE}.2-abc.${D}.${E}"`, undefined],
    [`"${UNIQUE}.${UNIQUE}.:${D}.${E}"`, undefined],
    [`":${D}.${E}-gzip"`, undefined],
    [`":.${E}"`, undefined],
    [`":${D}"`, undefined],
    [`"."`, undefined],
    [`""`, undefined],
    [`"${D}"`, undefined],
    ["", undefined],
    ['"', undefined],
  ];
  for (const [tag, state] of rows) assert.deepEqual(tagState(tag), state, tag);
  assert.equal(isOurTag(`"${WHOLE}"`), true);
  assert.equal(isOurTag(`W/"${WHOLE}"`), false);
  assert.equal(isOurTag('"x"'), false);
});

test("withoutCoding: what coders write behind a tag", () => {
  const rows: readonly [string, readonly string[]][] = [
    ['"x-gzip"', ['"x"']],
    ['"x;br"', ['"x"']],
    ['"x--zstd"', ['"x-"', '"x"']],
    ['"x-gzip-gzip"', ['"x-gzip"']],
    ['"x"', []],
    ['"gzip"', []],
    ['"x-GZIP"', []],
    ['"x-gzip', []],
    ["", []],
  ];
  for (const [tag, plain] of rows) assert.deepEqual(withoutCoding(tag), plain, tag);
});

const revision = fc.record({
  _id: fc.string({ unit: "grapheme", minLength: 1 }),
  _rev: fc.oneof(fc.stringMatching(/^[1-9]-[0-9a-f]{4}$/), fc.stringMatching(/^[!#-[\]-~]{1,9}$/)),
});
const revisions = fc.uniqueArray(revision, { minLength: 1, maxLength: 40, selector: ({ _id }) => _id });

test("judgeTag: every tag tells the documents that it was made from, in whatever order, and no others", async () => {
  await fc.assert(
    fc.asyncProperty(revisions, fc.nat(), async (documents, which) => {
      const tags: string[] = [
        deriveTag(KEY, documents, "build", ["page"])!,
        randomTag(dependenciesId(KEY, ["page"], [...documents, { _id: "a name" }])),
        await digestTag(KEY, new ArrayBuffer(3), ["page"], toldBy([...documents, { _id: "a name" }])),
      ];
      const at = which % documents.length;
      const changed = documents.with(at, { ...documents[at]!, _rev: `${documents[at]!._rev}1` });
      const renamed = documents.with(at, { ...documents[at]!, _id: `${documents[at]!._id}/` });
      const verdict = (tag: string, given: readonly Revision[], isComplete: boolean) =>
        judgeTag(tag, new CurrentDocuments(given, isComplete, KEY));
      for (const tag of tags) {
        assert.equal(isOurTag(tag), true, tag);
        assert.equal(verdict(tag, documents, true), "current");
        assert.equal(verdict(tag, documents.toReversed(), true), "current");
        assert.notEqual(verdict(tag, changed, true), "current");
        assert.notEqual(verdict(tag, renamed, true), "current");
        assert.equal(verdict(tag, [documents[0]!], false), "current", "the first stands for itself");
        const one = verdict(tag, [documents[at]!], false);
        assert.ok(one === "current" || (one === "silent" && documents.length > 24), one);
        for (const other of [changed[at]!, renamed[at]!]) {
          assert.notEqual(verdict(tag, [other], false), "current");
        }
      }
    }),
    { numRuns: 100 },
  );
});

test("revisionsIn: each document once, and none where one was read at two revisions", () => {
  const [a, b] = [{ _id: "a", _rev: "1-a" }, { _id: "b", _rev: "1-b" }];
  assert.deepEqual(revisionsIn([a, b, a, { _id: "a" }, { _id: "c" }]), [a, b]);
  assert.deepEqual(revisionsIn([a, b, { _id: "a", _rev: "2-a" }]), []);
  assert.equal(
    deriveTag(KEY, [a, { _id: "a", _rev: "2-a" }], "build", [])?.length,
    45,
    "such a page tells no state",
  );
});
