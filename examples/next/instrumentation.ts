/** Next calls `register` once, before the server answers its first request. */
import { follow, type Follower } from "@stillfresh/etag";
import { changes } from "@stillfresh/etag/couchdb";
import { databaseUrl } from "./database.ts";
import { registry } from "./registry.ts";

const FOLLOWER: unique symbol = Symbol.for("notes follower");
const shared = globalThis as { [FOLLOWER]?: Follower };

/** Follows the database, in the process that serves the routes. */
export async function register(): Promise<void> {
  if (process.env["NEXT_RUNTIME"] !== "nodejs") return;
  // Where Next calls this again, the new follower takes the place of the old one.
  await shared[FOLLOWER]?.close();
  shared[FOLLOWER] = follow(registry, changes(databaseUrl()), { maxLag: 10_000 });
}
