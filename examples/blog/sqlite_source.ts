/** The blog in a SQLite file, through what each runtime brings: nothing is installed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changes, migration, type SqliteConnection } from "../../src/sqlite/changes.ts";
import type { SeedOptions } from "./seed.ts";
import { documentOf, seedTables, type Sql, sqlStore, tables } from "./sql_store.ts";
import type { Source } from "./store.ts";

/** `DatabaseSync` of `node:sqlite`, and `Database` of `bun:sqlite`. */
interface Connection extends SqliteConnection {
  exec(text: string): unknown;
}

/** A source in a file. */
export interface SqliteSource extends Source {
  readonly file: string;
  /** Fills it where it is empty. */
  seed(options?: SeedOptions): Promise<boolean>;
  /** Takes a temporary file away. */
  close(): Promise<void>;
}

type Open = (file: string, options?: { readonly readOnly: boolean }) => Connection;

async function opener(): Promise<Open> {
  // A name in a variable, so that no compiler looks for the module of another runtime.
  const module = "Bun" in globalThis ? "bun:sqlite" : "node:sqlite";
  const { Database, DatabaseSync } = await import(module);
  if (DatabaseSync !== undefined) return (file, options) => new DatabaseSync(file, options ?? {});
  return (file, options) =>
    options === undefined ? new Database(file) : new Database(file, { readonly: true });
}

/** Opens the source; without a file, in one that is gone when it is closed. */
export async function sqliteSource(file?: string): Promise<SqliteSource> {
  const folder = file === undefined ? await mkdtemp(join(tmpdir(), "blog-")) : undefined;
  const path = file ?? join(folder!, "blog.db");
  const open = await opener();
  const connection = open(path);
  // First, because another process may be changing the mode.
  connection.exec("pragma busy_timeout = 5000");
  // Readers and a writer do not wait for each other.
  connection.exec("pragma journal_mode = wal");
  const sql: Sql = (text, ...parameters) =>
    Promise.resolve(connection.prepare(text.replaceAll(/\$(\d+)/g, "?$1")).all(...parameters) as never);
  const readOnly = () => open(path, { readOnly: true });
  return {
    file: path,
    store: sqlStore(sql),
    feed: changes(readOnly, { tables: Object.keys(tables) }).map(({ id }) => ({ id: documentOf(id) })),
    seed: (options) =>
      seedTables({
        sql,
        exec: (text) => connection.exec(text),
        binary: "collate binary",
        migrated: "select version from stillfresh_tables",
        migrate: () => migration(tables, readOnly).up,
      }, options),
    async close() {
      connection.close();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
