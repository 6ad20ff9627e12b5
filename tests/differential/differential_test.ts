import assert from "node:assert/strict";
import { test } from "node:test";
import { compare } from "./compare.ts";
import { answers, explain } from "./model.ts";
import { missingPackages, SERVER_NAMES, startServer } from "./servers.ts";

/** A slice of `deno task differential`, always the same one. */
const REQUESTS = 500;
const SEED = 20261122;

const missing = missingPackages().join(" ");
const skip = missing === "" ? false : `no servers to compare with; apt-get install ${missing}`;

for (const name of SERVER_NAMES) {
  test(`differential: ${name} and ours on ${REQUESTS} requests`, { skip }, async () => {
    const server = await startServer(name);
    try {
      const { ended, explained, unexplained } = await compare(server, REQUESTS, SEED);
      assert.deepEqual(unexplained, []);
      for (const status of [200, 304, 412]) assert.ok((ended.get(status) ?? 0) >= REQUESTS / 10, `${status}`);
      assert.ok(explained.size > 0, "no server agrees with RFC 9110 on everything");
    } finally {
      await server.close();
    }
  });
}

const PAGE = { etag: '"a"', lastModified: "Sun, 06 Nov 1994 08:49:37 GMT" };

test("explain: nothing explains an answer out of nowhere", () => {
  for (const name of SERVER_NAMES) {
    for (const status of [304, 412, 206, 400, 500]) {
      assert.equal(explain(name, { method: "GET", lines: [] }, PAGE, status), undefined, `${name} ${status}`);
    }
    const match = [["If-Match", '"b"']] as const;
    assert.equal(explain(name, { method: "GET", lines: match }, PAGE, 200), undefined, name);
    const none = [["If-None-Match", '"b"']] as const;
    assert.equal(explain(name, { method: "GET", lines: none }, PAGE, 304), undefined, name);
  }
});

test("explain: the fewest deviations are named", () => {
  const asked = {
    method: "GET",
    lines: [["If-None-Match", '"a"'], ["If-Modified-Since", "Sat, 05 Nov 1994 08:49:37 GMT"]],
  } as const;
  assert.deepEqual([...answers(asked, PAGE, new Set())], [304]);
  assert.deepEqual(explain("nginx", asked, PAGE, 200), ["modified beside If-None-Match"]);
  assert.equal(explain("Go net/http", asked, PAGE, 200), undefined);
});
