/**
 * The demo: a blog of 3,000 posts out of an embedded database, or out of another one: `--database sqlite`, or a URL, also as
 * `DATABASE_URL` or `COUCHDB_URL`. The handlers are the same over all of them.
 *
 * Environment: `PORT` (8000), `HOST` (127.0.0.1), `COUCHDB_URL` (`http://user:password@127.0.0.1:5984/blog`),
 * `DATABASE_URL` (`postgres://user:password@127.0.0.1/blog`, `sqlite:/var/lib/blog.db`),
 * `SECRET` (16 characters or more, the same for all processes of the site and after a restart: then so are its tags),
 * `SNAPSHOT` (a file that keeps the registry across restarts; it pays off with a database that outlives them).
 *
 * It is made to be tried out: where it can be reached from, its posts can be edited from.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { EtagRegistry } from "../../mod.ts";
import { choose, type Chosen } from "./choice.ts";
import { Refusal, refusedByAddress } from "./failure.ts";
import { progressOf } from "./progress.ts";
import { serve } from "./serve.ts";
import { build, createSite, type Site } from "./site.ts";
import { keepSnapshot, openSnapshot } from "./snapshot.ts";
import { tellTerminal } from "./story/terminal.ts";

async function main(): Promise<void> {
  const hostname = process.env["HOST"] ?? "127.0.0.1";
  const port = portOf(process.env["PORT"] ?? "8000");
  const database = await choose(chosenDatabase(), process.env["COUCHDB_URL"]);
  await database.fill({ onProgress: progressOf("filling the database", "documents") });
  const file = process.env["SNAPSHOT"];
  const registry = file ? await restore(file) : new EtagRegistry({ version: build });
  const { store, feed } = database;
  const site = createSite({ store, feed, registry, secret: process.env["SECRET"] });
  await site.follower.ready.catch((error) => Promise.reject(database.refused(error)));
  const server = await serve(site.fetch, { hostname, port })
    .catch((error) => Promise.reject(refusedByAddress(hostname, port, error)));
  const kept = file ? [keepSnapshot(site.registry, file)] : [];
  const streams = { close: () => Promise.resolve(site.endStory()) };
  stopOnSignal([streams, server, ...kept, site, database]);
  await introduce(`http://${hostname}:${server.port}`, site, database);
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

function chosenDatabase(): string | undefined {
  try {
    const { values } = parseArgs({ options: { database: { type: "string" } } });
    return values.database ?? process.env["DATABASE_URL"];
  } catch (error) {
    throw new Refusal((error as Error).message);
  }
}

async function introduce(origin: string, site: Site, { store, place }: Chosen): Promise<void> {
  const newest = (await store.signedPosts(1))[0]?.post;
  const page = `${origin}/${newest === undefined ? "" : `posts/${newest._id}`}`;
  const { headers } = await site.fetch(new Request(page));
  console.log(`
Slack Water is at ${origin}/ and its database at ${place}
Each page tells what became of the last request for it; ${origin}/stats has the counters.
What is answered and why, live: ${origin}/_stillfresh

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
