/**
 * What the feed needs in the database, as SQL for the migrations of the application. This package never runs it.
 *
 * @module
 */
import { identifier, literal, tableName } from "./names.ts";

/** Of the SQL below: a feed refuses what another version has made. */
export const VERSION = 1;

/** A table, by its key. */
export type TableOptions = readonly string[] | {
  /** The columns of its primary key, in the order in which `row()` is given them. */
  readonly key: readonly string[];
  /**
   * Columns by which lists are selected: a change of a row is then also reported for the old and the new value of each,
   * so that a list with `by` is void when a row of its value changes, comes or goes.
   */
  readonly groups?: readonly string[];
};

/** How the migration is made. */
export interface MigrationOptions {
  /**
   * The account or role as which the site reads, such as `"site"` or `"site@localhost"`, if it owns nothing: it is granted
   * what the feed needs. Default: none.
   */
  readonly role?: string;
}

/** A migration, and its reverse. */
export interface Migration {
  /**
   * Makes everything, in this order. It can be run again, with other tables and on an earlier version, and then replaces
   * what is there.
   */
  readonly up: readonly string[];
  /** Takes everything away. */
  readonly down: readonly string[];
}

/**
 * The SQL that lets {@linkcode changes} of this module follow tables of one database: a change table, triggers on each
 * table that fill it, and two views in which the feed sees what else it has to know. The account that runs it needs the
 * privileges PROCESS and TRIGGER; the site's own needs less. MariaDB 10.11 or newer.
 *
 * All tables are named in one call: running it again watches those that it names, and no others. Each statement is sent on
 * its own, because some hold semicolons.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { migration } from "@stillfresh/etag/mysql";
 *
 * const { up, down } = migration({ posts: { key: ["id"], groups: ["author_id"] }, tags: ["post", "tag"] });
 * // for (const statement of up) await connection.query(statement);
 * assert.ok(up.some((statement) => statement.includes("after insert on `posts`")));
 * assert.ok(down.includes("drop table if exists stillfresh_changes"));
 * ```
 *
 * @param tables Each table by its name, with the columns of its key.
 * @param options The site's account or role.
 * @returns The SQL: statements, to be run one after the other.
 * @throws {TypeError} If no table is named, a table has no key, or a name is illegal.
 */
export function migration(
  tables: Readonly<Record<string, TableOptions>>,
  { role }: MigrationOptions = {},
): Migration {
  const all = Object.entries(tables).map(([name, options]) => watched(name, options));
  if (all.length === 0) throw new TypeError("migration() takes at least one table, and was given none");
  const up = [
    checkServer(),
    ...all.map(checkTable),
    ...foundation(),
    removeTriggers(),
    shape(all),
    ...all.flatMap(triggers),
    ...(role === undefined ? [] : granted(account(role))),
  ];
  const down = [
    removeTriggers(),
    "drop procedure if exists stillfresh_prune",
    "drop view if exists stillfresh_shape",
    "drop view if exists stillfresh_running",
    "drop table if exists stillfresh_state",
    "drop table if exists stillfresh_lives",
    "drop table if exists stillfresh_changes",
  ];
  return { up, down };
}

interface Watched {
  readonly name: string;
  readonly key: readonly string[];
  readonly groups: readonly string[];
}

function watched(name: string, options: TableOptions): Watched {
  const { key, groups = [] } = Array.isArray(options)
    ? { key: options }
    : options as { readonly key: readonly string[]; readonly groups?: readonly string[] };
  for (const [what, columns] of [["key", key], ["groups", groups]] as const) {
    const isList = Array.isArray(columns) &&
      columns.every((column) => typeof column === "string" && column !== "");
    if (!isList || (what === "key" && columns.length === 0)) {
      throw new TypeError(
        `The table ${JSON.stringify(name)} needs the columns of its ${what}, as a list of names`,
      );
    }
  }
  return { name: tableName(name), key, groups };
}

/** What stops the migration, with a sentence. */
function stop(sentence: string): string {
  return `set sentence = ${sentence}; signal sqlstate '45000' set message_text = sentence;`;
}

function checkServer(): string {
  return `begin not atomic declare sentence varchar(500);
  if substring_index(version(), '.', 1) * 1000 + substring_index(substring_index(version(), '.', 2), '.', -1) < 10011 then
    ${stop("concat('Stillfresh needs MariaDB 10.11 or newer, not ', version())")}
  end if;
end`;
}

/** Columns whose values every client spells alike. `tinyint(1)` is `1` for some clients and `true` for others. */
const SPELLED_ALIKE =
  "(i.data_type in ('tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'char', 'varchar', 'enum', 'uuid') " +
  "and i.column_type not like 'tinyint(1)%' and i.column_type not like '%zerofill%')";

