/**
 * A database over HTTP: the request for each question, and how its response is read.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { type DatabaseInfo, parseDatabaseInfo } from "../wire/database_info.ts";
import type { DatabaseUrl } from "../wire/database_url.ts";
import type { Selection } from "../wire/filter.ts";
import { type Page, parsePage } from "../wire/page.ts";
import { encodeQuery } from "../wire/query.ts";
import { mostBytes } from "../wire/sizes.ts";
import { holdsAll, revisionQuery } from "../wire/revs_diff.ts";
import { ContinuousStream } from "./continuous.ts";
import type { Database } from "./database.ts";
import { LongpollStream } from "./longpoll.ts";
import type { Settings } from "./options.ts";
import type { Stream } from "./stream.ts";
import { parseJson, Transport } from "./transport.ts";

/** Longer lists of document ids go into the body: CouchDB refuses a URL above 8 kB, and a proxy may refuse less. */
const LONGEST_QUERY = 2_000;

/** Statuses of a server, or of a proxy before it, that does not answer `_revs_diff`. */
const CANNOT_TELL: ReadonlySet<number> = new Set([400, 403, 404, 405, 415, 501]);

/** A selection as a request carries it: parameters of the query, and a body where the query cannot hold them. */
interface EncodedSelection {
  readonly query: string;
  readonly body: string | undefined;
}

/** Asks one database. */
export class Client implements Database {
  readonly #transport: Transport;
  readonly #settings: Settings;
  readonly #selection: EncodedSelection;
  /** Without `seq_interval`, so that each row of a live feed has a position of its own. */
  readonly #liveSelection: EncodedSelection;

  /** @param database Where, and with which credentials. */
  constructor(database: DatabaseUrl, settings: Settings) {
    this.#transport = new Transport(database, settings);
    this.#settings = settings;
    const { seq_interval, ...live } = settings.selection.parameters;
    this.#liveSelection = encodeSelection(live);
    this.#selection = seq_interval === undefined
      ? this.#liveSelection
      : encodeSelection({ ...live, seq_interval });
  }

  get name(): string {
    return this.#transport.href;
  }

  async readInfo(signal: AbortSignal): Promise<DatabaseInfo> {
    return parseDatabaseInfo(parseJson(await this.#transport.text("", signal)));
  }

  async readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page> {
    const page = await this.#page({ limit, since }, signal, this.#selection);
    // Under a filter, `pending` counts rows that will not be sent; a page that is not full is the last.
    const { filtered } = this.#settings.selection;
    return filtered ? { ...page, complete: page.rows.changes.length < limit } : page;
  }

  readDescending(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page(
      { ...(limit === Infinity ? {} : { limit }), descending: true },
      signal,
      this.#selection,
    );
  }

  readNewest(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#page({ limit, descending: true }, signal);
  }

  readDocuments(ids: readonly string[], since: Since, signal: AbortSignal): Promise<Page> {
    return this.#page({ since }, signal, encodeSelection({ filter: "_doc_ids", doc_ids: ids }));
  }

  async hasRevisions(revisions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<boolean> {
    try {
      const body = JSON.stringify(revisionQuery(revisions));
      return holdsAll(parseJson(await this.#transport.text("/_revs_diff", signal, body)));
    } catch (error) {
      if (error instanceof ChangesError && CANNOT_TELL.has(error.status ?? 0)) return false;
      throw error;
    }
  }

  openStream(since: Since, session: AbortController, buffered: boolean): Stream {
    return buffered || this.#settings.feed === "longpoll"
      ? new LongpollStream((since, signal) => this.#longpoll(since, signal), this.#settings, since, session)
      : new ContinuousStream(
        (since, signal) => this.#continuous(since, signal),
        this.#settings,
        since,
        session,
      );
  }

  async #continuous(since: Since, signal: AbortSignal): Promise<Response> {
    const path = changesPath({ feed: "continuous", ...this.#keepAlive, since }, this.#liveSelection);
    const response = await this.#transport.open(path, signal, this.#liveSelection.body);
    this.#settings.monitor.noteConnected();
    return response;
  }

  /** Without heartbeats: they would be held back, and the answer would never end. */
  async #longpoll(since: Since, signal: AbortSignal): Promise<Page> {
    const { batchSize, heartbeat } = this.#settings;
    return await this.#page(
      { feed: "longpoll", timeout: heartbeat, limit: batchSize, since },
      signal,
      this.#liveSelection,
    );
  }

  /** How a continuous feed that is idle shows that it is alive: by heartbeats, or by ending after `timeout`. */
  get #keepAlive(): { readonly heartbeat: number } | { readonly timeout: number } {
    const { heartbeat, endsWhenIdle } = this.#settings;
    return endsWhenIdle ? { timeout: heartbeat } : { heartbeat };
  }

  async #page(
    parameters: { readonly since?: Since; readonly limit?: number; readonly [name: string]: unknown },
    signal: AbortSignal,
    selection: EncodedSelection = { query: "", body: undefined },
  ): Promise<Page> {
    const { selection: { parameters: { include_docs } }, descending } = this.#settings;
    const most = mostBytes(include_docs === true || descending);
    const text = await this.#transport.text(changesPath(parameters, selection), signal, selection.body, most);
    const page = parsePage(text, parameters.since ?? 0, parameters.limit ?? Infinity);
    if (page.rows.changes.length === parameters.limit) this.#settings.budget.giveBack();
    return page;
  }
}

function changesPath(parameters: Readonly<Record<string, unknown>>, { query }: EncodedSelection): string {
  return `/_changes?${encodeQuery(parameters)}${query === "" ? "" : `&${query}`}`;
}

/** CouchDB reads a selector from the body only, and document ids from body or query. */
function encodeSelection(parameters: Selection["parameters"]): EncodedSelection {
  const { doc_ids, selector, fields, query_params, ...rest } = parameters;
  const inQuery = encodeQuery({ ...rest, ...(query_params as object | undefined) });
  if (selector !== undefined) return { query: inQuery, body: JSON.stringify({ selector, fields }) };
  if (doc_ids === undefined) return { query: inQuery, body: undefined };
  const whole = `${inQuery}&${encodeQuery({ doc_ids })}`;
  return whole.length <= LONGEST_QUERY
    ? { query: whole, body: undefined }
    : { query: inQuery, body: JSON.stringify({ doc_ids }) };
}
