/**
 * One look at the change table: what became visible between the snapshot of the look before and that of this one.
 *
 * @module
 */
import { ChangesError } from "../changes/changes_error.ts";
import { VERSION } from "./migration.ts";
import { identifier, literal, type TableName } from "./table_name.ts";

/** What a whole look says of one table. */
export interface WatchedTable {
  readonly table: string;
  readonly groups: readonly string[];
}

/** What the statement gives, as JSON. */
export interface Looked {
  /** The snapshot of this look, as text. */
  readonly now: string;
  /** What the look was asked with: an answer that was kept for another look has another. */
  readonly asked: string;
  /** When the server was started. */
  readonly start: string;
  /** ms since the transaction began in which the statement ran. */
  readonly age: number;
  readonly pruned: boolean;
  readonly rows: readonly (readonly [table: string, key: string, groups: readonly string[]])[] | null;
  /** Of a whole look only. */
  readonly version?: number;
  readonly identity?: string;
  readonly shape?: string;
  readonly children?: string | null;
  /** Each table that was asked for, what its triggers say of themselves, and how many of them are enabled. */
  readonly watched?: readonly (readonly [table: string, about: string | null, enabled: number])[];
  /** Triggers, of partitions too, that do not run for every writer. */
  readonly off?: string | null;
}

/** Triggers that each table has. */
const TRIGGERS = 2;

/**
 * The statement of a look: one, hence one snapshot. Its parameters are the snapshot of the look before, empty at first, a
 * text that no other look has, and for a whole look the tables by name and as SQL has them, as JSON.
 *
 * The rows are those of transactions that began after that snapshot, and of those that were running in it. Each is found by
 * a scan of the index, in whose order it is asked for: without the order, the planner reads the whole table where it has no
 * statistics of it, or where a single transaction has written most of it. A dump brings rows and a floor of another server,
 * whose transactions are yet to come here: they are left out.
 */
export function lookStatement(schema: string, most: number, isWhole: boolean): string {
  const own = identifier(schema);
  const since = "nullif($1::text, '')::pg_snapshot";
  const some = `order by xid limit ${most + 1}`;
  return `${
    isWhole ? TREE : ""
  }select json_build_object('now', pg_current_snapshot()::text, 'asked', $2::text,
  'start', extract(epoch from pg_postmaster_start_time())::text,
  'age', extract(epoch from clock_timestamp() - now()) * 1000,
  'pruned', coalesce(pg_snapshot_xmin(${since}) < (
    select floor from ${own}.floor where floor <= pg_snapshot_xmax(pg_current_snapshot())), false),
  ${isWhole ? `${whole(schema, own)},` : ""}
  'rows', (select json_agg(json_build_array(tbl, key, groups)) from (
    (select tbl, key, groups from ${own}.changes where xid >= pg_snapshot_xmax(${since})
      and xid < pg_snapshot_xmax(pg_current_snapshot()) ${some})
    union all (select c.* from pg_snapshot_xip(${since}) x cross join lateral
      (select tbl, key, groups from ${own}.changes where xid between x and x ${some}) c)
    limit ${most + 1}) r))::text as looked`;
}

/** The tables that are asked for, with their partitions and triggers. */
const TREE = `with recursive asked as (
  select t ->> 0 as name, to_regclass(t ->> 1)::oid as oid from json_array_elements($3::text::json) t
), tree(oid) as (
  select oid from asked where oid is not null union select i.inhrelid from pg_inherits i join tree on i.inhparent = tree.oid
), watching as (
  select g.*, p.xmin as pxmin, obj_description(p.oid, 'pg_proc') as about
  from tree join pg_trigger g on g.tgrelid = tree.oid join pg_proc p on p.oid = g.tgfoid where not g.tgisinternal
)
`;

/**
 * What shows that the server is another, that commits may be undone, or that rows may have changed without a trigger. The
 * timeline is in the identity; `relfilenode` shows TRUNCATE, also of the change table. Rows read differently once the value
 * of an enumeration has another name, a column is generated in another way, or a partition is being detached, which may
 * take as long as any transaction. What ANALYZE, VACUUM and GRANT change is in none of it.
 */
