/**
 * Notes behind a login, as one Fetch handler: CORS, in it `withEtag`, in it compression, in it the routes.
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`, and `../../src/couchdb/changes.ts` is
 * `@stillfresh/etag/couchdb`.
 */
import { EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { compress } from "./compress.ts";
import { cors } from "./cors.ts";
import { currentNote, notes, routes } from "./routes.ts";
import { sessionOf } from "./sessions.ts";
import { openStore } from "./store.ts";

/** A running site. */
export interface Site {
  /** Answers a request. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  readonly follower: Follower;
}

/** Where the documents are, and what else reads the site. */
export interface SiteOptions {
  readonly couchUrl: string;
  /** Origins whose scripts may read and write notes; default none. */
  readonly origins?: Iterable<string>;
  /** Whether a proxy in front compresses: then this site does not, and takes the tags that the proxy weakened. */
  readonly proxyCompresses?: boolean;
}

/** Opens the site. */
export function createSite({ couchUrl, origins = [], proxyCompresses = false }: SiteOptions): Site {
  // The version is part of every derived tag: change it when the markup changes.
  const registry = new EtagRegistry({ version: "notes-1" });
  const follower = follow(registry, changes(couchUrl), { groups: [notes] });
  const store = openStore(new URL(couchUrl));
  const handler = routes(store);
  const tagged = withEtag(proxyCompresses ? handler : compress(handler), {
    registry,
    // A session that does not exist never got a page, so that nothing is registered for it.
    caller: sessionOf,
    // Where the database does not answer, nothing can be told here, and the routes say so.
    current: (request) => currentNote(store, request).catch(() => undefined),
    requirePrecondition: true,
    acceptWeakTags: proxyCompresses,
  });
  return { fetch: cors(tagged, new Set(origins)), registry, follower };
}
