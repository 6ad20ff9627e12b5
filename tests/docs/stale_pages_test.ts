/** The mistakes of `docs/stale-pages.md`, each under its number there: the bad code is run, and no silent wrong 304 comes of it. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  type AuditReason,
  dependsOn,
  EtagRegistry,
  follow,
  ownFeed,
  withEtag,
  type WithEtagOptions,
} from "../../mod.ts";
import type { Change, ChangesFeed } from "../../src/changes/change.ts";
import { mapFeed } from "../../src/changes/map_feed.ts";
import type { SourceConnection, SourceController } from "../../src/changes/own_feed.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import { FakeTime } from "../support/fake_time.ts";
import { settled } from "../support/feed.ts";
import { PAGE } from "../support/http.ts";
import { AUDIT_RATES, Database, listening, PUBLIC, read, readerOf } from "./staged_site.ts";

const BLOG = "http://localhost:5984/blog";

/** A blog of one post and its author. */
function blog(): Database {
  return new Database({ post: "one", author: "Ada" });
}

/** The page of the post, declared as it should be. */
function postPage(db: Database): () => Response {
  return () => {
    const post = db.read("post");
    return new Response(post.text, { headers: { ...PUBLIC, ...dependsOn(post) } });
  };
}

/** A page of all documents, which are declared by the name of a group. */
function listPage(db: Database, group = "all"): () => Response {
  return () => new Response(texts(db), { headers: { ...PUBLIC, ...dependsOn(group) } });
}

function texts(db: Database): string {
  return db.all().map(({ text }) => text).join();
}

/** A registry that the live feed of a database is followed into; each change touches the group "all". */
async function followed(db: Database): Promise<EtagRegistry> {
  const registry = new EtagRegistry();
  follow(registry, db.feed, { groups: () => ["all"] });
  await db.report();
  assert.equal(registry.live, true);
  return registry;
}

/** Feeds that `follow` does not take, each under the number of its mistake. */
const refused: readonly (readonly [string, (db: Database) => unknown])[] = [
  ["4: a feed through a plain generator", ({ feed }) => throughGenerator(feed)],
  ["5: a generator that begins to listen when it is read", listenWhenRead],
  ["6: a feed with a selector", () => changes(BLOG, { filter: "_selector", selector: { public: true } })],
  ["6: a feed with a view", () => changes(BLOG, { filter: "_view", view: "blog/posts" })],
  ["6: a feed of some documents by accident", () => changes(BLOG, { filter: "_doc_ids", docIds: ["post"] })],
];

async function* throughGenerator(feed: AsyncIterable<Change>): AsyncGenerator<Change> {
  for await (const change of feed) yield { ...change, id: `blog/${change.id}` };
}

async function* listenWhenRead(): AsyncGenerator<Change> {
  await settled();
  yield { id: "post" };
}

interface Message {
  readonly id?: string;
  readonly token?: string;
}

/** A source that pushes to those who listen. */
class Broker {
  readonly listeners: Set<(message: Message) => void> = new Set();
  /** What begins to listen too late. */
  readonly later: (() => void)[] = [];

  publish(message: Message): void {
    for (const listener of this.listeners) listener(message);
  }

  async write(db: Database, text: string): Promise<void> {
    await db.put("post", text);
    this.publish({ id: "all" });
    await settled();
  }
}

/** A registry that follows a feed of a broker, on clocks that stand still until told. */
function connectTo(
  connect: (broker: Broker, controller: SourceController) => SourceConnection,
) {
  const [time, broker] = [new FakeTime(), new Broker()];
  const registry = new EtagRegistry({ now: time.now, monotonic: time.monotonic });
  const feed = ownFeed((controller) => connect(broker, controller), { ...time, random: () => 0.5 });
  return { time, registry, broker, follower: follow(registry, feed), db: blog() };
}

