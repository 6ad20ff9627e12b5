/**
 * The notes over an embedded database, and on the next port an editor that writes them from another origin.
 *
 *     deno run -A examples/notes/main.ts
 *
 * Environment: `PORT` (8000), and `PORT` + 1 for the editor; `COUCHDB_URL` (`http://user:password@127.0.0.1:5984/notes`).
 */
import nano from "nano";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { startDatabase } from "../blog/database.ts";
import { serve } from "../blog/serve.ts";
import { locate } from "../blog/couch_source.ts";
import { createSite } from "./site.ts";

/** Two authors, and a note of each. */
const documents = [
  { _id: "author-ann", name: "Ann" },
  { _id: "author-ben", name: "Ben" },
  { _id: "note-1", author: "author-ann", text: "Remember the milk." },
  { _id: "note-2", author: "author-ben", text: "Low water at six." },
];

/** Creates the database with its documents; one that exists is left as it is. */
export async function seed(url: URL): Promise<void> {
  const { server, name } = locate(url);
  const couch = nano(server.href);
  if ((await couch.db.list()).includes(name)) return;
  await couch.db.create(name);
  await couch.use(name).bulk({ docs: documents });
}

/** The editor's own site: one page. */
export async function editor(): Promise<Response> {
  const page = await readFile(new URL("./editor.html", import.meta.url), "utf8");
  return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
}

if (import.meta.main) {
  const hostname = "127.0.0.1";
  const port = Number(process.env["PORT"] ?? "8000");
  const couchUrl = process.env["COUCHDB_URL"] ?? `${(await startDatabase()).url}/notes`;
  await seed(new URL(couchUrl));
  const other = await serve(editor, { hostname, port: port + 1 });
  const site = createSite({ couchUrl, origins: [`http://${hostname}:${other.port}`] });
  await site.follower.ready;
  await serve(site.fetch, { hostname, port });
  const origin = `http://${hostname}:${port}`;
  console.log(`
Notes, for ann and ben:     ${origin}/
An editor on another port:  http://${hostname}:${other.port}/?site=${origin}&note=note-1&author=ann

The same with curl: log in, read the tag, write with it. Repeat the last line: the tag is old then.
  token=$(curl -s ${origin}/login -d name=ann | sed 's/.*"token":"//; s/".*//')
  etag=$(curl -sI ${origin}/notes/note-1 -H "Authorization: Bearer $token" | sed -n 's/^etag: //Ip' | tr -d '\\r')
  curl -i -X PUT ${origin}/notes/note-1 -H "Authorization: Bearer $token" -H "If-Match: $etag" -d '{"text":"Oat milk."}'
`);
}
