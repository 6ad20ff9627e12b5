/**
 * The changes of SQLite tables as a feed. SQLite has one writer at a time, so the numbers of a change table are the order
 * of commits. The file is in reach of the process, so the feed is asked at each look-up of the registry: a 304 is true as
 * of its own request, whichever process has written.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes } from "@stillfresh/etag/sqlite";
 *
 * assert.throws(() => changes(() => { throw new Error("never opened"); }, { tables: [] }), /tables to follow/);
 * ```
 *
 * @module
 */
import type { Change, FeedLook, Position, ResetReason, Since } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { namedTables, PolledFeed, type TableFeed, type TableFeedOptions } from "../changes/polled_feed.ts";
import type { Look, PolledSource } from "../changes/polled_reader.ts";
import { type SqliteConnection, type SqliteOpen, triggers, VERSION, type Watched } from "./migration.ts";

export {
  type Migration,
  migration,
  type SqliteConnection,
  type SqliteOpen,
  type TableOptions,
} from "./migration.ts";
export type { TableFeed, TableFeedOptions } from "../changes/polled_feed.ts";
export type { PolledFeedEvent } from "../changes/polled_reader.ts";

/** What {@linkcode changes} gives. */
export interface SqliteFeed extends TableFeed {
  /** Looks at once: what was committed after a position. */
  look(from: Position | undefined): FeedLook | undefined;
}

/**
 * Follows tables of a file. Each change of a row is reported as `posts/7`, `posts`, and `posts?author_id=5` for the old
 * and the new value of each column that the migration was given as a group: what `row()` and `rows()` declare.
 *
 * A file that was replaced is noticed when it is opened anew, within a quarter of `maxLag`. A file restored in place and
 * a changed schema are noticed by the next look.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { DatabaseSync } from "node:sqlite";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import { changes, migration } from "@stillfresh/etag/sqlite";
 *
 * // In memory for the example only: a site names its file, "site.db".
 * const FILE = "file:followed?mode=memory&cache=shared";
 * const site = new DatabaseSync(FILE);
 * site.exec("create table posts (id integer primary key)");
 * const open = () => new DatabaseSync(FILE, { readOnly: true });
 * site.exec(migration({ posts: ["id"] }, open).up);
 *
 * const registry = new EtagRegistry();
 * const follower = follow(registry, changes(open, { tables: ["posts"] }));
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * site.close();
 * ```
 *
 * @param open Opens the file anew at each call, with a connection for the feed alone:
 * `() => new DatabaseSync("site.db", { readOnly: true })`. One that was given before is refused: it would stay with a file
 * that has been replaced, and would see nothing new while the application has a transaction open.
 * @param options The tables, bounds and clocks.
 * @returns The feed. The file is not opened before it is read.
 * @throws {TypeError} If `open` is no function, or no table is named.
 * @throws {RangeError} If a number is illegal.
 */
export function changes(open: SqliteOpen, options: TableFeedOptions): SqliteFeed {
  if (typeof open !== "function") {
    throw new TypeError(`changes() takes a function that opens the file, not a value of type ${typeof open}`);
  }
  return new FileFeed(open, options);
}

class FileFeed extends PolledFeed implements SqliteFeed {
  readonly #source: FileSource;

  constructor(open: SqliteOpen, options: TableFeedOptions) {
    const source = new FileSource(open, namedTables(options), options.overflow ?? 10_000);
    super(options, 20, () => source, source.sources);
    this.#source = source;
  }

  look(from: Position | undefined): FeedLook | undefined {
    const look = this.#source.lookNow(from);
    if (look !== undefined) this.advance(from, look);
    return look;
  }
}

/** The newest change that is known, by which the file is recognized, and the version of its schema. */
type Landmark = readonly [n: number, nonce: string, schema: number];

/** A change, in the file as it is now. */
interface ChangeRow {
  readonly n: number;
  readonly nonce: string;
  readonly schema: number;
  readonly tbl: string;
  readonly key: string;
  readonly groups: string;
}

/** A connection with its statements. */
interface Opened {
  readonly connection: SqliteConnection;
  readonly newest: ReturnType<SqliteConnection["prepare"]>;
  readonly after: ReturnType<SqliteConnection["prepare"]>;
}

/**
 * Each statement also gives the version of the schema, so that both are of one moment. `pragma data_version` would tell
 * sooner that nothing was committed, but not what the same connection has committed.
 */
const SCHEMA = "(select schema_version from pragma_schema_version) as schema";

/**
 * The feed leaves this value on its connections, to know one again. The setting belongs to a connection, bounds what ANALYZE
 * reads, and is the only one that gives a row when it is set, which some clients insist on.
 */
