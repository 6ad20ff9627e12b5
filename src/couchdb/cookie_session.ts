/**
 * CouchDB's cookie authentication, as a `fetch` that logs in (CouchDB documentation, "Cookie Authentication").
 *
 * @module
 */
import { type FetchFunction, platformFetch } from "./connection/fetch.ts";
import { BodyReader } from "./connection/body_reader.ts";
import { deadline, EXPIRED, systemSleep } from "../changes/timing.ts";
import { parseServerUrl } from "./wire/database_url.ts";
import { MOST_OF_AN_ERROR } from "./wire/sizes.ts";

/** The user, and how to log in. */
export interface CookieSessionOptions {
  /** The name of the user. */
  readonly name: string;
  /** The password; never shown, and sent to `/_session` only. */
  readonly password: string;
  /** Milliseconds for which a cookie is valid; default 600,000, as in CouchDB (`[chttpd_auth] timeout`). */
  readonly timeout?: number;
  /** What requests are made with; default: the platform's. */
  readonly fetch?: FetchFunction;
  /** Monotonic clock; default `performance.now`. */
  readonly monotonic?: () => number;
}

interface Cookie {
  /** The value of the `Cookie` field. */
  readonly field: string;
  /** When it came, by the monotonic clock. */
  readonly received: number;
}

/** A cookie is replaced by a new login when less than this share of its time is left. CouchDB renews one sooner. */
const MARGIN = 0.2;

/** The longest cookie that is kept, in characters: CouchDB's has about 60, and some servers refuse heads above 8 KiB. */
const LONGEST_COOKIE = 4_096;

/** How long the body of a refused login may take, in milliseconds. */
const LONGEST_REFUSAL = 10_000;

/**
 * Makes a `fetch` that authenticates with a `_session` cookie: for the `fetch` option of `changes()`,
 * `databaseUpdates()` and `currentRevision()`, or for requests of your own.
 *
 * It logs in before the first request, keeps every cookie that CouchDB renews, logs in again when the last one is about
 * to expire, and once after a 401. A refused login is not repeated: its response is the request's. The cookie is sent
 * to the server's own origin only.
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
 * @param options The user; how long a cookie is valid, in milliseconds.
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
  /**
   * The login that is under way. It gives undefined if it succeeds; otherwise a function that makes the server's
   * response anew for each request that waits, because a body can be read only once.
   */
  #login: Promise<(() => Response) | undefined> | undefined;

  constructor(root: string, options: CookieSessionOptions) {
    this.#root = root;
    this.#origin = new URL(root).origin;
    this.#options = options;
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    if (originOf(url) !== this.#origin) return await this.#fetch(url, init);
    const sent = await this.#request(url, init);
    if (sent.response.status !== 401 || sent.cookie === undefined) return sent.response;
    await sent.response.body?.cancel();
    if (this.#cookie === sent.cookie) this.#cookie = undefined;
    return (await this.#request(url, init)).response;
  }

  /** One request, after a login if one is due. A refused login gives its own response, without a cookie. */
  async #request(
    url: string,
    init: RequestInit,
  ): Promise<{ readonly response: Response; readonly cookie?: Cookie | undefined }> {
    if (this.#cookieAge() >= this.#lifetime * (1 - MARGIN)) {
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
    if (!response.ok) {
      const text = await textOf(response, signal);
      return () => new Response(text, { status: status || 502, headers });
    }
    await response.body?.cancel().catch(() => {});
    if (this.#keep(response)) return undefined;
    const text = JSON.stringify({ error: "no_cookie", reason: "The login was answered without a cookie" });
    return () => new Response(text, { status: 502 });
  }

  /** Keeps the cookie of a response; true if it has one. */
  #keep(response: Response): boolean {
    const received = this.#now();
    let isKept = false;
    for (const field of response.headers.getSetCookie()) {
      const pair = field.split(";", 1)[0] ?? "";
      if (!pair.startsWith("AuthSession=") || pair.length > LONGEST_COOKIE) continue;
      this.#cookie = { field: pair, received };
      isKept = true;
    }
    return isKept;
  }

  #cookieAge(): number {
    return this.#cookie === undefined ? Infinity : this.#now() - this.#cookie.received;
  }

  get #lifetime(): number {
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

/** The body of a refused login, as far as that is of a reasonable size and comes in a reasonable time. */
async function textOf(response: Response, signal: AbortSignal | null): Promise<string> {
  const ends = signal ?? new AbortController().signal;
  const body = new BodyReader(response, ends, { bytes: 0 }, MOST_OF_AN_ERROR);
  const text = await deadline(body.text(), LONGEST_REFUSAL, systemSleep, ends).catch(() => EXPIRED);
  if (text !== EXPIRED) return text as string;
  await body.cancel();
  return "";
}

/** The root of the server, without a trailing slash. @throws {TypeError} If the URL holds credentials. */
function rootOf(server: string | URL): string {
  const { href, authorization } = parseServerUrl(server);
  if (authorization === undefined) return href;
  throw new TypeError("Expected the URL of a server without credentials: name and password are options");
}

/** @throws {TypeError} If this is no URL; the platform's own message would show its text. */
function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    throw new TypeError("Expected the URL of a request, not a text that is no URL");
  }
}
