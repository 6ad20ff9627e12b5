/**
 * A database over HTTP: which requests ask for what.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import type { Database } from "./database.ts";
import type { DatabaseUrl } from "../wire/database_url.ts";
import { type DatabaseInfo, parseDatabaseInfo } from "../wire/database_info.ts";
import type { Settings } from "./options.ts";
import { type Page, parsePage } from "../wire/page.ts";
import { LongpollStream } from "./longpoll.ts";
import { ContinuousStream } from "./continuous.ts";
import type { Selection } from "../wire/filter.ts";
import { encodeQuery } from "../wire/query.ts";
import type { Stream } from "./stream.ts";
import { parseJson, Transport } from "./transport.ts";

/** Longer queries go into the body: CouchDB refuses a URL above 8 kB, a proxy perhaps earlier. */
const LONGEST_QUERY = 2_000;

/** A selection as a request carries it. */
interface Query {
  readonly query: string;
  readonly body: string | undefined;
}

/** Asks one database. */
export class Client implements Database {
  readonly #transport: Transport;
  readonly #settings: Settings;
  readonly #query: Query;
  /** A live row is to have a position of its own. */
  readonly #live: Query;

  /** @param database Where, and with which credentials. */
  constructor(database: DatabaseUrl, settings: Settings) {
    this.#transport = new Transport(database, settings);
    this.#settings = settings;
    const { seq_interval, ...live } = settings.selection.parameters;
    this.#live = encodeSelection(live);
    this.#query = seq_interval === undefined ? this.#live : encodeSelection({ ...live, seq_interval });
  }

  get name(): string {
    return this.#transport.href;
  }

  async readInfo(signal: AbortSignal): Promise<DatabaseInfo> {
    return parseDatabaseInfo(parseJson(await this.#transport.text("", signal)));
  }

  async readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page> {
    const page = await this.#page({ limit, since }, signal, this.#query);
    // A filter counts as pending what it will not send.
    const { filtered } = this.#settings.selection;
    return filtered ? { ...page, complete: page.rows.changes.length < limit } : page;
  }

  readDescending(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page({ ...(limit === Infinity ? {} : { limit }), descending: true }, signal, this.#query);
  }

  readNewest(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page({ limit, descending: true }, signal);
  }

  readDocuments(ids: readonly string[], since: Since, signal: AbortSignal): Promise<Page> {
    return this.#page({ since }, signal, encodeSelection({ filter: "_doc_ids", doc_ids: ids }));
  }

  openStream(since: Since, session: AbortController): Stream {
    return this.#settings.feed === "longpoll"
      ? new LongpollStream((since, signal) => this.#longpoll(since, signal), this.#settings, since, session)
      : new ContinuousStream(
        (since, signal) => this.#continuous(since, signal),
        this.#settings,
        since,
        session,
      );
  }

  async #continuous(since: Since, signal: AbortSignal): Promise<Response> {
    const path = changesPath({ feed: "continuous", ...this.#keepAlive, since }, this.#live);
    const response = await this.#transport.open(path, signal, this.#live.body);
    this.#settings.monitor.noteConnected();
    return response;
  }

  async #longpoll(since: Since, signal: AbortSignal): Promise<Page> {
    const { batchSize } = this.#settings;
    return await this.#page(
      { feed: "longpoll", ...this.#keepAlive, limit: batchSize, since },
      signal,
      this.#live,
    );
  }

  /** How a live feed shows that it is alive. */
  get #keepAlive(): { readonly heartbeat: number } | { readonly timeout: number } {
    const { heartbeat, endsWhenIdle } = this.#settings;
    return endsWhenIdle ? { timeout: heartbeat } : { heartbeat };
  }

  async #page(
    parameters: { readonly since?: Since; readonly limit?: number; readonly [name: string]: unknown },
    signal: AbortSignal,
    selection: Query = { query: "", body: undefined },
  ): Promise<Page> {
    const text = await this.#transport.text(changesPath(parameters, selection), signal, selection.body);
    return parsePage(text, parameters.since ?? 0, parameters.limit ?? Infinity);
  }
}

function changesPath(parameters: Readonly<Record<string, unknown>>, { query }: Query): string {
  return `/_changes?${encodeQuery(parameters)}${query === "" ? "" : `&${query}`}`;
}

/** CouchDB reads a selector from the body only, document ids from either. */
function encodeSelection(parameters: Selection["parameters"]): Query {
  const { doc_ids, selector, fields, query_params, ...rest } = parameters;
  const inQuery = encodeQuery({ ...rest, ...(query_params as object | undefined) });
  if (selector !== undefined) return { query: inQuery, body: JSON.stringify({ selector, fields }) };
  if (doc_ids === undefined) return { query: inQuery, body: undefined };
  const whole = `${inQuery}&${encodeQuery({ doc_ids })}`;
  return whole.length <= LONGEST_QUERY
    ? { query: whole, body: undefined }
    : { query: inQuery, body: JSON.stringify({ doc_ids }) };
}
