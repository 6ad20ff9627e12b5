/**
 * Each kind of statement on a followed table, by a real MariaDB: what the feed tells of it, what it takes for a reset, what it
 * refuses, and what stops the migration.
 */
import assert from "node:assert/strict";
import { row, rows } from "../../mod.ts";
import { migration, type MysqlOptions, type Query } from "../../src/mysql/changes.ts";
import { IDENTITY } from "../../src/mysql/identity.ts";
import { fetchClient, type Pool } from "./client.ts";
import type { Server } from "./server.ts";
import { Watch } from "./watch.ts";

const database = "my-statements";

const schema = [
  "create table authors (id int primary key, name varchar(50)) engine = InnoDB",
  `create table posts (id int primary key, title varchar(50), author_id int, slug varchar(20) unique,
    size int as (char_length(title)) stored, foreign key (author_id) references authors (id)) engine = InnoDB`,
  `create table logs (id int, day int, text varchar(20), primary key (id, day)) engine = InnoDB
    partition by range (day) (partition p1 values less than (10), partition p2 values less than (20))`,
  "insert into authors values (1, 'Ada'), (2, 'Bob')",
  "insert into posts (id, title, author_id, slug) select seq, concat('post ', seq), 1 + seq % 2, concat('s', seq) from seq_1_to_6",
  "create view titles as select id, title from posts",
  "create procedure retitle(wanted int) update posts set title = 'p' where id = wanted",
];
const watched = { posts: { key: ["id"], groups: ["author_id"] }, authors: ["id"], logs: ["id", "day"] };
const tables = Object.keys(watched);

/** Statements, and the ids that they change. */
const told: Readonly<Record<string, readonly [statements: readonly string[], ids: readonly string[]]>> = {
  "an insert": [["insert into posts (id, author_id) values (7, 2)"], [
    "posts",
    "posts/7",
    "posts?author_id=2",
  ]],
  "an update": [["update posts set title = 'x' where id = 1"], ["posts", "posts/1", "posts?author_id=2"]],
  "an update that changes nothing": [["update posts set title = title where id = 1"], [
    "posts",
    "posts/1",
    "posts?author_id=2",
  ]],
  "a row that changes its group": [["update posts set author_id = 1 where id = 1"], [
    "posts",
    "posts/1",
    "posts?author_id=1",
    "posts?author_id=2",
  ]],
  "a row that leaves every group": [["update posts set author_id = null where id = 1"], [
    "posts",
    "posts/1",
    "posts?author_id",
    "posts?author_id=2",
  ]],
  "a row that changes its key": [["update posts set id = 70 where id = 1"], [
    "posts",
    "posts/1",
    "posts/70",
    "posts?author_id=2",
  ]],
  "a delete": [["delete from posts where id = 2"], ["posts", "posts/2", "posts?author_id=1"]],
  "INSERT … ON DUPLICATE KEY UPDATE that inserts": [[
    "insert into posts (id, title) values (8, 'x') on duplicate key update title = 'y'",
  ], ["posts", "posts/8", "posts?author_id"]],
  "INSERT … ON DUPLICATE KEY UPDATE that updates": [[
    "insert into posts (id, title) values (3, 'x') on duplicate key update title = 'y'",
  ], ["posts", "posts/3", "posts?author_id=2"]],
  "INSERT IGNORE of a row that is there": [["insert ignore into posts (id, title) values (3, 'x')"], []],
  "REPLACE that takes the place of two rows": [[
    "replace into posts (id, slug, author_id) values (4, 's1', 1)",
  ], [
    "posts",
    "posts/1",
    "posts/4",
    "posts?author_id=1",
    "posts?author_id=2",
  ]],
  "INSERT … SELECT": [["insert into authors select id + 10, 'x' from authors"], [
    "authors",
    "authors/11",
    "authors/12",
  ]],
  "LOAD DATA": [[
    "select 9, 'x', 2 into outfile 'FOLDER/1'",
    "load data infile 'FOLDER/1' into table posts (id, title, author_id)",
  ], ["posts", "posts/9", "posts?author_id=2"]],
  "LOAD DATA … REPLACE": [[
    "select 5, 'x', 1 into outfile 'FOLDER/2'",
    "load data infile 'FOLDER/2' replace into table posts (id, title, author_id)",
  ], ["posts", "posts/5", "posts?author_id=1", "posts?author_id=2"]],
  "an update of several tables": [[
    "update posts p join authors a on a.id = p.author_id set p.title = 'x', a.name = 'y' where p.id in (2, 4)",
  ], ["authors", "authors/1", "posts", "posts/2", "posts/4", "posts?author_id=1"]],
  "a delete from several tables": [[
    "set foreign_key_checks = 0",
    "delete p, a from posts p join authors a on a.id = p.author_id where p.id = 2",
  ], ["authors", "authors/1", "posts", "posts/2", "posts?author_id=1"]],
  "a write through a view": [["update titles set title = 'v' where id = 1"], [
    "posts",
    "posts/1",
    "posts?author_id=2",
  ]],
  "a write of a procedure": [["call retitle(1)"], ["posts", "posts/1", "posts?author_id=2"]],
  "a transaction that is rolled back": [["begin", "update posts set title = 'x'", "rollback"], []],
  "savepoints, kept and rolled back": [[
    "begin",
    "update posts set title = 'x' where id = 1",
    "savepoint a",
    "update posts set title = 'x' where id = 2",
    "rollback to a",
    "commit",
  ], ["posts", "posts/1", "posts?author_id=2"]],
  "a two-phase commit": [
    [
      "xa start 'a'",
      "update posts set title = 'x' where id = 1",
      "xa end 'a'",
      "xa prepare 'a'",
      "xa commit 'a'",
    ],
    ["posts", "posts/1", "posts?author_id=2"],
  ],
  "a session that writes no binlog": [["set sql_log_bin = 0", "update posts set title = 'x' where id = 1"], [
    "posts",
    "posts/1",
    "posts?author_id=2",
  ]],
  "a bulk load without checks": [[
    "set foreign_key_checks = 0, unique_checks = 0",
    "insert into logs values (1, 5, 'a'), (2, 15, 'b')",
  ], ["logs", "logs/1/5", "logs/2/15"]],
  "a row that moves to another partition": [[
    "insert into logs values (3, 5, 'a')",
    "update logs set day = 12 where id = 3",
  ], ["logs", "logs/3/12", "logs/3/5"]],
  "ANALYZE, GRANT and another table": [[
    "analyze table posts",
    "create table other (id int)",
    "create user if not exists other@localhost",
    "grant select on posts to other@localhost",
  ], []],
};

