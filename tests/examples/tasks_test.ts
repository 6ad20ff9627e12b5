/** The examples by task, on the embedded database: each is answered without its handler until what it shows has changed. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import nano, { type DocumentScope } from "nano";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { startDatabase } from "../../examples/blog/database.ts";
import { serveAttachments } from "../../examples/tasks/attachment.ts";
import { serveCompressed } from "../../examples/tasks/compression.ts";
import { serveForm } from "../../examples/tasks/form.ts";
import { serveJsonApi } from "../../examples/tasks/json_api.ts";
import { serveWithLayout } from "../../examples/tasks/layout.ts";
import { serveLists } from "../../examples/tasks/lists.ts";
import { serveMembers } from "../../examples/tasks/members.ts";
import { serveRss } from "../../examples/tasks/rss.ts";
import { documents, examples } from "../../examples/tasks/run.ts";
import { serveSearch } from "../../examples/tasks/search.ts";
import type { Served } from "../../examples/tasks/served.ts";
import { serveBoth } from "../../examples/tasks/several_databases.ts";
import { staticFiles } from "../../examples/tasks/static_files.ts";
import { serveStream } from "../../examples/tasks/streaming.ts";

// deno-lint-ignore no-explicit-any -- documents of every example
type Database = DocumentScope<any>;

let server: Awaited<ReturnType<typeof startDatabase>>;
let opened = 0;
before(async () => void (server = await startDatabase()));
after(() => server.close());

async function database(documents: Readonly<Record<string, object>> = {}): Promise<Database> {
  const couch = nano(server.url);
  const name = `tasks-${++opened}`;
  await couch.db.create(name);
  const made: Database = couch.use(name);
  for (const [_id, document] of Object.entries(documents)) await made.insert({ _id, ...document });
  return made;
}

async function edit(database: Database, _id: string, fields: object): Promise<void> {
  await database.insert({ ...await database.get(_id).catch(() => ({ _id })), ...fields });
}

/** A client of a site, which waits for what the feed has to tell. */
async function clientOf({ fetch, follower, registry }: Served) {
  await follower.ready;
  const ask = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
    const response = await fetch(new Request(`http://localhost${path}`, { headers, ...init }));
    const bytes = new Uint8Array(await response.arrayBuffer());
    const field = (name: string) => response.headers.get(name) ?? "";
    return {
      status: response.status,
      bytes,
      text: new TextDecoder().decode(bytes),
      field,
      etag: field("etag"),
    };
  };
  /** Whether a copy is confirmed without the handler. */
  const isHit = async (path: string, etag: string) =>
    (await ask(path, { "if-none-match": etag })).field("cache-status").endsWith("; hit");
  /** Waits until a tag is void, because the feed has told the change. */
  const until = async (etag: string) => {
    for (const limit = performance.now() + 5_000; registry.hasTag(etag);) {
      assert.ok(performance.now() < limit, "the feed has told the change");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { ask, isHit, until };
}

test("json_api: read, list, create, edit, delete, and no lost update", async () => {
  const blog = await database({ "post-1": { title: "First" } });
  const site = serveJsonApi(blog);
  const { ask, isHit, until } = await clientOf(site);
  const [one, list] = [await ask("/post-1"), await ask("/")];
  assert.ok(await isHit("/post-1", one.etag) && await isHit("/", list.etag));
  const put = (path: string, headers: Record<string, string>, body: object) =>
    ask(path, headers, { method: "PUT", body: JSON.stringify(body) });
  assert.equal((await put("/post-1", {}, { title: "Blind" })).status, 428);
  assert.equal((await put("/post-2", { "if-none-match": "*" }, { title: "Second" })).status, 204);
  assert.match((await ask("/", { "if-none-match": list.etag })).text, /Second/);
  await edit(blog, "post-1", { title: "Changed elsewhere" });
  await until(one.etag);
  assert.equal((await put("/post-1", { "if-match": one.etag }, { title: "Lost" })).status, 412);
  const fresh = await ask("/post-1", { "if-none-match": one.etag });
  assert.equal(JSON.parse(fresh.text).title, "Changed elsewhere");
  assert.equal((await put("/post-1", { "if-match": fresh.etag }, { title: "Third" })).status, 204);
  const last = await ask("/post-1");
  assert.equal((await ask("/post-1", { "if-match": last.etag }, { method: "DELETE" })).status, 204);
  assert.equal((await ask("/post-1")).status, 404);
  await site.follower.close();
});

test("json_api: nothing but posts is read or written, and what is no post is refused", async () => {
  const blog = await database({ "post-1": { title: "First" }, "session-1": { title: "Secret" } });
  const site = serveJsonApi(blog);
  const { ask } = await clientOf(site);
  const create = (path: string, body: string) => ask(path, { "if-none-match": "*" }, { method: "PUT", body });
  for (const path of ["/session-1", "/_all_docs", "/_design/x", "/post-1/x"]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  for (const path of ["/session-2", "/_design/x", "/_local/x", "/"]) {
    assert.equal((await create(path, '{"title":"x"}')).status, 404, path);
  }
  for (const body of ["{", "{}", "null", '{"title":1}']) {
    assert.equal((await create("/post-2", body)).status, 400, body);
  }
  assert.equal((await create("/post-2", '{"title":"Second","_deleted":true}')).status, 204);
  assert.match((await ask("/post-2")).text, /Second/);
  await site.follower.close();
});

test("json_api: a method that it does not have writes nothing", async () => {
  const blog = await database({ "post-1": { title: "First" } });
  const site = serveJsonApi(blog);
  const { ask } = await clientOf(site);
  for (const method of ["POST", "PATCH"]) {
    const answer = await ask("/post-1", { "if-match": "*" }, { method, body: '{"title":"x"}' });
    assert.deepEqual([answer.status, answer.field("allow")], [405, "GET, HEAD, PUT, DELETE"], method);
  }
  assert.equal((await ask("/post-9", {}, { method: "OPTIONS" })).status, 405);
  assert.equal((await ask("/post-9", { "if-none-match": "*" }, { method: "DELETE" })).status, 404);
  assert.equal(JSON.parse((await ask("/post-1")).text).title, "First");
  assert.equal((await ask("/post-9")).status, 404);
  await site.follower.close();
});

test("layout: the page depends on the menu that its layout reads", async () => {
  const db = await database({ "post-1": { title: "First" }, menu: { title: "Menu", links: ["about"] } });
  const site = serveWithLayout(db);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, text } = await ask("/post-1");
  assert.match(text, /about.*First/);
  assert.ok(await isHit("/post-1", etag));
  await edit(db, "menu", { links: ["contact"] });
  await until(etag);
  assert.match((await ask("/post-1", { "if-none-match": etag })).text, /contact/);
  await site.follower.close();
});

test("layout: a title is text, and a document that is no post is no page", async () => {
  const db = await database({ "post-1": { title: "<b>" }, menu: { title: "Menu", links: ['"><i>'] } });
  const site = serveWithLayout(db);
  const { ask } = await clientOf(site);
  assert.doesNotMatch((await ask("/post-1")).text, /<b>|<i>/);
  for (const path of ["/menu", "/_all_docs"]) assert.equal((await ask(path)).status, 404, path);
  await site.follower.close();
});

test("lists: a new post voids its own tag's pages and the list, and no other tag's", async () => {
  const blog = await database({
    "post-1": { title: "Tide", tags: ["sea"] },
    "post-2": { title: "Ridge", tags: ["hill"] },
  });
  const site = serveLists(blog);
  const { ask, isHit, until } = await clientOf(site);
  const [all, sea, hill] = [await ask("/"), await ask("/?tag=sea"), await ask("/?tag=hill")];
  assert.deepEqual([all, sea, hill].map(({ text }) => JSON.parse(text)), [["Tide", "Ridge"], ["Tide"], [
    "Ridge",
  ]]);
  await edit(blog, "post-3", { title: "Wave", tags: ["sea"] });
  await until(sea.etag);
  await until(all.etag);
  assert.ok(await isHit("/?tag=hill", hill.etag));
  assert.match((await ask("/?tag=sea", { "if-none-match": sea.etag })).text, /Wave/);
  assert.match((await ask("/?from=post-2")).text, /^\["Ridge","Wave"\]$/);
  await site.follower.close();
});

test("lists: begins at no document before the posts, of which its group would not tell", async () => {
  const blog = await database({ "post-1": { title: "Tide", tags: [] }, "author-1": { title: "Ada" } });
  const site = serveLists(blog);
  const { ask } = await clientOf(site);
  for (const path of ["/?from=a", "/?from=", "/?from=_design", "/?from=a&tag=x"]) {
    assert.doesNotMatch((await ask(path)).text, /Ada/, path);
  }
  await site.follower.close();
});

test("lists: a post without tags, or with something else in their place, has none", async () => {
  const blog = await database({
    "post-1": { title: "Tide", tags: ["sea", 7] },
    "post-2": { title: "Bare" },
    "post-3": { title: "Text", tags: "seaside" },
  });
  const site = serveLists(blog);
  const { ask, until } = await clientOf(site);
  const [sea, text, none] = [await ask("/?tag=sea"), await ask("/?tag=seaside"), await ask("/?tag=")];
  assert.deepEqual([sea, text, none].map(({ text }) => text), ['["Tide"]', "[]", "[]"]);
  await edit(blog, "post-2", { tags: ["sea"] });
  await until(sea.etag);
  assert.equal((await ask("/?tag=sea", { "if-none-match": sea.etag })).text, '["Tide","Bare"]');
  await site.follower.close();
});

test("search: what comes to match is found", async () => {
  const blog = await database({ "post-1": { kind: "post", title: "First", author: "ada" } });
  const site = serveSearch(blog);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, text } = await ask("/?author=ada");
  assert.equal(text, '["First"]');
  assert.ok(await isHit("/?author=ada", etag));
  await edit(blog, "post-2", { kind: "post", title: "Second", author: "ada" });
  await until(etag);
  assert.match((await ask("/?author=ada", { "if-none-match": etag })).text, /Second/);
  await site.follower.close();
});

