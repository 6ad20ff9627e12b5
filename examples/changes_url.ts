/**
 * Prints the changes of a CouchDB database: everything that was, then everything that happens.
 *
 *     deno run -A examples/changes_url.ts http://user:password@127.0.0.1:5984/blog
 *
 * In a program of your own, `../src/couchdb/changes.ts` is `@stillfresh/etag/couchdb`.
 */
import process from "node:process";
import { changes, type ChangesOptions } from "../src/couchdb/changes.ts";

/** Prints a line for each change, until `options.signal` aborts. */
export async function printChanges(
  database: string,
  print: (line: string) => void,
  options: ChangesOptions = {},
): Promise<void> {
  const feed = changes(database, { since: 0, ...options });
  for await (const { id, rev, deleted } of feed) {
    print(deleted ? `${id} is gone` : `${id} is now ${rev}`);
  }
}

if (import.meta.main) {
  await printChanges(process.argv[2] ?? "http://127.0.0.1:5984/blog", console.log, {
    onEvent: (event) => console.error(event),
  });
}