/** Statements of which no trigger tells, and which a whole look has to find. */
const resets: Readonly<Record<string, readonly string[]>> = {
  "TRUNCATE": ["truncate posts"],
  "TRUNCATE of a partition": ["alter table logs truncate partition p1"],
  "a partition that is dropped": ["alter table logs drop partition p2"],
  "a partition that is exchanged": [
    "create table outside like logs",
    "alter table outside remove partitioning",
    "alter table logs exchange partition p1 with table outside",
  ],
  "a column with a default": ["alter table posts add column extra int default 5"],
  "a column that is dropped, and added with another content": [
    "alter table posts drop column title, add column title varchar(50) default 'x'",
  ],
  "a column of another type": ["alter table posts modify title varchar(100)"],
  "a table that is made anew": ["alter table authors engine = InnoDB, force"],
  "a trigger that was gone, a write, and the trigger again": [
    "drop trigger stillfresh_2_update",
    "update authors set name = 'x'",
    migration(watched).up.find((statement) => statement.includes("stillfresh_2_update"))!,
  ],
  "another trigger of that name": [
    "create or replace trigger stillfresh_2_update after update on authors for each row set @x = 1",
  ],
  "BINLOG statements, which apply rows as a replica does": [
    "begin not atomic declare continue handler for sqlexception begin end; execute immediate 'binlog '''''; end",
  ],
  "a session that numbers its rows": ["set insert_id = 1", "update authors set name = 'x' where id = 1"],
};

/** What makes the feed lost, until it is undone. */
const losses: Readonly<
  Record<string, readonly [statements: readonly string[], sentence: RegExp, undo: readonly string[]]>
