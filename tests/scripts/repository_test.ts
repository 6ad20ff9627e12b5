import assert from "node:assert/strict";
import { test } from "node:test";
import { indexProblems, missingFilesIn, problemsIn, vagueWordsIn } from "../../scripts/repository.ts";

for (const folder of ["tmp", "work", "home", "Users"]) {
  test(`problemsIn: a path under /${folder} is found`, () => {
    assert.deepEqual(problemsIn("docs/guide.md", `See\n\`/${folder}/notes\`.`), [
      "docs/guide.md:2 contains a path of one machine",
    ]);
  });
}

test("problemsIn: a URL with such a path is none", () => {
  assert.deepEqual(problemsIn("docs/guide.md", "https://example.com/home/page and `${url}/tmp/x`"), []);
});

for (const host of [["registry", "npmjs", "org"], ["jsr", "io"]].map((labels) => labels.join("."))) {
  test(`problemsIn: the registry host ${host} is found`, () => {
    assert.deepEqual(problemsIn("deno.lock", `"https://${host}/x"`), [
      "deno.lock:1 contains the host of a package registry",
    ]);
  });
}

test("problemsIn: the length of a file is no problem", () => {
  assert.deepEqual(problemsIn("src/x.ts", "\n".repeat(1000)), []);
});

const prose: readonly (readonly [what: string, path: string, text: string, found: readonly string[]])[] = [
  ["a page", "docs/guide.md", "One line.\nWhoever reads this, reads it.", ["2 whoever"]],
  ["a word of two lines", "docs/guide.md", "Here no\none is asked.", ["1 no one"]],
  ["the code of a page", "docs/guide.md", "See `somebody`.\n\n```ts\nconst nobody = 1;\n```\n\nSomeone.", [
    "7 someone",
  ]],
  ["code of two lines", "docs/guide.md", "Try `await\nnobody`, and nobody.", ["2 nobody"]],
  ["a backtick too many", "docs/guide.md", "One ` here.\n\nNobody.\n\nOne ` there.", ["3 nobody"]],
  ["a comment", "src/x.ts", "/** Waits for nobody. */\nconst x = 1;\n", ["1 nobody"]],
  ["a long comment", "src/x.ts", "/**\n * What whosoever\n * and somebody ask.\n */\nconst nobody = 1;\n", [
    "2 whosoever",
    "3 somebody",
  ]],
  ["a note behind code", "src/x.ts", 'const x = "nobody"; // somebody\n', ["1 somebody"]],
  ["a note on its own line", "src/x.ts", "  // Somebody is there.\n", ["1 somebody"]],
  ["a URL in a string", "src/x.ts", 'const x = "https://nobody.example//nobody";\n', []],
  ["an example in a comment", "src/x.ts", "/**\n * ```ts\n * const nobody = 1;\n * ```\n * Nobody.\n */\n", [
    "5 nobody",
  ]],
  ["words that only contain one", "docs/guide.md", "None. Nobodies, a someones' list.", []],
  ["another file", "deno.json", '{ "x": "nobody" }', []],
];

for (const [what, path, text, found] of prose) {
  test(`vagueWordsIn: ${what}: ${found.length === 0 ? "nothing" : found.join(", ")}`, () => {
    assert.deepEqual(
      vagueWordsIn(path, text),
      found.map((one) => {
        const [, line, word] = /^(\d+) (.*)$/.exec(one) ?? [];
        return `${path}:${line} says "${word}": name what the sentence is about`;
      }),
    );
  });
}

for (const path of ["docs/decisions/001-x.md", "README.md", "examples/blog/site.ts", "bench/NOTES.md"]) {
  test(`problemsIn: ${path} is held to plain prose`, () => {
    assert.equal(problemsIn(path, "// Somebody.\n").length, 1);
  });
}

test("problemsIn: what only begins like a file that is held to plain prose is not", () => {
  assert.deepEqual(problemsIn("README.md.orig", "Somebody."), []);
  assert.deepEqual(problemsIn("tests/docs/x.md", "Somebody."), []);
});

const exists = (path: string): boolean =>
  ["src/x.ts", "docs/guide.md", "docs/decisions/README.md"].includes(path);

const named: readonly (readonly [text: string, missing: readonly string[]])[] = [
  ["`src/x.ts`, [a](./guide.md), [b](guide.md#part), [c](./decisions/README.md), [d](../src/x.ts)", []],
  ["[away](https://example.com/src/y.ts), [here](#part), [mail](mailto:a@example.com)", []],
  ["`src/y.ts` twice: `src/y.ts`", ["src/y.ts"]],
  ["a[http/y.ts<br>changes/z.ts] and `handler/x.ts`, but bench/http/y.ts", [
    "src/http/y.ts",
    "src/changes/z.ts",
    "src/handler/x.ts",
  ]],
  ["[gone](./gone.md#part) and [up](../src/z.ts)", ["docs/gone.md", "src/z.ts"]],
];

for (const [text, missing] of named) {
  test(`missingFilesIn: ${text}`, () => {
    assert.deepEqual(
      missingFilesIn("docs/guide.md", text, exists),
      missing.map((target) => `docs/guide.md names ${target}, which does not exist`),
    );
  });
}

const record = "docs/decisions/007-groups.md";
const index = (row: string): Map<string, string> =>
  new Map([["docs/decisions/README.md", row], [record, "# 007: A group is a number\n\nText.\n"]]);

test("indexProblems: a record stands in the index under its title", () => {
  const row = "| [007](./007-groups.md) | A group is a number |";
  assert.deepEqual(indexProblems(index(`${row}   2026-11-25 | accepted |`)), []);
  assert.deepEqual(
    indexProblems(index("| [007](./007-groups.md)   | A group is a number   | 2026-11-25 |")),
    [],
  );
  assert.deepEqual(indexProblems(index("")), [`docs/decisions/README.md has no row ${row}`]);
  assert.equal(indexProblems(index("| [007](./007-groups.md) | Groups | 2026-11-25 |")).length, 1);
});

test("indexProblems: a record without a title is found", () => {
  assert.deepEqual(indexProblems(new Map([[record, "Text."]])), [`${record} has no title "# 007: …"`]);
});