test("search: finds no document outside of its group, of which no change would be told", async () => {
  const blog = await database({
    "post-1": { kind: "post", title: "First", author: "ada" },
    "Post-2": { kind: "post", title: "Other", author: "ada" },
  });
  const site = serveSearch(blog);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, text } = await ask("/?author=ada");
  const bob = await ask("/?author=bob");
  assert.deepEqual([text, bob.text], ['["First"]', "[]"]);
  await edit(blog, "draft-1", { kind: "post", title: "Draft", author: "ada" });
  const { update_seq } = await blog.info();
  for (const limit = performance.now() + 5_000; String(site.follower.since) !== String(update_seq);) {
    assert.ok(performance.now() < limit, "the feed has told the change");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(await isHit("/?author=ada", etag), "it is still what a search would give");
  assert.equal((await ask("/?author=ada")).text, text);
  await edit(blog, "post-1", { author: "bob" });
  await until(bob.etag);
  assert.equal((await ask("/?author=bob", { "if-none-match": bob.etag })).text, '["First"]');
  assert.equal((await ask("/?author=ada", { "if-none-match": etag })).text, "[]");
  await site.follower.close();
});

test("rss: a tag is answered without the handler, a date alone is not", async () => {
  const blog = await database({ "post-1": { title: "First", edited: "2026-11-27T10:00:00.000Z" } });
  const site = serveRss(blog);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, field } = await ask("/");
  assert.equal(field("last-modified"), "Fri, 27 Nov 2026 10:00:00 GMT");
  assert.ok(await isHit("/", etag));
  const dated = await ask("/", { "if-modified-since": field("last-modified") });
  assert.doesNotMatch(dated.field("cache-status"), /; hit$/);
  await edit(blog, "post-2", { title: "Second", edited: "2026-11-28T10:00:00.000Z" });
  await until(etag);
  assert.match((await ask("/", { "if-none-match": etag })).text, /Second.*First/);
  await site.follower.close();
});

