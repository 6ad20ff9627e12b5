/**
 * What the feed needs in the database, as SQL for the migrations of the application. This package never runs it.
 *
 * @module
 */
import { identifier, literal, type TableName, tableName } from "./table_name.ts";

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
  /** The schema that everything is made in, apart from the triggers; default `"stillfresh"`. */
  readonly schema?: string;
  /** The role as which the site reads, if it does not own the schema: it is granted what the feed needs. Default: none. */
  readonly role?: string;
  /**
   * Whether each writing statement notifies the channel `stillfresh`, so that a feed with `listen` looks at once. It costs
   * writers much: NOTIFY takes a lock on the whole server during each commit. Default false.
   */
  readonly notify?: boolean;
}

/** A migration, and its reverse. */
export interface Migration {
  /** Makes everything. It can be run again, with other tables and on an earlier version, and then replaces what is there. */
  readonly up: string;
  /** Takes everything away. */
  readonly down: string;
}

/**
 * The SQL that lets {@linkcode changes} of this module follow tables: a change table, and triggers on each table that fill
 * it. The owner of the tables runs it; the site's own role needs less. PostgreSQL 13 or newer.
 *
 * All tables are named in one call: running it again watches those that it names, and no others.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { migration } from "@stillfresh/etag/postgres";
 *
 * const { up, down } = migration({ posts: { key: ["id"], groups: ["author_id"] }, "blog.tags": ["post", "tag"] });
 * assert.match(up, /on "public"."posts"/);
 * assert.match(down, /drop schema "stillfresh"/);
 * ```
 *
 * @param tables Each table by its name, with the columns of its key. A name without a schema is in `public`.
 * @param options The schema, the site's role, notifications.
 * @returns The SQL: several statements, each of which may run in a transaction of your own.
 * @throws {TypeError} If no table is named, a table has no key, or a name is illegal.
 */
export function migration(
  tables: Readonly<Record<string, TableOptions>>,
  { schema = "stillfresh", role, notify = false }: MigrationOptions = {},
): Migration {
  const all = Object.entries(tables).map(([name, options]) => watched(name, options));
  if (all.length === 0) throw new TypeError("migration() takes at least one table, and was given none");
  const own = identifier(schema);
  const up = [
    checkServer(),
    foundation(own),
    removeTriggers(schema),
    ...all.flatMap((table, index) => watch(own, table, `changed_${index + 1}`)),
    ...(notify ? notifying(own, all) : []),
    ...(role === undefined ? [] : [granted(own, identifier(role))]),
  ];
  const down = [removeTriggers(schema), `drop schema ${own} cascade;`];
  return { up: `${up.join("\n\n")}\n`, down: `${down.join("\n\n")}\n` };
}

interface Watched extends TableName {
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
  return { ...tableName(name), key, groups };
}

function checkServer(): string {
  return `do $stillfresh$ begin
  if current_setting('server_version_num')::int < 130000 then
    raise exception 'Stillfresh needs PostgreSQL 13 or newer, not %', current_setting('server_version');
  end if;
end $stillfresh$;`;
}

/**
 * What does not depend on the tables. `life` is one random value in an unlogged table: PostgreSQL empties it in a crash
 * recovery, a promotion and a restored base backup, after which commits may be undone.
 */
function foundation(own: string): string {
  return `create schema if not exists ${own};
create table if not exists ${own}.changes (
  n bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  tbl text not null, key text not null, groups text[] not null);
create index if not exists changes_xid on ${own}.changes (xid);
create unlogged table if not exists ${own}.lives (one boolean primary key default true check (one), life uuid not null);
create table if not exists ${own}.floor (
  one boolean primary key default true check (one),
  floor xid8 not null, next xid8 not null, at timestamptz not null);
insert into ${own}.floor values (true, '0', pg_snapshot_xmin(pg_current_snapshot()), now()) on conflict do nothing;

create or replace function ${own}.version() returns int language sql immutable as 'select ${VERSION}';

create or replace function ${own}.identity() returns text
language plpgsql volatile security definer set search_path = '' as $stillfresh$
declare known uuid;
begin
  select life into known from ${own}.lives;
  if known is null then
    insert into ${own}.lives values (true, gen_random_uuid()) on conflict do nothing;
    select life into known from ${own}.lives;
  end if;
  return concat_ws('/', known, (select oid from pg_catalog.pg_database where datname = current_database()),
    (select system_identifier from pg_catalog.pg_control_system()),
    substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8),
    extract(epoch from pg_catalog.pg_postmaster_start_time()));
end $stillfresh$;

create or replace function ${own}.prune(seconds float8) returns void
language plpgsql volatile security definer set search_path = '' as $stillfresh$
declare mark xid8;
begin
  update ${own}.floor set floor = least(next, pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())), next = pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()), at = now()
    where at < now() - make_interval(secs => seconds) returning floor.floor into mark;
  if mark is not null then delete from ${own}.changes where xid < mark; end if;
end $stillfresh$;`;
}

