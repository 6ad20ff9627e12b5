/** The demo site end to end, over real sockets: what is answered from the registry, and when it no longer is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changed, json, withBlog } from "./blog_support.ts";
import { embedded } from "./database_support.ts";

const post = "post-2026-11-20-0060";
const fresh = "post-2026-11-21-fresh";

interface Document {
  readonly _id: string;
  readonly _rev: string;
  readonly author: string;
  readonly [field: string]: unknown;
}

async function etagOf(response: Response): Promise<string> {
  await response.text();
  assert.equal(response.status, 200);
  const etag = response.headers.get("etag");
  assert.ok(etag);
  return etag;
}

for (const path of ["/", "/?from=post-2026-10-20-0029", `/posts/${post}`, `/api/posts/${post}`]) {
  test(`blog: ${path} is answered 304 without its handler`, () =>
    withBlog(async (blog) => {
      const first = await blog.ask(path);
      const etag = await etagOf(first);
      const runs = await blog.runs();
      const second = await blog.ask(path, { headers: { "if-none-match": etag } });
      assert.equal(second.status, 304);
      assert.equal(second.headers.get("cache-status"), "Stillfresh; hit");
      assert.equal(await second.text(), "");
      assert.equal(first.headers.get("cache-control"), "public, no-cache");
      assert.equal(first.headers.get("cache-groups"), null);
      for (const field of ["etag", "cache-control", "vary"]) {
        assert.ok(first.headers.get(field));
        assert.equal(second.headers.get(field), first.headers.get(field), field);
      }
      assert.equal(await blog.runs(), runs);
    }));
}

test("blog: a tag is good under every name of the site, and a page tells its documents", () =>
  withBlog(async (blog) => {
    const ask = (origin: string, etag = "") =>
      blog.site.fetch(new Request(`${origin}/posts/${post}`, { headers: { "if-none-match": etag } }));
    const response = await ask("http://localhost:8000");
    assert.match(
      await response.clone().text(),
      /data-documents="post-2026-11-20-0060@1-\w+ author-\d+@1-\w+"/,
    );
    const elsewhere = await ask("https://slack.example", await etagOf(response));
    assert.equal(elsewhere.headers.get("cache-status"), "Stillfresh; hit");
  }));

test("blog: HEAD is answered like GET, without a body", () =>
  withBlog(async (blog) => {
    for (const path of ["/", `/posts/${post}`, `/api/posts/${post}`]) {
      const etag = await etagOf(await blog.ask(path));
      assert.equal((await blog.ask(path, { method: "HEAD" })).status, 200);
      const head = await blog.ask(path, { method: "HEAD", headers: { "if-none-match": etag } });
      assert.equal(head.status, 304, path);
      assert.equal(head.headers.get("etag"), etag);
    }
  }));

test("blog: an edit through the site is seen by the very next request", () =>
  withBlog(async (blog) => {
    const paths = ["/", `/posts/${post}`, `/api/posts/${post}`];
    const etags = await Promise.all(paths.map(async (path) => etagOf(await blog.ask(path))));
    const document = await (await blog.ask(`/api/posts/${post}`)).json() as Document;
    const put = await blog.ask(`/api/posts/${post}`, json("PUT", { ...document, title: "Edited here" }));
    assert.equal(put.status, 200);
    assert.equal(put.headers.get("cache-group-invalidation"), null);
    for (const [index, path] of paths.entries()) {
      const response = await blog.ask(path, { headers: { "if-none-match": etags[index]! } });
      assert.match(await response.clone().text(), /Edited here/);
      assert.notEqual(await etagOf(response), etags[index]);
    }
  }));

/** What somebody else does to the database, which pages show it, and what they then say. */
const behindTheBack = [
  {
    name: "an edit of a post",
    id: post,
    edit: { title: "Edited there" },
    paths: ["/", `/posts/${post}`, `/api/posts/${post}`],
  },
  {
    name: "an edit of its author",
    id: "author",
    edit: { name: "Edited there" },
    paths: ["/", `/posts/${post}`],
  },
  {
    name: "the deletion of its author",
    id: "author",
    edit: { _deleted: true },
    paths: [`/posts/${post}`],
    says: /Unknown/,
  },
  { name: "a new post", id: fresh, edit: { title: "Edited there" }, paths: ["/"] },
  {
    name: "the deletion of a post",
    id: post,
    edit: { _deleted: true },
    paths: ["/"],
    says: /^(?!.*href="\/posts\/post-2026-11-20-0060)/s,
  },
];

for (const { name, id, edit, paths, says = /Edited there/ } of behindTheBack) {
  test(`blog: ${name} behind its back changes ${paths.join(" and ")}`, () =>
    withBlog(async (blog) => {
      const template = await (await blog.database(`/${post}`)).json() as Document;
      const target = id === "author" ? template.author : id;
      const etags = await Promise.all(paths.map(async (path) => etagOf(await blog.ask(path))));
      const { _rev, ...content } = template;
      const before = id === fresh ? content : await (await blog.database(`/${target}`)).json() as Document;
      const written = await blog.database(`/${target}`, json("PUT", { ...before, ...edit, _id: target }));
      // CouchDB answers a deletion by PUT with 200, PouchDB with 201.
      assert.ok(written.ok);
      for (const [index, path] of paths.entries()) {
        const response = await changed(blog, path, etags[index]!);
        assert.match(await response.clone().text(), says);
        assert.notEqual(await etagOf(response), etags[index]);
      }
    }));
}

test("blog: an author who does not exist yet changes the page when he does", () =>
  withBlog(async (blog) => {
    const document = await (await blog.database(`/${post}`)).json() as Document;
    await blog.ask(`/api/posts/${post}`, json("PUT", { ...document, author: "author-late" }));
    for (const path of ["/", `/posts/${post}`]) assert.match(await (await blog.ask(path)).text(), /Unknown/);
    const etags = await Promise.all(
      ["/", `/posts/${post}`].map(async (path) => etagOf(await blog.ask(path))),
    );
    await blog.database("/author-late", json("PUT", { name: "Late <b>Arrival", about: "Came after." }));
    for (const [index, path] of ["/", `/posts/${post}`].entries()) {
      assert.match(await (await changed(blog, path, etags[index]!)).text(), /Late &#60;b&#62;Arrival/);
    }
  }));

test("blog: a page that was deleted is 404, and not remembered", () =>
  withBlog(async (blog) => {
    const etag = await etagOf(await blog.ask(`/posts/${post}`));
    const { _rev } = await (await blog.database(`/${post}`)).json() as Document;
    await blog.database(`/${post}?rev=${_rev}`, { method: "DELETE" });
    assert.equal((await changed(blog, `/posts/${post}`, etag)).status, 404);
    const missing = await blog.ask(`/posts/${post}`, { headers: { "if-none-match": "*" } });
    assert.equal(missing.status, 404);
  }));

test("blog: only a page that is made of documents says that a reload runs nothing", () =>
  withBlog(async (blog) => {
    const text = async (path: string) => await (await blog.ask(path)).text();
    assert.match(await text("/"), /run № \d+ of the handler[^]*Reload/);
    assert.match(await text(`/posts/${post}`), /run № \d+ of the handler[^]*Reload/);
    assert.doesNotMatch(await text("/posts/post-2026-11-20-none"), /Reload/);
    assert.doesNotMatch(await text("/nothing"), /Reload/);
  }));

test("blog: while the database is away no tag is good, and the answer is 503", () =>
  withBlog(async (blog) => {
    const paths = ["/", `/posts/${post}`, `/api/posts/${post}`];
    const etags = await Promise.all(paths.map(async (path) => etagOf(await blog.ask(path))));
    await blog.closeDatabase();
    for (const [index, path] of paths.entries()) {
      const response = await changed(blog, path, etags[index]!);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "5");
    }
  }, embedded));

test("blog: what an author writes is text, never markup", () =>
  withBlog(async (blog) => {
    const text = `<script>alert("1")</script> & 'more'`;
    const document = {
      title: text,
      published: "2026-11-21",
      author: "author-001",
      tags: [text],
      body: `${text}\n\n${text}`,
    };
    assert.equal((await blog.ask(`/api/posts/${fresh}`, json("PUT", document))).status, 201);
    for (const path of ["/", `/posts/${fresh}`, "/posts/%3Cscript%3E", "/?from=<script>"]) {
      assert.doesNotMatch(
        await (await blog.ask(path)).text(),
        /<script(?! src="\/story\/script\.js\?\w+" defer>)/i,
        path,
      );
    }
    assert.match(await (await blog.ask(`/posts/${fresh}`)).text(), /&#60;script&#62;alert\(&#34;1&#34;\)/);
  }));

test("blog: older posts are one link away, each post on one list", () =>
  withBlog(async (blog) => {
    const seen: string[] = [];
    for (let path: string | undefined = "/"; path !== undefined;) {
      const text = await (await blog.ask(path)).text();
      seen.push(...Array.from(text.matchAll(/href="\/posts\/([^"]+)"/g), (match) => match[1]!));
      path = /href="(\/\?from=[^"]+)"/.exec(text)?.[1];
    }
    assert.equal(seen.length, 60);
    assert.deepEqual(seen, [...seen].sort().reverse());
  }));

test("blog: /stats counts handler runs and never runs one", () =>
  withBlog(async (blog) => {
    const before = await blog.runs();
    assert.equal(await blog.runs(), before);
    const response = await blog.ask("/stats");
    assert.equal(response.headers.get("cache-control"), "no-store");
    const { live } = await response.json() as { live: boolean };
    assert.equal(live, true);
  }));
