/** The feed over PostgreSQL: where it resumes, what it refuses, and what it says when something is wrong. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { dependsOn, EtagRegistry, follow, row, rows, withEtag } from "../../mod.ts";
import { changes, type PolledFeedEvent } from "../../src/postgres/changes.ts";
import { Database } from "./database.ts";

let database: Database;
before(async () => {
  database = await Database.create();
});
after(() => database.sql.close());

const schema =
  "create table posts (id int primary key, title text, author_id int); create table tags (id int primary key)";
const begin = () => database.begin(schema, { posts: { key: ["id"], groups: ["author_id"] }, tags: ["id"] });
const tables = ["posts"];

test("postgres: a feed resumes from its position, and knows those that are not its own", async () => {
  await begin();
  const first = database.watch({ tables });
  await first.look();
  await first.close();
  await database.sql.exec("insert into posts values (1)");
  const resumed = database.watch({ tables }, first.position);
  assert.deepEqual((await resumed.look()).ids, ["posts", "posts/1", "posts?author_id"]);
  await resumed.close();
  const other = database.watch({ tables: ["posts", "tags"] }, first.position);
  assert.equal((await other.look()).reset, "since-refused", "other tables");
  await other.close();
  const stranger = database.watch({ tables }, { since: "9-x", source: "couchdb" });
  assert.equal((await stranger.look()).reset, "since-refused");
  await stranger.close();
  await database.sql.exec("alter table posts add column extra int default 1");
  const altered = database.watch({ tables }, first.position);
  assert.equal((await altered.look()).reset, "schema");
  await altered.close();
});

test("postgres: a position below what was pruned is refused, and one above is not", async () => {
  await begin();
  const watch = database.watch({ tables });
  await watch.look();
  const old = watch.position!;
  const prune = () => database.sql.query("select stillfresh.prune($1::float8)", ["0"]);
  await database.sql.exec("insert into posts values (1)");
  await prune();
  assert.equal((await watch.look()).ids.length, 3, "a reader of the last period misses nothing");
  await database.sql.exec("insert into posts values (2)");
  await prune();
  await prune();
  const left = await database.sql.query("select from stillfresh.changes");
  assert.equal(left.rows.length, 0);
  const resumed = database.watch({ tables }, old);
  assert.deepEqual(await resumed.look(), { ids: [], state: "live", reset: "since-refused" });
  assert.deepEqual((await resumed.look()).reset, undefined);
  await Promise.all([watch.close(), resumed.close()]);
});

test("postgres: the feed prunes by itself, and says if it may not", async () => {
  await begin();
  const watch = database.watch({ tables, keep: 100 });
  for (let n = 0; n < 4; n++) await watch.look();
  await database.sql.exec("drop function stillfresh.prune");
  for (let n = 0; n < 4 && !watch.events.includes("unpruned"); n++) {
    await watch.look();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(watch.events.includes("unpruned"), watch.events.join());
  assert.equal((await watch.look()).state, "live");
  await watch.close();
});

test("postgres: thousands of changes come in batches, and too many are a reset", async () => {
  await begin();
  const watch = database.watch({ tables, overflow: 2_500 });
  await watch.look();
  await database.sql.exec("insert into posts select n, 'x', 1 from generate_series(1, 2500) n");
  const before = watch.position;
  const { ids } = await watch.look();
  assert.equal(ids.length, 2_502);
  assert.notDeepEqual(watch.position, before);
  await database.sql.exec("update posts set title = 'y'; insert into posts values (0)");
  assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "overflow" });
  assert.deepEqual((await watch.look()).ids, []);
  await watch.close();
});

test("postgres: a quick look tells changes, and is no contact", async () => {
  await begin();
  let time = 0;
  const feed = changes((text, parameters) => database.sql.query(text, parameters), {
    tables,
    maxLag: 25_000,
    now: () => Date.now() + time,
    monotonic: () => performance.now() + time,
    sleep: (ms, signal) =>
      ms > 5_000 ? new Promise((resolve) => signal.addEventListener("abort", resolve)) : Promise.resolve(),
  });
  const batches = feed.batches();
  const first = (await batches.next()).value!;
  await database.sql.exec("insert into posts values (1)");
  const quick = (await batches.next()).value!;
  assert.deepEqual([quick.changes.length, quick.state, quick.contact], [3, "live", first.contact]);
  time += 10_000;
  const whole = (await batches.next()).value!;
  assert.ok(whole.contact!.monotonic >= first.contact!.monotonic + 10_000);
  await batches.return!();
});

/** Why a feed does not begin, by what is wrong. */
const refusals: Readonly<Record<string, readonly [prepare: string, code: string, sentence: RegExp]>> = {
  "the migration was not run": ["drop schema stillfresh cascade", "not-found", /migration has not been run/],
  "it is of another version": [
    "create or replace function stillfresh.version() returns int language sql immutable as 'select 0'",
    "bad-request",
    /of version 0, and this package needs 1/,
  ],
  "a table is not in it": [
    "drop trigger stillfresh_insert on posts; drop trigger stillfresh_update on posts",
    "not-found",
    /"posts" is not there, or not in the migration/,
  ],
  "a table is gone": ["drop table posts", "not-found", /"posts" is not there/],
  "a table got children": [
    "create table child () inherits (posts)",
    "bad-request",
    /children by inheritance.*posts/,
  ],
};

