/** Mistakes 11 and 12 of `docs/stale-pages.md`, with groups as values and with a document cache. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, type FollowOptions, group, groupBy } from "../../mod.ts";
import type { Change, ChangesFeed, CouchChange } from "../../src/changes/change.ts";
import { AUDIT_RATES, Database, type Doc, listening, PUBLIC, read } from "./staged_site.ts";

/** The files with tests of the mistakes. */
const FILES = ["stale_pages_test.ts", "stale_pages_later_test.ts"];

test("docs/stale-pages.md: each number has a test", () => {
  const source = FILES.map((name) => readFileSync(new URL(name, import.meta.url), "utf8")).join("\n");
  const numbers = new Set(
    [...source.matchAll(/(?:stale page |mistake: "|\["|what: ")(\d+): /g)].map(([, number]) =>
      Number(number)
    ),
  );
  for (let number = 1; number <= 12; number++) assert.ok(numbers.has(number), `mistake ${number}`);
});

const notes = group("notes", ({ id }) => id.startsWith("note-"));

/** A note's text is its owner. */
const byOwner = groupBy("owner", (change: CouchChange<Doc>) => {
  return change.id.startsWith("note-") ? change.doc?.text ?? [] : [];
});

/** A database of two notes of Ada. */
function ownedByAda(): Database {
  return new Database({ "note-1": "Ada", "note-2": "Ada" });
}

async function followed(
  db: Database,
  groups: FollowOptions<CouchChange<Doc>>["groups"] = [notes, byOwner],
): Promise<EtagRegistry> {
  const registry = new EtagRegistry();
  follow(registry, db.feed as ChangesFeed<Change> as ChangesFeed<CouchChange<Doc>>, { groups });
  await db.report();
  return registry;
}

/** A row of a feed with `includeDocs` and `style: "all_docs"`. */
function row({ _id: id, _rev: rev, text }: Doc): CouchChange<Doc> {
  return { id, rev, seq: 0, deleted: false, revs: [rev], doc: { _id: id, _rev: rev, text } };
}

function count(db: Database, owner: string): string {
  return `${owner} has ${db.all().filter(({ text }) => text === owner).length}`;
}

for (const auditRate of AUDIT_RATES) {
  const at = `, auditRate ${auditRate}`;

  test(`stale page 11: a group that no follower was given${at}`, async () => {
    const posts = group("posts", ({ id }) => id.startsWith("post-"));
    const db = new Database({ "post-1": "one" });
    const registry = await followed(db);
    const site = read(
      () => new Response(db.read("post-1").text, { headers: { ...PUBLIC, ...dependsOn(posts) } }),
      {
        registry,
        auditRate,
      },
    );
    const copy = await site.get();
    assert.match(copy.headers.get("cache-status")!, /group-unfollowed/);
    await db.put("post-1", "two");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, "two"]);
    assert.deepEqual([registry.stats.hit, registry.stats["group-unfollowed"]], [0, 2]);
  });

  test(`stale page 11: a group as one value${at}`, async () => {
    const db = ownedByAda();
    const registry = await followed(db);
    const list = () => db.all().map(({ _id }) => _id).join();
    const site = read(() => new Response(list(), { headers: { ...PUBLIC, ...dependsOn(notes) } }), {
      registry,
      auditRate,
    });
    const copy = await site.get();
    assert.equal((await site.reload(copy)).status, 304);
    await db.put("note-3", "Grace");
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, list()]);
    assert.deepEqual(site.mismatches, []);
  });

  for (const [what, from, to] of [["moves", "Ada", "Grace"], ["is deleted", "Ada", undefined]] as const) {
    test(`stale page 11: a note that ${what}, under groupBy${at}`, async () => {
      const db = ownedByAda();
      const registry = await followed(db);
      await db.report(row(db.read("note-1")), row(db.read("note-2")));
      const site = read(
        () => new Response(count(db, from), { headers: { ...PUBLIC, ...dependsOn(byOwner(from)) } }),
        { registry, auditRate },
      );
      const copy = await site.get();
      assert.equal((await site.reload(copy)).status, 304);
      db.set({ _id: "note-2", _rev: "2-y", text: to ?? "" });
      const { doc: _, ...tombstone } = { ...row(db.read("note-2")), deleted: true };
      await db.report(to === undefined ? tombstone : row(db.read("note-2")));
      const answer = await site.reload(copy);
      assert.deepEqual([answer.status, answer.body], [200, "Ada has 1"]);
      assert.deepEqual(site.mismatches, []);
    });
  }

  test(`stale page 11: groupBy over a feed without documents is void with each change${at}`, async () => {
    const db = ownedByAda();
    const registry = await followed(db);
    const site = read(
      () => new Response(count(db, "Ada"), { headers: { ...PUBLIC, ...dependsOn(byOwner("Ada")) } }),
      { registry, auditRate },
    );
    const copy = await site.get();
    await listening("warn", () => db.put("note-2", "Grace"));
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, "Ada has 1"]);
    assert.ok(registry.stats["membership-unknown"] > 0);
  });

  test(`stale page 12: a document cache that is older than the feed${at}`, async () => {
    const db = new Database({ post: "one" });
    const registry = await followed(db, () => []);
    const cache = new Map<string, Doc>();
    const cached = (id: string) => cache.get(id) ?? cache.set(id, db.read(id)).get(id)!;
    const site = read(() => {
      const post = cached("post");
      return new Response(post.text, { headers: { ...PUBLIC, ...dependsOn(post) } });
    }, { registry, auditRate });
    const copy = await site.get();
    await db.put("post", "two");
    // Another reader asks first, and must not make the old page valid again.
    const other = await site.get();
    assert.equal(other.body, "one");
    assert.match(other.headers.get("cache-status")!, /superseded/);
    assert.deepEqual([registry.hasTag(copy.etag), registry.stats.superseded], [false, 1]);
    const said = await site.reload(copy);
    assert.match(said.headers.get("cache-status")!, /fwd=.*superseded/);
    cache.clear();
    const answer = await site.reload(copy);
    assert.deepEqual([answer.status, answer.body], [200, "two"]);
    assert.equal((await site.reload(answer)).status, 304);
    assert.deepEqual([registry.stats.hit, registry.stats.audit], auditRate === 0 ? [1, 0] : [0, 1]);
  });
}
