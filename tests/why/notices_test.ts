/** When notices() tells, and what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { causes } from "../../src/why/causes.ts";
import { type Notice, notices } from "../../src/why/notices.ts";

type Fields = Readonly<Record<string, string>>;

/** A site whose pages have these fields, and what is told about it. */
function site(fieldsOf: (path: string) => Fields = () => ({})) {
  const registry = new EtagRegistry({ manual: true });
  const told: Notice[] = [];
  const stop = notices(registry, (notice) => told.push(notice));
  const handler = withEtag((request: Request) => {
    const { pathname } = new URL(request.url);
    return new Response("page", { headers: { ...dependsOn(pathname), ...fieldsOf(pathname) } });
  }, { registry });
  const visit = async (path: string, fields: Fields = {}, times = 1) => {
    for (let i = 0; i < times; i++) {
      await handler(new Request(`http://localhost${path}`, { headers: fields }));
    }
  };
  return { told, stop, visit };
}

test("notices: a cause is told at its fifth time in a row, and once", async () => {
  const { told, visit } = site();
  await visit("/posts/1", { cookie: "visits=1" }, 4);
  assert.deepEqual(told, []);
  await visit("/posts/2?q=1", { cookie: "visits=1" }, 20);
  assert.deepEqual(told, [{
    part: "/posts",
    reason: "not-public",
    text:
      `The last 5 responses under /posts were not registered: ${
        causes["not-public"].meaning
      } (not-public). ` +
      causes["not-public"].cure,
  }]);
});

test("notices: a response that is registered ends the row", async () => {
  const { told, visit } = site();
  for (let i = 0; i < 10; i++) {
    await visit("/posts/1", { cookie: "visits=1" }, 4);
    await visit("/posts/1");
  }
  assert.deepEqual(told, []);
});

test("notices: another cause begins another row", async () => {
  const { told, visit } = site((path) => path.endsWith("n") ? { "cache-control": "no-store" } : {});
  for (let i = 0; i < 10; i++) {
    await visit("/posts/n");
    await visit("/posts/1", { cookie: "visits=1" });
  }
  assert.deepEqual(told, []);
});

test("notices: each part of the site by itself", async () => {
  const { told, visit } = site((path) =>
    path === "/" || path.startsWith("/a") ? { "cache-control": "no-store" } : {}
  );
  for (const path of ["/", "/a/1", "/about", "/b/1"]) await visit(path, {}, 9);
  assert.deepEqual(told.map(({ part, reason }) => [part, reason]), [
    ["/", "no-store"],
    ["/a", "no-store"],
    ["/about", "no-store"],
  ]);
});

test("notices: requests that are not answered although the page is registered", async () => {
  const { told, visit } = site();
  await visit("/posts/1");
  await visit("/posts/1", { cookie: "visits=1", "if-none-match": '"any"' }, 5);
  assert.deepEqual(told.map(({ reason }) => reason), ["credentials", "not-public"]);
  assert.match(told[0]!.text, /^The last 5 requests under \/posts were not answered from the registry: /);
});

test("notices: new pages, other tags and errors are no cause", async () => {
  const { told, visit } = site();
  for (let i = 0; i < 50; i++) await visit(`/posts/${i}`, { "if-none-match": '"older"' });
  assert.deepEqual(told, []);
});

test("notices: a flood of paths counts as one part in the end", async () => {
  const { told, visit } = site(() => ({ "cache-control": "no-store" }));
  for (let i = 0; i < 1_000; i++) await visit(`/${i}`);
  assert.deepEqual(told.map(({ part }) => part), ["other paths"]);
});

test("notices: what tells may throw", async () => {
  const registry = new EtagRegistry({ manual: true });
  notices(registry, () => {
    throw new Error("no console");
  });
  const handler = withEtag(() => new Response("page"), { registry });
  for (let i = 0; i < 9; i++) assert.equal((await handler(new Request("http://localhost/"))).status, 200);
});

test("notices: told no more after the end", async () => {
  const { told, stop, visit } = site();
  stop();
  await visit("/posts/1", { cookie: "visits=1" }, 9);
  assert.deepEqual(told, []);
});
