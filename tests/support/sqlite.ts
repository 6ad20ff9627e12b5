/** The SQLite of the runtime: `bun:sqlite` in Bun, `node:sqlite` in Node and Deno. @module */
import type { SqliteConnection } from "../../src/sqlite/changes.ts";

/** A connection that also runs several statements at once. */
export interface WritableSqlite extends SqliteConnection {
  exec(text: string): unknown;
}

const isBun = "Bun" in globalThis;
const name = isBun ? "bun:sqlite" : "node:sqlite";
const driver = await import(name);

/** Opens a file for writing. */
export function openSqlite(path: string): WritableSqlite {
  const database: WritableSqlite = isBun ? new driver.Database(path) : new driver.DatabaseSync(path);
  database.exec("pragma busy_timeout = 5000");
  return database;
}

/** Copies a database into a file, also into one that is open. Bun's own SQLite cannot: better-sqlite3 does it there. */
export async function backup(from: string, to: string): Promise<void> {
  const source = isBun ? new (await import("better-sqlite3")).default(from) : new driver.DatabaseSync(from);
  try {
    await (isBun ? source.backup(to) : driver.backup(source, to));
  } finally {
    source.close();
  }
}
