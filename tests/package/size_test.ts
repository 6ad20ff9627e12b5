import { stop } from "esbuild";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, test } from "node:test";
import { bundle, bundleProblems, type BundleRules, bundles } from "./bundles.ts";

after(() => stop());

for (const readsPackageJson of [true, false]) {
  const bundler = readsPackageJson ? 'told "sideEffects": false' : "told nothing";
  for (const [name, rules] of Object.entries(bundles)) {
    test(`a bundle of ${name}, the bundler ${bundler}: has nothing that it must not have`, async () => {
      assert.deepEqual(bundleProblems(await bundle(rules, readsPackageJson), rules), []);
    });
  }

  test(`evaluatePreconditions, the bundler ${bundler}: weighs from . at most 5 % more than from its sub-path`, async () => {
    const names = ["evaluatePreconditions"];
    const whole = await bundle({ from: "mod.ts", names }, readsPackageJson);
    const part = await bundle({ from: "src/http/preconditions.ts", names }, readsPackageJson);
    assert.ok(whole.gzipped <= part.gzipped * 1.05, `${whole.gzipped} bytes, not ${part.gzipped}`);
  });
}

for (const [name, { from, without }] of Object.entries(bundles)) {
  test(`the rules for a bundle of ${name}: name what is there`, () => {
    for (const path of [from, ...without]) {
      assert.ok(existsSync(new URL(`../../${path}`, import.meta.url)), path);
    }
  });
}

const rules: BundleRules = { from: "mod.ts", without: ["src/couchdb/", "src/nano.ts"], most: 100 };

const table: Record<string, { bundle: Parameters<typeof bundleProblems>[0]; problems: string[] }> = {
  "none where nothing is forbidden": {
    bundle: { files: { "mod.ts": 1, "src/a.ts": 9 }, gzipped: 100 },
    problems: [],
  },
  "a file that is named": {
    bundle: { files: { "src/nano.ts": 7 }, gzipped: 1 },
    problems: ["it has 7 bytes of src/nano.ts"],
  },
  "a file of a folder that is named": {
    bundle: { files: { "src/couchdb/wire/rows.ts": 8, "src/couchdb.ts": 1 }, gzipped: 1 },
    problems: ["it has 8 bytes of src/couchdb/wire/rows.ts"],
  },
  "a bundle that weighs too much": {
    bundle: { files: { "mod.ts": 1 }, gzipped: 103 },
    problems: ["it has 103 bytes, 3 more than it may"],
  },
};

for (const [name, { bundle, problems }] of Object.entries(table)) {
  test(`bundleProblems: ${name}`, () => assert.deepEqual(bundleProblems(bundle, rules), problems));
}
