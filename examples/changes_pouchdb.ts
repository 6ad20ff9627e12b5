/**
 * Counts the words of the notes in a PouchDB of this process, and keeps counting.
 *
 *     deno run -A examples/changes_pouchdb.ts
 *
 * In a program of your own, `../src/pouchdb.ts` is `@stillfresh/etag/pouchdb`.
 */
import memoryAdapter from "pouchdb-adapter-memory";
import PouchDB from "pouchdb-core";
import { changes, type PouchChangesOptions, type PouchDatabase } from "../src/pouchdb.ts";

/** Calls `counted` with the number of words in all notes, once it is complete and after each change. */
export async function countWords(
  notes: PouchDatabase,
  counted: (words: number) => void,
  options: PouchChangesOptions = {},
): Promise<void> {
  const words = new Map<string, number>();
  const feed = changes(notes, { since: 0, includeDocs: true, ...options });
  for await (const batch of feed.batches()) {
    for (const { id, doc } of batch.changes) {
      const { text = "" } = doc as { readonly text?: string };
      words.set(id, text.split(/\s+/).filter((word) => word !== "").length);
    }
    if (batch.state === "live") counted([...words.values()].reduce((sum, count) => sum + count, 0));
  }
}

if (import.meta.main) {
  const notes = new (PouchDB.plugin(memoryAdapter))("notes", { adapter: "memory" });
  await notes.put({ _id: "first", text: "three small words" });
  await countWords(notes, console.log);
}
