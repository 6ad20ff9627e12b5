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
