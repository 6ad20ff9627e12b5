/**
 * A reader's life: start, connect, probe, follow; and after each fault, wait and connect again.
 *
 * @module
 */
import type { ChangesErrorCode, Position } from "../../changes/change.ts";
import { instant, possiblyElapsed } from "../../changes/clock.ts";
import { type CouchBatch, Cursor } from "./cursor.ts";
import type { Database } from "../connection/database.ts";
import { isRewound } from "../wire/database_info.ts";
import { sourceMismatch } from "./position_source.ts";
import { descendingBatches } from "./descending.ts";
import type { Settings } from "../connection/options.ts";
import { SHORTEST_WAIT } from "../connection/stream.ts";
import { type Connection, probe, verifyIdentity } from "./probe.ts";
import { type RetryDecision, RetryPolicy } from "./retry_policy.ts";
import { FeedGap } from "./gap.ts";

type Batches = AsyncGenerator<CouchBatch, void, undefined>;

/** Yields batches until closed, done or beyond help. */
export class Reader {
  readonly #database: Database;
  readonly #settings: Settings;
  readonly #from: Position | undefined;
  readonly #retryPolicy: RetryPolicy;
  #cursor: Cursor | undefined;
  #session = new AbortController();
  #closed = false;
  /** A loss before the start has been told. */
  #lossReported = false;

  /** @param from Where to start; absent: at the `since` option. */
  constructor(database: Database, settings: Settings, from: Position | undefined) {
    this.#database = database;
    this.#settings = settings;
    this.#from = from;
    this.#retryPolicy = new RetryPolicy(settings.random);
  }

  /** Closes the connection at once, and interrupts whatever waits. */
  close(): void {
    this.#closed = true;
    this.#session.abort();
  }

  /** Everything the reader yields. */
  async *batches(): Batches {
    let wait = 0;
    while (!this.#closed) {
      const session = this.#session = new AbortController();
      let decision: RetryDecision;
      try {
        if (wait > 0) await this.#settings.sleep(wait, session.signal);
        if (this.#closed) return;
        const connection = yield* this.#connect(session);
        if (connection === undefined) return;
        // Here, and not a generator deeper: every batch of a live feed passes through each of them.
        yield* this.#follow(connection, session);
        decision = this.#retryPolicy.decideAfterEnd();
      } catch (error) {
        if (this.#closed) return;
        // When the stream breaks under a probe, the probe's own fault is only that it was aborted.
        decision = this.#decide(session.signal.aborted ? session.signal.reason : error);
      } finally {
        session.abort();
      }
      wait = decision.wait;
      yield* this.#lose(decision);
      this.#settings.monitor.emit({ type: "retrying", ms: wait, ...codeOf(decision) });
    }
  }

  /** Catches up; returns nothing if that was all that was asked for. */
  async *#connect(
    { signal }: AbortController,
  ): AsyncGenerator<CouchBatch, Connection | undefined, undefined> {
    const { feed, descending } = this.#settings;
    if (descending) {
      yield* descendingBatches(this.#database, this.#settings, signal);
      return undefined;
    }
    const cursor = this.#cursor ?? await this.#start(signal);
    const connection = { database: this.#database, cursor, settings: this.#settings, signal };
    if (this.#retryPolicy.gone) {
      await verifyIdentity(connection);
      this.#retryPolicy.noteFound();
    }
    yield* probe(connection);
    this.#retryPolicy.noteProbed();
    return feed === "normal" ? undefined : connection;
  }

  /** Pins the start, so that nothing written from here on is missed whatever happens next. */
  async #start(signal: AbortSignal): Promise<Cursor> {
    const { selection } = this.#settings;
    const scope = { database: this.#database.name, selection: selection.identity };
    const from = this.#from;
    const info = await this.#database.readInfo(signal);
    const since = from?.since ?? this.#settings.since;
    const cursor = new Cursor(scope, selection, since === "now" ? info.updateSeq : since, info);
    if (this.#lossReported) cursor.state = "lost";
    this.#cursor = cursor;
    const reason = from === undefined ? undefined : sourceMismatch(from.source, scope, info);
    if (reason !== undefined) throw new FeedGap(reason);
    if (isRewound(cursor.since, info)) throw new FeedGap("rewound");
    return cursor;
  }

  /** Yields the rows of a live feed until it ends, with a probe whenever one is due. */
  async *#follow(connection: Connection, session: AbortController): Batches {
    const { database, cursor, settings } = connection;
    const { clock, batchSize } = settings;
    let opened = clock.monotonic();
    let stream = database.openStream(cursor.since, session);
    const renew = () => {
      stream.close();
      return database.openStream(cursor.since, session);
    };
    try {
      for (;;) {
        if (this.#untilProbe(cursor) <= 0) {
          const { yielded } = cursor;
          yield* probe(connection);
          // A stream is behind a probe with news: what it still has to say is older than what has been told.
          if (cursor.yielded !== yielded) stream = renew();
        }
        const rows = await stream.read(Math.max(0, this.#untilProbe(cursor)));
        if (rows === undefined) continue;
        if (rows.changes.length > 0) this.#retryPolicy.noteProgress();
        cursor.advance(rows.start, rows.changes, rows.since);
        for (const batch of cursor.batches(rows.changes, batchSize, rows.since)) yield batch;
        if (rows.fault !== undefined) throw rows.fault;
        if (!rows.ended) continue;
        if (!settings.endsWhenIdle || clock.monotonic() - opened < SHORTEST_WAIT) return;
        // Its time was up: it has told how far it has come, and nothing is lost.
        stream = renew();
        opened = clock.monotonic();
      }
    } finally {
      if (clock.monotonic() - opened >= SHORTEST_WAIT) this.#retryPolicy.noteProgress();
    }
  }

  /** Milliseconds until the contact has to be renewed. */
  #untilProbe({ contact }: Cursor): number {
    const { clock, maxLag } = this.#settings;
    return contact === undefined ? 0 : maxLag / 2 - possiblyElapsed(contact, instant(clock));
  }

  /** Tells that nothing is known any more: once, or as often as there is a reason why. */
  *#lose(decision: RetryDecision): Generator<CouchBatch, void, undefined> {
    const { monitor } = this.#settings;
    const { reset } = decision;
    const cursor = this.#cursor;
    if (cursor === undefined) {
      if (this.#lossReported) return;
      this.#lossReported = true;
      monitor.emit({ type: "lost", ...codeOf(decision) });
      yield { changes: [], position: this.#from, state: "lost", contact: undefined };
    } else if (cursor.state !== "lost" || reset !== undefined) {
      if (cursor.state !== "lost") monitor.emit({ type: "lost", ...codeOf(decision) });
      cursor.state = "lost";
      yield cursor.batch([], cursor.since, reset);
    }
  }

  /** What to do about a fault; throws it if nothing can be done. */
  #decide(fault: unknown): RetryDecision {
    if (fault instanceof FeedGap) this.#cursor?.reset(fault);
    return this.#retryPolicy.decide(fault, this.#cursor !== undefined);
  }
}

function codeOf({ code }: RetryDecision): { readonly code?: ChangesErrorCode } {
  return code === undefined ? {} : { code };
}