test("rss: a title is text", async () => {
  const blog = await database({ "post-1": { title: "A & <b>", edited: "2026-11-27T10:00:00.000Z" } });
  const site = serveRss(blog);
  const { ask } = await clientOf(site);
  assert.match((await ask("/")).text, /<title>A &#38; &#60;b&#62;<\/title>/);
  await site.follower.close();
});

test("attachment: its digest is the tag, which an edit of the text leaves alone", async () => {
  const db = await database({ "post-1": { title: "First" } });
  const { _rev } = await db.get("post-1");
  await db.attachment.insert("post-1", "note.txt", "Low tide", "text/plain", { rev: _rev });
  const site = serveAttachments(`${server.url}/${db.config.db}`);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, text, field } = await ask("/post-1/note.txt");
  assert.deepEqual([text, etag.startsWith('"md5-'), field("content-type")], ["Low tide", true, "text/plain"]);
  assert.ok(await isHit("/post-1/note.txt", etag));
  await edit(db, "post-1", { title: "Second" });
  await until(etag);
  const again = await ask("/post-1/note.txt", { "if-none-match": etag });
  assert.deepEqual([again.status, again.field("cache-status").includes("group-changed")], [304, true]);
  assert.equal((await ask("/post-1/none.txt")).status, 404);
  await site.follower.close();
});

