/** The page of frameworks shows each recipe as it is run by `deno task frameworks`, and a row for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { frameworks, glueOf, page, recipeOf } from "../frameworks/recipes.ts";

for (const framework of frameworks) {
  test(`docs/frameworks.md: the recipe for ${framework.name} is the one that is run`, () => {
    assert.ok(
      page().includes("```js\n" + recipeOf(framework) + "```\n"),
      `it does not show ${framework.recipe}`,
    );
    const row = new RegExp(`^\\| ${framework.name} +\\| [\\d.]+ +\\| ${glueOf(framework)} +\\|`, "m");
    assert.match(page(), row);
    assert.ok(glueOf(framework) > 0);
  });
}
