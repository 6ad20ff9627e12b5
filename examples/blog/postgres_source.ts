/** The blog in PostgreSQL, through postgres.js. */
import postgres from "postgres";
import { changes, migration } from "../../src/postgres/changes.ts";
import type { SeedOptions } from "./seed.ts";
import { documentOf, seedTables, type Sql, sqlStore, tables } from "./sql_store.ts";
import type { Source } from "./store.ts";

/** A source on a server. */
export interface PostgresSource extends Source {
  /** Fills the database where it lacks the tables. */
  seed(options?: SeedOptions): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the source; the URL names the database, and may hold credentials. */
export function postgresSource(url: URL): PostgresSource {
  const client = postgres(url.href, { onnotice: () => {} });
  const sqlOn = (on: Pick<typeof client, "unsafe">): Sql => async (text, ...parameters) =>
    await on.unsafe(text, parameters);
  const sql = sqlOn(client);
  return {
    store: sqlStore(sql),
    feed: changes((text, parameters) => client.unsafe(text, parameters), { tables: Object.keys(tables) }).map(
      ({ id }) => ({ id: documentOf(id) }),
    ),
    async seed(options) {
      const reserved = await client.reserve();
      try {
        return await seedTables({
          sql: sqlOn(reserved),
          exec: (text) => reserved.unsafe(text),
          binary: 'collate "C"',
          migrated: "select stillfresh.version()",
          migrate: () => migration(tables).up,
        }, options);
      } finally {
        reserved.release();
      }
    },
    close: () => client.end({ timeout: 1 }),
  };
}
