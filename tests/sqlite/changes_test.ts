/** The feed of a SQLite file, read by the registry that it keeps true. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "../support/fast_check.ts";
import { dependsOn, EtagRegistry, follow, row, rows, withEtag } from "../../mod.ts";
import { changes, migration, type SqliteFeed } from "../../src/sqlite/changes.ts";
import type { ChangeBatch } from "../../src/changes/change.ts";
import { told } from "./weakened.ts";
import { SCHEMA, statements, TABLES } from "./statements.ts";
import { backup, openSqlite, type WritableSqlite } from "../support/sqlite.ts";

interface Site {
  readonly path: string;
  readonly database: WritableSqlite;
  readonly feed: SqliteFeed;
}

async function withSite(
  use: (site: Site) => Promise<void> | void,
  schema = SCHEMA,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
  const path = join(folder, "site.db");
  const database = openSqlite(path);
  try {
    // Nothing here outlives its test, so the disk is not waited for.
    database.exec("pragma synchronous = off");
    database.exec(schema);
    database.exec(migration(TABLES, () => openSqlite(path)).up);
    const feed = changes(() => openSqlite(path), {
      tables: ["posts", "odd"],
      poll: 60_000,
    });
    await use({ path, database, feed });
    await feed[Symbol.asyncDispose]();
  } finally {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is reported of some statements. */
async function reported(
  { feed, database }: Site,
  statements: string,
): Promise<string[]> {
  const reader = feed.batches();
  const first = await reader.next();
  database.exec(statements);
  const look = feed.look(first.value!.position);
  await reader.return?.();
  assert.equal(look?.reset, undefined);
  return (look?.changes ?? []).map(({ id }) => id).sort();
}

for (const [name, text, ids] of statements) {
  test(`changes: ${name} is reported, with the groups of before and after`, () =>
    withSite(async (site) => assert.deepEqual(await reported(site, text), [...ids].sort())));
}

test("migration: a REPLACE without the BEFORE triggers is not reported, which is why they are there", () =>
  withSite(async ({ database, feed }) => {
    const reader = feed.batches();
    const { value } = await reader.next();
    database.exec("drop trigger stillfresh_1_replace");
    const [n] = value!.position!.since as [number];
    database.exec(
      "insert or replace into posts (id, author_id, slug) values (9, 6, 'seven')",
    );
    const told = database.prepare(
      "select key from stillfresh_changes where n > ?",
    ).all(n);
    assert.deepEqual(told.map((row) => (row as { key: string }).key), ["9"]);
    assert.throws(
      () => feed.look(value!.position),
      /stillfresh_1_replace is not what/,
    );
    await reader.return?.();
  }));

test("changes: a key is spelled as row() spells it", () =>
  withSite(async ({ database, feed }) => {
    const reader = feed.batches();
    let { position } = (await reader.next()).value!;
    const key = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.constantFrom("a/b", "5%", "%2F", "ü/ %", "a\0b", "\0", "\ud800"),
    );
    fc.assert(
      fc.property(key, (name) => {
        database.prepare("insert into odd values (?, ?)").all(name, name);
        const look = feed.look(position)!;
        position = look.position;
        const ids = look.changes.map(({ id }) => id);
        // As the client reads it: not each text comes back as it was.
        const [record] = database.prepare("select * from odd order by rowid desc limit 1").all() as [object];
        const [list, one] = rows("odd", [record], { key: "name", by: "kind" });
        assert.ok(ids.includes(list._id) && ids.includes(one!._id), `${list._id} and ${one!._id} in ${ids}`);
      }),
      { numRuns: 50 },
    );
    await reader.return?.();
  }));

test("changes: a key is also spelled with the booleans that a mapper makes of 1 and 0", () =>
  withSite(async (site) => {
    site.database.exec("create table flags (post integer, is_on integer, primary key (post, is_on))");
    site.database.exec(migration({ ...TABLES, flags: ["post", "is_on"] }, () => openSqlite(site.path)).up);
    const feed = changes(() => openSqlite(site.path), { tables: ["flags", "odd"], poll: 60_000 });
    const ids = await reported(
      { ...site, feed },
      "insert into flags values (7, 1), (7, 0); insert into odd (name) values (1)",
    );
    for (const is_on of [true, false, 1, 0]) {
      assert.ok(ids.includes(row("flags", { post: 7, is_on }, ["post", "is_on"])._id), `${is_on}: ${ids}`);
    }
    assert.ok(ids.includes(row("odd", { name: true }, "name")._id), `${ids}`);
    assert.ok(!ids.includes("flags/true/true"), `${ids}`);
  }));

