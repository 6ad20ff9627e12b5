/**
 * Purges caches in front from the changes feed: the feed is followed once, and what a change voids in the registry is
 * purged by group in Varnish. `varnish.vcl` is its configuration; for Fastly and Cloudflare it prints the calls.
 *
 *     deno run -A examples/proxies/purge.ts http://127.0.0.1:5984/blog http://127.0.0.1:8080
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`, and `../../src/changes/change.ts`
 * is `@stillfresh/etag/change`, and `../../src/couchdb/changes.ts` is `@stillfresh/etag/couchdb`.
 */
import process from "node:process";
import {
  dependsOn,
  EtagRegistry,
  follow,
  type Follower,
  type FollowOptions,
  group,
  purgeKey,
  withEtag,
} from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { changes } from "../../src/couchdb/changes.ts";

/** A request that purges. */
export interface PurgeCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How a cache is told what to drop. */
export interface PurgeableCache {
  /** Most keys, and most characters of them, in one call. */
  readonly most: { readonly keys: number; readonly characters: number };
  purge(keys: readonly string[]): PurgeCall;
  purgeAll(): PurgeCall;
}

/** Varnish with `varnish.vcl`. `withEtag` needs `purgeFields: ["xkey"]`. */
export function varnish(origin: string): PurgeableCache {
  const call = { url: `${origin}/`, method: "PURGE" };
  return {
    most: { keys: Infinity, characters: 4_000 },
    purge: (keys) => ({ ...call, headers: { xkey: keys.join(" ") } }),
    purgeAll: () => ({ ...call, headers: { "purge-all": "1" } }),
  };
}

/** Fastly's API, "Purge multiple surrogate key tags". `withEtag` needs `purgeFields: ["surrogate-key"]`. */
export function fastly(service: string, token: string): PurgeableCache {
  const url = `https://api.fastly.com/service/${service}/purge`;
  const headers = { "fastly-key": token, "content-type": "application/json" };
  return {
    most: { keys: 256, characters: 16_384 },
    purge: (keys) => ({ url, method: "POST", headers, body: JSON.stringify({ surrogate_keys: keys }) }),
    purgeAll: () => ({ url: `${url}_all`, method: "POST", headers }),
  };
}

/** Cloudflare's API, "Purge cached content by tag". `withEtag` needs `purgeFields: ["cache-tag"]`. */
export function cloudflare(zone: string, token: string): PurgeableCache {
  const url = `https://api.cloudflare.com/client/v4/zones/${zone}/purge_cache`;
  const headers = { "authorization": `Bearer ${token}`, "content-type": "application/json" };
  const call = (body: unknown) => ({ url, method: "POST", headers, body: JSON.stringify(body) });
  return {
    most: { keys: 30, characters: Infinity },
    purge: (keys) => call({ tags: keys }),
    purgeAll: () => call({ purge_everything: true }),
  };
}

/** Options of a purger. */
export interface PurgerOptions {
  /** Sends a call; default: over the network. */
  readonly send?: (call: PurgeCall) => Promise<void>;
  /**
   * ms after which a purge is sent again. A response that was on its way when the first purge arrived is stored after it,
   * and goes with the second. Where the site is several processes, one may learn of the change later than the purger did,
   * but never later than its `maxLag`, 25 s. Default 250 and 30,000.
   */
  readonly again?: readonly number[];
  /** ms before a call that has failed is sent again; default 500. */
  readonly retry?: number;
  /** Is told of each call that has failed. */
  readonly onError?: (error: unknown) => void;
}

async function sendOverNetwork({ url, ...init }: PurgeCall): Promise<void> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  // The body of a refusal is not shown: what is sent with it may be a token.
  if (!response.ok) throw new Error(`The purge was answered ${response.status}`);
}

/** Sends purges one after the other, until each has been taken. What comes in meanwhile goes together. */
export class Purger {
  readonly #cache: PurgeableCache;
  readonly #send: (call: PurgeCall) => Promise<void>;
  readonly #again: readonly number[];
  readonly #retry: number;
  readonly #onError: (error: unknown) => void;
  #waiting = new Set<string>();
  #isAllWaiting = false;
  #sending: Promise<void> | undefined;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #wake: () => void = () => {};
  #isClosed = false;

  constructor(cache: PurgeableCache, options: PurgerOptions = {}) {
    this.#cache = cache;
    this.#send = options.send ?? sendOverNetwork;
    this.#again = options.again ?? [250, 30_000];
    this.#retry = options.retry ?? 500;
    this.#onError = options.onError ?? (() => {});
  }

