/**
 * The demo: a blog of 3,000 posts out of an embedded database, or out of the one that `COUCHDB_URL` names.
 *
 * Environment: `PORT` (8000), `HOST` (127.0.0.1), `COUCHDB_URL` (`http://user:password@127.0.0.1:5984/blog`),
 * `SECRET` (16 characters or more, the same for all processes of the site and after a restart: then so are its tags),
 * `SNAPSHOT` (a file that keeps the registry across restarts; it pays off with a database that outlives them).
 *
 * It is made to be tried out: where it can be reached from, its posts can be edited from.
 */
import process from "node:process";
import { EtagRegistry } from "../../mod.ts";
import { startDatabase } from "./database.ts";
import { reach, Refusal, refusedByAddress, refusedByDatabase } from "./failure.ts";
import { progressOf } from "./progress.ts";
import { seed } from "./seed.ts";
import { serve } from "./serve.ts";
import { build, createSite, type Site } from "./site.ts";
import { keepSnapshot, openSnapshot } from "./snapshot.ts";
import { openStore } from "./store.ts";
import { tellTerminal } from "./story/terminal.ts";

async function main(): Promise<void> {
  const hostname = process.env["HOST"] ?? "127.0.0.1";
  const port = portOf(process.env["PORT"] ?? "8000");
  const given = process.env["COUCHDB_URL"];
  const database = given === undefined ? await startDatabase() : undefined;
  const url = databaseUrl(given ?? `${database?.url}/blog`);
  await reach(url);
  const refused = (error: unknown) => Promise.reject(refusedByDatabase(url, error));
  await seed(url, { onProgress: progressOf("filling the database", "documents") }).catch(refused);
  const file = process.env["SNAPSHOT"];
  const registry = file ? await restore(file) : new EtagRegistry({ version: build });
  const site = createSite({ couchUrl: url.href, registry, secret: process.env["SECRET"] });
  await site.follower.ready.catch(refused);
  const server = await serve(site.fetch, { hostname, port })
    .catch((error) => Promise.reject(refusedByAddress(hostname, port, error)));
  const kept = file ? [keepSnapshot(site.registry, file)] : [];
  const streams = { close: () => Promise.resolve(site.endStory()) };
  stopOnSignal([streams, server, ...kept, site, ...(database === undefined ? [] : [database])]);
  await introduce(`http://${hostname}:${server.port}`, site, url);
  const colours = process.stdout.isTTY && !process.env["NO_COLOR"];
  tellTerminal(site.story, (line) => void process.stdout.write(`${line}\n`), { colours });
}

/** The registry of an earlier process, if it left one in the file. */
async function restore(file: string): Promise<EtagRegistry> {
  const snapshot = await openSnapshot(file, progressOf("restoring the snapshot", "bytes"));
  if (snapshot === undefined) return new EtagRegistry({ version: build });
  return await EtagRegistry.restore(snapshot, {
    version: build,
    onRefused: (reason) => console.error(`blog: the snapshot in ${file} is ignored: ${reason}`),
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Refusal(`PORT is ${JSON.stringify(text)}, not 0 to 65535`);
  }
  return port;
}

function databaseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The text itself is not repeated: it may hold a password.
  if (!url || !/^https?:$/.test(url.protocol)) throw new Refusal("COUCHDB_URL is not an http: or https: URL");
  if (url.pathname === "/") url.pathname = "/blog";
  return url;
}

async function introduce(origin: string, site: Site, database: URL): Promise<void> {
  const [newest] = await openStore(database).posts(1);
  const page = `${origin}/${newest === undefined ? "" : `posts/${newest._id}`}`;
  const { headers } = await site.fetch(new Request(page));
  console.log(`
Slack Water is at ${origin}/ and its database at ${database.origin}${database.pathname}
Each page tells what became of the last request for it; ${origin}/stats has the counters.

A page and its tag:
  curl -i ${page}
For a client that has that tag: 304, no body, and the handler does not run:
  curl -i ${page} -H 'If-None-Match: ${headers.get("etag")}'
A write, after which the second line gives 200 and a new tag:
  ${write(`${origin}/api/posts`, newest?._id)}
${
    newest === undefined
      ? ""
      : `The same behind the site's back: in the database, so that the feed has to bring it:
  curl -i -X POST ${origin}/edit/${newest._id}
`
  }
Why a request is no 304, and what to change; with the fields of your client:
  curl '${origin}/story/why?path=${encodeURIComponent(new URL(page).pathname)}' -H 'Cookie: visits=1'

What is asked from now on, how it was answered, and what the feed brings:
`);
}

/** A command that edits a post or, where there is none, writes the first. */
function write(posts: string, id: string | undefined): string {
  if (id !== undefined) {
    const address = `${posts}/${id}`;
    return `curl -s ${address} | sed 's/"title":"/&Again: /' | curl -i -X PUT -d @- ${address}`;
  }
  const first = { title: "First", published: "2026-11-23", author: "author-001", body: "Here we go." };
  return `curl -i -X PUT -d '${JSON.stringify(first)}' ${posts}/post-2026-11-23-first`;
}

function stopOnSignal(parts: readonly { close(): Promise<void> }[]): void {
  const stop = async () => {
    for (const part of parts) await part.close();
    process.exit(0);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

main().catch((error) => {
  console.error(error instanceof Refusal ? `blog: ${error.message}` : error);
  process.exit(1);
});