test("attachment: the bytes are of the revision that the tag is of, also if an edit comes between", async (t) => {
  const note = (text: string) => ({
    _attachments: { "note.txt": { content_type: "text/plain", data: btoa(text) } },
  });
  const db = await database({ "post-1": note("Low tide") });
  const site = serveAttachments(`${server.url}/${db.config.db}`);
  const { ask } = await clientOf(site);
  const before = await ask("/post-1/note.txt");
  const real = globalThis.fetch;
  t.after(() => void (globalThis.fetch = real));
  globalThis.fetch = async (input, init) => {
    if (String(input).includes("note.txt")) {
      globalThis.fetch = real;
      await edit(db, "post-1", note("High tide"));
    }
    return await real(input, init);
  };
  const between = await ask("/post-1/note.txt");
  assert.deepEqual([between.text, between.etag], ["Low tide", before.etag]);
  await site.follower.close();
});

test("attachment: a database that fails is no 404", async () => {
  const site = serveAttachments("http://127.0.0.1:1/none");
  await assert.rejects(async () => await site.fetch(new Request("http://localhost/post-1/note.txt")));
  await site.follower.close();
});

test("streaming: what the page reads after its fields is declared before", async () => {
  const book = await database(
    Object.fromEntries([1, 2, 3].map((n) => [`chapter-${n}`, { text: `Chapter ${n}` }])),
  );
  const site = serveStream(book);
  const { ask, isHit, until } = await clientOf(site);
  const { etag, text } = await ask("/");
  assert.equal(text, "Chapter 1\nChapter 2\nChapter 3\n");
  assert.ok(await isHit("/", etag));
  await edit(book, "chapter-3", { text: "The end" });
  await until(etag);
  assert.match((await ask("/", { "if-none-match": etag })).text, /The end/);
  await site.follower.close();
});

