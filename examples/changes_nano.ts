/**
 * Keeps the titles of a database's documents in memory, from a nano handle; nano fetches the documents.
 *
 *     deno run -A examples/changes_nano.ts http://user:password@127.0.0.1:5984 blog
 *
 * In a program of your own, `../src/nano.ts` is `@stillfresh/etag/nano`, and `../src/couchdb/changes.ts` is
 * `@stillfresh/etag/couchdb`.
 */
import nano from "nano";
import process from "node:process";
import type { ChangesOptions } from "../src/couchdb/changes.ts";
import { changes } from "../src/nano.ts";

/** A document with a title. */
export interface Post {
  readonly title: string;
}

/** Calls `changed` with the titles by id after each batch, until `options.signal` aborts. */
export async function followTitles(
  posts: nano.DocumentScope<Post>,
  changed: (titles: ReadonlyMap<string, string>) => void,
  options: ChangesOptions = {},
): Promise<void> {
  const titles = new Map<string, string>();
  const feed = changes(posts, { since: 0, batchSize: 100, ...options });
  for await (const batch of feed.batches()) {
    const ids = batch.changes.filter(({ deleted }) => !deleted).map(({ id }) => id);
    for (const { id, deleted } of batch.changes) if (deleted) titles.delete(id);
    if (ids.length > 0) {
      const { rows } = await posts.fetch({ keys: ids });
      for (const row of rows) if ("doc" in row && row.doc) titles.set(row.id, row.doc.title);
    }
    changed(titles);
  }
}

if (import.meta.main) {
  const [, , server = "http://127.0.0.1:5984", name = "blog"] = process.argv;
  await followTitles(nano(server).use<Post>(name), (titles) => console.log(`${titles.size} titles`));
}