test("withEtag: a 304 is true as of its own request, whichever connection has written", () =>
  withSite(async ({ path, database, feed }) => {
    const registry = new EtagRegistry();
    const follower = follow(registry, feed);
    await follower.ready;
    let runs = 0;
    const site = withEtag(() => {
      runs++;
      const list = database.prepare("select * from posts where author_id = 5")
        .all() as { id: number }[];
      const headers = {
        "cache-control": "public, no-cache",
        ...dependsOn(...rows("posts", list, { by: "author_id" })),
      };
      return Response.json(list, { headers });
    }, { registry });
    const get = (etag = '"none"') =>
      site(
        new Request("http://site/posts", {
          headers: { "if-none-match": etag },
        }),
      );
    const other = openSqlite(path);
    for (const title of ["one", "two", "three"]) {
      const etag = (await get()).headers.get("etag")!;
      const before = runs;
      assert.equal((await get(etag)).status, 304);
      assert.equal(runs, before, "answered by the registry");
      other.exec(`update posts set title = '${title}' where id = 7`);
      assert.equal((await get(etag)).status, 200);
      other.exec("update posts set title = 'away' where id = 8");
    }
    const etag = (await get()).headers.get("etag")!;
    assert.equal((await get(etag)).status, 304);
    other.exec("alter table posts add column mood text default 'calm'");
    const before = runs;
    await get(etag);
    assert.equal(
      runs,
      before + 1,
      "a schema that was altered voids everything",
    );
    other.close();
    await follower.close();
  }));

test("changes: a look that throws is not answered, and the handler runs", () =>
  withSite(async ({ feed }) => {
    const registry = new EtagRegistry();
    const failing: SqliteFeed = Object.create(feed, {
      batches: { value: feed.batches.bind(feed) },
      look: {
        value: () => {
          throw new Error("locked");
        },
      },
    });
    const follower = follow(registry, failing);
    await follower.ready;
    let runs = 0;
    const site = withEtag(() => {
      runs++;
      return new Response("x", {
        headers: { "cache-control": "public, no-cache", ...dependsOn("posts") },
      });
    }, { registry });
    await site(new Request("http://site/"));
    await site(
      new Request("http://site/", { headers: { "if-none-match": "*" } }),
    );
    assert.equal(runs, 2);
    assert.ok(registry.stats.suspended > 0);
    await follower.close();
  }));

test("changes: a position is refused once its change was taken out, or the file restored", () =>
  withSite(async ({ database, feed }) => {
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    database.exec("insert into odd (name) values (1); insert into odd (name) values (2)");
    database.exec(
      "delete from stillfresh_changes where n < (select max(n) from stillfresh_changes)",
    );
    assert.equal(feed.look(position)?.reset, "since-refused");
    database.exec("delete from stillfresh_changes");
    assert.throws(() => feed.look(position), /emptied/);
    database.exec("insert into odd (name) values (3)");
    assert.equal(
      feed.look(position)?.reset,
      "since-refused",
      "numbers do not begin again at 1",
    );
    database.exec("update stillfresh_changes set nonce = 'other'");
    const restored = feed.look({
      ...position!,
      since: [3, "nonce", (position!.since as number[])[2]],
    });
    assert.equal(restored?.reset, "since-refused");
    await reader.return?.();
  }));

test("changes: a file that is copied over the open one is a reset at the next look", () =>
  withSite(async ({ path, database, feed }) => {
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    database.exec("insert into odd (name) values (1)");
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    copyFileSync(copy, path);
    assert.equal(feed.look(position)?.reset, "rolled-back");
    // Written as far as it had been, with other changes.
    database.exec("insert into odd (name) values (2)");
    assert.equal(feed.look(position)?.reset, "rolled-back");
    await reader.return?.();
  }));

test("changes: a file that is restored by the backup of SQLite is a reset at the next look", () =>
  withSite(async ({ path, database, feed }) => {
    const copy = `${path}.copy`;
    copyFileSync(path, copy);
    database.exec("update posts set title = 'new' where id = 7");
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    await backup(copy, path);
    // It also gives the file another version of the schema.
    assert.equal(feed.look(position)?.reset, "schema");
    await reader.return?.();
  }));

