import { stop } from "esbuild";
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { budgetFor, measureSizes, readBudget, sizeProblems, type Sizes } from "../../scripts/size.ts";

after(() => stop());

test("size: no file and no bundle weighs more than its budget", async () => {
  const problems = sizeProblems(await measureSizes(), readBudget());
  assert.deepEqual(problems, [], "where it is worth it: deno run -A scripts/size.ts --update");
});

const budget: Sizes = { files: { "src/a.ts": 100, "src/b.ts": 200 }, gzipped: { ".": 150 } };

const table: Record<string, { sizes: Sizes; problems: string[] }> = {
  "what is within is none": {
    sizes: { files: { "src/a.ts": 100, "src/b.ts": 1 }, gzipped: { ".": 150 } },
    problems: [],
  },
  "the file that grew is named": {
    sizes: { files: { "src/a.ts": 99, "src/b.ts": 203 }, gzipped: { ".": 150 } },
    problems: ["src/b.ts has 203 bytes minified, 3 more than its budget"],
  },
  "the bundle that grew is named": {
    sizes: { files: { "src/a.ts": 1, "src/b.ts": 1 }, gzipped: { ".": 151 } },
    problems: [". has 151 bytes gzipped, 1 more than its budget"],
  },
  "a new file is named": {
    sizes: { files: { "src/a.ts": 1, "src/b.ts": 1, "src/c.ts": 7 }, gzipped: { ".": 1 } },
    problems: ["src/c.ts has no budget: it has 7 bytes minified"],
  },
  "a file that is gone is named": {
    sizes: { files: { "src/a.ts": 1 }, gzipped: { ".": 1 } },
    problems: ["src/b.ts has a budget, but no bytes minified"],
  },
};

for (const [name, { sizes, problems }] of Object.entries(table)) {
  test(`sizeProblems: ${name}`, () => assert.deepEqual(sizeProblems(sizes, budget), problems));
}

test("budgetFor: has room for a few bytes in each file, not for many", () => {
  const { files, gzipped } = budgetFor({
    files: { "src/a.ts": 101, "src/b.ts": 2000 },
    gzipped: { ".": 14_300 },
  });
  assert.deepEqual(files, { "src/a.ts": 130, "src/b.ts": 2060 });
  assert.deepEqual(gzipped, { ".": 14_450 });
});
