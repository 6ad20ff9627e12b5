/** A PostgreSQL in the process of the test (PGlite), with the migration run, and what its feed tells look by look. */
import type { PGlite } from "@electric-sql/pglite";
import type { Position } from "../../src/changes/change.ts";
import {
  changes,
  migration,
  type MigrationOptions,
  type PostgresOptions,
  type TableOptions,
} from "../../src/postgres/changes.ts";
import { WatchedFeed } from "../support/watched_feed.ts";

export type { Told } from "../support/watched_feed.ts";

/** ms of `maxLag` with which only the first look is a whole one, which PGlite takes long for. */
export const QUICK = 1e9;

const pglite = await import("@electric-sql/pglite").catch((error: unknown) => error as Error);

/** Why tests of the database cannot be run here, or false. */
export const skip: string | false = pglite instanceof Error
  ? `PGlite cannot be loaded: ${pglite.message}`
  : false;

/** A database with tables that are watched; it is started by the first test that needs it. */
export class Database {
  #sql: PGlite | undefined;

  get sql(): PGlite {
    if (pglite instanceof Error) throw pglite;
    return this.#sql ??= new pglite.PGlite();
  }

  async close(): Promise<void> {
    await this.#sql?.close();
  }

  /** Empties it, makes these tables and runs the migration for them. */
  async begin(
    schema: string,
    tables: Readonly<Record<string, TableOptions>>,
    options?: MigrationOptions,
  ): Promise<void> {
    await this.sql.exec(
      "drop schema if exists public cascade; drop schema if exists stillfresh cascade; create schema public; " +
        "grant usage on schema public to public",
    );
    await this.sql.exec(schema);
    await this.sql.exec(migration(tables, options).up);
  }

  /** A feed that looks when it is asked to. */
  watch(options: PostgresOptions, from?: Position): Watch {
    return new Watch(this.sql, options, from);
  }
}

/** A feed that looks when it is asked to. */
export class Watch extends WatchedFeed {
  constructor(sql: PGlite, options: PostgresOptions, from: Position | undefined) {
    const query = (text: string, parameters: string[]) => sql.query(text, parameters);
    super((watching) => changes(query, { ...watching, ...options }), from);
  }
}

/** That of all tests. */
export const database: Database = new Database();