for (const [wrong, [prepare, code, sentence]] of Object.entries(refusals)) {
  test(`postgres: ${wrong}: the feed does not begin, and says why`, async () => {
    await begin();
    await database.sql.exec(prepare);
    const watch = database.watch({ tables });
    await assert.rejects(watch.look(), { name: "ChangesError", code, message: sentence });
  });
}

test("postgres: a role without the privileges is told so, and one that was named to the migration reads", async () => {
  await database.sql.exec("do $$ begin create role site; exception when duplicate_object then null; end $$");
  await begin();
  await database.sql.exec("set role site");
  try {
    await assert.rejects(database.watch({ tables }).look(), {
      code: "forbidden",
      message: /lacks a privilege/,
    });
    await database.sql.exec("reset role");
    await database.begin(schema, { posts: ["id"] }, { role: "site" });
    await database.sql.exec("set role site");
    const watch = database.watch({ tables, keep: 1 });
    for (let n = 0; n < 3; n++) assert.equal((await watch.look()).state, "live");
    assert.deepEqual(watch.events, ["live"]);
    await watch.close();
  } finally {
    await database.sql.exec("reset role");
  }
});

test("postgres: a statement inside an older transaction is refused", async () => {
  await begin();
  const watch = database.watch({ tables });
  await watch.look();
  await watch.close();
  await database.sql.exec("begin isolation level repeatable read; select 1; select pg_sleep(0.2)");
  try {
    await assert.rejects(database.watch({ tables }).look(), {
      code: "bad-request",
      message: /inside a transaction/,
    });
  } finally {
    await database.sql.exec("rollback");
  }
});

/** What a client throws, and the code that comes of it. */
const faults = {
  "28P01": "unauthorized",
  "28000": "unauthorized",
  "3D000": "not-found",
  "55000": "bad-request",
  "25006": "bad-request",
} as const;

for (const [state, code] of Object.entries(faults)) {
  test(`postgres: SQLSTATE ${state} at the start ends the feed: ${code}; later it is waited out`, async () => {
    await begin();
    // As `pg`, as Bun.sql, and as a mapper that wraps it.
    for (
      const error of [{ code: state }, { code: "ERR_X", errno: state }, {
        cause: { fields: { code: state } },
      }]
    ) {
      const thrown = Object.assign(new Error("secret"), error);
      let broken = true;
      const events: PolledFeedEvent[] = [];
      const feed = () =>
        changes(
          (text, parameters) => broken ? Promise.reject(thrown) : database.sql.query(text, parameters),
          {
            tables,
            poll: 1,
            onEvent: (event) => events.push(event),
            random: () => 0,
          },
        );
      const reader = feed().batches();
      await assert.rejects(reader.next(), (fault: Error & { code: string }) => {
        assert.equal(fault.code, code);
        assert.equal(fault.cause, thrown);
        assert.doesNotMatch(fault.message, /secret/);
        return true;
      });
      broken = false;
      const later = feed().batches();
      assert.equal((await later.next()).value!.state, "live");
      broken = true;
      assert.equal((await later.next()).value!.state, "lost");
      broken = false;
      assert.equal((await later.next()).value!.state, "live");
      assert.deepEqual(events.map(({ type }) => type), ["live", "lost", "live"]);
      await later.return!();
    }
  });
}