> = {
  "a table that is gone": [["rename table authors to gone"], /"authors" is not there/, [
    "rename table gone to authors",
  ]],
  "another engine": [
    [
      "alter table logs engine = Aria",
    ],
    /engine InnoDB/,
    ["alter table logs engine = InnoDB"],
  ],
  "a foreign key that cascades": [
    [
      "alter table posts add constraint casc foreign key (author_id) references authors (id) on delete cascade",
    ],
    /by the foreign key casc/,
    ["alter table posts drop constraint casc"],
  ],
  "a read-only server": [["set global read_only = 1"], /read-only/, ["set global read_only = 0"]],
};

/** Why a feed does not begin. */
const refusals: Readonly<
  Record<string, readonly [statements: readonly string[], code: string, sentence: RegExp]>
> = {
  "the migration was not run": [migration(watched).down, "not-found", /migration has not been run/],
  "a table has a trigger less": [
    ["drop trigger stillfresh_2_delete"],
    "not-found",
    /"authors" lacks triggers/,
  ],
  "a table that is not in the migration": [
    migration({ posts: ["id"] }).up,
    "not-found",
    /"authors" is not in the migration/,
  ],
};

/** What sessions of the feed are refused for. */
const sessions: Readonly<Record<string, readonly [statement: string, sentence: RegExp]>> = {
  "a transaction": ["begin", /inside a transaction/],
  "no autocommit": ["set autocommit = 0", /with autocommit/],
  "READ UNCOMMITTED": ["set session transaction isolation level read uncommitted", /READ UNCOMMITTED/],
};

/** What stops the migration: what is made, what is to be followed, and the sentence. */
const stops:
  readonly (readonly [schema: string, options: Parameters<typeof migration>[0], sentence: RegExp])[] = [
    ["select 1", { missing: ["id"] }, /There is no table missing/],
    ["create table t (id int primary key) engine = Aria", { t: ["id"] }, /no table t of the engine InnoDB/],
    [
      "create table t (id int primary key) engine = InnoDB",
      { t: ["key"] },
      /columns of t are not there, .*: key$/,
    ],
    ...["date", "datetime(3)", "decimal(5)", "varbinary(9)", "tinyint(1)", "int(5) zerofill", "double"].map((
      type,
    ) =>
      [
        `create table t (id ${type} primary key) engine = InnoDB`,
        { t: ["id"] },
        /the same everywhere: id$/,
      ] as const
    ),
    [
      "create table t (id int primary key, name varchar(9) collate utf8mb4_bin) engine = InnoDB",
      { t: { key: ["id"], groups: ["name"] } },
      /groups of t need a collation that tells all texts apart, .*: name$/,
    ],
    [
      "create table t (id int primary key, p int, constraint casc foreign key (p) references posts (id) on update cascade) engine = InnoDB",
      { t: ["id"] },
      /Rows of t change by foreign keys, which no trigger sees, so name them in cascades: casc$/,
    ],
  ];

/** Types of keys, and values of them as they are written in SQL. */
const keys: Readonly<Record<string, readonly string[]>> = {
  "int": ["0", "-5", "2147483647"],
  "bigint unsigned": ["9007199254740993", "18446744073709551615"],
  "varchar(50) character set utf8mb4 collate utf8mb4_nopad_bin": [
    "'a'",
    "'A'",
    "'a/b'",
    "'50%'",
    "'%2F'",
    "''",
    "'Zoë 🍃'",
    "'it''s'",
    "'a?b=c'",
    "' spaced '",
    "concat('a', char(92), 'b')",
    "concat('a', char(10), 'b')",
  ],
  "varchar(20) character set latin1 collate latin1_nopad_bin": ["'Zoë'", "'ÿ'"],
  "char(36) collate utf8mb4_nopad_bin": ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'short'"],
  "uuid": ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"],
  "enum('glad', '50% sad')": ["'glad'", "'50% sad'"],
};

