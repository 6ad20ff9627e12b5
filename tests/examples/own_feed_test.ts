/** The example without CouchDB: a change that the feed reports voids the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prices, servePrices } from "../../examples/own_feed.ts";

test("own feed: a new price takes the old tag out, and no other", async () => {
  const prices = new Prices();
  const { fetch, follower } = servePrices(prices);
  await follower.ready;
  const ask = (name: string, etag = "") =>
    fetch(new Request(`http://localhost/${name}`, { headers: { "if-none-match": etag } }));
  const [tea, cake] = [await ask("tea"), await ask("cake")].map((response) => response.headers.get("etag")!);
  assert.equal((await ask("tea", tea)).status, 304);
  prices.set("tea", 320);
  // The feed is in this process: the follower has its turn before the next task.
  await new Promise((resolve) => setTimeout(resolve));
  const response = await ask("tea", tea);
  assert.deepEqual(await response.json(), { name: "tea", price: 320 });
  assert.equal((await ask("cake", cake)).status, 304);
  assert.equal((await ask("water")).status, 404);
  await follower.close();
});
