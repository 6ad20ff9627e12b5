/** Serves the cookbook at port 8000 (or `PORT`), in the database at `COUCHDB_URL`, or in one that is embedded and empty at first. */
import { serve } from "@hono/node-server";
import nano from "nano";
import process from "node:process";
import { startDatabase } from "../blog/database.ts";
import { type Document, hashed } from "./documents.ts";
import { openCookbook } from "./reads.ts";

const server = process.env["COUCHDB_URL"] ?? (await startDatabase()).url;
const couch = nano(server);
await couch.db.create("cookbook").catch(() => {});
const database = couch.use<Document>("cookbook");
await database.insert({
  _id: "cook-ada",
  kind: "cook",
  name: "Ada",
  salt: "s",
  hash: hashed("lovelace", "s"),
}).catch(() => {});
const { fetch } = openCookbook(database);
const port = Number(process.env["PORT"] ?? 8000);
serve(
  { fetch, port, hostname: "127.0.0.1" },
  () => console.log(`http://127.0.0.1:${port}/, as ada with the password lovelace`),
);
