/**
 * Mirrors a database into a file, and goes on after a restart where it was: the position is stored with the work.
 *
 *     deno run -A examples/changes_resume.ts http://user:password@127.0.0.1:5984/blog mirror.json
 *
 * In a program of your own, `../src/couchdb/changes.ts` is `@stillfresh/etag/couchdb`, and `../src/changes/change.ts`
 * is `@stillfresh/etag/change`.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import type { Position } from "../src/changes/change.ts";
import { changes, type ChangesOptions } from "../src/couchdb/changes.ts";

/** What the file holds: the work, and how far it goes. */
export interface Mirror {
  position?: Position;
  documents: Record<string, unknown>;
}

/** Reads the file; an empty mirror if there is none. */
export async function readMirror(file: string): Promise<Mirror> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return { documents: {} };
    throw error;
  }
}

/** Keeps the file equal to the database, until `options.signal` aborts. */
export async function mirror(database: string, file: string, options: ChangesOptions = {}): Promise<void> {
  const state = await readMirror(file);
  const feed = changes(database, { since: 0, includeDocs: true, ...options });
  for await (const { reset, changes, position } of feed.batches(state.position)) {
    // A purge takes documents away without a row: only a new mirror knows which.
    if (reset === "purged") throw new Error(`documents were purged: delete ${file} and start again`);
    // After any other reset everything comes again.
    if (reset !== undefined) state.documents = {};
    for (const { id, deleted, doc } of changes) {
      if (deleted) delete state.documents[id];
      else state.documents[id] = doc;
    }
    if (position !== undefined) state.position = position;
    await writeFile(`${file}.new`, JSON.stringify(state));
    await rename(`${file}.new`, file);
  }
}

if (import.meta.main) {
  const [, , database = "http://127.0.0.1:5984/blog", file = "mirror.json"] = process.argv;
  await mirror(database, file);
}