test("changes: a feed goes on where another has ended, and no further than its tables and file allow", () =>
  withSite(async ({ path, database, feed }) => {
    const first = feed.batches();
    const { position } = (await first.next()).value!;
    await first.return?.();
    const kept = JSON.parse(JSON.stringify(position));
    const from = async (tables: string[], at = kept): Promise<ChangeBatch> => {
      const reader = changes(() => openSqlite(path), { tables, overflow: 3 }).batches(at);
      const { value } = await reader.next();
      await reader.return?.();
      return value!;
    };
    assert.deepEqual((await from(["posts", "odd"])).changes, []);
    database.exec("update posts set title = 'new' where id = 7");
    const { reset, changes: [one] } = await from(["posts", "odd"]);
    assert.deepEqual([reset, one?.id], [undefined, "posts"]);
    assert.equal((await from(["posts"])).reset, "since-refused", "another feed");
    assert.equal((await from(["posts", "odd"], { ...kept, since: "12-abc" })).reset, "since-refused");
    database.exec("insert into odd (name) values (1), (2)");
    assert.equal((await from(["posts", "odd"])).reset, undefined, "as many as may be");
    database.exec("insert into odd (name) values (3)");
    assert.equal((await from(["posts", "odd"])).reset, "overflow");
    database.exec("vacuum");
    assert.equal((await from(["posts", "odd"])).reset, "schema");
  }));

test("migration: the writers take out old changes, and a reader that needs one begins anew", () =>
  withSite(async ({ database, feed }) => {
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    database.exec(`insert into stillfresh_changes (n, tbl, key, groups) values (200000, 'odd', '', '[]')`);
    const [{ least }] = database.prepare("select min(n) as least from stillfresh_changes").all() as [
      { least: number },
    ];
    assert.equal(least, 200_000);
    assert.equal(feed.look(position)?.reset, "since-refused");
    await reader.return?.();
  }));

test("changes: a file replaced under the follower is a reset at the next probe", () =>
  withSite(async ({ path, database }) => {
    let time = 0;
    let wake = () => {};
    const feed = changes(() => openSqlite(path), {
      tables: ["posts"],
      maxLag: 4_000,
      monotonic: () => time,
      now: () => time,
      sleep: () => new Promise<void>((resolve) => wake = resolve),
    });
    const reader = feed.batches();
    assert.equal((await reader.next()).value!.reset, undefined);
    const copy = `${path}.restored`;
    const other = openSqlite(copy);
    other.exec(SCHEMA);
    other.exec(migration(TABLES, () => openSqlite(copy)).up);
    other.close();
    database.exec("insert into odd (name) values (1)");
    renameSync(copy, path);
    time = 1_000;
    const next = reader.next();
    while (true) {
      wake();
      const settled = await Promise.race([
        next,
        new Promise<undefined>((resolve) => setTimeout(resolve, 0, undefined)),
      ]);
      if (settled === undefined) continue;
      assert.equal(settled.value!.reset, "rolled-back");
      break;
    }
    await reader.return?.();
  }));

const refused: [
  name: string,
  spoil: string,
  tables: string[],
  message: RegExp,
][] = [
  [
    "a missing migration",
    "drop table stillfresh_tables",
    ["posts"],
    /has not been run/,
  ],
  [
    "another version of the migration",
    "update stillfresh_tables set version = 9",
    ["posts"],
    /version 9/,
  ],
  [
    "a table that the migration does not name",
    "select 1",
    ["authors"],
    /does not name the table authors/,
  ],
  [
    "a unique index that came later",
    "create unique index late on posts (hidden, day)",
    ["posts"],
    /run the migration again/,
  ],
  [
    "a trigger that was dropped",
    "drop trigger stillfresh_1_update",
    ["posts"],
    /stillfresh_1_update/,
  ],
  [
    "a table that was dropped",
    "drop table odd",
    ["posts"],
    /There is no table "odd"/,
  ],
];

for (const [name, spoil, tables, message] of refused) {
  test(`changes: refuses ${name}`, () =>
    withSite(async ({ path, database }) => {
      database.exec(spoil);
      const reader = changes(() => openSqlite(path), { tables }).batches();
      await assert.rejects(reader.next(), message);
    }));
}

test("migration: refuses a group whose values are compared by a collation", () =>
  withSite(
    ({ path }) => {
      const refused = (groups: string[]) => () =>
        migration({ tagged: { key: ["id"], groups } }, () => openSqlite(path));
      assert.throws(refused(["name"]), /"name" of "tagged" compares by nocase/);
      assert.throws(refused(["a,b"]), /compares by rtrim/);
      assert.match(refused(["plain", "id"])().up, /'plain'/);
    },
    `${SCHEMA} create table tagged (id integer primary key, -- name
  name text not null collate "NOCASE", "a,b" text check ("a,b" <> ')') COLLATE rtrim, plain text default 'collate nocase')`,
  ));

test("changes: refuses a connection that it was given before, and leaves it open", () =>
  withSite(async ({ database }) => {
    const wrapped = () => ({
      prepare: (text: string) => database.prepare(text),
      close: () => {},
    });
    for (const open of [() => database, wrapped]) {
      const reader = changes(open, { tables: ["posts"] }).batches();
      await assert.rejects(reader.next(), {
        name: "ChangesError",
        code: "bad-request",
        message: /one connection twice/,
      });
    }
    assert.equal(database.prepare("select * from authors").all().length, 2);
  }));

