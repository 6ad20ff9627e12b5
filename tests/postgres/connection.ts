/** A connection to a server of the tests. */
import pg from "pg";

/** One that is not connected yet; what happens to it is found by the next statement. */
export function connection(port: number, database = "postgres"): pg.Client {
  return new pg.Client({ host: "127.0.0.1", port, user: "postgres", database }).on("error", () => {});
}