test("compression: each coding has a strong tag of its own", async () => {
  const blog = await database({ "post-1": { title: "First" } });
  const site = serveCompressed(blog);
  const { ask } = await clientOf(site);
  const gzip = { "accept-encoding": "gzip, br" };
  const [plain, zipped] = [await ask("/post-1"), await ask("/post-1", gzip)];
  assert.equal(JSON.parse(gunzipSync(zipped.bytes).toString()).title, "First");
  assert.deepEqual([zipped.field("content-encoding"), plain.field("content-encoding")], ["gzip", ""]);
  assert.notEqual(plain.etag, zipped.etag);
  assert.doesNotMatch(plain.etag + zipped.etag, /W\//);
  assert.match(
    (await ask("/post-1", { ...gzip, "if-none-match": zipped.etag })).field("cache-status"),
    /; hit$/,
  );
  assert.equal((await ask("/post-1", { ...gzip, "if-none-match": plain.etag })).status, 200);
  assert.equal((await ask("/post-1", { "accept-encoding": "gzip;q=0" })).field("content-encoding"), "");
  await site.follower.close();
});

test("compression, several_databases: an unknown post is 404", async () => {
  const blog = await database({ "secret": { title: "x" } });
  const ending = new AbortController();
  const sites = [serveCompressed(blog), serveBoth(blog, blog, ending.signal)];
  for (const site of sites) {
    for (const path of ["/post-9", "/secret", "/_all_docs"]) {
      assert.equal((await site.fetch(new Request(`http://localhost${path}`))).status, 404, path);
    }
  }
  await sites[0]!.follower.close();
  ending.abort();
});

test("several_databases: documents of one id in two databases are told apart", async () => {
  const posts = await database({ "post-ada": { title: "About me", author: "post-ada" } });
  const users = await database({ "post-ada": { name: "Ada" } });
  const ending = new AbortController();
  const site = serveBoth(posts, users, ending.signal);
  const { ask, isHit, until } = await clientOf(site);
  for (const limit = performance.now() + 5_000; !site.registry.live && performance.now() < limit;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const { etag, text } = await ask("/post-ada");
  assert.deepEqual(JSON.parse(text), { title: "About me", author: "Ada" });
  assert.ok(await isHit("/post-ada", etag));
  await edit(users, "post-ada", { name: "Augusta" });
  await until(etag);
  assert.match((await ask("/post-ada", { "if-none-match": etag })).text, /Augusta/);
  ending.abort();
});

test("members: a page is for its session alone, and ends with it", async () => {
  const db = await database({
    ada: { letters: 3 },
    "session-a": { member: "ada" },
    "session-b": { member: "ada" },
  });
  const site = serveMembers(db);
  const { ask, until } = await clientOf(site);
  const [a, b] = ["a", "b"].map((id) => ({ cookie: `session=session-${id}` }));
  const [first, second] = [await ask("/", a), await ask("/", b)];
  const status = async (etag: string, fields: Record<string, string> = {}) => {
    const answer = await ask("/", { "if-none-match": etag, ...fields });
    return `${answer.status}${answer.field("cache-status").endsWith("; hit") ? " hit" : ""}`;
  };
  assert.match(first.text, /^3 letters/);
  assert.equal(await status(first.etag, a), "304 hit");
  for (const cookie of ["session=session-x", "session=ada", "session=_all_docs", ""]) {
    assert.equal(await status(first.etag, { cookie }), "401", cookie);
    assert.equal(await status("*", { cookie }), "401", cookie);
  }
  await edit(db, "session-a", { _deleted: true }); // by an administrator
  await until(first.etag);
  assert.equal(await status(first.etag, a), "401");
  assert.equal(await status(second.etag, b), "304 hit", "the other session goes on");
  await edit(db, "ada", { letters: 4 });
  await until(second.etag);
  const { text, etag } = await ask("/", { "if-none-match": second.etag, ...b });
  assert.match(text, /^4 letters/);
  assert.equal((await ask("/", b, { method: "DELETE" })).status, 204);
  assert.equal(await status(etag, b), "401", "before the feed has told");
  await site.follower.close();
});

test("members: a session of a member who is gone is none", async () => {
  const db = await database({ "session-a": { member: "ada" }, "session-b": { member: "session-a" } });
  const site = serveMembers(db);
  const { ask } = await clientOf(site);
  for (const id of ["a", "b"]) {
    assert.equal((await ask("/", { cookie: `session=session-${id}` })).status, 401, id);
  }
  await edit(db, "ada", { letters: 1 });
  assert.match((await ask("/", { cookie: "session=session-a" })).text, /^1 letters/);
  await site.follower.close();
});

test("form: of two saves of one form, the second is refused", async () => {
  const db = await database({ "post-1": { title: 'A "<' }, "secret": { title: "x" } });
  const site = serveForm(db);
  const { ask, isHit } = await clientOf(site);
  const form = await ask("/post-1");
  assert.match(form.text, /value="A &#34;&#60;"/);
  assert.ok(await isHit("/post-1", form.etag));
  const rev = /name="rev" type="hidden" value="([^"]+)"/.exec(form.text)![1]!;
  const save = (fields: Record<string, string>) =>
    ask("/post-1", {}, { method: "POST", body: new URLSearchParams(fields) });
  const saved = await save({ rev, title: "Saved" });
  assert.deepEqual([saved.status, saved.field("location")], [303, "/post-1"]);
  assert.match((await ask("/post-1", { "if-none-match": form.etag })).text, /value="Saved"/);
  assert.equal((await save({ rev, title: "Lost" })).status, 409);
  assert.equal((await save({ title: "No revision" })).status, 400);
  assert.equal((await ask("/post-1", {}, { method: "POST", body: "no form" })).status, 400);
  assert.match((await ask("/post-1")).text, /value="Saved"/);
  for (const path of ["/secret", "/post-9", "/_all_docs"]) assert.equal((await ask(path)).status, 404, path);
  await site.follower.close();
});

