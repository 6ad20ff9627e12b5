/**
 * Which databases of a server were created, updated and deleted (CouchDB documentation, `GET /_db_updates`).
 *
 * @module
 */
import type { Since } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import type { FetchFunction } from "./connection/fetch.ts";
import { faultFields } from "./connection/monitor.ts";
import { type FeedOptions, type HeadersOption, resolveOptions, type Settings } from "./connection/options.ts";
import { WORTHWHILE } from "./connection/stream.ts";
import { parseJson, Transport } from "./connection/transport.ts";
import { ClosableIterator } from "./reader/closable_iterator.ts";
import { pause, type RetryDecision, RetryPolicy } from "./reader/retry_policy.ts";
import { parseServerUrl } from "./wire/database_url.ts";
import { errorObjectFault } from "./wire/faults.ts";
import { encodeQuery } from "./wire/query.ts";
import { isSince } from "./wire/rows.ts";

/** One event of a database. */
export interface DatabaseUpdate {
  /** The database (CouchDB, `db_name`). */
  readonly dbName: string;
  /** What happened to it; a server may send other events. */
  readonly type: "created" | "updated" | "deleted" | (string & Record<never, never>);
  /** Resume after this. */
  readonly seq: Since;
}

/** Options of `databaseUpdates()`; times are milliseconds. */
export interface DatabaseUpdatesOptions
  extends Pick<FeedOptions, "since" | "signal" | "onEvent" | "now" | "monotonic" | "sleep" | "random"> {
  /** How long a request lasts when nothing happens; default 30,000 (CouchDB, `timeout`). */
  readonly timeout?: number;
  /** Sent with every request; an `Authorization` here replaces the URL's credentials. */
  readonly headers?: HeadersOption;
  /** Default: the platform's, looked up at each request. */
  readonly fetch?: FetchFunction;
}

/** The databases of a server as they are created, updated and deleted; `break` closes the connection. */
export interface DatabaseUpdates extends AsyncIterableIterator<DatabaseUpdate, undefined> {
  /** The position after the last update that the consumer has processed; undefined until `"now"` is known. */
  readonly since: Since | undefined;
}

/**
 * Follows a server's databases. The user must be an administrator, and the `_global_changes` database must exist. Each
 * event is yielded at least once; several updates of one database may arrive as one. Transient faults are the same as
 * for `changes()`. A gap is not noticed, because this feed has neither an identity nor `pending`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { databaseUpdates } from "@stillfresh/etag/couchdb";
 *
 * // Stands in for a server on which a database was created.
 * const fetch = () =>
 *   Promise.resolve(Response.json({ results: [{ db_name: "blog", type: "created", seq: "1-x" }], last_seq: "1-x" }));
 *
 * for await (const update of databaseUpdates("http://localhost:5984", { since: 0, fetch })) {
 *   assert.deepEqual(update, { dbName: "blog", type: "created", seq: "1-x" });
 *   break; // closes the connection
 * }
 * ```
 *
 * @param server The server's root; credentials in it are sent as `Authorization: Basic`.
 * @param options Where to start (default `"now"`), and how; times are milliseconds.
 * @returns An iterator of updates. Nothing is requested before it is read.
 * @throws {TypeError | RangeError} At once, if the URL or an option is illegal.
 * @throws {ChangesError} While it is read, if the fault is final: see `changes()`.
 * @see CouchDB documentation, `GET /_db_updates`
 */
export function databaseUpdates(
  server: string | URL,
  options: DatabaseUpdatesOptions = {},
): DatabaseUpdates {
  const settings = resolveOptions({ timeout: 30_000, ...options });
  return new Updates(new Transport(parseServerUrl(server), settings), settings);
}

class Updates extends ClosableIterator<DatabaseUpdate> implements DatabaseUpdates {
  #since: Since | undefined;

  constructor(transport: Transport, settings: Settings) {
    const { since, signal, monitor } = settings;
    const session = new AbortController();
    super({
      generator: follow(transport, settings, session, (since) => this.#since = since),
      close: () => session.abort(),
      signal,
      onItem: () => {},
      onProcessed: ({ seq }) => this.#since = seq,
      onEnd: (error) => monitor.emit({ type: "closed", ...faultFields(error) }),
    });
    this.#since = since === "now" ? undefined : since;
  }

  get since(): Since | undefined {
    return this.#since;
  }
}

interface UpdatesPage {
  readonly updates: readonly DatabaseUpdate[];
  readonly lastSeq: Since;
}

/** One long poll after another: rows are rare here, and each response ends with the position that it reached. */
async function* follow(
  transport: Transport,
  settings: Settings,
  { signal }: AbortController,
  onSince: (since: Since) => void,
): AsyncGenerator<DatabaseUpdate, void, undefined> {
  const { heartbeat: timeout, random, monitor, clock } = settings;
  const retryPolicy = new RetryPolicy(random, clock);
  let { since } = settings;
  let started = false;
  while (!signal.aborted) {
    let decision: RetryDecision;
    try {
      const requested = clock.monotonic();
      const pinning = since === "now";
      const parameters = pinning ? { since } : { feed: "longpoll", timeout, since };
      const { updates, lastSeq } = await ask(transport, parameters, signal);
      if (!started) monitor.noteConnected();
      started = true;
      retryPolicy.noteFound();
      retryPolicy.noteProbed();
      for (const update of updates) yield update;
      since = lastSeq;
      onSince(since);
      // A pin is answered at once. An empty long poll that ends sooner than it should is a server that does not wait.
      if (pinning || updates.length > 0 || clock.monotonic() - requested >= WORTHWHILE) {
        retryPolicy.noteProgress();
        continue;
      }
      decision = retryPolicy.decideAfterEnd();
    } catch (error) {
      if (signal.aborted) return;
      decision = retryPolicy.decide(error, started);
    }
    await pause(decision, settings, signal);
  }
}

async function ask(
  transport: Transport,
  parameters: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<UpdatesPage> {
  const body = parseJson(await textOf(transport, `/_db_updates?${encodeQuery(parameters)}`, signal)) as {
    readonly [key: string]: unknown;
  };
  const { results, last_seq: lastSeq } = body ?? {};
  if (!Array.isArray(results) || !isSince(lastSeq)) {
    if (body !== null && typeof body === "object" && "error" in body) throw errorObjectFault(body);
    throw new ChangesError("not-json", "The answer is JSON, but no list of updates");
  }
  return { updates: results.flatMap(updateOf), lastSeq };
}

/** The text of a response. When it is given up, by its deadline too, the request is aborted. */
async function textOf(transport: Transport, path: string, signal: AbortSignal): Promise<string> {
  const request = new AbortController();
  const stop = () => request.abort(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await transport.text(path, request.signal);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** The update that a row describes, as a list; empty for a row of another kind. */
function updateOf(row: { readonly [key: string]: unknown } | null): readonly DatabaseUpdate[] {
  const { db_name: dbName, type, seq } = row ?? {};
  return typeof dbName === "string" && typeof type === "string" && isSince(seq)
    ? [{ dbName, type, seq }]
    : [];
}