/** Rows that foreign keys change, over two steps, by a key of two columns, and to null. */
const family = [
  "create table orgs (id int primary key, name varchar(20)) engine = InnoDB",
  "create table people (id int, org int, boss int, primary key (id), unique (id, org), foreign key (org) references orgs (id) on delete cascade on update cascade) engine = InnoDB",
  "create table notes (id int primary key, person int, org int, foreign key (person, org) references people (id, org) on delete set null on update cascade) engine = InnoDB",
  "insert into orgs values (1, 'a'), (2, 'b')",
  "insert into people values (10, 1, null), (11, 1, null), (20, 2, null)",
  "insert into notes values (100, 10, 1), (110, 11, 1), (200, 20, 2)",
];
const kin = {
  orgs: ["id"],
  people: { key: ["id"], groups: ["org"], cascades: [{ from: "orgs", columns: { org: "id" } }] },
  notes: {
    key: ["id"],
    groups: ["person", "org"],
    cascades: [{ from: "people", columns: { person: "id", org: "org" } }],
  },
};

/** A statement on a parent, and the ids that change. */
const cascades: Readonly<Record<string, readonly [statement: string, ids: readonly string[]]>> = {
  "nothing, if the key stays": ["update orgs set name = 'x' where id = 1", ["orgs", "orgs/1"]],
  "a delete, over two steps": ["delete from orgs where id = 2", [
    "notes",
    "notes/200",
    "notes?org",
    "notes?org=2",
    "notes?person",
    "notes?person=20",
    "orgs",
    "orgs/2",
    "people",
    "people/20",
    "people?org",
    "people?org=2",
  ]],
  "another key, over two steps": ["update orgs set id = 3 where id = 2", [
    "notes",
    "notes/200",
    "notes?org",
    "notes?org=2",
    "notes?org=3",
    "notes?person",
    "notes?person=20",
    "orgs",
    "orgs/2",
    "orgs/3",
    "people",
    "people/20",
    "people?org",
    "people?org=2",
    "people?org=3",
  ]],
  "a delete in the middle": ["delete from people where id = 10", [
    "notes",
    "notes/100",
    "notes?org",
    "notes?org=1",
    "notes?person",
    "notes?person=10",
    "people",
    "people/10",
    "people?org=1",
  ]],
  "REPLACE of a parent": ["replace into orgs values (2, 'x')", [
    "notes",
    "notes/200",
    "notes?org",
    "notes?org=2",
    "notes?person",
    "notes?person=20",
    "orgs",
    "orgs/2",
    "people",
    "people/20",
    "people?org",
    "people?org=2",
  ]],
};