/** Text of which only equal values are equal: others select rows under one value that the triggers name by another. */
const EXACT = "(i.data_type not in ('char', 'varchar') or i.collation_name like '%|_nopad|_bin' escape '|')";

/** Stops the migration at a table that cannot be followed, with a sentence that says why. */
function checkTable({ name, key, groups }: Watched): string {
  const table = literal(name);
  const isTable = `table_schema = database() and table_name = ${table}`;
  const wanted = (columns: readonly string[]) =>
    columns.map((column) => `select ${literal(column)} as name`).join(" union all ");
  const unfit = (columns: readonly string[], rule: string) =>
    `(select group_concat(w.name separator ', ') from (${
      wanted(columns)
    }) w left join information_schema.columns i
      on i.table_schema = database() and i.table_name = ${table} and i.column_name = w.name where i.column_name is null or not ${rule})`;
  return `begin not atomic declare sentence varchar(500);
  if not exists (select * from information_schema.tables where ${isTable} and table_type = 'BASE TABLE' and engine = 'InnoDB') then
    ${stop(`concat('There is no table ', ${table}, ' of the engine InnoDB in this database')`)}
  end if;
  set sentence = ${unfit([...key, ...groups], SPELLED_ALIKE)};
  if sentence is not null then
    ${
    stop(
      `concat('These columns of ', ${table}, ' are not there, or not of a type that is spelled the same everywhere: ', sentence)`,
    )
  }
  end if;${
    groups.length === 0 ? "" : `
  set sentence = ${unfit(groups, EXACT)};
  if sentence is not null then
    ${
      stop(
        `concat('These groups of ', ${table}, ' need a collation that tells all texts apart, such as utf8mb4_nopad_bin: ', sentence)`,
      )
    }
  end if;`
  }
  set sentence = (select group_concat(constraint_name separator ', ') from information_schema.referential_constraints
    where constraint_schema = database() and table_name = ${table} and ${CASCADES});
  if sentence is not null then
    ${stop(`concat('Rows of ', ${table}, ' change by foreign keys, which no trigger sees: ', sentence)`)}
  end if;
end`;
}

const CASCADES =
  "(delete_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT') or update_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT'))";

/**
 * What does not depend on the tables. `stillfresh_lives` is a MEMORY table: it is empty after each start of the server, when
 * commits may have been undone. `stillfresh_running` is read with the privileges of the account that has made it, and reads
 * an InnoDB table, so that the statement itself is listed.
 */