test("changes: refuses a connection that is given again later", () =>
  withSite(async ({ path }) => {
    const pool = [openSqlite(path), openSqlite(path)];
    let opened = 0;
    let time = 0;
    const open = () => {
      const { prepare } = pool[Math.min(opened++, 1)]!;
      return {
        prepare: prepare.bind(pool[Math.min(opened - 1, 1)]!),
        close: () => {},
      };
    };
    const clock = {
      monotonic: () => time,
      now: () => time,
      sleep: () => Promise.resolve(),
    };
    const reader = changes(open, { tables: ["posts"], maxLag: 4_000, ...clock })
      .batches();
    assert.equal((await reader.next()).value!.state, "live");
    time = 1_000;
    assert.equal((await reader.next()).value!.state, "lost");
    await reader.return?.();
    for (const connection of pool) connection.close();
  }));

test("changes: what the feed's own connection commits is seen by the next look, and so is what it undoes", () =>
  withSite(async ({ path }) => {
    const connections: WritableSqlite[] = [];
    const feed = changes(() => {
      connections.push(openSqlite(path));
      return connections.at(-1)!;
    }, { tables: ["posts"], poll: 60_000 });
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    const own = connections.at(-1)!;
    own.exec("begin; update posts set title = 'own' where id = 7");
    const look = feed.look(position)!;
    assert.deepEqual(look.changes.map(({ id }) => id), [
      "posts",
      "posts/7",
      "posts?author_id=5",
    ]);
    assert.equal(feed.look(look.position), undefined);
    own.exec("rollback");
    assert.equal(feed.look(look.position)?.reset, "rolled-back");
    own.exec("alter table authors add column name");
    assert.equal(feed.look(position)?.reset, "schema");
    await reader.return?.();
  }));

test("changes: what a look has told is not told again by the next batch", () =>
  withSite(async ({ path, database }) => {
    const feed = changes(() => openSqlite(path), {
      tables: ["posts"],
      poll: 1,
      sleep: () => Promise.resolve(),
    });
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    database.exec("update posts set title = 'told' where id = 7");
    const look = feed.look(position)!;
    assert.equal(look.changes.length, 3);
    database.exec("update posts set title = 'not told' where id = 8");
    const { changes: next } = (await reader.next()).value as ChangeBatch;
    assert.deepEqual(next.map(({ id }) => id), [
      "posts",
      "posts/8",
      "posts?author_id=6",
    ]);
    await reader.return?.();
  }));

test("changes: a file that is locked is lost only by a whole look", () =>
  withSite(async ({ path, database }) => {
    let time = 0;
    const feed = changes(() => {
      const connection = openSqlite(path);
      connection.exec("pragma busy_timeout = 0");
      return connection;
    }, {
      tables: ["posts"],
      maxLag: 4_000,
      monotonic: () => time,
      now: () => time,
      sleep: () => Promise.resolve(),
    });
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    database.exec(
      "begin exclusive; update posts set title = 'locked' where id = 7",
    );
    assert.throws(() => feed.look(position), /locked|busy/i);
    const quick = (await reader.next()).value!;
    assert.deepEqual([quick.state, quick.changes], ["live", []]);
    time = 1_000;
    assert.equal((await reader.next()).value!.state, "lost");
    database.exec("commit");
    const { state, changes: found } = (await reader.next()).value!;
    assert.deepEqual([state, found.length], ["live", 3]);
    await reader.return?.();
  }));

test("changes: a client may give big integers", () =>
  withSite(async ({ path, database }) => {
    const open = told((found) =>
      found.map((record) =>
        Object.fromEntries(
          Object.entries(record).map((
            [name, value],
          ) => [name, typeof value === "number" ? BigInt(value) : value]),
        )
      )
    )(() => openSqlite(path));
    assert.equal(migration(TABLES, open).up, migration(TABLES, () => openSqlite(path)).up);
    const feed = changes(open, { tables: ["posts"], poll: 60_000 });
    const reader = feed.batches();
    const { position } = (await reader.next()).value!;
    assert.equal(feed.look(JSON.parse(JSON.stringify(position))), undefined);
    database.exec("update posts set title = 'new' where id = 7");
    assert.equal(feed.look(position)?.changes.length, 3);
    await reader.return?.();
  }));

test("migration: can be run again, and taken back", () =>
  withSite(({ path, database }) => {
    const { up, down } = migration(TABLES, () => openSqlite(path));
    database.exec(up);
    database.exec(down);
    assert.deepEqual(
      database.prepare(
        "select name from sqlite_master where name like 'stillfresh%'",
      ).all(),
      [],
    );
  }));
