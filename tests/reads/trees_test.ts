/** A page declares what its components were given, and nothing of another page. `deno task reads` builds 100,000. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLibrary } from "./library.ts";
import { Press } from "./trees.ts";

test("reads: random trees of components declare what they were given", async () => {
  const library = await openLibrary();
  const press = new Press(library);
  let documents = 0;
  for (let first = 1; first < 400; first += 20) {
    documents += await press.print(Array.from({ length: 20 }, (_, i) => first + i), first % 200 === 1);
  }
  assert.ok(documents > 400);
  await library.close();
});
