/**
 * What the feed needs in the file, as SQL for the migrations of the application. This package never runs it.
 *
 * @module
 */

/** Of the SQL below: a feed refuses what another version has made. */
export const VERSION = 1;

/** A connection: a database of `node:sqlite`, `bun:sqlite`, `better-sqlite3` or libSQL as it is. */
export interface SqliteConnection {
  /** Prepares a statement, which gives all of its rows. */
  prepare(text: string): { all(...parameters: (string | number)[]): readonly unknown[] };
  /** Closes it. */
  close(): unknown;
}

/** Opens the file anew; a connection that only reads is enough. */
export type SqliteOpen = () => SqliteConnection;

/** A table, by its key. */
export type TableOptions = readonly string[] | {
  /** The columns of its key, in the order in which `row()` is given them. */
  readonly key: readonly string[];
  /** Columns by which lists are selected: a change is also reported for the old and the new value of each. */
  readonly groups?: readonly string[];
};

/** A migration, and its reverse. */
export interface Migration {
  /** Makes everything, and replaces what an earlier migration made. Run it in one transaction. */
  readonly up: string;
  /** Takes everything away. */
  readonly down: string;
}

/** Changes that are kept for followers that are behind. */
const KEPT = 100_000;

/** Every so many changes, the older ones are taken out. */
const PRUNE_EVERY = 1_000;

/**
 * The SQL that lets {@linkcode changes} of this module follow tables: a change table, and triggers that fill it. The
 * schema is read from the file, because a REPLACE removes rows that only a unique index can tell: run the migration again
 * after one was added. A feed refuses a file whose triggers are not those of its schema.
 *
 * All tables are named in one call, and exist already.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DatabaseSync } from "node:sqlite";
 * import { migration } from "@stillfresh/etag/sqlite";
 *
 * // In memory for the example only: a site names its file, "site.db".
 * const FILE = "file:migrated?mode=memory&cache=shared";
 * const site = new DatabaseSync(FILE);
 * site.exec("create table posts (id integer primary key, author_id integer)");
 * const tables = { posts: { key: ["id"], groups: ["author_id"] } };
 * const { up } = migration(tables, () => new DatabaseSync(FILE, { readOnly: true }));
 * site.exec(up);
 * assert.match(up, /AFTER DELETE ON "posts"/);
 * site.close();
 * ```
 *
 * @param tables Each table by its name, with the columns of its key.
 * @param open Opens the file, for reading.
 * @returns The SQL: several statements.
 * @throws {TypeError} If no table is named, or one is not there, has no such column, or is no ordinary table.
 */
export function migration(tables: Readonly<Record<string, TableOptions>>, open: SqliteOpen): Migration {
  if (typeof open !== "function") throw new TypeError("migration() takes a function that opens the file");
  const all = Object.entries(tables).map(([name, options]) => watched(name, options));
  if (all.length === 0) throw new TypeError("migration() takes at least one table, and was given none");
  const connection = open();
  try {
    const old = connection.prepare(
      "select name from sqlite_master where type = 'trigger' and name like 'stillfresh\\_%' escape '\\'",
    ).all() as readonly { readonly name: string }[];
    const made = triggers(connection, all);
    const about = JSON.stringify(all.map(({ name, key, groups }) => [name, key, groups]));
    const drops = new Set([...old.map(({ name }) => name), ...made.keys()]);
    const dropped = Array.from(drops, (name) => `DROP TRIGGER IF EXISTS ${identifier(name)};`);
    const up = [
      ...dropped,
      `CREATE TABLE IF NOT EXISTS stillfresh_changes (n INTEGER PRIMARY KEY AUTOINCREMENT,
  nonce TEXT NOT NULL DEFAULT (hex(randomblob(8))), tbl TEXT NOT NULL, key TEXT NOT NULL, groups TEXT NOT NULL);`,
      "CREATE TABLE IF NOT EXISTS stillfresh_tables (version INTEGER NOT NULL, tables TEXT NOT NULL);",
      "DELETE FROM stillfresh_tables;",
      `INSERT INTO stillfresh_tables VALUES (${VERSION}, ${literal(about)});`,
      // There is always a newest change, by which a follower knows the file.
      "INSERT INTO stillfresh_changes (tbl, key, groups) VALUES ('', '', '[]');",
      ...Array.from(made.values(), (text) => `${text};`),
    ];
    const down = [...dropped, "DROP TABLE stillfresh_changes;", "DROP TABLE stillfresh_tables;"];
    return { up: `${up.join("\n")}\n`, down: `${down.join("\n")}\n` };
  } finally {
    connection.close();
  }
}

/** A table that is followed. */
export interface Watched {
  readonly name: string;
  readonly key: readonly string[];
  readonly groups: readonly string[];
}