/** Runs all of it. */
export async function statementRun(server: Server, say: (name: string) => void): Promise<number> {
  const mysql = await fetchClient();
  const address = { host: "127.0.0.1", port: server.port, user: "root", supportBigNumbers: true };
  const root = await mysql.createConnection(address);
  const ask = (text: string) => root.query(text);
  let ran = 0;
  let pool: Pool;
  const query: Query = async (text, parameters) => {
    // The feed's own rests take no time here, and the server keeps a list for a tenth of a second.
    if (text.includes("stillfresh_running")) await new Promise((resolve) => setTimeout(resolve, 110));
    return await pool.query(text, parameters);
  };
  const watch = (options: Partial<MysqlOptions> = {}) => new Watch(query, { tables, ...options });

  async function begin(): Promise<void> {
    await pool?.end();
    await ask(`drop database if exists \`${database}\``);
    await ask(`create database \`${database}\``);
    pool = mysql.createPool({ ...address, database });
    for (const statement of [...schema, ...migration(watched).up]) await pool.query(statement);
  }

  /** Runs them in one session of its own. */
  async function session(statements: readonly string[]): Promise<void> {
    const connection = await mysql.createConnection({ ...address, database });
    for (const statement of statements) await connection.query(statement.replace("FOLDER", server.folder));
    await connection.end();
  }

  async function test(name: string, body: () => Promise<void>): Promise<void> {
    await begin();
    try {
      await body();
    } catch (error) {
      throw new Error(`mysql: ${name}`, { cause: error });
    }
    ran++;
    say(name);
  }

  for (const [kind, [statements, ids]] of Object.entries(told)) {
    await test(kind, async () => {
      const seen = watch();
      assert.deepEqual(await seen.look(), { ids: [], state: "live", reset: undefined });
      await session(statements);
      assert.deepEqual(await seen.look(), { ids, state: "live", reset: undefined });
      assert.deepEqual((await seen.look()).ids, [], "told once");
      await seen.close();
    });
  }
  for (const [kind, statements] of Object.entries(resets)) {
    await test(`${kind} is a reset`, async () => {
      const seen = watch();
      await seen.look();
      await session(statements);
      assert.equal((await seen.look()).reset, "schema");
      assert.deepEqual(await seen.look(), { ids: [], state: "live", reset: undefined });
      await seen.close();
    });
  }
  await test("a trigger that was gone, a write that is prepared, and the trigger again: lost until it is committed", async () => {
    const seen = watch();
    await seen.look();
    await session([
      "drop trigger stillfresh_2_update",
      "xa start 'a'",
      "update authors set name = 'x' where id = 1",
      "xa end 'a'",
      "xa prepare 'a'",
    ]);
    await session([migration(watched).up.find((statement) => statement.includes("stillfresh_2_update"))!]);
    try {
      assert.equal((await seen.look()).state, "lost");
      assert.match(seen.error!.message, /prepared transaction without a connection/);
    } finally {
      await session(["xa commit 'a'"]);
    }
    assert.equal((await seen.look()).reset, "schema");
    await seen.close();
  });
  for (const [kind, [statements, sentence, undo]] of Object.entries(losses)) {
    await test(`${kind}: lost until it is over`, async () => {
      const seen = watch();
      await seen.look();
      await session(statements);
      try {
        assert.equal((await seen.look()).state, "lost");
        assert.match(seen.error!.message, sentence);
      } finally {
        await session(undo);
      }
      assert.equal((await seen.look()).state, "live");
      await seen.close();
    });
  }
  for (const [kind, [statements, code, message]] of Object.entries(refusals)) {
    await test(`${kind}: the feed does not begin`, async () => {
      await session(statements);
      await assert.rejects(watch().look(), { name: "ChangesError", code, message });
    });
  }
  for (const [kind, [statement, message]] of Object.entries(sessions)) {
    await test(`the feed's session has ${kind}: refused`, async () => {
      const connection = await mysql.createConnection({ ...address, database });
      await connection.query(statement);
      const plain: Query = (text, parameters) => connection.query(text, parameters);
      await assert.rejects(new Watch(plain, { tables }).look(), { code: "bad-request", message });
      await connection.end();
    });
  }
  for (const [statement, options, message] of stops) {
    await test(`the migration stops after ${statement}`, async () => {
      await session([statement]);
      await assert.rejects(session(migration(options).up), { message });
    });
  }
  for (const [kind, [statement, ids]] of Object.entries(cascades)) {
    await test(`rows that foreign keys change: ${kind}`, async () => {
      await session([...family, ...migration(kin).up]);
      const seen = watch({ tables: Object.keys(kin) });
      await seen.look();
      await session([statement]);
      assert.deepEqual(await seen.look(), { ids, state: "live", reset: undefined });
      await seen.close();
    });
  }
  for (const level of ["repeatable read", "read committed"]) {
    await test(`rows that foreign keys change: one that is being added is waited for, in ${level}`, async () => {
      await session([...family, ...migration(kin).up]);
      const [adding, deleting] = [
        await mysql.createConnection({ ...address, database }),
        await mysql.createConnection({ ...address, database }),
      ];
      await deleting.query(`set session transaction isolation level ${level}`);
      await adding.query("begin");
      await adding.query("insert into people values (12, 1, null)");
      const deleted = deleting.query("delete from orgs where id = 1");
      const waits = "select count(*) as n from information_schema.innodb_trx where trx_state = 'LOCK WAIT'";
      const waiting = async () => (await pool.query(waits))[0][0]!["n"];
      while (Number(await waiting()) === 0) await new Promise((resolve) => setTimeout(resolve, 120));
      await adding.query("commit");
      await deleted;
      const [found] = await pool.query(
        "select count(*) as n from stillfresh_changes where id = 'people/12'",
      );
      assert.equal(found[0]!["n"], 2, "as it came, and as it went");
      await Promise.all([adding.end(), deleting.end()]);
    });
  }
  await test("rows that foreign keys change: the triggers of the parents are needed, whichever tables are followed", async () => {
    await session([...family, ...migration(kin).up]);
    const seen = watch({ tables: ["notes"] });
    await seen.look();
    await session(["drop trigger stillfresh_1_children_delete"]);
    assert.equal((await seen.look()).state, "lost");
    assert.match(seen.error!.message, /"orgs" lacks triggers/);
    await seen.close();
    await assert.rejects(session(migration({ ...kin, notes: ["id"] }).up), {
      message: /name them in cascades/,
    });
  });
  for (const [type, values] of Object.entries(keys)) {
    await test(`a key of type ${type} is spelled alike by the trigger and by row()`, async () => {
      const table = "odd `name's é";
      await pool.query(
        `create table ${
          mysql.escapeId(table, true)
        } (k ${type}, n int, \`a "column\\\` ${type}, primary key (k, n)) engine = InnoDB`,
      );
      const options = { [table]: { key: ["k", "n"], groups: ['a "column\\'] } };
      for (const statement of migration(options).up) await pool.query(statement);
      const seen = watch({ tables: [table] });
      await seen.look();
      for (const value of values) {
        await pool.query(`insert into ${mysql.escapeId(table, true)} values (${value}, 7, ${value})`);
        const { ids } = await seen.look();
        const [found] = await pool.query(
          `select * from ${mysql.escapeId(table, true)}`,
        );
        const [list] = rows(table, found, { key: ["k", "n"], by: 'a "column\\' });
        assert.deepEqual(ids, [table, row(table, found[0]!, ["k", "n"])._id, list._id].toSorted());
        await pool.query(`delete from ${mysql.escapeId(table, true)}`);
        assert.deepEqual((await seen.look()).ids, ids, "the old row is spelled as the new one was");
      }
      await pool.query(`truncate ${mysql.escapeId(table, true)}`);
      assert.equal((await seen.look()).reset, "schema");
      await seen.close();
    });
  }
  await test("an account of its own reads, and one without the privileges is told so", async () => {
    await ask("create or replace user site@'127.0.0.1' identified by 'secret'");
    const site = mysql.createPool({ ...address, user: "site", password: "secret", database });
    const plain: Query = (text, parameters) => site.query(text, parameters);
    await assert.rejects(new Watch(plain, { tables }).look(), { code: "forbidden" });
    await session(migration(watched, { role: "site@127.0.0.1" }).up);
    const seen = new Watch(plain, { tables, keep: 1 });
    for (let n = 0; n < 3; n++) assert.equal((await seen.look()).state, "live");
    await session([
      "begin",
      "update posts set title = 'x' where id = 1",
      "rollback",
      "update posts set title = 'x' where id = 2",
    ]);
    for (let n = 0; n < 3; n++) assert.equal((await seen.look()).state, "live");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(seen.events, ["live"]);
    await seen.close();
    await site.end();
    const wrong = mysql.createPool({ ...address, user: "site", password: "wrong", database });
    await assert.rejects(new Watch((text) => wrong.query(text), { tables }).look(), { code: "unauthorized" });
    await wrong.end();
  });
  await test("the account that has run the migration lacks PROCESS: the feed says so", async () => {
    await ask("set global log_bin_trust_function_creators = 1");
    await ask("create or replace user owner@'127.0.0.1' identified by 'secret'");
    await ask(`grant all on \`${database}\`.* to owner@'127.0.0.1'`);
    const owner = await mysql.createConnection({ ...address, user: "owner", password: "secret", database });
    for (const statement of [...migration(watched).down, ...migration(watched).up]) {
      await owner.query(statement);
    }
    await owner.end();
    await assert.rejects(watch().look(), {
      code: "forbidden",
      message: /lacks a privilege, such as PROCESS/,
    });
  });
  await test("a position is resumed with its gaps, and refused below what was pruned", async () => {
    const open = await mysql.createConnection({ ...address, database });
    const seen = watch();
    await seen.look();
    await open.query("begin");
    await open.query("update posts set title = 'late' where id = 1");
    await session(["update posts set title = 'soon' where id = 2"]);
    assert.deepEqual((await seen.look()).ids, ["posts", "posts/2", "posts?author_id=1"]);
    await seen.close();
    await open.query("commit");
    const resumed = new Watch(query, { tables }, seen.position);
    assert.deepEqual((await resumed.look()).ids, ["posts", "posts/1", "posts?author_id=2"]);
    const old = resumed.position!;
    await session(["update posts set title = 'x'"]);
    const { ids } = await resumed.look();
    assert.equal(ids.length, 9);
    const now = Number(resumed.position!.since);
    for (let n = 0; n < 2; n++) await pool.query(`call stillfresh_prune(${now}, 0, ${IDENTITY})`);
    const [left] = await pool.query("select count(*) as n from stillfresh_changes");
    assert.equal(left[0]!["n"], 1, "the last one stays");
    assert.deepEqual(await resumed.look(), { ids: [], state: "live", reset: undefined });
    const refused = new Watch(query, { tables }, old);
    assert.equal((await refused.look()).reset, "since-refused");
    await Promise.all([resumed.close(), refused.close(), open.end()]);
  });
  await test("a number that is taken and not yet written holds no lock that a look could wait for", async () => {
    const [holder, writer] = [
      await mysql.createConnection({ ...address, database }),
      await mysql.createConnection({ ...address, database }),
    ];
    await pool.query("insert into stillfresh_changes (id) values ('a'), ('b')");
    await holder.query("begin");
    await holder.query("select * from stillfresh_changes where n > 100 for update");
    await writer.query("begin");
    const inserting = writer.query("insert into stillfresh_changes (id) values ('c')");
    const locking = "select n from stillfresh_changes where n <= 3 lock in share mode nowait";
    const next =
      "select auto_increment as n from information_schema.tables where table_schema = database() and table_name = 'stillfresh_changes'";
    const number = async () => (await pool.query(next))[0][0]!["n"];
    while (Number(await number()) < 4) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(
      (await pool.query(locking))[0].length,
      2,
      "the third is taken, and nothing waits",
    );
    await holder.query("rollback");
    await inserting;
    await assert.rejects(pool.query(locking), { errno: 1205 });
    await writer.query("rollback");
    await Promise.all([holder.end(), writer.end()]);
  });
  await test("while another client keeps the list of transactions old, no gap is forgotten", async () => {
    const seen = watch();
    await seen.look();
    let polls = true;
    const other = await mysql.createConnection(address);
    const polling = (async () => {
      while (polls) {
        await other.query("select count(*) from information_schema.innodb_trx");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const open = await mysql.createConnection({ ...address, database });
    await open.query("begin");
    await open.query("update posts set title = 'late' where id = 1");
    const [[own]] = await open.query("select connection_id() as id");
    const listed = "select * from information_schema.innodb_trx where trx_mysql_thread_id = ?";
    assert.deepEqual((await other.query(listed, [own!["id"]]))[0], [], "the server lists what ran long ago");
    const beginning = watch();
    assert.equal((await beginning.look()).state, "lost");
    assert.match(beginning.error!.message, /has not listed which transactions run now/);
    await beginning.close();
    await session(["update posts set title = 'soon' where id = 2"]);
    for (let n = 0; n < 4; n++) await seen.look();
    assert.match(String(seen.position!.since), /:/);
    await open.query("commit");
    assert.deepEqual((await seen.look()).ids, ["posts", "posts/1", "posts?author_id=2"]);
    polls = false;
    await polling;
    await Promise.all([seen.close(), open.end(), other.end()]);
  });
  await test("a server that starts again is a reset", async () => {
    const seen = watch();
    await seen.look();
    await session(["set global innodb_flush_log_at_trx_commit = 1", "insert into authors values (9, 'x')"]);
    await seen.look();
    await server.crash();
    // The pool has connections that are broken.
    for (let n = 0; n < 20 && !seen.events.includes("reset restarted"); n++) await seen.look();
    assert.ok(seen.events.includes("reset restarted"), seen.events.join());
    assert.equal((await seen.look()).state, "live");
    await seen.close();
  });
  await pool!.end().catch(() => {});
  root.destroy();
  return ran;
}