test("postgres: garbage, nothing, and an answer that does not come are losses, and never a live feed", async () => {
  for (const rows of [[], [{}], [{ looked: "{" }], [{ looked: 5 }], undefined]) {
    const events: PolledFeedEvent[] = [];
    const feed = changes(() => Promise.resolve(rows as never), {
      tables,
      onEvent: (event) => events.push(event),
    });
    const reader = feed.batches();
    assert.equal((await reader.next()).value!.state, "lost");
    assert.equal(events[0]!.type, "lost");
    await reader.return!();
  }
  const feed = changes(() => new Promise(() => {}), { tables, sleep: () => Promise.resolve() });
  const reader = feed.batches();
  assert.equal((await reader.next()).value!.state, "lost");
  await reader.return!();
});

test("postgres: programmer mistakes are refused at once", () => {
  const query = () => Promise.resolve([]);
  assert.throws(() => changes(undefined as never, { tables }), {
    name: "TypeError",
    message: /runs a statement/,
  });
  assert.throws(() => changes(query, {} as never), { name: "TypeError", message: /the tables to follow/ });
  assert.throws(() => changes(query, { tables: [] }), { message: /the tables to follow/ });
  assert.throws(() => changes(query, { tables: ["a/b"] }), { message: /not "a\/b"/ });
  for (const name of ["poll", "maxLag", "overflow"]) {
    assert.throws(() => changes(query, { tables, [name]: 0 }), {
      name: "RangeError",
      message: new RegExp(name),
    });
  }
});

test("postgres: a registry answers for rows of tables that the feed reports, and for no others", async () => {
  await begin();
  const registry = new EtagRegistry();
  const query = (text: string, parameters: string[]) => database.sql.query(text, parameters);
  const follower = follow(registry, changes(query, { tables, poll: 5 }));
  await follower.ready;
  await database.sql.exec("insert into posts values (1, 'a', 5), (2, 'b', 6); insert into tags values (1)");
  const site = withEtag(async (request) => {
    const { pathname } = new URL(request.url);
    const list = async (where: string) =>
      (await database.sql.query<{ id: number }>(`select * from ${where}`)).rows;
    const [first] = await list("posts where id = 1");
    const declared = {
      "/post": () => [row("posts", first!)],
      "/twice": () => [row("posts", first!), row("posts", { id: 1 })],
      "/tags": async () => rows("tags", await list("tags")),
      "/posts": async () => rows("posts", await list("posts")),
      "/by/5": async () => rows("posts", await list("posts where author_id = '05'"), { by: "author_id" }),
      "/by/title": async () => rows("posts", await list("posts where title = 'a'"), { by: "title" }),
    }[pathname]!;
    return Response.json(pathname, {
      headers: { "cache-control": "public, no-cache", ...dependsOn(...await declared()) },
    });
  }, { registry, cacheStatus: "Stillfresh" });
  const ask = async (path: string) => {
    const url = `http://localhost${path}`;
    const tag = (await site(new Request(url))).headers.get("etag");
    const again = await site(new Request(url, { headers: { "if-none-match": tag ?? '"none"' } }));
    return again.headers.get("cache-status")!;
  };
  const isHit = async (path: string) => (await ask(path)) === "Stillfresh; hit";
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(
    [await isHit("/post"), await isHit("/twice"), await isHit("/posts"), await isHit("/by/5")],
    [true, true, true, true],
  );
  assert.match(await ask("/tags"), /group-unfollowed/);
  assert.match(await ask("/by/title"), /group-unfollowed/, "a column that the migration does not name");
  const tagOf = async (path: string) =>
    (await site(new Request(`http://localhost${path}`))).headers.get("etag")!;
  const tags = { post: await tagOf("/post"), posts: await tagOf("/posts"), by: await tagOf("/by/5") };
  await database.sql.exec("insert into posts values (3, 'c', 6)");
  for (const end = Date.now() + 10_000; registry.hasTag(tags.posts);) {
    assert.ok(Date.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual([registry.hasTag(tags.post), registry.hasTag(tags.by)], [true, true]);
  await follower.close();
});
