/** What the tests of the notes share: the site and the editor of another origin, over real sockets and a database. */
import { serve } from "../../examples/blog/serve.ts";
import { editor, seed } from "../../examples/notes/main.ts";
import { createSite, type Site } from "../../examples/notes/site.ts";
import { target, type TestDatabase } from "./database_support.ts";

/** A site that runs. */
export interface Notes {
  readonly site: Site;
  readonly origin: string;
  /** The address of the editor, which is of another origin. */
  readonly editor: string;
  /** The database itself, behind the site's back. */
  readonly database: TestDatabase;
  /** Waits until all that was written has been reported to the site: a report voids what was made just before. */
  reported(): Promise<void>;
  /** A token for an author. */
  logIn(name: string): Promise<string>;
  /** Sends a request with a token, as a script does; it accepts a coding only where it says so. */
  ask(path: string, token: string, init?: RequestInit): Promise<Response>;
}

/** What is between the site and its clients. */
export interface Surroundings {
  /** Whether the site leaves compression to it. */
  readonly proxyCompresses?: boolean;
  /** A layer around the handler. */
  readonly around?: (handler: Site["fetch"]) => Site["fetch"];
  /** A server in front of the one at a port. */
  readonly inFront?: (port: number) => Promise<{ readonly origin: string; close(): Promise<void> }>;
}

/** Waits for what the database reports to arrive. */
export async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !condition();) {
    if (performance.now() > end) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Starts a database, the site over it and the editor, and ends all three afterwards. */
export async function withNotes(
  body: (notes: Notes) => Promise<void>,
  { proxyCompresses = false, around = (handler) => handler, inFront }: Surroundings = {},
): Promise<void> {
  const database = await target.open();
  await seed(database.url);
  const address = { hostname: "127.0.0.1", port: 0 };
  const other = await serve(editor, address);
  const origins = [`http://127.0.0.1:${other.port}`];
  const site = createSite({ couchUrl: database.url.href, origins, proxyCompresses });
  const server = await serve(around(site.fetch), address);
  const front = await inFront?.(server.port);
  const origin = front?.origin ?? `http://127.0.0.1:${server.port}`;
  try {
    await site.follower.ready;
    await body({
      ...{ site, origin, database },
      editor: `${origins[0]}/?site=${origin}`,
      async reported() {
        for (const end = performance.now() + 5_000;;) {
          const since = encodeURIComponent(String(site.follower.since));
          const page = await database.ask(`/_changes?since=${since}&limit=1`);
          if (((await page.json()) as { results: unknown[] }).results.length === 0) return;
          if (performance.now() > end) throw new Error(`nothing is reported after ${since}`);
        }
      },
      async logIn(name) {
        const login = { method: "POST", body: new URLSearchParams({ name }) };
        return ((await (await fetch(`${origin}/login`, login)).json()) as { token: string }).token;
      },
      ask(path, token, init = {}) {
        const headers = new Headers({ "accept-encoding": "identity", ...init.headers });
        headers.set("authorization", `Bearer ${token}`);
        return fetch(`${origin}${path}`, { redirect: "manual", ...init, headers });
      },
    });
  } finally {
    await front?.close();
    await server.close();
    await site.follower.close();
    await other.close();
    await database.close();
  }
}