/** Triggers of an earlier migration, also of tables that are not named any more. */
function removeTriggers(schema: string): string {
  return `do $stillfresh$ declare found record; begin
  for found in select g.tgname, g.tgrelid::regclass as relation from pg_trigger g join pg_proc p on p.oid = g.tgfoid
      where p.pronamespace = to_regnamespace(${
    literal(identifier(schema))
  }) and g.tgparentid = 0 and not g.tgisinternal loop
    execute format('drop trigger %I on %s', found.tgname, found.relation);
  end loop;
end $stillfresh$;`;
}

/** The statements that watch one table. */
function watch(own: string, { name, quoted, key, groups }: Watched, changed: string): string[] {
  const about = JSON.stringify({ table: name, key, groups });
  const key_ = (row: string) => key.map((column) => part(row, column)).join(" || '/' || ");
  const grouped = (row: string) =>
    groups.length === 0
      ? "'{}'::text[]"
      : `array[${groups.map((column) => group(row, name, column)).join(", ")}]`;
  const insert = (row: string) =>
    `insert into ${own}.changes (tbl, key, groups) values (${literal(name)}, ${key_(row)}, ${grouped(row)});`;
  return [
    checkTable(quoted, name, [...key, ...groups], groups),
    `create or replace function ${own}.${changed}() returns trigger
language plpgsql volatile security definer set search_path = '' as $stillfresh$
begin
  if tg_op <> 'INSERT' then
    ${insert("old")}
  end if;
  if tg_op = 'INSERT' then
    ${insert("new")}
  elsif tg_op = 'UPDATE' and (${key_("old")}, ${grouped("old")}) is distinct from (${key_("new")}, ${
      grouped("new")
    }) then
    ${insert("new")}
  end if;
  return null;
end $stillfresh$;
comment on function ${own}.${changed}() is ${literal(about)};
create trigger stillfresh_insert after insert or delete on ${quoted} for each row execute function ${own}.${changed}();
create trigger stillfresh_update after update on ${quoted} for each row when (old.* *<> new.*)
  execute function ${own}.${changed}();
alter table ${quoted} enable always trigger stillfresh_insert;
alter table ${quoted} enable always trigger stillfresh_update;`,
  ];
}

/** A value of a key, spelled as `row()` spells it. */
function part(row: string, column: string): string {
  const text = `coalesce(to_jsonb(${row}.${identifier(column)}) #>> '{}', '')`;
  return `replace(replace(${text}, '%', '%25'), '/', '%2F')`;
}

function group(row: string, table: string, column: string): string {
  const source = literal(`${table}?${column}`);
  return `case when ${row}.${identifier(column)} is null then ${source} else ${source} || '=' || ${
    part(row, column)
  } end`;
}

/**
 * Stops the migration at a table that cannot be watched, with a sentence that says why. Clients and mappers give times,
 * numerics and bytes in several spellings, of which the triggers could name one.
 */
function checkTable(
  quoted: string,
  name: string,
  columns: readonly string[],
  groups: readonly string[],
): string {
  const list = (names: readonly string[]) => `array[${names.map(literal).join(", ")}]::text[]`;
  const types = "array['int2','int4','int8','text','varchar','name','uuid','bool']::text[]";
  return `do $stillfresh$ declare relation regclass := to_regclass(${literal(quoted)}); bad text; begin
  if relation is null then raise exception 'There is no table %', ${literal(name)}; end if;
  if (select relkind not in ('r', 'p') from pg_class where oid = relation) then
    raise exception '% is no table: triggers do not see its rows change', ${literal(name)};
  end if;
  if exists (select from pg_inherits i join pg_class c on c.oid = i.inhparent where i.inhparent = relation and c.relkind <> 'p') then
    raise exception '% has children by inheritance, whose rows no trigger of its own sees: use partitions', ${
    literal(name)
  };
  end if;
  select string_agg(c, ', ') into bad from unnest(${list(columns)}) c
    left join pg_attribute a on a.attrelid = relation and a.attname = c and a.attnum > 0 and not a.attisdropped
    left join pg_type t on t.oid = a.atttypid
    where t.oid is null or not (t.typname = any(${types}) or t.typtype = 'e');
  if bad is not null then
    raise exception 'These columns of % are not there, or not of a type that is spelled the same everywhere: %', ${
    literal(name)
  }, bad;
  end if;
  select string_agg(a.attname, ', ') into bad from pg_attribute a join pg_collation l on l.oid = a.attcollation
    where a.attrelid = relation and a.attname = any(${list(groups)}) and not l.collisdeterministic;
  if bad is not null then
    raise exception 'These columns of % compare by a collation in which one list holds values that are spelled differently, so that they cannot be groups: %', ${
    literal(name)
  }, bad;
  end if;
end $stillfresh$;`;
}

function notifying(own: string, tables: readonly Watched[]): string[] {
  return [
    `create or replace function ${own}.notify() returns trigger language plpgsql as $stillfresh$
begin
  notify stillfresh;
  return null;
end $stillfresh$;`,
    ...tables.map(({ quoted }) =>
      `create trigger stillfresh_notify after insert or update or delete on ${quoted}
  for each statement execute function ${own}.notify();
alter table ${quoted} enable always trigger stillfresh_notify;`
    ),
  ];
}

function granted(own: string, role: string): string {
  return `grant usage on schema ${own} to ${role};
grant select on ${own}.changes, ${own}.floor to ${role};
grant execute on function ${own}.version(), ${own}.identity(), ${own}.prune(float8) to ${role};`;
}
