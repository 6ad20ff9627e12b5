import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsIn } from "../../scripts/repository.ts";

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

test("problemsIn: a source file of more than 250 lines is found", () => {
  assert.deepEqual(problemsIn("src/x.ts", "\n".repeat(250)), []);
  assert.deepEqual(problemsIn("src/x.ts", "\n".repeat(251)), ["src/x.ts has 251 lines, more than 250"]);
  assert.deepEqual(problemsIn("tests/x_test.ts", "\n".repeat(251)), []);
});
