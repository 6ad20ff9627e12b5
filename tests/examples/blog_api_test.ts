/** The demo's JSON interface: writes, their preconditions (RFC 9110 §13.1), and what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deletePost, putPost } from "../../examples/blog/api.ts";
import type { Store } from "../../examples/blog/store.ts";
import { revisionOf } from "../../mod.ts";
import { json, withBlog } from "./blog_support.ts";
import { targets } from "./database_support.ts";
import { invalidates } from "../../mod.ts";

const id = "post-2026-11-20-0060";
const path = `/api/posts/${id}`;
const content = {
  title: "New",
  published: "2026-11-21",
  author: "author-001",
  tags: ["tides"],
  body: "One.\n\nTwo.",
};

test("PUT: creates with 201 and its place, updates with 200", () =>
  withBlog(async (blog) => {
    const fresh = "/api/posts/post-2026-11-21-new";
    const created = await blog.ask(fresh, json("PUT", content));
    assert.equal(created.status, 201);
    assert.equal(created.headers.get("location"), "/posts/post-2026-11-21-new");
    const { rev } = await created.json() as { rev: string };
    const stored = await blog.ask(fresh);
    const named = new Request("http://localhost/", { headers: { "if-match": stored.headers.get("etag")! } });
    assert.equal(revisionOf(named), rev, "the tag tells the revision again");
    assert.deepEqual(await stored.json(), { _id: "post-2026-11-21-new", _rev: rev, ...content });
    assert.equal((await blog.ask(fresh, json("PUT", { ...content, _rev: rev }))).status, 200);
  }));

test("PUT: the revision is that of the body or of If-Match, and a stale one is refused", () =>
  withBlog(async (blog) => {
    const read = await blog.ask(path);
    const etag = read.headers.get("etag")!;
    const { _rev } = await read.json() as { _rev: string };
    const put = async (body: unknown, headers: Record<string, string>) =>
      (await blog.ask(path, json("PUT", body, headers))).status;
    assert.equal(await put(content, {}), 409, "an existing post and no revision");
    assert.equal(await put(content, { "if-none-match": "*" }), 412, "only if there is none (§13.1.2)");
    assert.equal(await put(content, { "if-match": '"1-0"' }), 412, "another tag (§13.1.1)");
    assert.equal(
      await put(content, { "if-match": `W/${etag}` }),
      412,
      "a weak tag never matches strongly (§13.1.1)",
    );
    assert.equal(await put(content, { "if-match": `"a,b", ${etag}` }), 200, "one of a list");
    assert.equal(await put(content, { "if-match": etag }), 412, "the same tag, now stale");
    const now = await (await blog.ask(path)).json() as { _rev: string };
    assert.equal(await put(content, { "if-match": `"${now._rev}"` }), 200, "CouchDB's own tag");
    assert.equal(await put({ ...content, _rev }, {}), 409, "a stale _rev");
    assert.equal(await put(content, { "if-match": "*" }), 200, "any, as long as there is one");
  }));

for (const target of targets) {
  test(`PUT: of 100 edits from one revision one wins, and none is lost; ${target.name}`, () =>
    withBlog(async (blog) => {
      const read = await blog.ask(path);
      const etag = read.headers.get("etag")!;
      const { _rev, ...before } = await read.json() as typeof content & { readonly _rev: string };
      const put = async (writer: string, etag: string, tags: readonly string[]): Promise<number> => {
        const edit = json("PUT", { ...before, tags: [...tags, writer] }, { "if-match": etag });
        const response = await blog.ask(path, edit);
        await response.text();
        return response.status;
      };
      const writers = Array.from({ length: 100 }, (_, index) => `writer-${index}`);
      const statuses = await Promise.all(writers.map((writer) => put(writer, etag, before.tags)));
      assert.deepEqual(statuses.toSorted(), [200, ...Array<number>(99).fill(412)]);

      const losers = writers.filter((_, index) => statuses[index] === 412);
      for (const writer of losers) {
        const again = await blog.ask(path, { headers: { "if-none-match": etag } });
        assert.equal(again.status, 200, "a stale tag is not confirmed");
        const { tags } = await again.json() as typeof content;
        assert.equal(await put(writer, again.headers.get("etag")!, tags), 200);
      }
      const stored = await (await blog.database(`/${id}`)).json() as typeof content & {
        readonly _rev: string;
      };
      assert.deepEqual(stored.tags.toSorted(), [...before.tags, ...writers].toSorted());
      assert.equal(parseInt(stored._rev), parseInt(_rev) + 100, "each edit was written once");
    }, target));
}

test("PUT, DELETE: name what they changed, so that the writer need not wait for the feed", async () => {
  const stored = { _id: id, _rev: "1-a", ...content };
  const store: Store = {
    post: () => Promise.resolve(stored),
    signedPosts: () => Promise.resolve([{ post: stored, author: undefined }]),
    signedPost: () => Promise.resolve({ post: stored, author: undefined }),
    put: () => Promise.resolve("2-b"),
    delete: () => Promise.resolve(),
  };
  const url = `http://localhost/api/posts/${id}`;
  const put = await putPost(store, id, new Request(url, json("PUT", stored)));
  const deleted = await deletePost(store, id, new Request(`${url}?rev=1-a`, { method: "DELETE" }));
  for (const { status, headers } of [put, deleted]) {
    assert.equal(status, 200);
    const [field, value] = Object.entries(invalidates(id, "posts"))[0]!;
    assert.equal(headers.get(field), value);
  }
});

test("DELETE: needs a revision, and only the current one will do", () =>
  withBlog(async (blog) => {
    const { _rev } = await (await blog.ask(path)).json() as { _rev: string };
    const remove = async (query: string, headers: Record<string, string> = {}) =>
      (await blog.ask(`${path}${query}`, { method: "DELETE", headers })).status;
    assert.equal(await remove(""), 428);
    assert.equal(await remove("", { "if-match": '"1-0"' }), 412);
    assert.equal(await remove("?rev=1-00000000000000000000000000000000"), 409);
    assert.equal(await remove("", { "if-match": `"${_rev}"` }), 200);
    assert.equal((await blog.ask(path)).status, 404);
    assert.equal(await remove(`?rev=${_rev}`), 404);
  }));

/** What is sent, and the status it gets. */
const refusals: readonly [name: string, path: string, init: RequestInit, status: number][] = [
  ["a body that is no JSON", path, { method: "PUT", body: "{" }, 400],
  ["a body that is no object", path, json("PUT", [content]), 400],
  ["no title", path, json("PUT", { ...content, title: " " }), 400],
  ["a date that is none", path, json("PUT", { ...content, published: "today" }), 400],
  ["an author that is none", path, json("PUT", { ...content, author: "post-1" }), 400],
  ["tags that are no texts", path, json("PUT", { ...content, tags: [1] }), 400],
  ["another document's id", path, json("PUT", { ...content, _id: "post-2026-11-21-x" }), 400],
  ["a revision that is none", path, json("PUT", { ...content, _rev: "x" }), 400],
  ["an id that is none", "/api/posts/_design", json("PUT", content), 400],
  ["an author's id", "/api/posts/author-001", { method: "GET" }, 404],
  ["an unknown post", "/api/posts/post-2026-11-21-x", { method: "GET" }, 404],
  ["deleting an unknown post", "/api/posts/post-2026-11-21-x", { method: "DELETE" }, 404],
  ["another method", path, { method: "PATCH" }, 405],
  ["writing a page", "/posts/post-2026-11-20-0060", json("PUT", content), 405],
  ["an unknown address", "/nowhere", {}, 404],
];

test("blog: what is refused, and how", () =>
  withBlog(async (blog) => {
    const before = await (await blog.ask(path)).text();
    for (const [name, target, init, status] of refusals) {
      const response = await blog.ask(target, init);
      await response.text();
      assert.equal(response.status, status, name);
      assert.equal(response.headers.has("allow"), status === 405, name);
    }
    assert.equal(await (await blog.ask(path)).text(), before);
  }));
