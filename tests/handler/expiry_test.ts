/** An entry ends at the moment that its response was made for (RFC 9111 §5.3, §5.2.2.1, §5.2.2.2). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { expiryOf } from "../../src/handler/cacheable.ts";
import { request } from "../support/http.ts";

const NOW = Date.UTC(2026, 10, 27, 12);
const at = (seconds: number) => new Date(NOW + seconds * 1000).toUTCString();

const ROWS: readonly (readonly [Record<string, string>, number])[] = [
  [{}, Infinity],
  [{ expires: at(60) }, 60],
  [{ expires: at(-60) }, Infinity],
  [{ expires: "0" }, Infinity],
  [{ "cache-control": "max-age=60" }, Infinity],
  [{ "cache-control": "max-age=60, must-revalidate" }, 60],
  [{ "cache-control": 'Must-Revalidate, MAX-AGE="60"' }, 60],
  [{ "cache-control": "s-maxage=60, must-revalidate" }, Infinity],
  [{ "cache-control": "max-age=0, must-revalidate" }, Infinity],
  [{ "cache-control": "max-age=90, must-revalidate", expires: at(60) }, 60],
  [{ "cache-control": "max-age=x, must-revalidate" }, Infinity],
];

for (const [fields, seconds] of ROWS) {
  test(`expiryOf: ${JSON.stringify(fields)}`, () => {
    const expected = seconds === Infinity ? Infinity : NOW + seconds * 1000;
    assert.equal(expiryOf(new Headers(fields), () => NOW), expected);
  });
}

test("withEtag: an entry does not outlive the Expires of its 200", async () => {
  let now = NOW;
  let runs = 0;
  const registry = new EtagRegistry({ manual: true, now: () => now });
  const site = withEtag(() => {
    runs++;
    return new Response("until one", {
      headers: { expires: at(60), ...dependsOn({ _id: "a", _rev: "1-a" }) },
    });
  }, { registry });
  const etag = (await site(request())).headers.get("etag")!;
  const ask = () => site(request({ "if-none-match": etag }));
  now += 59_999;
  await ask();
  assert.equal(runs, 1);
  now += 1;
  await ask();
  assert.deepEqual([runs, registry.stats.expired, registry.stats.lapsed], [2, 1, 1]);
});
