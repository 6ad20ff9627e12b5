/**
 * One look at the change table: the numbers that were not seen before, and what the server says of itself and the tables.
 *
 * @module
 */
import { ChangesError } from "../changes/changes_error.ts";
import { IDENTITY } from "./identity.ts";
import { VERSION } from "./migration.ts";
import { literal, text } from "./names.ts";
import type { Range, Transaction, Undecided } from "./undecided.ts";

/** What a look has found. */
export interface Looked {
  readonly rows: readonly (readonly [number: number, id: string])[];
  /** Highest number that no follower may begin below. */
  readonly floor: number;
  /** Undefined: the server has started, and has to be given a new life. */
  readonly identity: string | undefined;
  /** What the server refuses to be followed for. */
  readonly server: readonly string[];
  /** Of a whole look: all that shows that rows may have changed without a trigger. */
  readonly shape: readonly (readonly [table: string, about: string])[];
  /** The highest number. */
  readonly top: number;
  /** Of a first look: what is missing below it. */
  readonly gaps: readonly Range[];
}

/** What a table's migration says of it. */
export interface WatchedTable {
  readonly table: string;
  readonly groups: readonly string[];
  /** Foreign keys whose parents' triggers report rows of this table. */
  readonly cascades: readonly string[];
  /** How many triggers it has. */
  readonly triggers: number;
}

const FLOOR = "(select floor from stillfresh_state)";
/** What was pruned is below the floor, and counts as there. */
const TOP = text(`greatest(coalesce(max(n), 0), ${FLOOR})`);

/**
 * The statement of a look. The rows come first: were the floor read after the rows in a later snapshot, it could only be
 * higher, and a position would be refused without need.
 *
 * @param known What was seen; undefined: this is the first look.
 * @param most Most rows.
 * @param asked A text that no other look has, and that the answer repeats.
 */
export function lookStatement(
  known: Undecided | undefined,
  most: number,
  isWhole: boolean,
  asked: string,
): string {
  const parts = [
    ...(known === undefined
      ? first(most)
      : [next(known, most), `select 'top', ${TOP}, '' from stillfresh_changes`]),
    `select 'asked', ${text(literal(asked))}, ''`,
    `select 'floor', ${text("floor")}, '' from stillfresh_state`,
    `select 'identity', ${IDENTITY}, ''`,
    `select 'server', ${text("if(@@in_transaction, 'transaction', '')")}, ''`,
    `select 'server', ${text("if(@@tx_isolation = 'READ-UNCOMMITTED', 'uncommitted', '')")}, ''`,
    `select 'server', ${text("if(@@global.read_only, 'read-only', '')")}, ''`,
    `select 'server', ${text("if(@@global.wsrep_on, 'cluster', '')")}, ''`,
    ...(isWhole
      ? [
        `select kind, ${text("name")}, ${text("about")} from stillfresh_shape`,
        `select 'shape', 'forced', ${text("count(*)")} from stillfresh_changes where n < 0`,
      ]
      : []),
  ];
  return parts.join("\nunion all ");
}

/** The rows that were not seen. */
function next({ top, gaps }: Undecided, most: number): string {
  const missing = gaps.map(([from, to]) =>
    from === to ? ` or n = ${from}` : ` or n between ${from} and ${to}`
  );
  return `(select sql_no_cache 'change' as kind, ${
    text("n")
  } as a, id as b from stillfresh_changes where n > ${top}${missing.join("")} limit ${most + 1})`;
}

/** Where the numbers stand, without the changes: nothing is known yet that they could void. */
function first(most: number): string[] {
  return [
    `select sql_no_cache 'top' as kind, ${TOP} as a, ${text("''")} as b from stillfresh_changes`,
    `(select 'gap', ${text("since + 1")}, ${text("n - 1")} from (
      select n, coalesce(lag(n) over (order by n), ${FLOOR}) as since from stillfresh_changes where n > ${FLOOR}
    ) numbers where n > since + 1 order by n limit ${most + 1})`,
  ];
}

/** Which transactions run. The statement itself has to be listed, by this token: the server keeps what it lists for a while. */
export function listStatement(token: string): string {
  return `select ${
    literal(token)
  } as token, ${IDENTITY} as identity, id, thread, started, query from stillfresh_running`;
}

/** The rows of a statement, however the client gives them. */
export function rowsOf(result: unknown): readonly Record<string, unknown>[] {
  const rows = Array.isArray(result) ? result : (result as { readonly rows?: unknown } | undefined)?.rows;
  if (!Array.isArray(rows)) {
    throw new ChangesError("server-error", "The query gave no rows: it has to give an array, or { rows }");
  }
  // mysql2 gives the rows and the fields.
  return Array.isArray(rows[0]) ? rows[0] : rows;
}

/**
 * Reads what {@linkcode lookStatement} gives.
 *
 * @throws {ChangesError} `bad-request` if it is the answer to another look.
 */
