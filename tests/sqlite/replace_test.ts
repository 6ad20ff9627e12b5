/** Every row that a statement changes or removes is noted, whatever makes it be in the way. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "../support/fast_check.ts";
import { row, rows } from "../../mod.ts";
import { migration } from "../../src/sqlite/changes.ts";
import { openSqlite, type WritableSqlite } from "../support/sqlite.ts";

interface Kind {
  readonly schema: string;
  /** The columns that statements set. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly by?: string;
  readonly table?: string;
}

const kinds: Readonly<Record<string, Kind>> = {
  "a key and no groups": {
    schema: "create table posts (id integer primary key, a unique)",
    columns: ["id", "a"],
    key: ["id"],
  },
  "nothing but a key, and no groups": {
    schema: "create table posts (a, b, c, primary key (a, b))",
    columns: ["a", "b", "c", "rowid"],
    key: ["b", "a"],
  },
  "a key that ignores the case, and no groups": {
    schema: "create table posts (a text primary key collate nocase, b) without rowid",
    columns: ["a", "b"],
    key: ["a"],
  },
  "types of all kinds": {
    schema: "create table posts (id real primary key, a numeric, b any, c varchar unique, d int)",
    columns: ["id", "a", "b", "c", "d"],
    key: ["id", "a", "b", "c"],
    by: "d",
  },
  "a key of whole numbers": {
    schema: "create table posts (id integer primary key, a)",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "a key of text beside hidden numbers": {
    schema: "create table posts (id text primary key, a)",
    columns: ["id", "a", "rowid"],
    key: ["id"],
    by: "a",
  },
  "a column that takes the name of the hidden number": {
    schema: "create table posts (id text primary key, rowid)",
    columns: ["id", "rowid", "_rowid_"],
    key: ["id"],
    by: "rowid",
  },
  "columns that take all names of the hidden number": {
    schema: "create table posts (oid integer primary key, rowid, _rowid_ unique)",
    columns: ["oid", "rowid", "_rowid_"],
    key: ["rowid"],
    by: "oid",
  },
  "columns that hide the number": {
    schema: "create table posts (oid text primary key, rowid, _rowid_ unique)",
    columns: ["oid", "rowid", "_rowid_"],
    key: ["rowid"],
    by: "oid",
  },
  "no key at all": {
    schema: "create table posts (a, b)",
    columns: ["a", "b", "rowid"],
    key: ["a"],
    by: "b",
  },
  "a key that ignores the case": {
    schema: "create table posts (id text collate nocase primary key, a)",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "a key that is not unique and ignores the case": {
    schema: "create table posts (id text collate nocase, a unique)",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "a key of two columns without hidden numbers": {
    schema: "create table posts (a, b, c unique, primary key (a, b desc)) without rowid",
    columns: ["a", "b", "c"],
    key: ["b", "a"],
    by: "c",
  },
  "a key without hidden numbers that ignores the case": {
    schema: "create table posts (a text collate nocase, b, primary key (a)) without rowid",
    columns: ["a", "b"],
    key: ["a"],
    by: "b",
  },
  "unique columns, with collations": {
    schema:
      "create table posts (id integer primary key, a text unique collate nocase, b text collate rtrim, unique (b))",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "id",
  },
  "several columns with collations of the index": {
    schema:
      "create table posts (id integer primary key, a text, b text); create unique index ab on posts (a collate nocase desc, b collate rtrim)",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "a",
  },
  "a partial index": {
    schema:
      "create table posts (id integer primary key, a, b); create unique index pa on posts (a) where b is not null and b <> 'a'",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "b",
  },
  "an index of expressions": {
    schema:
      "create table posts (id integer primary key, a, b); create unique index ex on posts (lower(a) || ',)', coalesce(b, 1) desc)",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "b",
  },
  "a partial index of expressions with a collation": {
    schema:
      "create table posts (id integer primary key, \"a b\", b, a); create unique index ex on posts /* , */ (\"a b\" || '-' collate nocase, b) where b in (1, 'a') -- so",
    columns: ["id", "a b", "b"],
    key: ["id"],
    by: "a b",
  },
  "a generated column": {
    schema:
      "create table posts (id integer primary key, a, g as (lower(a)) unique, h as (a || 'h') stored); create unique index hi on posts (h)",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "a default where there must not be null": {
    schema: "create table posts (id integer primary key, a not null default 'a' unique, b unique)",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "a",
  },
  "a default in an index of expressions": {
    schema:
      "create table posts (id integer primary key, a not null default ('A'), b); create unique index ex on posts (lower(a)) where a <> 'B'",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "b",
  },
  "a generated column of a default": {
    schema: "create table posts (id integer primary key, a not null default 'A', g as (lower(a)) unique)",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "conflicts that the schema settles": {
    schema:
      "create table posts (id integer primary key on conflict replace, a unique on conflict replace, b unique on conflict ignore)",
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "a",
  },
  "a strict table": {
    schema: "create table posts (id int primary key, a any unique) strict",
    columns: ["id", "a"],
    key: ["id"],
    by: "a",
  },
  "rows that refer to rows": {
    schema:
      "create table posts (id integer primary key, a unique, up references posts on delete cascade on update cascade)",
    columns: ["id", "a", "up"],
    key: ["id"],
    by: "up",
  },
  "triggers of its own": {
    schema:
      `create table posts (id integer primary key, a unique, b); create trigger stamp after update on posts begin
  update posts set b = coalesce(b, 0) || 'x' where id = new.id; end;
create trigger more after insert on posts begin update or replace posts set a = new.b where id = new.id - 1; end`,
    columns: ["id", "a", "b"],
    key: ["id"],
    by: "b",
  },
  "names in quotes": {
    schema:
      'create table "od d""s" ("se lect" integer primary key, "new" unique, "t" unique); create unique index "i""x" on "od d""s" ("new", lower("t"))',
    columns: ["se lect", "new", "t"],
    key: ["se lect"],
    by: "new",
    table: 'od d"s',
  },
};

const quoted = (name: string): string => /^\w+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;

/** The content of each row, and of each list, by the names under which responses depend on them. */
function contents(
  database: WritableSqlite,
  { key, by, table = "posts" }: Kind,
): Map<string, string> {
  const found = new Map<string, string[]>();
  const records = database.prepare(`select * from ${quoted(table)}`)
    .all() as Record<string, unknown>[];
  const note = (id: string, record: object) =>
    found.set(id, [...found.get(id) ?? [], JSON.stringify(record)]);
  for (const record of records) {
    if (key.some((column) => record[column] === null)) continue;
    note(row(table, record, key)._id, record);
    if (by !== undefined) note(rows(table, [record], { key, by })[0]._id, record);
  }
  return new Map(Array.from(found, ([id, texts]) => [id, texts.sort().join()]));
}

const value = fc.constantFrom(
  "1",
  "2",
  "3",
  "'a'",
  "'A'",
  "'a '",
  "'b'",
  "'1'",
  "2.0",
  "null",
  "'a/b'",
);

function statementOf({ columns, table = "posts" }: Kind): fc.Arbitrary<string> {
  const values = fc.tuple(...columns.map(() => value));
  const names = columns.map(quoted);
  const way = fc.constantFrom("or replace", "or ignore", "or replace", "");
  const assignment = fc.tuple(fc.nat(columns.length - 1), value).map((
    [at, to],
  ) => `${names[at]} = ${to}`);
  const on = quoted(table);
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(way, values).map(([or, all]) =>
        `insert ${or} into ${on} (${names}) values (${all})`
      ),
    },
    fc.tuple(values, assignment).map(([all, set]) =>
      `insert into ${on} (${names}) values (${all}) on conflict do update set ${set}`
    ),
    fc.tuple(way, value).map(([or, one]) => `insert ${or} into ${on} (${names[1]}) values (${one})`),
    {
      weight: 3,
      arbitrary: fc.tuple(way, assignment, assignment).map(([or, set, where]) =>
        `update ${or} ${on} set ${set} where ${where}`
      ),
    },
    fc.tuple(way, assignment).map(([or, set]) => `update ${or} ${on} set ${set}`),
    assignment.map((where) => `delete from ${on} where ${where}`),
  );
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`migration: with ${name}, each row that changes or goes is noted`, () => {
    const { table = "posts", key, by } = kind;
    fc.assert(
      fc.property(
        fc.array(statementOf(kind), { minLength: 1, maxLength: 60 }),
        (statements) => {
          const database = openSqlite(":memory:");
          try {
            database.exec("pragma foreign_keys = on");
            database.exec(kind.schema);
            const open = () => ({
              prepare: (text: string) => database.prepare(text),
              close: () => {},
            });
            database.exec(
              migration({ [table]: { key, groups: by === undefined ? [] : [by] } }, open).up,
            );
            const after = database.prepare(
              "select n, tbl, key, groups from stillfresh_changes where n > ?",
            );
            let known = contents(database, kind);
            let last = 1;
            for (const statement of statements) {
              try {
                database.exec(statement);
              } catch (error) {
                // A statement that is refused changes nothing.
                if (
                  !/constraint|datatype|cannot store|cannot UPDATE/i.test(
                    String(error),
                  )
                ) throw error;
              }
              const now = contents(database, kind);
              const told = new Set<string>();
              for (
                const change of after.all(last) as {
                  n: number;
                  key: string;
                  groups: string;
                }[]
              ) {
                last = change.n;
                const [column, group] = JSON.parse(change.groups);
                told.add(`${table}/${change.key}`).add(
                  `${table}?${column}${group === null ? "" : `=${group}`}`,
                );
              }
              for (const id of new Set([...known.keys(), ...now.keys()])) {
                if (known.get(id) !== now.get(id)) {
                  assert.ok(
                    told.has(id),
                    `${id} is not noted by: ${statement}`,
                  );
                }
              }
              known = now;
            }
          } finally {
            database.close();
          }
        },
      ),
      { numRuns: 4 },
    );
  });
}
