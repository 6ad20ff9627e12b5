/** Keys and groups as the triggers spell them are those that `row()` and `rows()` name. */
import assert from "node:assert/strict";
import { test } from "./declared.ts";
import { row, rows } from "../../mod.ts";
import { migration } from "../../src/postgres/changes.ts";
import fc from "../support/fast_check.ts";
import { database, QUICK, skip } from "./database.ts";

/** A type, and values of it as they are written in SQL. */
const values: Readonly<Record<string, readonly string[]>> = {
  int: ["0", "-5", "2147483647"],
  bigint: ["9007199254740993", "-9223372036854775808"],
  text: ["'a'", "'a/b'", "'50%'", "'%2F'", "''", "'Zoë'", "'a\\b'", "'it''s'", "'a?b=c'", "' spaced '"],
  uuid: ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"],
  boolean: ["true", "false"],
  mood: ["'glad'", "'50% sad'"],
};

const tableOf = (type: string) => `public.Odd.name's ${type}`;
const types = Object.keys(values);
let isBegun = false;

/** A table for each type. */
async function beginTypes(): Promise<void> {
  if (isBegun) return;
  isBegun = true;
  const tables = types.map((type) =>
    `create table "${
      tableOf(type).slice("public.".length)
    }" (k ${type}, n int, "a ""column""" ${type}, primary key (k, n));`
  );
  await database.begin(
    `create type mood as enum ('glad', '50% sad'); ${tables.join("\n")}`,
    Object.fromEntries(types.map((type) => [tableOf(type), { key: ["k", "n"], groups: ['a "column"'] }])),
  );
}

for (const [type, list] of Object.entries(values)) {
  test(`postgres: a key of type ${type} is spelled alike by the trigger and by row()`, { skip }, async () => {
    await beginTypes();
    const table = tableOf(type);
    const quoted = `"${table.slice("public.".length)}"`;
    const watch = database.watch({ tables: [table], maxLag: QUICK });
    await watch.look();
    for (const value of list) {
      await database.sql.exec(`insert into ${quoted} values (${value}, 7, ${value})`);
      const { ids } = await watch.look();
      const found = (await database.sql.query(`select * from ${quoted}`)).rows as Record<string, unknown>[];
      const [list] = rows(table, found, { key: ["k", "n"], by: 'a "column"' });
      assert.deepEqual(ids, [table, row(table, found[0]!, ["k", "n"])._id, list._id].toSorted());
      await database.sql.exec(`delete from ${quoted}`);
      assert.deepEqual((await watch.look()).ids, ids, "the old row is spelled as the new one was");
    }
    await watch.close();
  });
}

test("postgres: any text is spelled alike by the trigger and by row()", { skip }, async () => {
  await database.begin("create table t (k text primary key)", { t: ["k"] });
  const watch = database.watch({ tables: ["t"], maxLag: QUICK });
  await watch.look();
  const text = fc.string({ unit: "binary" }).filter((value) => !value.includes("\0") && value.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(text, { maxLength: 40, minLength: 1 }), async (keys) => {
      await database.sql.query("insert into t select json_array_elements_text($1::json)", [
        JSON.stringify(keys),
      ]);
      const { ids } = await watch.look();
      assert.deepEqual(ids, ["t", ...keys.map((k) => row("t", { k }, "k")._id)].toSorted());
      await database.sql.exec("delete from t");
      await watch.look();
    }),
    { numRuns: 20 },
  );
  await watch.close();
});

test("migration: a table that cannot be watched stops it, with a sentence", { skip }, async () => {
  const cases = {
    "There is no table missing": ["", { missing: ["id"] }],
    "These columns of t are not there": ["create table t (id int primary key)", { t: ["key"] }],
    "of t are not there, or not of a type": ["create table t (id date primary key)", { t: ["id"] }],
    "v is no table": ["create view v as select 1 as id", { v: ["id"] }],
    "cannot be groups: b": [
      // PGlite is built without those of ICU, which alone can be like this.
      'create collation loose from "C"; set allow_system_table_mods = on; ' +
      "update pg_collation set collisdeterministic = false where collname = 'loose'; set allow_system_table_mods = off; " +
      "create table t (id int primary key, a text, b text collate loose)",
      { t: { key: ["id"], groups: ["a", "b"] } },
    ],
    "t has children by inheritance": [
      "create table t (id int primary key); create table child () inherits (t)",
      { t: ["id"] },
    ],
  } as const;
  for (const [sentence, [schema, tables]] of Object.entries(cases)) {
    await assert.rejects(database.begin(schema, tables), { message: new RegExp(sentence) });
  }
});

const odd = ["date", "timestamptz", "numeric", "bytea", "float8", "char(3)"];
let hasOdd = false;

for (const [n, type] of odd.entries()) {
  test(`migration: a key of type ${type}, which clients spell differently, stops it`, { skip }, async () => {
    if (!hasOdd) {
      await database.begin(`create table t (id int, ${odd.map((type, n) => `c${n} ${type}`).join()})`, {
        t: ["id"],
      });
      hasOdd = true;
    }
    await assert.rejects(database.sql.exec(migration({ t: ["id", `c${n}`] }).up), {
      message: new RegExp(`not of a type that is spelled the same everywhere: c${n}$`),
    });
  });
}

test(
  "migration: run again with other tables, it watches those alone; its reverse leaves nothing",
  { skip },
  async () => {
    await database.begin("create table a (id int primary key); create table b (id int primary key)", {
      a: ["id"],
    });
    await database.sql.exec(migration({ b: ["id"] }).up);
    const triggers = async () =>
      (await database.sql.query<{ name: string }>(
        "select distinct tgrelid::regclass::text as name from pg_trigger where tgname like 'stillfresh%'",
      )).rows.map(({ name }) => name);
    assert.deepEqual(await triggers(), ["b"]);
    await database.sql.exec(migration({ b: ["id"] }).down);
    assert.deepEqual(await triggers(), []);
    await database.sql.exec("insert into b values (1)");
  },
);

test("migration: illegal names and tables without a key are refused by name", () => {
  assert.throws(() => migration({}), { name: "TypeError", message: /at least one table/ });
  assert.throws(() => migration({ posts: [] }), { message: /"posts" needs the columns of its key/ });
  assert.throws(() => migration({ "a/b": ["id"] }), { message: /without \/ and \?, not "a\/b"/ });
  assert.throws(() => migration({ "a.": ["id"] }), { message: /"a." lacks/ });
  assert.throws(() => migration({ posts: { key: ["id"], groups: "author" } as never }), {
    message: /groups/,
  });
});