function whole(schema: string, own: string): string {
  return `'version', ${own}.version(), 'identity', ${own}.identity(),
  'children', (select string_agg(a.name, ', ') from asked a where exists (
    select from pg_inherits i join pg_class c on c.oid = i.inhparent where i.inhparent = a.oid and c.relkind <> 'p')),
  'watched', (select json_agg(json_build_array(a.name,
      (select min(w.about) from watching w where w.tgrelid = a.oid and w.about like '{"table":%'),
      (select count(*) from watching w join pg_proc p on p.oid = w.tgfoid where w.tgrelid = a.oid and w.tgenabled = 'A'
        and p.pronamespace = to_regnamespace(${literal(identifier(schema))})
        and w.tgname in ('stillfresh_insert', 'stillfresh_update')))) from asked a),
  'off', (select string_agg(format('%I of %s', tgname, tgrelid::regclass), ', ' order by tgrelid, tgname) from watching
    where tgname in ('stillfresh_insert', 'stillfresh_update') and tgenabled <> 'A'),
  'shape', (select md5(string_agg(x, ',' order by x)) from (
    select 'c' || c.oid || '/' || c.relfilenode || '/' || c.relname || '/' || c.relnamespace x
      from pg_class c where c.oid in (select oid from tree union all select to_regclass(${
    literal(`${own}.changes`)
  }))
    union all select 'i' || inhrelid || '/' || inhparent || '/' || coalesce(to_jsonb(i) ->> 'inhdetachpending', '')
      from pg_inherits i join tree on i.inhrelid = tree.oid
    union all select 'e' || oid || '/' || enumlabel from pg_enum
    union all select 'd' || d.oid from tree join pg_attrdef d on d.adrelid = tree.oid
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''
    union all select 'a' || attrelid || '/' || attnum || '/' || atttypid || '/' || atttypmod || '/' || attisdropped || '/' || attname
      || '/' || coalesce(attmissingval::text, '') from tree join pg_attribute on attrelid = tree.oid where attnum > 0
    union all select 'g' || oid || '/' || xmin || '/' || tgenabled::text || '/' || pxmin || '/' || coalesce(about, '') from (
      select w.*, g.xmin from watching w join pg_trigger g on g.oid = w.oid) g) y)`;
}

/**
 * Refuses what a look cannot rely on.
 *
 * @param elapsed ms from the sending of the statement until its answer.
 * @throws {ChangesError} `bad-request` or `not-found`, with what to do.
 */
export function checkLook(looked: Looked, tables: readonly TableName[], elapsed: number): void {
  // A statement of its own began after it was sent. Clocks may differ by a little in their speed. A transaction that is
  // younger than the way of the answer is not seen here: its age makes the contact older.
  if (looked.age > elapsed * 1.05 + 5) {
    throw new ChangesError(
      "bad-request",
      `The statement ran inside a transaction that had begun ${
        Math.round(looked.age)
      } ms before, whose snapshot may be as old: the query has to run outside of transactions`,
    );
  }
  if (looked.version === undefined) return;
  if (looked.version !== VERSION) {
    throw new ChangesError(
      "bad-request",
      `The migration in the database is of version ${looked.version}, and this package needs ${VERSION}: run what migration() gives now`,
    );
  }
  if (looked.children) {
    throw new ChangesError(
      "bad-request",
      `A table has children by inheritance, whose rows no trigger of its own sees: ${looked.children}`,
    );
  }
  if (looked.off) {
    throw new ChangesError(
      "not-found",
      `Triggers are not ENABLE ALWAYS, as after DISABLE TRIGGER and ENABLE TRIGGER, so that they do not see every change: ${looked.off}: ` +
        "ALTER TABLE … ENABLE ALWAYS TRIGGER each of them, or run the migration again",
    );
  }
  for (const { name } of tables) {
    const [, about, enabled] = looked.watched?.find(([table]) => table === name) ?? [];
    if (about && enabled === TRIGGERS && watchedTable(about).table === name) continue;
    throw new ChangesError(
      "not-found",
      about
        ? `The table ${JSON.stringify(name)} lacks a trigger, or has those of another name: run the migration`
        : `The table ${JSON.stringify(name)} is not there, or not in the migration that was run`,
    );
  }
}

/** A snapshot as PostgreSQL spells it: the oldest transaction that was running, the next one, and those that were. */
export const SNAPSHOT: RegExp = /^\d+:\d+:[\d,]*$/;

/**
 * Reads what the query gave for the statement.
 *
 * @param asked With what the look was asked.
 * @throws {ChangesError} `not-json` if it is something else; `bad-request` if it is the answer to another look.
 */
export function readLook(result: unknown, asked: string): Looked {
  const rows = typeof result === "object" && result !== null && "rows" in result ? result.rows : result;
  const text = (rows as readonly ({ readonly looked?: unknown } | null | undefined)[] | undefined)?.[0]
    ?.looked;
  if (typeof text !== "string") {
    throw new ChangesError(
      "not-json",
      "The query gave something else than the row of its statement, which has the column `looked`",
    );
  }
  let looked: unknown;
  try {
    looked = JSON.parse(text);
  } catch (cause) {
    throw new ChangesError("not-json", "What the query gave in `looked` is not the JSON of the statement", {
      cause,
    });
  }
  const { now, asked: answered } = (looked ?? {}) as Partial<Looked>;
  if (typeof now !== "string" || !SNAPSHOT.test(now)) {
    throw new ChangesError("not-json", "What the query gave in `looked` has no snapshot");
  }
  if (answered === asked) return looked as Looked;
  throw new ChangesError(
    "bad-request",
    "The query gave the answer to another look, as a cache does: it has to run its statement each time",
  );
}

/** What the triggers of a table say of it. */
export function watchedTable(about: string): WatchedTable {
  return JSON.parse(about);
}
