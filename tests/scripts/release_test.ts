import assert from "node:assert/strict";
import { test } from "node:test";
import { differencesOf, type Publication, publishedPaths, versionProblems } from "../../scripts/release.ts";

const tested: Publication = {
  version: "1.2.3",
  jsr: { "mod.ts": "aa", "README.md": "bb" },
  npm: { "package/mod.js": "cc" },
};

test("differencesOf: the same publication has none", () => {
  assert.deepEqual(differencesOf(tested, structuredClone(tested)), []);
});

const changes: readonly (readonly [what: string, now: Publication, problem: string])[] = [
  ["a file that differs", { ...tested, jsr: { ...tested.jsr, "mod.ts": "ab" } }, "jsr: mod.ts differs"],
  ["a file that is gone", { ...tested, npm: {} }, "npm: package/mod.js would be missing"],
  ["a new file", { ...tested, jsr: { ...tested.jsr, "x.ts": "dd" } }, "jsr: x.ts was not tested"],
  ["another version", { ...tested, version: "1.2.4" }, "the tests ran version 1.2.3, deno.json says 1.2.4"],
];

for (const [what, now, problem] of changes) {
  test(`differencesOf: ${what} is found`, () => assert.deepEqual(differencesOf(tested, now), [problem]));
}

test("versionProblems: version, tag and first heading are the same", () => {
  const changelog = "# Changelog\n\n## 1.2.3\n\nText.\n\n## 1.2.2\n";
  assert.deepEqual(versionProblems("1.2.3", "v1.2.3", changelog), []);
  assert.deepEqual(versionProblems("1.2.3", undefined, changelog), []);
  assert.deepEqual(versionProblems("1.2.3", "1.2.3", changelog), ["the tag is 1.2.3, deno.json says 1.2.3"]);
  assert.deepEqual(versionProblems("1.2.2", "v1.2.2", changelog), [
    "CHANGELOG.md begins with 1.2.3, deno.json says 1.2.2",
  ]);
  assert.deepEqual(versionProblems("1.2", "v1.2", "# Changelog\n\n## 1.2\n"), [
    "the version 1.2 is no semantic version",
  ]);
});

for (const tree of ["/somewhere/a tree/", "C:/somewhere/a tree/"]) {
  test(`publishedPaths: in ${tree}`, () => {
    const base = new URL(`file://${tree.startsWith("/") ? "" : "/"}${tree}`).href;
    const output =
      `Simulating publish with files:\n   ${base}src/x.ts (2.45KB)\n   ${base}mod.ts (838B)\nSuccess\n`;
    assert.deepEqual(publishedPaths(output, tree), ["mod.ts", "src/x.ts"]);
  });
}