function watched(name: string, options: TableOptions): Watched {
  const { key, groups = [] } = Array.isArray(options)
    ? { key: options }
    : options as { readonly key: readonly string[]; readonly groups?: readonly string[] };
  if (name === "" || /[/?]/.test(name)) {
    throw new TypeError(
      `The name of a table is not empty and holds no / and ?, as ${JSON.stringify(name)} does`,
    );
  }
  if (!Array.isArray(key) || key.length === 0 || !Array.isArray(groups)) {
    throw new TypeError(`The table ${JSON.stringify(name)} needs the columns of its key, as a list of names`);
  }
  return { name, key, groups };
}

/** The triggers that the tables need, by their names, for the schema that the file has now. */
export function triggers(connection: SqliteConnection, tables: readonly Watched[]): Map<string, string> {
  const made = new Map<string, string>();
  tables.forEach((table, index) => {
    for (const [name, text] of triggersOf(connection, table)) {
      const unique = `stillfresh_${index + 1}_${name}`;
      made.set(unique, `CREATE TRIGGER ${identifier(unique)} ${text}`);
    }
  });
  made.set(
    "stillfresh_prune",
    `CREATE TRIGGER "stillfresh_prune" AFTER INSERT ON stillfresh_changes WHEN new.n % ${PRUNE_EVERY} = 0 BEGIN
  DELETE FROM stillfresh_changes WHERE n <= new.n - ${KEPT};
END`,
  );
  return made;
}

function triggersOf(connection: SqliteConnection, table: Watched): [name: string, text: string][] {
  const { name, key, groups } = table;
  const columns = requireTable(connection, table);
  const on = `ON ${identifier(name)} FOR EACH ROW`;
  const note = (row: string) =>
    `INSERT INTO stillfresh_changes (tbl, key, groups) VALUES (${described(table, columns, row)});`;
  // Names are told apart byte by byte, whatever a column compares by.
  const same = [...key, ...groups].map(identifier).map((column) =>
    `old.${column} IS new.${column} COLLATE BINARY AND typeof(old.${column}) = typeof(new.${column})`
  ).join(" AND ");
  const { columns: identity } = identityOf(connection, name, columns);
  const isOther = identity.length === 0
    ? ""
    : ` AND NOT (${identity.map(identifier).map((column) => `t.${column} IS old.${column}`).join(" AND ")})`;
  /** Notes the rows that a REPLACE pushes out. An INSERT that finds none costs several times as long as asking first. */
  const pushed = (also: string) => {
    const found = uniques(connection, table, columns).map((unique) =>
      `FROM ${identifier(name)} AS t WHERE ${unique}${also}`
    );
    const notes = found.map((rows) =>
      `  INSERT INTO stillfresh_changes (tbl, key, groups) SELECT ${described(table, columns, "t")} ${rows};`
    );
    if (found.length === 0) return [];
    const isAny = found.map((rows) => `EXISTS (SELECT 1 ${rows})`).join("\n  OR ");
    return [`WHEN ${isAny}\nBEGIN\n${notes.join("\n")}\nEND`];
  };
  return [
    ["insert", `AFTER INSERT ${on} BEGIN\n  ${note("new")}\nEND`],
    ["delete", `AFTER DELETE ${on} BEGIN\n  ${note("old")}\nEND`],
    ["update", `AFTER UPDATE ${on} BEGIN\n  ${note("new")}\nEND`],
    ["moved", `AFTER UPDATE ${on} WHEN NOT (${same}) BEGIN\n  ${note("old")}\nEND`],
    // A REPLACE removes the rows that stand in its way without a trigger's being fired for them.
    ...pushed("").map((does): [string, string] => ["replace", `BEFORE INSERT ${on} ${does}`]),
    ...pushed(isOther).map((does): [string, string] => ["update_replace", `BEFORE UPDATE ${on} ${does}`]),
  ];
}

/** The columns of a table that can be followed. */
function requireTable(connection: SqliteConnection, { name, key, groups }: Watched): Column[] {
  const found = connection.prepare(
    "select sql from sqlite_master where type = 'table' and name = ?",
  ).all(name) as readonly { readonly sql: string }[];
  if (found.length === 0) throw new TypeError(`There is no table ${JSON.stringify(name)}`);
  if (/^create\s+virtual/i.test(found[0]!.sql)) {
    throw new TypeError(`${JSON.stringify(name)} is a virtual table, which can have no triggers`);
  }
  const columns = connection.prepare(`pragma table_xinfo(${identifier(name)})`).all() as Column[];
  for (const column of [...key, ...groups]) {
    if (columns.some((known) => known.name === column)) continue;
    throw new TypeError(`The table ${JSON.stringify(name)} has no column ${JSON.stringify(column)}`);
  }
  for (const column of groups) {
    const collation = collationOf(found[0]!.sql, column);
    if (collation === "binary") continue;
    throw new TypeError(
      `The column ${JSON.stringify(column)} of ${
        JSON.stringify(name)
      } compares by ${collation}, so that one list ` +
        "holds values that are spelled differently: it cannot be a group",
    );
  }
  return columns;
}

