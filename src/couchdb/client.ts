/**
 * Requests to one database: credentials, redirects, silence, and what an answer means.
 *
 * @module
 */
import type { Since } from "../change.ts";
import { ChangesError } from "../changes_error.ts";
import type { DatabaseUrl } from "./database_url.ts";
import { statusFault } from "./faults.ts";
import { type Information, parseInformation } from "./information.ts";
import { fieldsOf, type Settings } from "./options.ts";
import { type Page, parsePage } from "./page.ts";
import { LATE, within } from "./timing.ts";
import { patience } from "./watchdog.ts";

/** More than one is a mistake of the server's. */
const MOST_REDIRECTS = 3;

/** Asks one database. */
export class Client {
  /** The database, without credentials. */
  readonly href: string;
  readonly #authorization: string | undefined;
  readonly #settings: Settings;

  /** @param database Where, and with which credentials. */
  constructor(database: DatabaseUrl, settings: Settings) {
    this.href = database.href;
    this.#authorization = database.authorization;
    this.#settings = settings;
  }

  /** `GET /{db}`. */
  async information(signal: AbortSignal): Promise<Information> {
    const text = await this.#text("", signal);
    return parseInformation(parseJson(text));
  }

  /** A page of the normal feed. */
  async page(since: Since, limit: number, signal: AbortSignal): Promise<Page> {
    const text = await this.#text(`/_changes?limit=${limit}&since=${encodeSince(since)}`, signal);
    return parsePage(text, since, limit);
  }

  /** The newest rows, newest first; their positions are good for asking, never for resuming. */
  async newest(limit: number, signal: AbortSignal): Promise<Page> {
    const text = await this.#text(`/_changes?limit=${limit}&descending=true`, signal);
    return parsePage(text, 0, limit);
  }

  /** The head of a continuous feed, whenever the server sends it. */
  continuous(since: Since, signal: AbortSignal): Promise<Response> {
    const { heartbeat } = this.#settings;
    const query = `feed=continuous&heartbeat=${heartbeat}&since=${encodeSince(since)}`;
    return this.#get(`/_changes?${query}`, signal);
  }

  /** Waits for a piece of an answer as long as the server may be silent. */
  async #await<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const result = await within(work, patience(this.#settings.heartbeat), this.#settings.sleep, signal);
    if (result === LATE) throw new ChangesError("timeout", "The database does not answer");
    return result;
  }

  async #text(path: string, signal: AbortSignal): Promise<string> {
    const response = await this.#await(this.#get(path, signal), signal);
    return await this.#read(response, signal);
  }

  async #read(response: Response, signal: AbortSignal): Promise<string> {
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    let text = "";
    for (;;) {
      const bytes = await this.#await(read(reader, signal), signal);
      if (bytes === undefined) return text + decoder.decode();
      text += decoder.decode(bytes, { stream: true });
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<Response> {
    const headers = fieldsOf(await this.#headers());
    // Without this, CouchDB redirects a request that lacks credentials to its login page.
    headers.set("accept", "application/json");
    // Compression holds heartbeats and rows back until a block is full.
    headers.set("accept-encoding", "identity");
    if (this.#authorization !== undefined && !headers.has("authorization")) {
      headers.set("authorization", this.#authorization);
    }
    const response = await this.#follow(this.href + path, {
      headers,
      signal,
      redirect: "manual",
      cache: "no-store",
    });
    if (response.status !== 200) {
      throw statusFault(
        response,
        await this.#read(response, signal).catch(() => ""),
        this.#settings.clock.now(),
      );
    }
    if (response.headers.get("content-type")?.includes("html")) {
      throw new ChangesError("not-json", "A web page came instead of the database's answer", { status: 200 });
    }
    return response;
  }

  async #headers(): Promise<Readonly<Record<string, string>>> {
    const { headers } = this.#settings;
    if (typeof headers !== "function") return headers;
    try {
      return await headers();
    } catch (cause) {
      // A token that cannot be had now may be had later, like the database.
      throw new ChangesError("network", "The headers function failed", { cause });
    }
  }

  async #follow(url: string, init: RequestInit): Promise<Response> {
    for (let redirects = 0;; redirects++) {
      const response = await this.#fetch(url, init);
      const location = response.headers.get("location");
      if (response.type !== "opaqueredirect" && (response.status < 300 || response.status > 399)) {
        return response;
      }
      const target = location === null ? undefined : new URL(location, url);
      // The credentials are for one origin; a redirect must not carry them to another.
      if (target?.origin !== new URL(url).origin || redirects === MOST_REDIRECTS) {
        const where = target?.origin ?? "an unknown place";
        throw new ChangesError("bad-request", `The database redirects to ${where}, which is not followed`, {
          status: response.status,
        });
      }
      await response.body?.cancel();
      url = target.href;
    }
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#settings.fetch(url, init);
    } catch (cause) {
      throw new ChangesError("network", "The database cannot be reached", { cause });
    }
  }
}

/** The bytes that arrive next; undefined at the end of the body. */
export async function read(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return (await reader?.read())?.value;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new ChangesError("truncated", "The connection broke off", { cause });
  }
}

/** A position as it goes into a query: strings raw, anything else as JSON. */
function encodeSince(since: Since): string {
  return encodeURIComponent(typeof since === "string" ? since : JSON.stringify(since));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ChangesError("not-json", "The database's answer is not JSON", { cause });
  }
}
