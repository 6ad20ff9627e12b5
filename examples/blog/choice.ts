/** Which database the blog is in, as the command line and the environment say. */
import { couchSource } from "./couch_source.ts";
import { startDatabase } from "./database.ts";
import { reach, Refusal, refusedByDatabase, refusedByTables } from "./failure.ts";
import { seed, type SeedOptions } from "./seed.ts";
import type { Source } from "./store.ts";

/** A database that was chosen. */
export interface Chosen extends Source {
  /** Where it is, without a password. */
  readonly place: string;
  /** Fills it where it is empty; rejects with a refusal where it cannot be read. */
  fill(options: SeedOptions): Promise<unknown>;
  /** What an error of it means for who started the program. */
  refused(error: unknown): unknown;
  close(): Promise<void>;
}

/** What can be chosen: `sqlite`, or a URL. Undefined: the embedded database that speaks CouchDB's protocol. */
export function choose(database: string | undefined, couchUrl: string | undefined): Promise<Chosen> {
  if (database === undefined) return chooseCouch(couchUrl);
  if (database === "sqlite") return chooseSqlite();
  const url = URL.canParse(database) ? new URL(database) : undefined;
  switch (url?.protocol) {
    case "postgres:":
    case "postgresql:":
      return choosePostgres(url);
    case "sqlite:":
      return chooseSqlite(decodeURIComponent(url.pathname));
    case "http:":
    case "https:":
      return chooseCouch(database);
  }
  // The text itself is not repeated: it may hold a password.
  throw new Refusal(
    "the database is neither sqlite nor a URL that begins with postgres:, sqlite:, http: or https:",
  );
}

async function chooseCouch(couchUrl: string | undefined): Promise<Chosen> {
  const embedded = couchUrl === undefined ? await startDatabase() : undefined;
  const url = couchUrlOf(couchUrl ?? `${embedded?.url}/blog`);
  const refused = (error: unknown) => refusedByDatabase(url, error);
  return {
    ...couchSource(url),
    place: `${url.origin}${url.pathname}`,
    async fill(options) {
      await reach(url);
      await seed(url, options).catch((error) => Promise.reject(refused(error)));
    },
    refused,
    close: () => embedded?.close() ?? Promise.resolve(),
  };
}

function couchUrlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text itself is not repeated: it may hold a password.
  if (!url || !/^https?:$/.test(url.protocol)) throw new Refusal("COUCHDB_URL is not an http: or https: URL");
  if (url.pathname === "/") url.pathname = "/blog";
  return url;
}

async function chooseSqlite(file?: string): Promise<Chosen> {
  const { sqliteSource } = await import("./sqlite_source.ts");
  const place = `the SQLite file ${file ?? "that goes with this program"}`;
  const refused = (error: unknown) => refusedByTables(place, error);
  const source = await sqliteSource(file).catch((error) => Promise.reject(refused(error)));
  return {
    ...source,
    place: source.file,
    fill: (options) => source.seed(options).catch((error) => Promise.reject(refused(error))),
    refused,
  };
}

async function choosePostgres(url: URL): Promise<Chosen> {
  const { postgresSource } = await import("./postgres_source.ts");
  const source = postgresSource(url);
  const place = `${url.protocol}//${url.host}${url.pathname}`;
  const refused = (error: unknown) => refusedByTables(`the database ${place}`, error);
  return {
    ...source,
    place,
    fill: (options) => source.seed(options).catch((error) => Promise.reject(refused(error))),
    refused,
  };
}