test("form: a save that came too late shows both versions, and the second save is of what is there", async () => {
  const db = await database({ "post-1": { title: "First" } });
  const site = serveForm(db);
  const { ask, until } = await clientOf(site);
  const form = await ask("/post-1");
  const revOf = (text: string) => /name="rev" type="hidden" value="([^"]+)"/.exec(text)![1]!;
  const save = (rev: string, title: string) =>
    ask("/post-1", {}, { method: "POST", body: new URLSearchParams({ rev, title }) });
  await edit(db, "post-1", { title: "<Theirs>" }); // past the site
  await until(form.etag);
  assert.match((await ask("/post-1", { "if-none-match": form.etag })).text, /value="&#60;Theirs&#62;"/);
  const late = await save(revOf(form.text), "<Mine>");
  assert.equal(late.status, 409);
  assert.match(late.text, /<q>&#60;Theirs&#62;<\/q>.*value="&#60;Mine&#62;"/);
  assert.equal((await save(revOf(late.text), "<Mine>")).status, 303);
  assert.match((await ask("/post-1")).text, /value="&#60;Mine&#62;"/);
  for (const rev of ["", "x", "-1"]) assert.equal((await save(rev, "Wrong")).status, 400, rev);
  const insert = db.insert.bind(db);
  db.insert = async (document: object) => {
    db.insert = insert;
    await edit(db, "post-1", { _deleted: true }); // between the look and the save
    return await insert(document);
  };
  const gone = await save(revOf((await ask("/post-1")).text), "Gone");
  assert.deepEqual([gone.status, /deleted meanwhile/.test(gone.text)], [404, true]);
  await site.follower.close();
});

test("static_files: a file is confirmed until it changes, and nothing outside of the folder is served", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
  const page = join(folder, "public", "page.html");
  try {
    mkdirSync(join(folder, "public"));
    writeFileSync(page, "<h1>First</h1>");
    writeFileSync(join(folder, "secret.txt"), "secret");
    symlinkSync(join(folder, "secret.txt"), join(folder, "public", "link.txt"));
    const serve = staticFiles(join(folder, "public"));
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const response = await serve(new Request(`http://localhost${path}`, { headers }));
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    const first = await ask("/page.html");
    assert.deepEqual([first.status, first.text], [200, "<h1>First</h1>"]);
    const etag = first.headers.get("etag")!;
    assert.equal((await ask("/page.html", { "if-none-match": etag })).status, 304);
    const date = first.headers.get("last-modified")!;
    assert.equal((await ask("/page.html", { "if-modified-since": date })).status, 304);
    const epoch = "Thu, 01 Jan 1970 00:00:00 GMT";
    assert.equal((await ask("/page.html", { "if-unmodified-since": epoch })).status, 412);
    writeFileSync(page, "<h1>Second</h1>");
    assert.equal((await ask("/page.html", { "if-none-match": etag })).text, "<h1>Second</h1>");
    for (const path of ["/none", "/", "/..%2Fsecret.txt", "/link.txt", "/%00", "/%"]) {
      assert.equal((await ask(path)).status, 404, path);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("run: each example answers its path with the documents that it is started with", async () => {
  const db = await database(documents);
  const files = readdirSync(new URL("../../examples/tasks/", import.meta.url));
  const programs = files.map((file) => file.replace(".ts", "")).filter((name) =>
    !["run", "served"].includes(name)
  );
  assert.deepEqual(Object.keys(examples).sort(), programs.sort());
  const ending = new AbortController();
  for (const [name, [open, path]] of Object.entries(examples)) {
    const { fetch, follower } = open(db, ending.signal) as Served;
    await follower?.ready;
    const ask = async (etag: string) =>
      await fetch(
        new Request(`http://localhost${path}`, {
          headers: { "if-none-match": etag, ...name === "members" ? { cookie: "session=session-a" } : {} },
        }),
      );
    const first = await ask('"none"');
    assert.equal(first.status, 200, name);
    await first.body?.cancel();
    assert.equal((await ask(first.headers.get("etag")!)).status, 304, name);
    await follower?.close();
  }
  ending.abort();
});
