/** Each kind of statement on a watched table: what the feed tells of it. */
import assert from "node:assert/strict";
import { test } from "./declared.ts";
import { migration } from "../../src/postgres/changes.ts";
import { database, QUICK, skip, type Told, type Watch } from "./database.ts";

const tables = `
  create table authors (id int primary key, name text);
  create table posts (id int primary key, title text, author_id int references authors on delete cascade, data json, slug text unique);`;
const rows = `
  delete from posts; delete from authors;
  insert into authors values (1, 'Ada'), (2, 'Bob');
  insert into posts select n, 'post ' || n, 1 + n % 2, '{}', 's' || n from generate_series(1, 6) n;`;
const watched = { posts: { key: ["id"], groups: ["author_id"] }, authors: ["id"] };

const nothing: Told = { ids: [], state: "live", reset: undefined };

async function setUp(maxLag?: number): Promise<Watch> {
  await database.begin(tables + rows, watched);
  const watch = database.watch({ tables: ["posts", "authors"], ...(maxLag === undefined ? {} : { maxLag }) });
  assert.deepEqual(await watch.look(), nothing);
  return watch;
}

/** Statement, and what it changes; undefined: nothing. */
const statements: Readonly<Record<string, readonly [sql: string, ids: readonly string[]]>> = {
  "an insert": ["insert into posts values (7, 'x', 2)", ["posts", "posts/7", "posts?author_id=2"]],
  "an update": ["update posts set title = 'x' where id = 1", ["posts", "posts/1", "posts?author_id=2"]],
  "an update that changes nothing": ["update posts set title = title", []],
  "an update of a column of type json": [
    `update posts set data = '{"a":1}' where id = 1`,
    ["posts", "posts/1", "posts?author_id=2"],
  ],
  "a row that changes its group": [
    "update posts set author_id = 1 where id = 1",
    ["posts", "posts/1", "posts?author_id=1", "posts?author_id=2"],
  ],
  "a row that leaves every group": [
    "update posts set author_id = null where id = 1",
    ["posts", "posts/1", "posts?author_id", "posts?author_id=2"],
  ],
  "a row that changes its key": [
    "update posts set id = 70 where id = 1",
    ["posts", "posts/1", "posts/70", "posts?author_id=2"],
  ],
  "a delete": ["delete from posts where id = 2", ["posts", "posts/2", "posts?author_id=1"]],
  "a delete that cascades": [
    "delete from authors where id = 1",
    ["authors", "authors/1", "posts", "posts/2", "posts/4", "posts/6", "posts?author_id=1"],
  ],
  "an upsert that inserts": [
    "insert into posts values (8, 'x', 1) on conflict (id) do update set title = 'y'",
    ["posts", "posts/8", "posts?author_id=1"],
  ],
  "an upsert that updates": [
    "insert into posts values (3, 'x', 1) on conflict (id) do update set title = 'y'",
    ["posts", "posts/3", "posts?author_id=2"],
  ],
  "an upsert that does nothing": ["insert into posts values (3, 'x', 1) on conflict do nothing", []],
  "a merge": [
    `merge into posts p using (values (3, 'm'), (9, 'n')) v(id, title) on p.id = v.id
      when matched then update set title = v.title when not matched then insert values (v.id, v.title, 2)`,
    ["posts", "posts/3", "posts/9", "posts?author_id=2"],
  ],
  "COPY": [
    "copy (select 10, 'x', 1, '{}', 't1' union select 11, 'x', 2, '{}', 't2') to '/rows'; copy posts from '/rows'",
    ["posts", "posts/10", "posts/11", "posts?author_id=1", "posts?author_id=2"],
  ],
  "a transaction that is rolled back": ["begin; update posts set title = 'x'; rollback", []],
  "savepoints, released and rolled back": [
    `begin; savepoint a; update posts set title = 'x' where id = 1; release a;
      savepoint b; update posts set title = 'x' where id = 2; rollback to b; commit`,
    ["posts", "posts/1", "posts?author_id=2"],
  ],
  "a writer that switches triggers off, as replication does": [
    "begin; set local session_replication_role = replica; update posts set title = 'x' where id = 1; commit",
    ["posts", "posts/1", "posts?author_id=2"],
  ],
};

/** One for all of these statements, of which each leaves the rows as they were. */
let ofStatements: Watch | undefined;

for (const [kind, [sql, ids]] of Object.entries(statements)) {
  test(`postgres: ${kind}`, { skip }, async () => {
    const watch = ofStatements ??= await setUp(QUICK);
    await database.sql.exec(sql);
    const told = await watch.look();
    const again = await watch.look();
    await database.sql.exec(rows);
    await watch.look();
    assert.deepEqual(told, { ids, state: "live", reset: undefined });
    assert.deepEqual(again, nothing, "told once");
  });
}

/** What no trigger tells, and the look has to find. */
const unseen: Readonly<Record<string, readonly string[]>> = {
  "TRUNCATE": ["truncate posts"],
  "a column with a default": ["alter table posts add column extra int default 5"],
  "a column that is dropped": ["alter table posts drop column data"],
  "a column of another type": ["alter table posts alter column title type varchar(100)"],
  "triggers switched off, a write, and on again": [
    "alter table posts disable trigger all",
    "update posts set title = 'x'",
    "alter table posts enable trigger all; alter table posts enable always trigger stillfresh_insert; " +
    "alter table posts enable always trigger stillfresh_update",
  ],
  "a trigger's function that was replaced": [
    "create or replace function stillfresh.changed_1() returns trigger language plpgsql as 'begin return null; end'",
  ],
};