function foundation(): string[] {
  return [
    `create table if not exists stillfresh_changes (
  n bigint not null auto_increment primary key,
  id mediumtext not null
) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,
    `create table if not exists stillfresh_lives (one tinyint primary key, life char(36) not null) engine = MEMORY`,
    `create table if not exists stillfresh_state (
  one tinyint primary key, floor bigint not null, next bigint not null, at datetime(6) not null
) engine = InnoDB`,
    "insert ignore into stillfresh_state values (1, 0, 0, utc_timestamp(6))",
    `create or replace procedure stillfresh_prune(decided bigint, seconds double) sql security definer modifies sql data
begin
  declare newest bigint;
  update stillfresh_state set floor = next, next = greatest(next, decided), at = utc_timestamp(6)
    where at < utc_timestamp(6) - interval seconds second;
  if row_count() > 0 then
    select max(n) into newest from stillfresh_changes;
    delete from stillfresh_changes where n > 0 and n <= (select floor from stillfresh_state) and n < newest;
  end if;
end`,
    `create or replace sql security definer view stillfresh_running as
select trx_id as id, trx_mysql_thread_id as thread, cast(trx_started as char) as started,
  if(trx_mysql_thread_id = connection_id(), trx_query, null) as query
from information_schema.innodb_trx where (select count(*) from stillfresh_state) >= 0`,
  ];
}

/** Triggers of an earlier migration, also of tables that are not named any more. */
function removeTriggers(): string {
  return `begin not atomic
  for found in (select trigger_name as name from information_schema.triggers
      where trigger_schema = database() and trigger_name like 'stillfresh|_%' escape '|') do
    execute immediate concat('drop trigger \`', found.name, '\`');
  end for;
end`;
}

/** The triggers of a table; `index` tells its ones from those of others, whose names have to be different. */
function triggers({ name, key, groups }: Watched, index: number): string[] {
  const ids = (row: string) => [
    `concat(${literal(`${name}/`)}, ${key.map((column) => part(row, column)).join(", '/', ")})`,
    ...groups.map((column) =>
      `concat(${literal(`${name}?${column}`)}, ifnull(concat('=', ${part(row, column)}), ''))`
    ),
  ];
  const insert = (row: string) =>
    `insert into stillfresh_changes (n, id) values ${ids(row).map((id) => `(${NUMBER}, ${id})`).join(", ")}`;
  const bytes = (row: string) => ids(row).map((id) => `cast(${id} as binary)`).join(", ");
  const trigger = (event: string, body: string) =>
    `create trigger stillfresh_${index + 1}_${event} after ${event} on ${
      identifier(name)
    } for each row ${body}`;
  return [
    trigger("insert", insert("new")),
    trigger("delete", insert("old")),
    trigger(
      "update",
      `begin
  ${insert("new")};
  if not ((${bytes("old")}) <=> (${bytes("new")})) then ${insert("old")}; end if;
end`,
    ),
  ];
}

/**
 * The number of a change: the next one, unless the session has set `insert_id`, which would give it one that was passed
 * long ago. A negative one is seen by the next whole look.
 */
const NUMBER = "if(@@insert_id = 0, null, -cast(uuid_short() & 9223372036854775807 as signed))";

/** A value of a key, spelled as `row()` spells it. */
function part(row: string, column: string): string {
  const value = `convert(${row}.${identifier(column)} using utf8mb4)`;
  return `replace(replace(${value}, '%', '%25'), '/', '%2F')`;
}

/**
 * What shows that rows may have changed without a trigger. `table_id` shows TRUNCATE, which leaves the time of creation as it
 * was; that time shows a column that was dropped and added. BINLOG statements apply rows as a replica does.
 */
function shape(tables: readonly Watched[]): string {
  const database = "cast(cast(convert(database() using filename) as binary) as char)";
  const row = (name: string, about: string, from: string) =>
    `select 'shape' as kind, ${name} as name, concat(${about}) as about${from}`;
  const own = [
    row("''", `'version ${VERSION}'`, ""),
    row(
      "''",
      "'replica ', variable_value",
      " from information_schema.global_status where variable_name = 'SLAVES_RUNNING'",
    ),
    row(
      "''",
      "'binlog ', variable_value",
      " from information_schema.global_status where variable_name = 'COM_BINLOG'",
    ),
  ];
  const of = ({ name, key, groups }: Watched | { name: string; key?: never; groups?: never }) => {
    const table = literal(name);
    const file = `cast(cast(convert(${table} using filename) as binary) as char)`;
    const parts = [
      row(
        table,
        "'engine ', engine, '/', create_time",
        ` from information_schema.tables where table_schema = database() and table_name = ${table}`,
      ),
      row(
        table,
        "'space ', table_id",
        ` from information_schema.innodb_sys_tables where name = concat(${database}, '/', ${file}) or name like concat(replace(replace(${database}, '_', '|_'), '%', '|%'), '/', replace(replace(${file}, '_', '|_'), '%', '|%'), '#P#%') escape '|'`,
      ),
    ];
    return key === undefined ? parts : [
      row(table, literal(`about ${JSON.stringify({ table: name, key, groups })}`), ""),
      ...parts,
      row(
        table,
        "'column ', concat_ws('/', ordinal_position, column_name, column_type, ifnull(collation_name, ''), is_nullable, ifnull(generation_expression, ''))",
        ` from information_schema.columns where table_schema = database() and table_name = ${table}`,
      ),
      row(
        table,
        "'trigger ', concat_ws('/', trigger_name, created, md5(action_statement))",
        ` from information_schema.triggers where event_object_schema = database() and event_object_table = ${table} and trigger_name like 'stillfresh|_%' escape '|'`,
      ),
      row(
        table,
        "'cascade ', constraint_name",
        ` from information_schema.referential_constraints where constraint_schema = database() and table_name = ${table} and ${CASCADES}`,
      ),
    ];
  };
  return `create or replace sql security definer view stillfresh_shape as
${[...own, ...of({ name: "stillfresh_changes" }), ...tables.flatMap(of)].join("\nunion all ")}`;
}

/** An account as SQL has it. */
function account(role: string): string {
  const at = role.lastIndexOf("@");
  return at < 0 ? literal(role) : `${literal(role.slice(0, at))}@${literal(role.slice(at + 1))}`;
}

function granted(to: string): string[] {
  return [
    ...["changes", "state", "running", "shape"].map((name) => `grant select on stillfresh_${name} to ${to}`),
    `grant select, insert on stillfresh_lives to ${to}`,
    `grant execute on procedure stillfresh_prune to ${to}`,
  ];
}
