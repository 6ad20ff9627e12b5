/** The same 21 changes by other clients, which write and follow: any that prepares a statement and gives its rows at once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { changes, migration, type SqliteConnection } from "../../src/sqlite/changes.ts";
import { SCHEMA, statements, TABLES } from "./statements.ts";

interface Client extends SqliteConnection {
  exec(text: string): unknown;
}

/** The package, or why it is not there: it has no program for each system. */
async function load(name: string): Promise<(new (path: string) => Client) | string> {
  try {
    const { default: Database } = await import(name);
    new Database(":memory:").close();
    return Database;
  } catch (error) {
    return `${name} does not run here: ${String(error).slice(0, 200)}`;
  }
}

for (const name of ["better-sqlite3", "libsql"]) {
  const Database = await load(name);
  if (typeof Database === "string") console.warn(`NOT RUN: ${Database}`);
  test(`changes: by ${name}, each of ${statements.length} statements is reported`, {
    skip: typeof Database === "string" ? Database : false,
  }, async () => {
    if (typeof Database === "string") return;
    const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
    const path = join(folder, "site.db");
    const empty = new Database(path);
    empty.exec("pragma journal_mode = wal; pragma synchronous = off");
    empty.exec(SCHEMA);
    const open = () => new Database(path);
    empty.exec(migration(TABLES, open).up);
    const rows = (table: string) => empty.prepare(`select * from ${table}`).all();
    const before = JSON.stringify(rows("posts"));
    const reader = changes(open, { tables: ["posts", "odd"], poll: 60_000 });
    const batches = reader.batches();
    let { position } = (await batches.next()).value!;
    try {
      for (const [statement, text, ids] of statements) {
        empty.exec(text);
        const look = reader.look(position);
        assert.equal(look?.reset, undefined);
        assert.deepEqual((look?.changes ?? []).map(({ id }) => id).sort(), [...ids].sort(), statement);
        // As it was before.
        empty.exec("pragma foreign_keys = off; delete from posts; delete from odd; delete from authors");
        empty.exec(SCHEMA.slice(SCHEMA.indexOf("insert into authors")));
        assert.equal(JSON.stringify(rows("posts")), before);
        position = reader.look(look?.position ?? position)?.position ?? position;
      }
    } finally {
      await batches.return?.();
      empty.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
