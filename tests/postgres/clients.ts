/**
 * Clients of PostgreSQL, and how the feed looks through each of them. `deno task databases` makes a program of each, and
 * shows in `docs/databases.md` what it has run.
 */

/** One client, as source text. */
export interface Client {
  readonly name: string;
  /** What is installed, by name and range; the first one says the version. */
  readonly packages: Readonly<Record<string, string>>;
  /** Where it runs; none: it cannot be installed from npm. */
  readonly runtimes: readonly ("Deno" | "Bun" | "Node")[];
  readonly imports: string;
  /** Statements that open it, for the `url` of a database; PGlite is a database of its own, with a `schema`. */
  readonly open: string;
  /** The query of the feed, over what was opened: an expression, as the guide has it. */
  readonly query: string;
  /** The option `listen` of the feed; undefined: the client has no function that fits. */
  readonly listen?: string;
}

const everywhere = ["Deno", "Bun", "Node"] as const;
const pg = { pg: "^8" };
const pooled = "const pool = new pg.Pool({ connectionString: url });";
const unsafe = "(text, parameters) => sql.unsafe(text, parameters)";
const listen = "(...args) => sql.listen(...args)";

/** All of them, in the order of the guide. */
export const clients: readonly Client[] = [
  {
    name: "`pg`",
    packages: pg,
    runtimes: everywhere,
    imports: 'import pg from "pg";',
    open: pooled,
    query: "(text, parameters) => pool.query(text, parameters)",
  },
  {
    name: "postgres.js",
    packages: { postgres: "^3" },
    runtimes: everywhere,
    imports: 'import postgres from "postgres";',
    open: "const sql = postgres(url);",
    query: unsafe,
    listen,
  },
  {
    name: "`Bun.sql`",
    packages: {},
    runtimes: ["Bun"],
    imports: 'import { SQL } from "bun";',
    open: "const sql = new SQL(url);",
    query: unsafe,
    listen,
  },
  {
    name: "PGlite",
    packages: { "@electric-sql/pglite": "^0.3" },
    runtimes: everywhere,
    imports: 'import { PGlite } from "@electric-sql/pglite";',
    open: "const database = new PGlite(); await database.exec(`create role site; ${schema}`);",
    query: "(text, parameters) => database.query(text, parameters)",
    listen: "(channel, onNotify) => database.listen(channel, onNotify)",
  },
  {
    name: "drizzle-orm",
    packages: { "drizzle-orm": "^0.44", ...pg },
    runtimes: everywhere,
    imports: 'import pg from "pg"; import { drizzle } from "drizzle-orm/node-postgres";',
    open: `${pooled} const db = drizzle(pool);`,
    query: "(text, parameters) => db.$client.query(text, parameters)",
  },
  {
    name: "kysely",
    packages: { kysely: "^0.28", ...pg },
    runtimes: everywhere,
    imports: 'import pg from "pg"; import { CompiledQuery, Kysely, PostgresDialect } from "kysely";',
    open: `${pooled} const db = new Kysely({ dialect: new PostgresDialect({ pool }) });`,
    query: "(text, parameters) => db.executeQuery(CompiledQuery.raw(text, parameters))",
  },
  {
    name: "pg-promise",
    packages: { "pg-promise": "^12", ...pg },
    runtimes: everywhere,
    imports: 'import pgPromise from "pg-promise";',
    open: "const db = pgPromise()(url);",
    query: "(text, parameters) => db.any(text, parameters)",
  },
  {
    name: "`@db/postgres`",
    packages: {},
    runtimes: [],
    imports: "",
    open: "",
    query: "(text, parameters) => client.queryObject(text, parameters)",
  },
];

/** A program that runs the check of `client_check.ts` through a client. */
export function programOf({ imports, open, query, listen }: Client, check: string): string {
  return `${imports}
import { check } from ${JSON.stringify(check)};
await check(async (url, schema) => {
  ${open}
  return { query: ${query}, listen: ${listen ?? "undefined"} };
});
`;
}