/** How a column compares, by the statement that made its table. */
function collationOf(sql: string, column: string): string {
  const definition = readTerms(sql).parts.find((part) => {
    const [name = ""] = part.replace(/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, "").match(
      /^(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[^\s(,]+)/,
    ) ?? [];
    return unquoted(name).toLowerCase() === column.toLowerCase();
  });
  const words = definition?.replace(/'(?:[^']|'')*'|--[^\n]*|\/\*[\s\S]*?\*\//g, " ") ?? "";
  const [, name = "binary"] = /\bcollate\s+([\w"`[\]]+)/i.exec(words) ?? [];
  return unquoted(name).toLowerCase();
}

function unquoted(name: string): string {
  const [, double, back, square] = /^(?:"([\s\S]*)"|`([\s\S]*)`|\[([\s\S]*)\])$/.exec(name) ?? [];
  return double?.replaceAll('""', '"') ?? back?.replaceAll("``", "`") ?? square ?? name;
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
  readonly notnull: number;
  /** An expression. */
  readonly dflt_value: string | null;
  /** 2 and 3: the column is generated from others. */
  readonly hidden: number;
}

/** The value that a row is going to have: where null is not allowed, a REPLACE puts the default in its place. */
function newValue({ name, notnull, dflt_value }: Column): string {
  const value = `new.${identifier(name)}`;
  return notnull && dflt_value !== null ? `coalesce(${value}, (${dflt_value}\n))` : value;
}

interface IndexColumn {
  readonly cid: number;
  readonly name: string | null;
  readonly coll: string;
  readonly key: number;
}

/** For each way in which a new row can be in the way of a row `t`: the condition under which it is. */
function uniques(
  connection: SqliteConnection,
  { name: table, key, groups }: Watched,
  columns: readonly Column[],
): string[] {
  const conditions = new Set<string>();
  /** Such a row has the key of the new one, which is noted anyway, and is in no group. */
  const isKey = (names: readonly (string | null)[]) =>
    groups.length === 0 && names.length === key.length && names.every((name) => key.includes(name!));
  const indexes = connection.prepare(`pragma index_list(${identifier(table)})`).all() as readonly {
    readonly name: string;
    readonly unique: number;
    readonly partial: number;
  }[];
  const equal = (name: string, collation = "") => {
    const column = columns.find((known) => known.name === name)!;
    return `t.${identifier(name)} = ${newValue(column)}${collation}`;
  };
  // Any other key has an index, as below.
  const { columns: [number], isNumber } = identityOf(connection, table, columns);
  if (isNumber && number !== undefined && !isKey([number])) {
    conditions.add(`t.${identifier(number)} = new.${identifier(number)}`);
  }
  for (const { name, unique, partial } of indexes) {
    if (!unique) continue;
    const terms = (connection.prepare(`pragma index_xinfo(${identifier(name)})`).all() as IndexColumn[])
      .filter(({ key }) => key === 1);
    if (!partial && terms.every(({ cid }) => cid >= 0)) {
      const isExact = terms.every(({ coll }) => coll.toLowerCase() === "binary");
      if (isExact && isKey(terms.map(({ name }) => name))) continue;
      conditions.add(
        terms.map(({ name, coll }) => equal(name!, ` COLLATE ${identifier(coll)}`)).join(" AND "),
      );
      continue;
    }
    const [{ sql }] = connection.prepare("select sql from sqlite_master where type = 'index' and name = ?")
      .all(name) as unknown as readonly [{ readonly sql: string }];
    const condition = conditionOf(sql, terms, columns);
    requireReadable(connection, table, name, condition);
    conditions.add(condition);
  }
  // A generated value is computed again from the defaults, which is not done here: every row may be in the way.
  const mayBeComputed = columns.some(({ hidden }) => hidden > 1);
  for (const { name, notnull, dflt_value } of mayBeComputed ? columns : []) {
    if (notnull && dflt_value !== null) conditions.add(`new.${identifier(name)} IS NULL`);
  }
  return [...conditions];
}

/**
 * What tells a row from all others: its number, by whatever name, or the key of a table that has no numbers. Nothing, where
 * columns have taken all names of the number.
 */
function identityOf(
  connection: SqliteConnection,
  table: string,
  columns: readonly Column[],
): { readonly columns: readonly string[]; readonly isNumber: boolean } {
  const [{ wr }] = connection.prepare(
    "select wr from pragma_table_list where schema = 'main' and name = ?",
  ).all(table) as unknown as readonly [{ readonly wr: number }];
  const key = columns.filter(({ pk }) => pk > 0).map(({ name }) => name);
  if (wr !== 0) return { columns: key, isNumber: false };
  const indexes = connection.prepare("select 1 from pragma_index_list(?) where origin = 'pk'").all(table);
  if (key.length === 1 && indexes.length === 0) return { columns: key, isNumber: true };
  const hidden = ["rowid", "_rowid_", "oid"].filter((hidden) =>
    !columns.some(({ name }) => name.toLowerCase() === hidden)
  );
  return { columns: hidden.slice(0, 1), isNumber: true };
}

/** Better now than when a row is written. */
function requireReadable(
  connection: SqliteConnection,
  table: string,
  index: string,
  condition: string,
): void {
  const on = identifier(table);
  try {
    connection.prepare(`SELECT (SELECT 1 FROM ${on} AS t WHERE ${condition}) FROM ${on} AS new`);
  } catch (error) {
    throw new TypeError(`The unique index ${JSON.stringify(index)} cannot be followed`, { cause: error });
  }
}

/**
 * The condition of an index with expressions, or of a partial one. For the present row its terms stay as they are written, so
 * that the index is used; for the new one they are read in a table with the names of its columns.
 */
function conditionOf(sql: string, terms: readonly IndexColumn[], columns: readonly Column[]): string {
  const { parts, rest } = readTerms(sql);
  const where = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*where\b([\s\S]*)$/i.exec(rest)?.[1];
  const equal = parts.map((part, at) => {
    const term = part.replace(/\s+(asc|desc)\s*$/i, "");
    return `(${term}\n) = ${inNewRow(term, columns)} COLLATE ${identifier(terms[at]!.coll)}`;
  });
  return [...where === undefined ? [] : [`(${where}\n)`, inNewRow(where, columns)], ...equal].join(" AND ");
}

function inNewRow(term: string, columns: readonly Column[]): string {
  const text = term.replaceAll('""', '"').replaceAll("``", "`").toLowerCase();
  const named = columns.filter(({ name }) => text.includes(name.toLowerCase()));
  const values = named.map((column) => `${newValue(column)} AS ${identifier(column.name)}`);
  return `(SELECT ${term}\n FROM (SELECT ${values.length === 0 ? "1" : values.join(", ")}))`;
}

/** What a CREATE statement has in its first brackets, by its commas, and what comes after them. */
function readTerms(sql: string): { readonly parts: readonly string[]; readonly rest: string } {
  // Names in quotes, strings and comments are passed over; what is left are brackets and commas.
  const token = /"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[(),]/g;
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (const { 0: found, index } of sql.matchAll(token)) {
    if (found === "(" && depth++ === 0) from = index + 1;
    if (found === "," && depth === 1) {
      parts.push(sql.slice(from, index).trim());
      from = index + 1;
    }
    if (found === ")" && --depth === 0) {
      parts.push(sql.slice(from, index).trim());
      return { parts, rest: sql.slice(index + 1) };
    }
  }
  throw new TypeError(`This statement cannot be read: ${sql}`);
}

/** What is noted of a row: the table, its key, and the groups that it is in. */
function described({ name, key, groups }: Watched, columns: readonly Column[], row: string): string {
  const part = (column: string) => spelled(columns.find((known) => known.name === column)!, row);
  const values = groups.map((column) => `${literal(column)}, ${part(column)}`);
  const keys = key.map((column) => `coalesce(${part(column)}, '')`).join(" || '/' || ");
  return `${literal(name)}, ${keys}, ${groups.length === 0 ? "'[]'" : `json_array(${values.join(", ")})`}`;
}

/**
 * A value of a key, spelled as `row()` spells it; null for none. It takes what a column can hold: 7.0 is 7 in JavaScript, and
 * stays 7.0 only where the type of the column is REAL or none. What `row()` refuses may be spelled in any way.
 */
function spelled({ name, type }: Column, row: string): string {
  const value = `${row}.${identifier(name)}`;
  const text = `replace(replace(${value}, '%', '%25'), '/', '%2F')`;
  // The rules of SQLite for the affinity of a type, in their order.
  const isExact = /int|char|clob|text/i.test(type) || !/^$|blob|real|floa|doub|any/i.test(type);
  return isExact
    ? text
    : `CASE typeof(${value}) WHEN 'real' THEN CAST(CAST(${value} AS INTEGER) AS TEXT) ELSE ${text} END`;
}

/** A name in quotes. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