export function readLook(result: unknown, asked: string): Looked {
  const all = rowsOf(result).map(({ kind, a, b }) =>
    [String(kind), a === null ? undefined : String(a), String(b)] as const
  );
  const of = (wanted: string) => all.filter(([kind]) => kind === wanted);
  const [floor, identity] = [of("floor")[0], of("identity")[0]];
  if (identity === undefined) {
    throw new ChangesError("server-error", "The answer to a look lacks what every look has");
  }
  if (of("asked")[0]?.[1] !== asked) {
    throw new ChangesError(
      "bad-request",
      "The query gave the answer to another look, as a cache does: it has to run its statement each time",
    );
  }
  // A crash may have undone it.
  if (floor?.[1] === undefined) {
    throw new ChangesError("not-found", "The table stillfresh_state lacks its row: run the migration again");
  }
  return {
    rows: of("change").map(([, n, id]) => [number(n), id]),
    floor: number(floor[1]),
    identity: identity[1],
    server: of("server").map(([, state]) => state ?? ""),
    shape: of("shape").map(([, table, about]) => [table ?? "", about]),
    top: number(of("top")[0]?.[1]),
    gaps: of("gap").map(([, from, to]) => [number(from), number(to)]),
  };
}

function number(value: unknown): number {
  const read = Number(value);
  if (Number.isSafeInteger(read)) return read;
  throw new ChangesError(
    "server-error",
    `The answer to a look holds ${JSON.stringify(value)} where a number has to be`,
  );
}

/** Most transactions of a list: the server leaves some out when they take more than 16 MB. */
const MOST_LISTED = 1_000;

/**
 * Reads what {@linkcode listStatement} gives.
 *
 * @returns The transactions; undefined: the list is an old one, of another server, or may not be whole.
 */
export function readList(result: unknown, token: string, identity: string): Transaction[] | undefined {
  const rows = rowsOf(result);
  const isOwn = ({ query }: Record<string, unknown>) => String(query).includes(token);
  if (rows.length > MOST_LISTED || !rows.some(isOwn) || rows.some((row) => row["identity"] !== identity)) {
    return undefined;
  }
  return rows.filter((row) => !isOwn(row)).map(({ id, thread, started }) => ({
    id: String(id),
    thread: String(thread),
    started: String(started),
  }));
}

/** Whether a transaction that has written is prepared, or was found after a crash: no connection holds its tables. */
export function isDetached({ id, thread }: Transaction): boolean {
  return thread === "0" && id !== "0";
}

/** Why a server is refused. */
const REFUSED: Readonly<Record<string, string>> = {
  transaction:
    "The statement ran inside a transaction, whose snapshot may be old: the query has to run outside of transactions, with autocommit",
  uncommitted:
    "The statement reads what is not committed: the isolation level READ UNCOMMITTED cannot be followed",
  "read-only": "The server is read-only, as a replica is: follow the primary",
  replica: "The server is a replica, on which no trigger runs: follow the primary",
  cluster:
    "The server is a node of a Galera cluster, where another node acknowledges what this one has not applied yet",
};

/**
 * Refuses what a look cannot rely on.
 *
 * @throws {ChangesError} `bad-request` or `not-found`, with what to do.
 */
export function checkLook({ server, shape }: Looked, tables: readonly string[], isWhole: boolean): void {
  const refused = server.find((state) => state !== "");
  if (refused !== undefined) throw new ChangesError("bad-request", REFUSED[refused] ?? refused);
  if (!isWhole) return;
  const of = (kind: string) =>
    shape.filter(([, about]) => about.startsWith(`${kind} `)).map(([table, about]) =>
      [table, about.slice(kind.length + 1)] as const
    );
  const version = of("version")[0]?.[1];
  if (version !== String(VERSION)) {
    throw new ChangesError(
      "bad-request",
      `The migration in the database is of version ${version}, and this package needs ${VERSION}: run what migration() gives now`,
    );
  }
  if (of("replica").some(([, running]) => running !== "0")) {
    throw new ChangesError("bad-request", REFUSED["replica"]!);
  }
  const watched = new Map(of("about").map(([table, about]) => [table, JSON.parse(about) as WatchedTable]));
  // The triggers of a parent report the rows that it takes along.
  const needed = new Set(tables);
  for (const table of needed) {
    for (const cascade of watched.get(table)?.cascades ?? []) {
      needed.add(cascade.slice(0, cascade.indexOf(":")));
    }
  }
  for (const table of needed) {
    const about = (kind: string) => of(kind).filter(([other]) => other === table).map(([, text]) => text);
    checkTable(table, watched.get(table), about);
  }
}

function checkTable(
  table: string,
  watched: WatchedTable | undefined,
  about: (kind: string) => readonly string[],
): void {
  const name = JSON.stringify(table);
  if (watched === undefined) {
    throw new ChangesError("not-found", `The table ${name} is not in the migration that was run`);
  }
  const [engine] = about("engine");
  if (engine === undefined) throw new ChangesError("not-found", `The table ${name} is not there`);
  if (!engine.startsWith("InnoDB/")) {
    throw new ChangesError(
      "bad-request",
      `The table ${name} is not of the engine InnoDB, which alone has transactions that can be followed`,
    );
  }
  if (about("trigger").length !== watched.triggers) {
    throw new ChangesError("not-found", `The table ${name} lacks triggers: run the migration`);
  }
  for (const [constraint, described] of about("cascade").map((text) => JSON.parse(text))) {
    if (watched.cascades.includes(described)) continue;
    throw new ChangesError(
      "bad-request",
      `Rows of the table ${name} change by the foreign key ${constraint}, which no trigger sees: name it in cascades`,
    );
  }
}

/** What the migration says of each table. */
export function watchedTables({ shape }: Looked): WatchedTable[] {
  return shape.filter(([, about]) => about.startsWith("about ")).map(([, about]) =>
    JSON.parse(about.slice(6))
  );
}
