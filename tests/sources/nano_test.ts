/** What a nano handle adds to a request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import nano from "nano";
import { changes, type NanoDatabase } from "../../src/nano.ts";
import { ids, live, until, withDatabase } from "../support/feed_harness.ts";

/** What is sent when the handle was made with this. */
async function sent(
  make: (origin: string) => NanoDatabase,
  options?: Parameters<typeof changes>[1],
): Promise<Record<string, string | string[] | undefined>> {
  let fields = {};
  await withDatabase(async ({ database }) => {
    database.put("a");
    const feed = changes(make(new URL(database.url).origin), { since: 0, feed: "normal", ...options });
    assert.deepEqual(ids(await until(feed.batches(), live)), ["a"]);
    fields = database.requests.at(-1)?.headers ?? {};
  });
  return fields;
}

test("nano: the credentials of the URL, its headers and its cookie are sent", async () => {
  const basic = await sent((origin) => nano(origin.replace("//", "//user:p%40ss@")).use("db"));
  assert.equal(basic["authorization"], `Basic ${btoa("user:p@ss")}`);
  const own = await sent((url) =>
    nano({ url, headers: { "x-own": "1" }, cookie: "AuthSession=abc" }).use("db")
  );
  assert.deepEqual([own["x-own"], own["cookie"]], ["1", "AuthSession=abc"]);
  const more = await sent((url) => nano({ url, headers: { "x-own": "1" } }).use("db"), {
    headers: { "x-own": "2" },
  });
  assert.equal(more["x-own"], "2");
});

test("nano: a cookie that the server has set goes before the one it was made with, asked for each time", async () => {
  let n = 0;
  const jar = { getCookieString: (url: string) => (assert.ok(url.endsWith("/db")), `AuthSession=${++n}`) };
  const fields = await sent((url) => ({
    config: { url, db: "db" },
    server: { config: { cookie: "AuthSession=old", cookieJar: jar } },
  }));
  assert.deepEqual([fields["cookie"], n], ["AuthSession=3", 3]);
});

test("nano: the agent is given to fetch as its dispatcher", async () => {
  const agent = {};
  const seen = new Set<unknown>();
  await sent((url) => ({ config: { url, db: "db" }, server: { config: { agent } } }), {
    fetch: (url, init) => {
      const { dispatcher, ...rest } = init as RequestInit & { readonly dispatcher?: unknown };
      seen.add(dispatcher);
      return fetch(url, rest);
    },
  });
  assert.deepEqual([...seen], [agent]);
});

test("nano: the name is encoded; a handle of a server is refused at once", () => {
  assert.equal(
    String(changes(nano("http://127.0.0.1:5984/").use("a/b"))),
    "changes of http://127.0.0.1:5984/a%2Fb",
  );
  assert.throws(() => changes(nano("http://127.0.0.1:5984") as never), /nano database handle/);
});