test("docs/stale-pages.md: twelve mistakes, numbered one by one", () => {
  const page = readFileSync(new URL("../../docs/stale-pages.md", import.meta.url), "utf8");
  const numbers = [...page.matchAll(/^## (\d+)\. /gm)].map(([, number]) => Number(number));
  assert.deepEqual(numbers, Array.from({ length: 12 }, (_, index) => index + 1));
});

for (const auditRate of AUDIT_RATES) {
  const at = `, auditRate ${auditRate}`;

  test(`stale page 0: no mistake is answered from the registry, until a change${at}`, async () => {
    for (const page of [postPage, listPage]) {
      const db = blog();
      const registry = await followed(db);
      const site = read(page(db), { registry, auditRate });
      const copy = await site.get();
      assert.equal((await site.reload(copy)).status, 304);
      await db.put("post", "two");
      assert.match((await site.reload(copy)).body, /two/);
      assert.deepEqual([registry.stats.hit, registry.stats.audit], auditRate === 0 ? [1, 0] : [0, 1]);
      assert.deepEqual(site.mismatches, []);
    }
  });

  test(`stale page 1: a registry that no feed is followed into${at}`, async () => {
    for (const page of [postPage, listPage]) {
      const db = blog();
      const registry = new EtagRegistry();
      const site = read(page(db), { registry, auditRate });
      const said = await listening("warn", async () => {
        const copy = await site.get();
        await db.put("post", "two");
        const answer = await site.reload(copy);
        assert.deepEqual([answer.status, answer.body.includes("two")], [200, true]);
        assert.match(answer.headers.get("cache-status")!, /detail="?unfollowed/);
      });
      assert.equal(said.length, 1);
      assert.match(said[0]!, /no feed is followed/);
      assert.deepEqual([registry.stats.hit, registry.stats.unfollowed, registry.live], [0, 1, false]);
    }
  });

  for (
    const url of ["htp://localhost:5984/blog", "localhost:5984/blog", "/blog", "http://localhost:5984/"]
  ) {
    test(`stale page 2: follow() threw for ${url}, and the program goes on${at}`, async () => {
      const db = blog();
      const registry = new EtagRegistry();
      assert.throws(() => follow(registry, changes(url)), TypeError);
      const site = read(listPage(db), { registry, auditRate });
      const said = await listening("warn", async () => {
        const copy = await site.get();
        await db.put("post", "two");
        const answer = await site.reload(copy);
        assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
      });
      assert.equal(said.length, 1);
      assert.deepEqual([registry.stats.hit, registry.stats.unfollowed], [0, 1]);
    });
  }

  test(`stale page 2: a database that does not exist${at}`, async () => {
    const db = blog();
    const registry = new EtagRegistry();
    const notFound = () => Promise.resolve(Response.json({ error: "not_found" }, { status: 404 }));
    const follower = follow(registry, changes("http://localhost:5984/blgo", { fetch: notFound }));
    await assert.rejects(
      follower.ready,
      (error) => error instanceof ChangesError && error.code === "not-found",
    );
    const site = read(listPage(db), { registry, auditRate });
    const copy = await site.get();
    await db.put("post", "two");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    assert.match(answer.headers.get("cache-status")!, /detail="?suspended/);
    assert.deepEqual([registry.stats.hit, registry.stats.suspended], [0, 1]);
  });

  test(`stale page 2: a wrong password is heard${at}`, async () => {
    const refuse = () => Promise.resolve(Response.json({ error: "unauthorized" }, { status: 401 }));
    const registry = new EtagRegistry();
    const error = await new Promise((onError) =>
      follow(registry, changes(BLOG, { fetch: refuse }), { onError })
    );
    assert.ok(error instanceof ChangesError && error.code === "unauthorized");
    const db = blog();
    const site = read(listPage(db), { registry, auditRate });
    const copy = await site.get();
    await db.put("post", "two");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    assert.deepEqual([registry.stats.hit, registry.stats.suspended], [0, 1]);
  });

  test(`stale page 3: a second wrapper without the registry${at}`, async () => {
    const db = blog();
    await followed(db);
    const site = read(listPage(db), { auditRate });
    const said = await listening("warn", async () => {
      const copy = await site.get();
      await db.put("post", "two");
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    });
    assert.equal(said.length, 1);
    const { stats } = site.handler.registry;
    assert.deepEqual([stats.hit, stats.unfollowed], [0, 1]);
  });

  test(`stale page 3: another copy of the module, with a registry of its own or the one that is followed${at}`, async () => {
    const copyOfModule = await importAnew();
    const db = blog();
    const registry = await followed(db);
    // The declaration is made by this copy in one page, and by the other in the second.
    const pages = [
      listPage(db),
      () => new Response(texts(db), { headers: copyOfModule.dependsOn("all") }),
    ];
    for (const page of pages) {
      const lonely = readerOf(copyOfModule.withEtag(page, { auditRate }));
      const shared = readerOf(copyOfModule.withEtag(page, { registry, auditRate }));
      const said = await listening("warn", async () => {
        const copies = [await lonely.get(), await shared.get()] as const;
        assert.equal((await shared.reload(copies[1])).status, 304);
        await db.put("post", `another ${texts(db)}`);
        for (
          const [site, copy] of [[lonely, copies[0]], [shared, copies[1]]] as const
        ) {
          const answer = await site.reload(copy);
          assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
        }
      });
      assert.equal(said.length, 1);
      const { stats } = lonely.handler.registry;
      assert.deepEqual([stats.hit, stats.unfollowed], [0, 1]);
    }
  });

  for (const [what, feedOf] of refused) {
    test(`stale page ${what}${at}`, async () => {
      const db = blog();
      const registry = new EtagRegistry();
      assert.throws(() => follow(registry, feedOf(db) as ChangesFeed), TypeError);
      const site = read(listPage(db), { registry, auditRate });
      const said = await listening("warn", async () => {
        const copy = await site.get();
        await db.put("post", "two");
        const answer = await site.reload(copy);
        assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
      });
      assert.equal(said.length, 1);
      assert.deepEqual([registry.stats.hit, registry.stats.unfollowed], [0, 1]);
    });
  }

  test(`stale page 4: map() in place of a generator keeps a loss${at}`, async () => {
    const db = blog();
    const registry = new EtagRegistry();
    follow(registry, mapFeed(db.feed, ({ id }) => ({ id: `blog/${id}` })));
    await db.report();
    const site = read(listPage(db, "blog/post"), { registry, auditRate });
    const copy = await site.get();
    assert.equal((await site.reload(copy)).status, 304);
    await db.put("post", "two");
    const newer = await site.reload(copy);
    assert.deepEqual([newer.status, newer.body], [200, texts(db)]);
    await db.push({ state: "lost" });
    await site.reload(newer);
    assert.equal(registry.stats.suspended, 1);
  });

  test(`stale page 5: a feed that connects before its source listens is not live${at}`, async () => {
    const { broker, registry, follower, db } = connectTo(
      (broker, { change, received }) => {
        const socket = {};
        const listen = () =>
          broker.listeners.add(({ id, token }) =>
            id === undefined ? received(token!, socket) : change({ id })
          );
        broker.later.push(listen);
        return { send: (token) => broker.publish({ token }) };
      },
    );
    await settled();
    const site = read(listPage(db), { registry, auditRate });
    const copy = await site.get();
    await broker.write(db, "two");
    assert.equal(broker.later.length, 1);
    for (const listen of broker.later) listen();
    for (const text of ["three", "four"]) {
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
      await broker.write(db, text);
    }
    assert.deepEqual([registry.stats.hit, registry.stats.audit, registry.stats.suspended], [0, 0, 2]);
    await follower.close();
  });

  test(`stale page 5: a client that connects anew without a word is a loss within maxLag${at}`, async () => {
    const { broker, registry, follower, db, time } = connectTo(
      (broker, { change, received }) => {
        const socket = {};
        broker.listeners.add(({ id, token }) => id === undefined ? received(token!, socket) : change({ id }));
        return { send: (token) => broker.publish({ token }) };
      },
    );
    await follower.ready;
    const site = read(listPage(db), { registry, auditRate });
    const copy = await site.get();
    assert.equal((await site.reload(copy)).status, 304);
    await broker.write(db, "two");
    const newer = await site.reload(copy);
    assert.deepEqual([newer.status, newer.body], [200, texts(db)]);
    // The client has a new connection, which listens to nothing.
    broker.listeners.clear();
    await broker.write(db, "three");
    time.advance(25_001);
    await settled();
    const answer = await site.reload(newer);
    assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    assert.equal(registry.stats.suspended, 1);
    await follower.close();
  });

  test(`stale page 6: some documents only, and a page of others${at}`, async () => {
    const registry = new EtagRegistry();
    const db = new Database({ post: "one", author: "Ada" }, ["post"]);
    follow(registry, db.feed, { partial: true });
    await db.report();
    const list = read(listPage(db, "author"), { registry, auditRate });
    const copy = await list.get();
    await db.put("author", "Grace");
    const answer = await list.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    assert.match(answer.headers.get("cache-status")!, /unreported/);
    const page = read(postPage(db), { registry, auditRate });
    assert.equal((await page.reload(await page.get())).status, 304);
    assert.deepEqual([registry.stats.unreported, registry.size], [2, 1]);
  });

  for (const field of ["cache-groups", "stillfresh-depends-on"]) {
    test(`stale page 7: an upstream that sends ${field}${at}`, async () => {
      const db = blog();
      const registry = await followed(db);
      let version = 1;
      const upstream = () =>
        new Response(`version ${version}`, {
          headers: { ...PUBLIC, etag: `"v${version}"`, [field]: '"all"' },
        });
      const site = read(upstream, { registry, auditRate });
      const copy = await site.get();
      assert.equal(copy.headers.get("cache-groups"), field === "cache-groups" ? '"all"' : null);
      version = 2;
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, "version 2"]);
      assert.deepEqual([registry.size, registry.stats.hit, registry.stats.undeclared], [0, 0, 2]);
    });
  }

  test(`stale page 8: constant Headers${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const shared = new Headers({ ...PUBLIC, ...dependsOn("all") });
    const before = [...shared];
    const site = read(() => new Keeping(texts(db), { headers: shared }), { registry, auditRate });
    const [copy, other] = [await site.get(), await site.get({}, `${PAGE}/other`)];
    assert.notEqual(copy.etag, other.etag);
    assert.equal((await site.reload(copy)).status, 304);
    await db.put("post", "two");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
    assert.deepEqual([...shared], before);
  });

  test(`stale page 8: constant Headers to which each request appends its declaration${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const shared = new Headers(PUBLIC);
    const site = read(() => {
      const post = db.read("post");
      for (const [name, value] of Object.entries(dependsOn(post))) {
        shared.append(name, value);
      }
      return new Keeping(post.text, { headers: shared });
    }, { registry, auditRate });
    const copy = await site.get();
    for (const text of ["two", "three"]) {
      await db.put("post", text);
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, text]);
    }
    assert.deepEqual([registry.stats.hit, registry.stats["revision-differs"]], [0, 2]);
  });

  test(`stale page 8: a constant Response${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const empty = new Response(null, { headers: { ...PUBLIC, ...dependsOn("all") } });
    const site = read(
      () => texts(db).includes("Ada") ? empty : new Response("no Ada"),
      { registry, auditRate },
    );
    const copy = await site.get();
    assert.equal((await site.reload(copy)).status, 304);
    await db.put("author", "Grace");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, "no Ada"]);
    await db.put("author", "Ada");
    const renewed = await site.get();
    assert.notEqual(renewed.etag, "");
    assert.notEqual(renewed.etag, copy.etag);
  });

  test(`stale page 9: a gateway that takes Authorization off${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const site = read((request) => {
      const member = request.headers.has("authorization");
      request.headers.delete("authorization");
      const post = db.read("post");
      return new Response(member ? `draft of ${post.text}` : post.text, { headers: dependsOn(post) });
    }, { registry, auditRate });
    const member = await site.get({ authorization: "Bearer ada" });
    assert.deepEqual([member.body, member.etag, registry.size], ["draft of one", "", 0]);
    assert.match(member.headers.get("cache-status")!, /not-public/);
    const guest = await site.get();
    assert.equal((await site.reload(guest)).status, 304);
    const again = await site.reload(guest, { authorization: "Bearer ada" });
    assert.deepEqual([again.status, again.body], [200, "draft of one"]);
    assert.deepEqual(site.mismatches, []);
  });

  test(`stale page 9: a handler that sets the field which Vary names${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const site = read((request) => {
      const language = request.headers.get("accept-language");
      request.headers.set("accept-language", "en");
      return new Response(language, {
        headers: { ...PUBLIC, vary: "Accept-Language", ...dependsOn(db.read("post")) },
      });
    }, { registry, auditRate });
    const german = await site.get({ "accept-language": "de" });
    const english = await site.reload(german, { "accept-language": "en" });
    assert.deepEqual([english.status, english.body], [200, "en"]);
    assert.equal((await site.reload(german, { "accept-language": "de" })).status, 304);
  });

  test(`stale page 10: two spread declarations add up${at}`, async () => {
    for (const edited of ["post", "author"]) {
      const db = blog();
      const registry = await followed(db);
      const site = read(() => {
        const [post, author] = [db.read("post"), db.read("author")];
        return new Response(texts(db), { headers: { ...PUBLIC, ...dependsOn(post), ...dependsOn(author) } });
      }, { registry, auditRate });
      const copy = await site.get();
      assert.equal((await site.reload(copy)).status, 304);
      await db.put(edited, "new");
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, texts(db)]);
      assert.deepEqual(site.mismatches, []);
    }
  });

  test(`stale page, note: a CORS layer that repeats the Origin without Vary${at}`, async () => {
    const db = blog();
    const registry = await followed(db);
    const site = read(({ headers }) => {
      const origin = headers.get("origin")!;
      const cors = { "access-control-allow-origin": origin };
      return new Response("data", { headers: { ...PUBLIC, ...cors, ...dependsOn(db.read("post")) } });
    }, { registry, auditRate });
    const [a, b] = [{ origin: "https://a.example" }, { origin: "https://b.example" }];
    const copy = await site.get(a);
    for (const from of [b, a, b]) {
      const answer = await site.reload(copy, from);
      assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [
        304,
        from.origin,
      ]);
    }
  });
}

/** A mistake that only a look at the bytes can find. */
interface Unseen {
  readonly mistake: string;
  readonly page: (db: Database, request: Request) => Response;
  /** What happens after the copy was made. */
  readonly edit?: (db: Database) => Promise<void>;
  /** Fields of the second request. */
  readonly headers?: Record<string, string>;
  readonly options?: () => WithEtagOptions;
  readonly reason: AuditReason;
}

const unseen: readonly Unseen[] = [
  {
    mistake: "10: a forgotten source",
    page: (db) => new Response(texts(db), { headers: { ...PUBLIC, ...dependsOn(db.read("post")) } }),
    edit: (db) => db.put("author", "Grace"),
    reason: "body",
  },
  {
    mistake: "11: a misspelt group",
    page: (db) => listPage(db, "al")(),
    edit: (db) => db.put("author", "Grace"),
    reason: "body",
  },
  {
    mistake: "11: a list without its group",
    page: (db) => new Response(texts(db), { headers: { ...PUBLIC, ...dependsOn(...db.all()) } }),
    edit: (db) => db.put("newer", "two"),
    reason: "declaration",
  },
  {
    mistake: "11: a group out of content, which the moved document has left",
    page: (db) => {
      const count = db.all().filter(({ text }) => text === "Ada").length;
      return new Response(`Ada has ${count}`, { headers: { ...PUBLIC, ...dependsOn("of Ada") } });
    },
    edit: async (db) => {
      await db.put("author", "Grace");
      await db.report({ id: "of Grace" });
    },
    reason: "body",
  },
  {
    mistake: ", note: a cookie banner under Cache-Control: public",
    page: (db, { headers }) => {
      const banner = headers.has("cookie") ? "" : " with a banner";
      return new Response(`page${banner}`, { headers: { ...PUBLIC, ...dependsOn(db.read("post")) } });
    },
    headers: { cookie: "seen=1" },
    reason: "body",
  },
  {
    mistake: ", note: Vary set further out",
    page: (db, { headers }) =>
      new Response(headers.get("accept-language") ?? "en", {
        headers: { ...PUBLIC, ...dependsOn(db.read("post")) },
      }),
    headers: { "accept-language": "fr" },
    reason: "body",
  },
  {
    mistake: ", note: manual: true, and another process writes",
    page: (db) => listPage(db)(),
    edit: (db) => db.put("author", "Grace"),
    options: () => ({ registry: new EtagRegistry({ manual: true }) }),
    reason: "body",
  },
  {
    mistake: ", note: a feed written by hand that says that it is live, and hears nothing",
    page: (db) => listPage(db)(),
    edit: (db) => Promise.resolve(db.set({ _id: "author", _rev: "2-x", text: "Grace" })),
    reason: "body",
  },
  {
    mistake: ", note: groups of an upstream that are trusted, and not reported",
    page: (db) =>
      new Response(texts(db), { headers: { ...PUBLIC, "cache-groups": '"news"', etag: '"own"' } }),
    edit: (db) => db.put("author", "Grace"),
    options: () => ({ trustCacheGroups: true }),
    reason: "body",
  },
];

for (const { mistake, page, edit, headers = {}, options, reason } of unseen) {
  const name = mistake.startsWith(",") ? `stale page${mistake}` : `stale page ${mistake}`;

  test(`${name}: the audit finds the ${reason}, auditRate 1`, async () => {
    const db = blog();
    const registry = await followed(db);
    const site = read((request) => page(db, request), { registry, ...options?.(), auditRate: 1 });
    const copy = await site.get();
    await edit?.(db);
    for (const _ of [1, 2]) {
      const answer = await site.reload(copy, headers);
      assert.equal(answer.status, 200);
      assert.notEqual(answer.body, copy.body);
    }
    assert.deepEqual(site.mismatches.map(({ reason }) => reason), [reason]);
    const { stats } = site.handler.registry;
    assert.deepEqual([stats.hit, stats["audit-mismatch"]], [0, 1]);
  });

  test(`${name}: without an audit the copy is confirmed, as the page says, auditRate 0`, async () => {
    const db = blog();
    const registry = await followed(db);
    const site = read((request) => page(db, request), { registry, ...options?.(), auditRate: 0 });
    const copy = await site.get();
    await edit?.(db);
    assert.equal((await site.reload(copy, headers)).status, 304);
  });
}

test("stale page, note: clear() does not make the feed begin anew, a reset does", async () => {
  const db = blog();
  const registry = await followed(db);
  const site = read(listPage(db), { registry });
  await site.get();
  registry.clear();
  await db.report();
  assert.deepEqual([registry.size, db.feed.from.length], [0, 1]);
  const copy = await site.get();
  await db.push({ reset: "rolled-back" });
  assert.deepEqual([registry.size, registry.stats.reset >= 1], [0, true]);
  const answer = await site.reload(copy);
  assert.equal(answer.status, 200);
});

/** As some servers' classes do: it keeps the Headers that it is given. */
class Keeping extends Response {
  readonly #headers: Headers;
  constructor(body: BodyInit | null, init: { readonly headers: Headers }) {
    super(body, init);
    this.#headers = init.headers;
  }
  override get headers(): Headers {
    return this.#headers;
  }
}

type Module = {
  readonly dependsOn: typeof dependsOn;
  readonly withEtag: typeof withEtag;
};

/** A second instance of this package in this process. */
async function importAnew(): Promise<Module> {
  const root = new URL("../../", import.meta.url);
  const folder = mkdtempSync(join(tmpdir(), "stillfresh-copy-"));
  try {
    for (const name of ["mod.ts", "src"]) {
      cpSync(new URL(name, root), join(folder, name), { recursive: true });
    }
    const module: Module = await import(pathToFileURL(join(folder, "mod.ts")).href);
    assert.notEqual(module.withEtag, withEtag);
    return module;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
