/**
 * Pages about many documents: how many notes an owner has, and which notes there are. Each depends on a group, which is
 * one value here and in `follow`.
 *
 *     deno run -A examples/groups.ts http://user:password@127.0.0.1:5984/notes
 *     curl -i http://localhost:8000/ada
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag` and `../src/couchdb/changes.ts` is
 * `@stillfresh/etag/couchdb`.
 */
import nano from "nano";
import process from "node:process";
import { dependsOn, EtagRegistry, follow, type Follower, group, groupBy, withEtag } from "../mod.ts";
import type { CouchChange } from "../src/changes/change.ts";
import { changes } from "../src/couchdb/changes.ts";

interface Note {
  readonly owner: string;
}

function isNote(document: unknown): document is Note {
  return typeof (document as Partial<Note> | undefined)?.owner === "string";
}

/** All notes. An id never changes, so nothing has to be remembered. */
const notes = group("notes", ({ id }) => id.startsWith("note-"));

/** The notes of each owner. A note may move, so a follower remembers whose it was. */
const byOwner = groupBy("owner", (change: CouchChange) => {
  return change.id.startsWith("note-") && isNote(change.doc) ? change.doc.owner : [];
});

/** `GET /` lists the ids of all notes, `GET /ada` counts those of ada. */
export function serveNotes(
  database: string,
): { fetch(request: Request): Response | Promise<Response>; follower: Follower; registry: EtagRegistry } {
  const server = new URL(database);
  const name = server.pathname.slice(1);
  server.pathname = "";
  const documents = nano(server.href).use(name);
  const registry = new EtagRegistry();
  // Without the documents and all their leaves, each change would void the pages of every owner.
  const feed = changes(database, { includeDocs: true, style: "all_docs" });
  const follower = follow(registry, feed, { groups: [notes, byOwner] });
  const handler = withEtag(async (request: Request) => {
    const owner = decodeURIComponent(new URL(request.url).pathname.slice(1));
    const { rows } = await documents.list({ include_docs: true });
    const all = rows.filter(({ id }) => id.startsWith("note-"));
    const [text, depends] = owner === ""
      ? [all.map(({ id }) => id).join("\n"), dependsOn(notes)]
      : [countOf(owner, all.map(({ doc }) => doc)), dependsOn(byOwner(owner))];
    return new Response(`${text}\n`, { headers: { "cache-control": "public, no-cache", ...depends } });
  }, { registry });
  return { fetch: (request) => handler(request), follower, registry };
}

function countOf(owner: string, documents: readonly unknown[]): string {
  const count = documents.filter((document) => isNote(document) && document.owner === owner).length;
  return `${owner} has ${count} ${count === 1 ? "note" : "notes"}.`;
}

if (import.meta.main) {
  const { fetch } = serveNotes(process.argv[2] ?? "http://127.0.0.1:5984/notes");
  Deno.serve(fetch);
}
