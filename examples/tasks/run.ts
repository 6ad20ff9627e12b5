/**
 * Serves an example of this folder at port 8000 (or `PORT`), on Deno, Bun and Node 24.2, over an embedded database.
 *
 *     deno run -A examples/tasks/run.ts lists           or: bun examples/tasks/run.ts lists, node examples/tasks/run.ts lists
 */
import { serve } from "@hono/node-server";
import nano, { type DocumentScope } from "nano";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { startDatabase } from "../blog/database.ts";
import { serveAttachments } from "./attachment.ts";
import { serveCompressed } from "./compression.ts";
import { serveForm } from "./form.ts";
import { serveJsonApi } from "./json_api.ts";
import { serveWithLayout } from "./layout.ts";
import { serveLists } from "./lists.ts";
import { serveMembers } from "./members.ts";
import { serveRss } from "./rss.ts";
import { serveSearch } from "./search.ts";
import type { Served } from "./served.ts";
import { serveBoth } from "./several_databases.ts";
import { staticFiles } from "./static_files.ts";
import { serveStream } from "./streaming.ts";

// deno-lint-ignore no-explicit-any -- documents of every example
type Database = DocumentScope<any>;

/** Documents of all kinds, by id. */
export const documents: Readonly<Record<string, object>> = {
  "menu": { title: "Home", links: ["post-1"] },
  "post-1": {
    kind: "post",
    title: "Low tide",
    tags: ["sea"],
    author: "ada",
    edited: "2026-11-27T10:00:00.000Z",
    _attachments: { "note.txt": { content_type: "text/plain", data: btoa("Low tide at nine.") } },
  },
  "chapter-1": { text: "One" },
  "chapter-2": { text: "Two" },
  "chapter-3": { text: "Three" },
  "ada": { name: "Ada", letters: 3 },
  "session-a": { member: "ada" },
};

/** Each example: how it is opened, and a path of it. */
export const examples: Readonly<
  Record<
    string,
    readonly [open: (database: Database, signal: AbortSignal) => Pick<Served, "fetch">, path: string]
  >
> = {
  attachment: [({ config }) => serveAttachments(`${config.url}/${config.db}`), "/post-1/note.txt"],
  compression: [serveCompressed, "/post-1"],
  form: [serveForm, "/post-1"],
  json_api: [serveJsonApi, "/post-1"],
  layout: [serveWithLayout, "/post-1"],
  lists: [serveLists, "/?tag=sea"],
  members: [serveMembers, "/"],
  rss: [serveRss, "/"],
  search: [serveSearch, "/?author=ada"],
  several_databases: [(database, signal) => serveBoth(database, database, signal), "/post-1"],
  static_files: [() => ({ fetch: staticFiles(fileURLToPath(new URL(".", import.meta.url))) }), "/served.ts"],
  streaming: [serveStream, "/"],
};

if (import.meta.main) {
  const [open, path] = examples[process.argv[2] ?? ""] ?? [];
  if (open === undefined) throw new Error(`Name one of: ${Object.keys(examples).join(", ")}`);
  const couch = nano((await startDatabase()).url);
  await couch.db.create("example");
  const database: Database = couch.use("example");
  for (const [_id, document] of Object.entries(documents)) await database.insert({ _id, ...document });
  const port = Number(process.env["PORT"] ?? 8000);
  const { fetch } = open(database, new AbortController().signal);
  serve({ fetch, port, hostname: "127.0.0.1" }, () => console.log(`http://127.0.0.1:${port}${path}`));
}
