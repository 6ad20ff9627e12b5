import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** How many traps of the `_changes` feed are known. */
const TRAPS = 45;

const folder = new URL(".", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith("_test.ts") && name !== "coverage_test.ts");
const texts = files.map((name) => readFileSync(new URL(name, folder), "utf8"));

/** Where each trap is told (`// Trap 7. …`) and tested (`test("trap 7: …`), in the order of a file. */
function mentions(text: string): { readonly told: boolean; readonly trap: number }[] {
  return [...text.matchAll(/^\/\/ Trap (\d+)\. |\btest\(\s*["`]trap (\d+): /gm)].map(([, told, tested]) => ({
    told: told !== undefined,
    trap: Number(told ?? tested),
  }));
}

test("traps: every one of the 45 is told in one place", () => {
  const told = texts.flatMap(mentions).filter(({ told }) => told).map(({ trap }) => trap);
  assert.deepEqual(told.sort((a, b) => a - b), Array.from({ length: TRAPS }, (_, n) => n + 1));
});

test("traps: every one is tested where it is told, and every test has its trap", () => {
  for (const [at, text] of texts.entries()) {
    const found = mentions(text);
    assert.equal(found.filter(({ told }) => !told).length, text.match(/\btest\(/g)?.length, files[at]);
    for (const [index, { told, trap }] of found.entries()) {
      if (told) assert.deepEqual(found[index + 1], { told: false, trap }, `trap ${trap} has no test`);
      else assert.equal(found[index - 1]?.trap, trap, `a test of trap ${trap} stands elsewhere`);
    }
  }
});
