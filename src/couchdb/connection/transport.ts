/**
 * Requests: their credentials, redirects, the longest silence, and which responses are faults.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";
import type { DatabaseUrl } from "../wire/database_url.ts";
import { statusFault } from "../wire/faults.ts";
import { uncached } from "../wire/query.ts";
import { MOST_OF_AN_ERROR, mostBytes } from "../wire/sizes.ts";
import { BodyReader } from "./body_reader.ts";
import { uncachedRequest } from "./fetch.ts";
import { type Settings, toHeaders } from "./options.ts";
import { deadline, EXPIRED } from "../../changes/timing.ts";

/** A server that redirects more often than this, within its origin, is taken to redirect in a circle. */
const MOST_REDIRECTS = 3;

/** Statuses that name another address (RFC 9110 §15.4). */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** The settings that requests are made with. */
export type TransportSettings = Pick<
  Settings,
  "headers" | "fetch" | "clock" | "sleep" | "watchdog" | "monitor" | "budget"
>;

/** Sends requests to one database or server. */
export class Transport {
  /** Without credentials. */
  readonly href: string;
  readonly #authorization: string | undefined;
  readonly #settings: TransportSettings;

  /** @param url The database or the server, and the credentials for it. */
  constructor(url: DatabaseUrl, settings: TransportSettings) {
    this.href = url.href;
    this.#authorization = url.authorization;
    this.#settings = settings;
  }

  /**
   * The whole text of a response.
   *
   * @param path What follows the URL.
   * @param body JSON; makes the request a POST.
   * @param most The most bytes of it.
   * @throws {ChangesError} `too-large`, and any other fault of a request.
   */
  async text(
    path: string,
    signal: AbortSignal,
    body?: string,
    most: number = mostBytes(false),
  ): Promise<string> {
    const response = await this.#await(this.open(path, signal, body), signal);
    return await this.#read(response, signal, most);
  }

  /** A response whose body has not been read, as soon as its head has arrived. */
  async open(path: string, signal: AbortSignal, body?: string): Promise<Response> {
    const response = await this.#follow(uncached(this.href + path), {
      headers: await this.#fields(body),
      signal,
      redirect: "manual",
      ...uncachedRequest(),
      ...(body === undefined ? {} : { method: "POST", body }),
    }, signal);
    if (response.status !== 200) {
      const text = await this.#read(response, signal, MOST_OF_AN_ERROR).catch(() => "");
      throw statusFault(response, text, this.#settings.clock.now());
    }
    if (response.headers.get("content-type")?.includes("html")) {
      throw new ChangesError("not-json", "A web page came instead of the database's answer", { status: 200 });
    }
    if (Number(response.headers.get("age")) > 0) {
      throw new ChangesError("server-error", "A cache answered in the database's place", { status: 200 });
    }
    return response;
  }

  async #read(response: Response, signal: AbortSignal, most: number): Promise<string> {
    const body = new BodyReader(response, signal, this.#settings.monitor.counters, most);
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const bytes = await this.#await(body.read(), signal);
      if (bytes === undefined) return text + decoder.decode();
      text += decoder.decode(bytes, { stream: true });
    }
  }

  /** Waits for the head or the next bytes of a response, for as long as the server may be silent. */
  async #await<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const { watchdog, sleep } = this.#settings;
    const result = await deadline(work, watchdog.idleTimeout, sleep, signal);
    if (result !== EXPIRED) return result;
    watchdog.noteExpired();
    throw new ChangesError("timeout", "The database does not answer");
  }

  async #fields(body: string | undefined): Promise<Headers> {
    const headers = await this.#headers();
    // Without this, CouchDB redirects a request that lacks credentials to its login page.
    headers.set("accept", "application/json");
    // Compression holds heartbeats and rows back until a block is full.
    headers.set("accept-encoding", "identity");
    if (body !== undefined) headers.set("content-type", "application/json");
    if (this.#authorization !== undefined && !headers.has("authorization")) {
      headers.set("authorization", this.#authorization);
    }
    return headers;
  }

  async #headers(): Promise<Headers> {
    const { headers } = this.#settings;
    if (typeof headers !== "function") return toHeaders(headers);
    try {
      return toHeaders(await headers());
    } catch (cause) {
      // Transient, like an unreachable database: a token that cannot be had now may be had later.
      throw new ChangesError("network", "The headers function failed", { cause });
    }
  }

  async #follow(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    for (let redirects = 0;; redirects++) {
      await this.#settings.budget.take(signal);
      const response = await this.#fetch(url, init);
      if (response.type !== "opaqueredirect" && !REDIRECTS.has(response.status)) return response;
      // A body that is not read would hold the connection.
      await response.body?.cancel().catch(() => {});
      const target = targetOf(response, url);
      // The credentials are for one origin; a redirect must not carry them to another.
      if (target?.origin !== new URL(url).origin || redirects === MOST_REDIRECTS) {
        const where = target?.origin ?? "an unknown place";
        throw new ChangesError("bad-request", `The database redirects to ${where}, which is not followed`, {
          status: response.status,
        });
      }
      url = target.href;
    }
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#settings.fetch(url, init);
    } catch (cause) {
      if (cause instanceof ChangesError) throw cause;
      throw new ChangesError("network", `The database cannot be reached: ${innermost(cause)}`, { cause });
    }
  }
}

/** What the platform says of a connection: on Node and Deno, only the cause of its error tells the name from the port. */
function innermost(error: unknown): string {
  let message = String(error);
  for (let depth = 0; depth < 4 && error instanceof Error; depth++) {
    if (error.message !== "") message = error.message;
    error = error.cause;
  }
  return message;
}

/** Where a redirect leads, without credentials; undefined if it does not say, or not by a URL. */
function targetOf(response: Response, url: string): URL | undefined {
  const location = response.headers.get("location");
  if (location === null) return undefined;
  try {
    const target = new URL(location, url);
    target.username = target.password = "";
    return target;
  } catch {
    return undefined;
  }
}

/** Parses a response that is JSON but no page of changes. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ChangesError("not-json", "The database's answer is not JSON", { cause });
  }
}
