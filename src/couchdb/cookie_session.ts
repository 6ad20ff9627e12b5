/**
 * CouchDB's cookie authentication, as a `fetch` that logs in (CouchDB documentation, "Cookie Authentication").
 *
 * @module
 */
import { type FetchFunction, platformFetch } from "./connection/fetch.ts";
import { parseServerUrl } from "./wire/database_url.ts";

/** Who logs in, and how. */
export interface CookieSessionOptions {
  /** The user. */
  readonly name: string;
  /** The password; never shown, and sent to `/_session` only. */
  readonly password: string;
  /** Milliseconds a cookie is good for; default 600,000, as CouchDB's (`[chttpd_auth] timeout`). */
  readonly timeout?: number;
  /** What requests are made with; default: the platform's. */
  readonly fetch?: FetchFunction;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
}

interface Cookie {
  readonly field: string;
  readonly received: number;
}

/** Logging in again is due when less than this share of a cookie's life is left: CouchDB renews it sooner by itself. */
const MARGIN = 0.2;

/**
 * Makes a `fetch` that authenticates with a `_session` cookie: for the `fetch` option of `changes()`,
 * `databaseUpdates()` and `currentRevision()`, or for requests of your own.
 *
 * It logs in before the first request, takes over every cookie that CouchDB renews, logs in again when the last one is
 * about to expire, and once after a 401. A refused login is not repeated: its answer is the request's. The cookie is
 * sent to the server's own origin only.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { changes, cookieSession } from "@stillfresh/etag/couchdb";
 *
 * const fetch = cookieSession("http://localhost:5984", { name: "reader", password: "secret" });
 * const feed = changes("http://localhost:5984/blog", { fetch });
 * assert.equal(String(feed), "changes of http://localhost:5984/blog");
 * ```
 *
 * @param server The server's root, without credentials.
 * @param options Who logs in; the cookie's life in milliseconds.
 * @returns A `fetch`; it rejects as the one underneath does.
 * @throws {TypeError} If `server` is no http(s) URL without credentials.
 * @see CouchDB documentation, `POST /_session`
 */
export function cookieSession(
  server: string | URL,
  options: CookieSessionOptions,
): (url: string, init?: RequestInit) => Promise<Response> {
  const session = new CookieSession(rootOf(server), options);
  return (url, init = {}) => session.fetch(url, init);
}

class CookieSession {
  readonly #root: string;
  readonly #origin: string;
  readonly #options: CookieSessionOptions;
  #cookie: Cookie | undefined;
  /** Under way: undefined if it succeeds, else what makes the server's answer, for each request that waits for it. */
  #login: Promise<(() => Response) | undefined> | undefined;

  constructor(root: string, options: CookieSessionOptions) {
    this.#root = root;
    this.#origin = new URL(root).origin;
    this.#options = options;
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    if (new URL(url).origin !== this.#origin) return await this.#fetch(url, init);
    const sent = await this.#request(url, init);
    if (sent.response.status !== 401 || sent.cookie === undefined) return sent.response;
    await sent.response.body?.cancel();
    if (this.#cookie === sent.cookie) this.#cookie = undefined;
    return (await this.#request(url, init)).response;
  }

  /** One request; without a cookie if the login was refused, whose answer it then has. */
  async #request(
    url: string,
    init: RequestInit,
  ): Promise<{ readonly response: Response; readonly cookie?: Cookie | undefined }> {
    if (this.#age() >= this.#life * (1 - MARGIN)) {
      this.#login ??= this.#logIn(init.signal).finally(() => this.#login = undefined);
      const refused = await this.#login;
      if (refused !== undefined) return { response: refused() };
    }
    const cookie = this.#cookie;
    const headers = new Headers(init.headers);
    if (cookie !== undefined) headers.set("cookie", cookie.field);
    const response = await this.#fetch(url, { ...init, headers });
    this.#keep(response);
    return { response, cookie };
  }

  async #logIn(signal: AbortSignal | null = null): Promise<(() => Response) | undefined> {
    const { name, password } = this.#options;
    const response = await this.#fetch(`${this.#root}/_session`, {
      method: "POST",
      headers: { "accept": "application/json", "content-type": "application/json" },
      body: JSON.stringify({ name, password }),
      redirect: "manual",
      signal,
    });
    const { status, headers } = response;
    const text = await response.text();
    if (!response.ok) return () => new Response(text, { status: status || 502, headers });
    this.#keep(response);
    return undefined;
  }

  #keep(response: Response): void {
    for (const field of response.headers.getSetCookie()) {
      const pair = field.split(";", 1)[0] ?? "";
      if (pair.startsWith("AuthSession=")) this.#cookie = { field: pair, received: this.#now() };
    }
  }

  #age(): number {
    return this.#cookie === undefined ? Infinity : this.#now() - this.#cookie.received;
  }

  get #life(): number {
    return this.#options.timeout ?? 600_000;
  }

  #now(): number {
    return (this.#options.monotonic ?? (() => performance.now()))();
  }

  #fetch(url: string, init: RequestInit): Promise<Response> {
    const { fetch = platformFetch } = this.#options;
    return fetch(url, init);
  }
}

/** The root of a server, which takes the credentials from the options alone. */
function rootOf(server: string | URL): string {
  const { href, authorization } = parseServerUrl(server);
  if (authorization === undefined) return href;
  throw new TypeError("Expected the URL of a server without credentials: name and password are options");
}