const MARK = 1_937_006_960;

class FileSource implements PolledSource {
  readonly #open: SqliteOpen;
  readonly #tables: readonly string[];
  readonly #most: number;
  readonly sources: Set<string> = new Set();
  readonly #name: string;
  #opened: Opened | undefined;

  constructor(open: SqliteOpen, tables: readonly string[], most: number) {
    this.#open = open;
    this.#tables = tables;
    this.#most = most;
    this.#name = `sqlite ${JSON.stringify(tables)}`;
  }

  /** The registry's own look: nothing where nothing has changed. */
  lookNow(from: Position | undefined): FeedLook | undefined {
    if (this.#opened === undefined || from === undefined) {
      throw new ChangesError("network", "The file is not open");
    }
    if (isNewest(newestOf(this.#opened), from.since)) return undefined;
    return this.#read(this.#opened, from);
  }

  // deno-lint-ignore require-await
  async look(from: Position | undefined, isWhole: boolean): Promise<Look> {
    try {
      if (isWhole || this.#opened === undefined) this.#openAnew();
      return this.#read(this.#opened!, from);
    } catch (error) {
      const fault = faultOf(error);
      // A quick look proves nothing. That a writer is in its way is no loss: the next one finds what this one would have.
      if (!isWhole && from !== undefined && fault.code === "timeout") return { changes: [], position: from };
      throw fault;
    }
  }

  /** The name of the file may lead to another file by now, while an open connection stays with the old one. */
  #openAnew(): void {
    // The first time twice, so that a connection that is given again is found at once.
    if (this.#opened === undefined) this.#opened = this.#openOnce();
    const opened = this.#openOnce();
    this.close();
    this.#opened = opened;
  }

  #openOnce(): Opened {
    const connection = this.#open();
    this.#mark(connection);
    try {
      this.#check(connection);
      return {
        connection,
        newest: connection.prepare(
          `select n, nonce, ${SCHEMA} from stillfresh_changes order by n desc limit 1`,
        ),
        after: connection.prepare(
          `select n, nonce, ${SCHEMA}, tbl, key, groups from stillfresh_changes where n >= ? order by n limit ${
            this.#most + 2
          }`,
        ),
      };
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Refuses a connection that was given before: it would never lead to a file that has taken the place of this one, and in a
   * transaction of the application it would not see what others have committed.
   */
  #mark(connection: SqliteConnection): void {
    const [{ analysis_limit: mark }] = connection.prepare("pragma analysis_limit")
      .all() as unknown as readonly [
        { readonly analysis_limit: number },
      ];
    if (Number(mark) !== MARK) {
      connection.prepare(`pragma analysis_limit = ${MARK}`).all();
      return;
    }
    // It is the application's, so it stays open.
    connection.prepare("pragma analysis_limit = 0").all();
    this.#opened = undefined;
    throw new ChangesError(
      "bad-request",
      "The function given to changes() has given one connection twice: it has to open the file anew each time, " +
        "for the feed alone",
    );
  }

  /** The migration is made again for the schema of now, and must be what the file has. */
  #check(connection: SqliteConnection): void {
    const [about] = connection.prepare("select version, tables from stillfresh_tables").all() as readonly {
      readonly version: number;
      readonly tables: string;
    }[];
    if (about === undefined || Number(about.version) !== VERSION) {
      throw new ChangesError(
        "bad-request",
        `The file has version ${about?.version} of the migration, not ${VERSION}: run the migration again`,
      );
    }
    const watched = (JSON.parse(about.tables) as [string, string[], string[]][])
      .map(([name, key, groups]): Watched => ({ name, key, groups }));
    const known = new Set(watched.map(({ name }) => name));
    const missing = this.#tables.filter((name) => !known.has(name));
    if (missing.length > 0) {
      throw new ChangesError("not-found", `The migration does not name the table ${missing.join(", ")}`);
    }
    const found = new Map(
      (connection.prepare("select name, sql from sqlite_master where type = 'trigger'").all() as readonly {
        readonly name: string;
        readonly sql: string;
      }[]).map(({ name, sql }) => [name, sql]),
    );
    for (const [name, text] of needed(connection, watched)) {
      if (found.get(name) === text) continue;
      throw new ChangesError(
        "bad-request",
        `The trigger ${name} is not what the tables and unique indexes of the file need: run the migration again`,
      );
    }
    this.sources.clear();
    for (const { name, groups } of watched) {
      if (!this.#tables.includes(name)) continue;
      this.sources.add(name);
      for (const column of groups) this.sources.add(`${name}?${column}`);
    }
  }

  #read(opened: Opened, from: Position | undefined): Look {
    const newest = newestOf(opened);
    if (from === undefined) return { changes: [], position: this.#position(newest) };
    if (from.source !== this.#name || !Array.isArray(from.since)) return this.#reset(newest, "since-refused");
    if (isNewest(newest, from.since)) return { changes: [], position: from };
    const [n, nonce, schema] = from.since as unknown as Landmark;
    // All changes after one that is still there are there too, because the oldest are taken out first.
    const rows = opened.after.all(n).map(withNumbers);
    const [known] = rows;
    if ((known ?? newest).schema !== schema) {
      // The triggers may be among what was altered.
      this.#check(opened.connection);
      return this.#reset(newestOf(opened), "schema");
    }
    if (known?.n !== n || known.nonce !== nonce) {
      return this.#reset(
        newestOf(opened),
        known !== undefined && known.n > n ? "since-refused" : "rolled-back",
      );
    }
    if (rows.length > this.#most + 1) return this.#reset(newestOf(opened), "overflow");
    return { changes: this.#changesOf(rows), position: this.#position(rows.at(-1)!) };
  }

  #reset(last: ChangeRow, reset: ResetReason): Look {
    return { changes: [], position: this.#position(last), reset };
  }

  #position({ n, nonce, schema }: ChangeRow): Position {
    return { since: [n, nonce, schema] satisfies Landmark, source: this.#name };
  }

  #changesOf(rows: readonly ChangeRow[]): Change[] {
    const ids = new Set<string>();
    for (const { tbl, key, groups } of rows.slice(1)) {
      if (!this.#tables.includes(tbl)) continue;
      ids.add(tbl);
      for (const spelled of keysOf(key)) ids.add(`${tbl}/${spelled}`);
      const values = JSON.parse(groups) as (string | null)[];
      for (let at = 0; at < values.length; at += 2) {
        const group = `${tbl}?${values[at]}`;
        const value = values[at + 1];
        if (value === null) ids.add(group);
        else for (const spelled of spellingsOf(value!)) ids.add(`${group}=${spelled}`);
      }
    }
    return Array.from(ids, (id) => ({ id }));
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    try {
      opened?.connection.close();
    } catch {
      // It was closed by the application.
    }
  }
}

/** SQLite has no booleans, and a client may give one for 1 or 0; Deno ends a text at its first zero character. */
function spellingsOf(value: string): readonly string[] {
  if (value.includes("\0")) return [value, value.slice(0, value.indexOf("\0"))];
  return value === "1" ? ["1", "true"] : value === "0" ? ["0", "false"] : [value];
}

/** A key in every spelling that `row()` may give it, by those of its parts. */
function keysOf(key: string): readonly string[] {
  const [first = [], ...others] = key.split("/").map(spellingsOf);
  return others.reduce(
    (keys, spellings) => keys.flatMap((start) => spellings.map((spelled) => `${start}/${spelled}`)),
    first,
  );
}

function newestOf({ newest }: Opened): ChangeRow {
  const [last] = newest.all();
  if (last !== undefined) return withNumbers(last);
  throw new ChangesError("bad-request", "The change table was emptied: run the migration again");
}

/** Some clients give big integers, which are no JSON. */
function withNumbers(row: unknown): ChangeRow {
  const change = row as ChangeRow;
  return typeof change.n === "number"
    ? change
    : { ...change, n: Number(change.n), schema: Number(change.schema) };
}

function isNewest({ n, nonce, schema }: ChangeRow, since: Since): boolean {
  const known = since as unknown as Landmark;
  return n === known[0] && nonce === known[1] && schema === known[2];
}

function needed(connection: SqliteConnection, watched: readonly Watched[]): Map<string, string> {
  try {
    return triggers(connection, watched);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new ChangesError("bad-request", `${error.message}: run the migration again`, { cause: error });
  }
}

/** What a client throws, as a fault of the feed. */
function faultOf(error: unknown): ChangesError {
  if (error instanceof ChangesError) return error;
  const text = String((error as { readonly message?: unknown } | undefined)?.message ?? error);
  const [code, sentence] = /no such table: stillfresh_/.test(text)
    ? ["not-found", "The migration has not been run in this file: run `up` of migration()"] as const
    : /unable to open|directory does not exist/i.test(text)
    ? ["not-found", "The file is not there, or may not be opened"] as const
    : /not a database|malformed/i.test(text)
    ? ["bad-request", "The file is no SQLite database, or damaged"] as const
    : /locked|busy/i.test(text)
    ? ["timeout", "The file is locked"] as const
    : ["server-error", "The file could not be read"] as const;
  return new ChangesError(code, sentence, { cause: error });
}