/** One for all of these. */
let ofShapes: Watch | undefined;

for (const [kind, steps] of Object.entries(unseen)) {
  test(`postgres: ${kind} is a reset`, { skip }, async () => {
    const watch = ofShapes ??= await setUp();
    for (const sql of steps) await database.sql.exec(sql);
    assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "schema" });
    assert.deepEqual(await watch.look(), nothing);
  });
}

test("postgres: what makes rows read differently without touching them is a reset", { skip }, async () => {
  await database.begin(
    `create type kind as enum ('draft', 'open');
     create table notes (id int, day int, kind kind, primary key (id, day)) partition by range (day);
     create table notes_1 partition of notes for values from (0) to (10);`,
    { notes: ["id", "day"] },
  );
  const detach = (isPending: boolean) =>
    `set allow_system_table_mods = on; update pg_inherits set inhdetachpending = ${isPending};
     set allow_system_table_mods = off`;
  const watch = database.watch({ tables: ["notes"] });
  await watch.look();
  for (
    const sql of [
      "alter type kind rename value 'draft' to 'hidden'",
      "truncate stillfresh.changes",
      // As DETACH PARTITION CONCURRENTLY leaves it, for as long as an older transaction runs.
      detach(true),
      // What is pending cannot be dropped.
      detach(false),
    ]
  ) {
    await database.sql.exec(sql);
    assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "schema" }, sql);
    assert.deepEqual(await watch.look(), nothing, sql);
  }
  await watch.close();
});

test("postgres: what VACUUM, ANALYZE, GRANT and a new index do is no reset", { skip }, async () => {
  const watch = await setUp();
  for (
    const sql of [
      "analyze posts",
      "vacuum posts",
      "create index on posts (title)",
      "create role other",
      "grant select on posts to other",
      "alter table posts alter column title set default 'x'",
    ]
  ) await database.sql.exec(sql);
  assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: undefined });
  await watch.close();
  await database.sql.exec("revoke all on posts from other; drop role other");
});

test(
  "postgres: while triggers are switched off, or the table is gone, the feed is lost, and live again after",
  { skip },
  async () => {
    const watch = await setUp();
    await database.sql.exec("alter table posts disable trigger stillfresh_update");
    assert.equal((await watch.look()).state, "lost");
    await database.sql.exec(
      "update posts set title = 'x'; alter table posts enable always trigger stillfresh_update",
    );
    assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "schema" });
    await database.sql.exec("alter table posts rename to old");
    assert.equal((await watch.look()).state, "lost");
    await database.sql.exec("create table posts (id int primary key)");
    assert.equal((await watch.look()).state, "lost", "a table that took its place has no triggers");
    await database.sql.exec("drop table posts; alter table old rename to posts");
    assert.equal((await watch.look()).state, "live");
    const states = watch.events.filter((event) => !event.startsWith("reset"));
    assert.deepEqual(states, ["live", "lost", "live", "lost", "live"]);
    await watch.close();
  },
);

test(
  "postgres: ENABLE TRIGGER ALL leaves triggers that some writers go past: the error names them and the cure",
  { skip },
  async () => {
    const watch = await setUp();
    await database.sql.exec("alter table posts disable trigger all; alter table posts enable trigger all");
    assert.equal((await watch.look()).state, "lost");
    await assert.rejects(database.watch({ tables: ["authors", "posts"] }).look(), {
      code: "not-found",
      message: /stillfresh_insert of posts, stillfresh_update of posts: ALTER TABLE … ENABLE ALWAYS TRIGGER/,
    });
    await database.sql.exec(migration(watched).up);
    assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "schema" });
    await watch.close();
  },
);

test("postgres: rows of partitions, moved and truncated", { skip }, async () => {
  await database.begin(
    `create table logs (id int, day int, text text, primary key (id, day)) partition by range (day);
     create table logs_1 partition of logs for values from (0) to (10);
     create table logs_2 partition of logs for values from (10) to (20);`,
    { logs: ["id", "day"] },
  );
  const watch = database.watch({ tables: ["logs"] });
  await watch.look();
  await database.sql.exec("insert into logs values (1, 5, 'a'); insert into logs_2 values (2, 15, 'b')");
  assert.deepEqual((await watch.look()).ids, ["logs", "logs/1/5", "logs/2/15"]);
  await database.sql.exec("update logs set day = 12 where id = 1");
  assert.deepEqual((await watch.look()).ids, ["logs", "logs/1/12", "logs/1/5"]);
  await database.sql.exec("truncate logs_2");
  assert.equal((await watch.look()).reset, "schema");
  await database.sql.exec(
    "create table logs_3 partition of logs for values from (20) to (30); insert into logs values (3, 25, 'c')",
  );
  assert.equal((await watch.look()).reset, "schema");
  await database.sql.exec("update logs set text = 'd' where id = 3");
  assert.deepEqual((await watch.look()).ids, ["logs", "logs/3/25"]);
  await database.sql.exec("alter table logs_3 disable trigger stillfresh_update");
  assert.equal((await watch.look()).state, "lost", "a partition whose triggers are switched off");
  await assert.rejects(database.watch({ tables: ["logs"] }).look(), {
    message: /stillfresh_update of logs_3/,
  });
  await database.sql.exec("alter table logs_3 enable always trigger stillfresh_update");
  assert.equal((await watch.look()).state, "live");
  await watch.close();
});
