/** A PostgreSQL in the process of the test (PGlite), with the migration run, and what its feed tells look by look. */
import type { PGlite } from "@electric-sql/pglite";
import type { ChangeBatch, Position } from "../../src/changes/change.ts";
import {
  changes,
  migration,
  type MigrationOptions,
  type PostgresOptions,
  type TableOptions,
} from "../../src/postgres/changes.ts";

/** ms: the waits of the back-off are shorter. */
const LONGEST_REST = 5_000;
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

/** That of all tests. */
export const database: Database = new Database();

/** What one look has told. */
export interface Told {
  /** Ids, sorted. */
  readonly ids: readonly string[];
  readonly state: string;
  readonly reset: string | undefined;
}

/** Looks one by one: the feed's rests end when the next look is asked for. */
export class Watch {
  readonly events: string[] = [];
  readonly sources: ReadonlySet<string>;
  readonly #reader: AsyncIterator<ChangeBatch>;
  /** Of the look before. */
  position: Position | undefined;
  last: ChangeBatch | undefined;
  /** ms by which the feed's clocks are ahead. */
  ahead = 0;

  constructor(sql: PGlite, options: PostgresOptions, from: Position | undefined) {
    const feed = changes((text, parameters) => sql.query(text, parameters), {
      sleep: (ms, signal) => this.#sleep(ms, signal),
      now: () => Date.now() + this.ahead,
      monotonic: () => performance.now() + this.ahead,
      onEvent: (event) => this.events.push(event.type === "reset" ? `reset ${event.reason}` : event.type),
      ...options,
    });
    this.sources = feed.sources;
    this.#reader = feed.batches(from);
  }

  /** A rest takes no time, and so much on the feed's clocks that each look is a whole one by default; no deadline comes. */
  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (ms > LONGEST_REST) return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    this.ahead += 10_000;
    return Promise.resolve();
  }

  /** The batches of the next look, as one. */
  async look(): Promise<Told> {
    const ids: string[] = [];
    let reset: string | undefined;
    for (;;) {
      const { value } = await this.#reader.next() as { readonly value: ChangeBatch };
      ids.push(...value.changes.map(({ id }) => id));
      reset ??= value.reset;
      this.last = value;
      this.position = value.position;
      if (value.changes.length < 1_000) return { ids: ids.toSorted(), state: value.state, reset };
    }
  }

  async close(): Promise<void> {
    await this.#reader.return?.();
  }
}
