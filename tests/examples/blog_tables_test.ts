/** The demo over relational databases: the same handlers, and a 304 until a row of the page changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { choose, type Chosen } from "../../examples/blog/choice.ts";
import { Refusal } from "../../examples/blog/failure.ts";
import { createSite, type Site } from "../../examples/blog/site.ts";
import { programs, Server } from "../postgres/server.ts";
import { json } from "./blog_support.ts";

const post = "post-2026-11-20-0060";

/** A site over 60 posts of 12 authors. */
class Blog {
  readonly database: Chosen;
  readonly site: Site;
  readonly #tags = new Map<string, string>();

  constructor(database: Chosen) {
    this.database = database;
    this.site = createSite(database);
  }

  /** Asks for a page with the tag that it had last; gives the status, and whether the registry has answered. */
  async visit(path: string): Promise<string> {
    const known = this.#tags.get(path);
    const headers: Record<string, string> = known === undefined ? {} : { "if-none-match": known };
    const { runs } = this.site.story;
    const response = await this.ask(path, { headers });
    await response.text();
    this.#tags.set(path, response.headers.get("etag") ?? "");
    return `${response.status}${this.site.story.runs === runs ? ", no run" : ""}`;
  }

  async ask(path: string, init?: RequestInit): Promise<Response> {
    return await this.site.fetch(new Request(`http://localhost${path}`, init));
  }

  /** Waits until the feed has brought a change of a document that was made behind the site's back. */
  async brought(id: string, write: () => Promise<unknown>): Promise<void> {
    const { story } = this.site;
    const before = story.changeOf(id);
    const coming = new Promise<void>((resolve) => {
      const stop = story.listen({
        onChange() {
          if (story.changeOf(id) === before) return;
          stop();
          resolve();
        },
      });
    });
    await write();
    await coming;
  }
}

async function withBlog(url: string, body: (blog: Blog) => Promise<void>): Promise<void> {
  const database = await choose(url, undefined);
  await database.fill({ posts: 60, authors: 12 });
  const blog = new Blog(database);
  try {
    await blog.site.follower.ready;
    await body(blog);
  } finally {
    await blog.site.close();
    await database.close();
  }
}

const skip = programs === undefined ? "no PostgreSQL; apt-get install postgresql" : false;
const databases = [["SQLite", false], ["PostgreSQL", skip]] as const;

for (const [name, skip] of databases) {
  test(
    `blog over ${name}: a page is 304 until one of its rows changes, by whichever door`,
    { skip },
    async () => {
      const server = name === "PostgreSQL" ? await Server.start() : undefined;
      const url = server === undefined ? "sqlite" : `postgres://postgres@127.0.0.1:${server.port}/postgres`;
      try {
        await withBlog(url, async (blog) => {
          const { store } = blog.database;
          const pages = ["/", `/posts/${post}`, `/api/posts/${post}`, "/?from=post-2026-10-20-0029"];
          const visits = async () => {
            const found: string[] = [];
            for (const page of pages) found.push(await blog.visit(page));
            return found;
          };
          assert.deepEqual(await visits(), ["200", "200", "200", "200"]);
          assert.deepEqual(await visits(), pages.map(() => "304, no run"));

          const before = (await store.post(post))!;
          await blog.brought(post, () => store.put({ ...before, title: "Changed behind its back" }));
          assert.deepEqual(await visits(), ["200", "200", "200", "200"], "a list is void with each post");
          assert.match(await (await blog.ask("/")).text(), /Changed behind its back/);
          assert.deepEqual(await visits(), pages.map(() => "304, no run"));

          const current = await (await blog.ask(`/api/posts/${post}`)).json() as { _rev: string };
          const put = (body: unknown) => blog.ask(`/api/posts/${post}`, json("PUT", body));
          assert.equal((await put({ ...current, title: "Through the site" })).status, 200);
          assert.equal((await put({ ...current, title: "Over an old revision" })).status, 409);
          assert.deepEqual((await visits()).slice(0, 3), ["200", "200", "200"]);

          // An author who is not there yet.
          const id = "post-2026-11-21-new";
          const { tags } = before;
          const fresh = {
            _id: id,
            title: "New",
            published: "2026-11-21",
            author: "author-new",
            tags,
            body: "Hello.",
          };
          await blog.brought(id, () => store.put(fresh));
          await assert.rejects(store.put(fresh), { statusCode: 409 }, "it is there by now");
          pages.push(`/posts/${id}`);
          // Whether the handler runs depends on when the feed brings the write through the site once more.
          const statuses = (await visits()).map((visit) => visit.slice(0, 3));
          assert.deepEqual(statuses, ["200", "304", "304", "200", "200"]);
          assert.match(await (await blog.ask(`/posts/${id}`)).text(), /Who wrote this is not known/);
          await visits();
          assert.deepEqual(await visits(), pages.map(() => "304, no run"));

          const { _rev } = (await store.post(id))!;
          await blog.brought(id, () => store.delete(id, _rev));
          await assert.rejects(store.delete(id, _rev), { statusCode: 409 });
          assert.equal(await blog.visit(`/posts/${id}`), "404");
          assert.equal(await blog.visit("/"), "200");
        });
      } finally {
        await server?.stop();
      }
    },
  );
}

test("choose: a database that is none is refused without its password", async () => {
  for (const text of ["mysql://ann:secret@127.0.0.1/x", "nonsense with secret", "ftp://secret"]) {
    await assert.rejects(async () => await choose(text, undefined), (error: Error) => {
      assert.ok(error instanceof Refusal);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
  await assert.rejects(choose("sqlite:/nowhere/blog.db", undefined), /cannot be used/);
});