  /** Purges what depends on these, or everything: now, and once more after each of the delays. */
  readonly purge = (names: ReadonlySet<string> | "all"): void => {
    if (this.#isClosed) return;
    const keys = names === "all" ? names : Array.from(names, (name) => purgeKey(name));
    this.#enqueue(keys);
    for (const delay of this.#again) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#enqueue(keys);
      }, delay);
      this.#timers.add(timer);
    }
  };

  /** Resolves once nothing waits to be sent; what is to be sent again later is not waited for. */
  async idle(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  /** Stops: what has not been sent yet is not sent any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#wake();
    await this.#sending;
  }

  #enqueue(keys: readonly string[] | "all"): void {
    if (keys === "all") this.#isAllWaiting = true;
    else for (const key of keys) this.#waiting.add(key);
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    while (!this.#isClosed && (this.#isAllWaiting || this.#waiting.size > 0)) {
      const isAll = this.#isAllWaiting;
      const keys = isAll ? [...this.#waiting] : this.#nextKeys();
      this.#isAllWaiting = false;
      for (const key of keys) this.#waiting.delete(key);
      try {
        await this.#send(isAll ? this.#cache.purgeAll() : this.#cache.purge(keys));
      } catch (error) {
        this.#isAllWaiting ||= isAll;
        for (const key of keys) this.#waiting.add(key);
        this.#onError(error);
        if (!this.#isClosed) await this.#pause();
      }
    }
    // In the same step as the last look at what waits.
    this.#sending = undefined;
  }

  /** As many keys as one call takes, at least one. */
  #nextKeys(): string[] {
    const { keys, characters } = this.#cache.most;
    const next: string[] = [];
    let length = 0;
    for (const key of this.#waiting) {
      length += key.length + 1;
      if (next.length === keys || next.length > 0 && length > characters) break;
      next.push(key);
    }
    return next;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#retry);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A follower that purges. */
export interface PurgingFollower {
  readonly follower: Follower;
  close(): Promise<void>;
}

/**
 * Follows a feed into a registry, and purges what it voids.
 *
 * While the feed is lost, no purge is sent. Then everything is purged once that has lasted for `patience`; responses are
 * not for caches until the feed is live again, because `purgeFields` says so.
 *
 * @param patience ms; default 25,000.
 */
export function followAndPurge(
  registry: EtagRegistry,
  feed: ChangesFeed,
  purgers: readonly Purger[],
  options: FollowOptions = {},
  patience = 25_000,
): PurgingFollower {
  const purge = (names: ReadonlySet<string> | "all") => purgers.forEach((purger) => purger.purge(names));
  const follower = follow(registry, feed, { ...options, onVoid: purge });
  let lostAt: number | undefined;
  let isPurged = false;
  const watch = setInterval(() => {
    if (registry.live) {
      lostAt = undefined;
      isPurged = false;
      return;
    }
    lostAt ??= performance.now();
    if (isPurged || performance.now() - lostAt < patience) return;
    isPurged = true;
    purge("all");
  }, Math.min(1_000, patience / 2));
  return {
    follower,
    async close() {
      clearInterval(watch);
      await follower.close();
      for (const purger of purgers) await purger.close();
    },
  };
}

/**
 * `GET /id` answers with the document of that id, `GET /` with a list of all posts. A cache in front keeps both for an
 * hour, browsers ask each time.
 */
export function servePosts(
  database: string,
  purgers: readonly Purger[],
): { fetch(request: Request): Response | Promise<Response> } & PurgingFollower {
  const url = new URL(database);
  const { username, password } = url;
  // fetch() refuses credentials in a URL.
  url.username = url.password = "";
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  const headers = username === "" ? {} : { authorization };
  const ask = (path: string) => fetch(`${url.href}/${path}`, { headers });

  const posts = group("posts", (change) => change.id.startsWith("post-"));
  const registry = new EtagRegistry();
  const following = followAndPurge(registry, changes(database), purgers, { groups: [posts] });
  const handler = withEtag(async (request: Request) => {
    const id = new URL(request.url).pathname.slice(1);
    const found = await ask(
      id === "" ? `_all_docs?startkey="post-"&endkey="post-z"&include_docs=true` : encodeURIComponent(id),
    );
    // A page that does not exist yet depends on its document as well.
    if (found.status === 404) return new Response("Not found\n", { status: 404, headers: dependsOn(id) });
    if (!found.ok) return new Response("The database does not answer\n", { status: 503 });
    const shared = { "cache-control": "public, max-age=0, s-maxage=3600" };
    const body = await found.json();
    if (id !== "") return Response.json(body, { headers: { ...shared, ...dependsOn(body) } });
    const all = body.rows.map(({ doc }: { doc: { _id: string; _rev: string } }) => doc);
    return Response.json(all, { headers: { ...shared, ...dependsOn(posts, ...all) } });
  }, { registry, purgeFields: ["xkey"] });
  return { fetch: (request) => handler(request), ...following };
}

if (import.meta.main) {
  const [, , database = "http://127.0.0.1:5984/blog", front = "http://127.0.0.1:8080"] = process.argv;
  const caches = [varnish(front), fastly("SERVICE", "TOKEN"), cloudflare("ZONE", "TOKEN")];
  const purgers = caches.map((cache) =>
    new Purger(cache, {
      onError: (error) => console.error(String(error)),
      // Only Varnish is here; the calls for the others are printed.
      ...cache === caches[0] ? {} : { send: (call) => Promise.resolve(console.log(call)) },
    })
  );
  const { fetch } = servePosts(database, purgers);
  Deno.serve({ port: 8000 }, fetch);
}
