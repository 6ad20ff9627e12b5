/**
 * What the feed needs in the database, as SQL for the migrations of the application. This package never runs it.
 *
 * @module
 */
import { IDENTITY } from "./identity.ts";
import { identifier, literal, tableName, text } from "./names.ts";

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
  /**
   * The foreign keys by which a change of another table changes rows of this one: `on delete cascade`, `set null` and the
   * like. No trigger sees those rows, so the triggers of the other table report them before. Without them here, a table
   * that has such a key is refused.
   */
  readonly cascades?: readonly Cascade[];
};

/** A foreign key that cascades. */
export interface Cascade {
  /** The table that it refers to, which has to be in the migration as well. */
  readonly from: string;
  /** Each column of this table, with the column that it refers to: `{ author_id: "id" }`. */
  readonly columns: Readonly<Record<string, string>>;
}

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
 * @throws {TypeError} If no table is named, a table has no key, a name is illegal, or cascades come from a table that is
 * not named, or in a circle.
 */
export function migration(
  tables: Readonly<Record<string, TableOptions>>,
  { role }: MigrationOptions = {},
): Migration {
  const all = Object.entries(tables).map(([name, options]) => watched(name, options));
  if (all.length === 0) throw new TypeError("migration() takes at least one table, and was given none");
  for (const { name, cascades } of all) {
    for (const { from } of cascades) {
      if (all.some((other) => other.name === from)) continue;
      throw new TypeError(
        `Rows of ${JSON.stringify(name)} cascade from ${
          JSON.stringify(from)
        }, which has to be in the migration as well`,
      );
    }
  }
  const cascading = new Map(all.map((table) => [table, pathsFrom(table, all)]));
  const up = [
    checkServer(),
    ...all.map(checkTable),
    ...foundation(),
    removeTriggers(),
    shape(all, (table) => triggers(table, 0, cascading.get(table)!).length),
    ...all.flatMap((table, index) => triggers(table, index, cascading.get(table)!)),
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
  readonly cascades: readonly Cascade[];
}

function watched(name: string, options: TableOptions): Watched {
  const { key, groups = [], cascades = [] } = Array.isArray(options)
    ? { key: options }
    : options as Exclude<TableOptions, readonly string[]>;
  for (const [what, columns] of [["key", key], ["groups", groups]] as const) {
    const isList = Array.isArray(columns) &&
      columns.every((column) => typeof column === "string" && column !== "");
    if (!isList || (what === "key" && columns.length === 0)) {
      throw new TypeError(
        `The table ${JSON.stringify(name)} needs the columns of its ${what}, as a list of names`,
      );
    }
  }
  return { name: tableName(name), key, groups, cascades };
}

/** A foreign key as the server describes it, so that the two can be compared: `authors:author_id>id`. */
function described({ from, columns }: Cascade): string {
  const pairs = Object.entries(columns).map(([column, referred]) => `${column}>${referred}`);
  return `${from}:${pairs.toSorted().join()}`;
}

/** From a parent to a table whose rows change with it, over those in between. */
type Path = readonly (readonly [child: Watched, key: Cascade])[];

/** All ways by which a change of a table changes rows of others. */
function pathsFrom(parent: Watched, all: readonly Watched[], before: Path = []): Path[] {
  return all.flatMap((child) =>
    child.cascades.filter(({ from }) => from === parent.name).flatMap((key) => {
      if (child === parent || before.some(([other]) => other === child)) {
        throw new TypeError(
          `Rows of ${JSON.stringify(child.name)} cascade in a circle, which cannot be followed`,
        );
      }
      const path = [...before, [child, key] as const];
      return [path, ...pathsFrom(child, all, path)];
    })
  );
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
function checkTable({ name, key, groups, cascades }: Watched): string {
  const table = literal(name);
  const known = ["", ...cascades.map(described)].map(literal).join(", ");
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
  set sentence = (select group_concat(constraint_name separator ', ') from information_schema.referential_constraints r
    where constraint_schema = database() and table_name = ${table} and ${CASCADES} and ${DESCRIBED} not in (${known}));
  if sentence is not null then
    ${
    stop(
      `concat('Rows of ', ${table}, ' change by foreign keys, which no trigger sees, so name them in cascades: ', sentence)`,
    )
  }
  end if;
end`;
}

const CASCADES =
  "(delete_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT') or update_rule in ('CASCADE', 'SET NULL', 'SET DEFAULT'))";

/** A foreign key `r`, as {@linkcode described} has it. */
const DESCRIBED = `concat(if(r.unique_constraint_schema = database(), '', '?'), r.referenced_table_name, ':',
  (select group_concat(concat(column_name, '>', referenced_column_name) order by concat(column_name, '>', referenced_column_name))
   from information_schema.key_column_usage k where k.constraint_schema = database() and k.table_name = r.table_name
   and k.constraint_name = r.constraint_name))`;

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
    `create or replace procedure stillfresh_prune(decided bigint, seconds double, identity text) sql security definer modifies sql data
begin
  declare newest bigint;
  update stillfresh_state set floor = next, next = greatest(next, decided), at = utc_timestamp(6)
    where at < utc_timestamp(6) - interval seconds second and ${text("identity")} = ${IDENTITY};
  if row_count() > 0 then
    select max(n) into newest from stillfresh_changes;
    delete from stillfresh_changes where n > 0 and n <= (select floor from stillfresh_state) and n < newest;
  end if;
end`,
    `create or replace sql security definer view stillfresh_running as
select trx_id as id, trx_mysql_thread_id as thread, unix_timestamp(trx_started) as started,
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

/** The names under which a row is reported. */
function idsOf({ name, key, groups }: Watched, row: string): string[] {
  return [
    `concat(${literal(`${name}/`)}, ${
      key.map((column) => `ifnull(${part(row, column)}, '')`).join(", '/', ")
    })`,
    ...groups.map((column) =>
      `concat(${literal(`${name}?${column}`)}, ifnull(concat('=', ${part(row, column)}), ''))`
    ),
  ];
}

/** The triggers of a table; `index` tells its ones from those of others, whose names have to be different. */
function triggers(table: Watched, index: number, paths: readonly Path[]): string[] {
  const insert = (row: string) =>
    `insert into stillfresh_changes (n, id) values ${
      idsOf(table, row).map((id) => `(${NUMBER}, ${id})`).join(", ")
    }`;
  const bytes = (row: string) => idsOf(table, row).map((id) => `cast(${id} as binary)`).join(", ");
  const trigger = (name: string, when: string, body: string) =>
    `create trigger stillfresh_${index + 1}_${name} ${when} on ${
      identifier(table.name)
    } for each row ${body}`;
  const own = [
    trigger("insert", "after insert", insert("new")),
    trigger("delete", "after delete", insert("old")),
    trigger(
      "update",
      "after update",
      `begin
  ${insert("new")};
  if not ((${bytes("old")}) <=> (${bytes("new")})) then ${insert("old")}; end if;
end`,
    ),
  ];
  if (paths.length === 0) return own;
  const cascading = (row: string) =>
    paths.flatMap((path) => cascaded(path, row)).map((sql) => `  ${sql};\n`).join("");
  const referred = [...new Set(paths.flatMap(([first]) => Object.values(first![1].columns)))].map(identifier);
  const same = referred.map((column) => `cast(old.${column} as binary) <=> cast(new.${column} as binary)`)
    .join(" and ");
  return [
    ...own,
    trigger("children_delete", "before delete", `begin\n${cascading("old")}end`),
    trigger(
      "children_before",
      "before update",
      `begin if not (${same}) then\n${cascading("old")}end if; end`,
    ),
    trigger("children_after", "after update", `begin if not (${same}) then\n${cascading("new")}end if; end`),
  ];
}

/**
 * Reports the rows that change with one of a parent. They are read with a lock: rows that are being added to that parent
 * are waited for, and after that none can be added before this transaction ends.
 */
function cascaded(path: Path, parent: string): string[] {
  const tables = path.map(([{ name }, { columns }], at) => {
    const refers = Object.entries(columns).map(([column, referred]) =>
      `r${at}.${identifier(column)} = ${at === 0 ? parent : `r${at - 1}`}.${identifier(referred)}`
    ).join(" and ");
    return [`${identifier(name)} r${at}`, refers] as const;
  });
  const [child, { columns }] = path.at(-1)!;
  // The value that it is set to.
  const nulled = child.groups.filter((column) => column in columns).map((column) =>
    literal(`${child.name}?${column}`)
  );
  return [...idsOf(child, `r${path.length - 1}`), ...nulled].map((id) =>
    `insert into stillfresh_changes (n, id) select ${NUMBER}, ${id} from ${
      tables.map(([table]) => table).join(", ")
    } where ${tables.map(([, refers]) => refers).join(" and ")} lock in share mode`
  );
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
function shape(tables: readonly Watched[], triggersOf: (table: Watched) => number): string {
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
  const of = (name: string) => {
    const table = literal(name);
    const file = `cast(cast(convert(${table} using filename) as binary) as char)`;
    return [
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
  };
  const watching = (one: Watched) => {
    const { name, key, groups, cascades } = one;
    const table = literal(name);
    const about = {
      table: name,
      key,
      groups,
      cascades: cascades.map(described),
      triggers: triggersOf(one),
    };
    return [
      row(table, literal(`about ${JSON.stringify(about)}`), ""),
      ...of(name),
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
        `'cascade ', json_array(constraint_name, ${DESCRIBED})`,
        ` from information_schema.referential_constraints r where constraint_schema = database() and table_name = ${table} and ${CASCADES}`,
      ),
    ];
  };
  return `create or replace sql security definer view stillfresh_shape as
${[...own, ...of("stillfresh_changes"), ...tables.flatMap(watching)].join("\nunion all ")}`;
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
