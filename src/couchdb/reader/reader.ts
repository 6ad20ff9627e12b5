/**
 * The loop of a reader: start, connect, probe, follow; after each fault, report the loss, wait, and connect again.
 *
 * @module
 */
import type { Position } from "../../changes/change.ts";
import { instant, possiblyElapsed } from "../../changes/clock.ts";
import { proofPeriod } from "../../changes/timing.ts";
import type { Database } from "../connection/database.ts";
import { faultFields } from "../connection/monitor.ts";
import type { Settings } from "../connection/options.ts";
import { paceQuiet, shortestWait, WITHHELD, WORTHWHILE } from "../connection/stream.ts";
import { rewindOf } from "../wire/database_info.ts";
import { type CouchBatch, Cursor } from "./cursor.ts";
import { descendingBatches } from "./descending.ts";
import { asNews, EarlyStream } from "./early_stream.ts";
import { FeedGap } from "./gap.ts";
import { scopeOf, sourceMismatch } from "./position_source.ts";
import { probe, type SessionContext, verifyIdentity } from "./probe.ts";
import { pause, type RetryDecision, RetryPolicy } from "./retry_policy.ts";

type Batches = AsyncGenerator<CouchBatch, void, undefined>;

/** Yields batches until it is closed, complete, or stopped by a final fault. */
export class Reader {
  readonly #database: Database;
  readonly #settings: Settings;
  readonly #from: Position | undefined;
  readonly #isAnew: boolean;
  readonly #retryPolicy: RetryPolicy;
  /** Undefined until the database has answered for the first time. */
  #cursor: Cursor | undefined;
  /** Ends the reader. */
  readonly #closing = new AbortController();
  /** Ends what happens between two faults: the live stream and every request beside it. */
  #session = new AbortController();
  /** Whether a loss before the start has been yielded. */
  #lossReported = false;

  /**
   * @param from Where to start; absent: at the `since` option.
   * @param isAnew Whether the database has answered an earlier reader, so that a wrong address is no explanation of a 404.
   */
  constructor(database: Database, settings: Settings, from: Position | undefined, isAnew: boolean) {
    this.#database = database;
    this.#settings = settings;
    this.#from = from;
    this.#isAnew = isAnew;
    this.#retryPolicy = new RetryPolicy(settings.random, settings.clock);
    settings.budget.allowProofs(proofPeriod(settings.maxLag));
  }

  /** Closes the connection at once, and interrupts whatever the reader waits for. */
  close(): void {
    this.#closing.abort();
    this.#session.abort();
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Everything the reader yields. A batch of the live stream passes through this generator and `#follow`, one of a
   * probe through {@linkcode probe} as well: each level costs it several turns of the microtask queue.
   */
  async *batches(): Batches {
    const { descending, feed } = this.#settings;
    while (!this.#closed) {
      const session = this.#session = new AbortController();
      const { signal } = session;
      let decision: RetryDecision;
      try {
        if (descending) return yield* descendingBatches(this.#database, this.#settings, signal);
        const context = await this.#connect(signal);
        yield* probe(context, true);
        this.#retryPolicy.noteProbed();
        if (feed === "normal") return;
        yield* this.#follow(context, session);
        decision = this.#retryPolicy.decideAfterEnd();
      } catch (error) {
        if (this.#closed) return;
        // A stream that breaks aborts the session; the request of a probe then fails with nothing but that abort.
        decision = this.#decide(signal.aborted ? signal.reason : error);
      } finally {
        session.abort();
      }
      yield* this.#lose(decision);
      await pause(decision, this.#settings, this.#closing.signal);
    }
  }

  /** Pins the start if that has not been done, and compares the identity of a database that did not exist. */
  async #connect(signal: AbortSignal): Promise<SessionContext> {
    const cursor = this.#cursor ?? await this.#start(signal);
    const context = { database: this.#database, cursor, settings: this.#settings, signal };
    if (this.#retryPolicy.gone) {
      await verifyIdentity(context);
      this.#retryPolicy.noteFound();
    }
    return context;
  }

  /** Pins the start, so that nothing that is written from now on is missed, whatever fault comes next. */
  async #start(signal: AbortSignal): Promise<Cursor> {
    const { selection } = this.#settings;
    const scope = await scopeOf(this.#database.name, selection);
    const from = this.#from;
    const info = await this.#database.readInfo(signal);
    const since = from?.since ?? this.#settings.since;
    const cursor = new Cursor(
      scope,
      selection,
      since === "now" ? info.updateSeq : since,
      info,
      this.#settings.batchSize,
    );
    if (this.#lossReported) cursor.state = "lost";
    this.#cursor = cursor;
    const mismatch = from === undefined ? undefined : sourceMismatch(from.source, scope, info);
    if (mismatch !== undefined) throw new FeedGap(mismatch);
    const rewind = rewindOf(cursor.since, info);
    if (rewind !== undefined) throw new FeedGap(rewind);
    return cursor;
  }

  /** Yields the rows of a live feed until it ends, with a probe whenever one is due. */
  async *#follow(context: SessionContext, session: AbortController): Batches {
    const { cursor, settings: { clock, batchSize, endsWhenIdle, monitor, budget } } = context;
    let opened = clock.monotonic();
    let buffered = false;
    let stream = new EarlyStream(context, session, buffered);
    const renew = () => {
      stream.close();
      return new EarlyStream(context, session, buffered);
    };
    // A stream whose first rows do not show the anchor may be one of other files, and a probe can tell. One is enough: on
    // a busy database, the row may have moved behind others.
    let mayDoubt = true;
    let isDoubtful = false;
    try {
      for (;;) {
        if (this.#untilProbe(cursor) <= 0 || isDoubtful) {
          isDoubtful = false;
          const { yielded } = cursor;
          yield* probe(context, false);
          // The probe is ahead of the stream, whose next rows are then older than what has been yielded.
          if (cursor.yielded !== yielded) stream = renew();
        }
        const rows = await stream.read(Math.max(0, this.#untilProbe(cursor)));
        if (rows === undefined) continue;
        if (rows === WITHHELD) {
          // If the database answers a probe, it is the stream that does not get through: a proxy on the way waits for the
          // end of an answer that has none.
          yield* probe(context, false);
          monitor.emit({ type: "buffered" });
          buffered = true;
          stream = renew();
          opened = clock.monotonic();
          continue;
        }
        const { news, repeated, since } = stream.isVerified ? asNews(rows) : await stream.verify(rows);
        if (news.length > 0) this.#retryPolicy.noteRows();
        if (news.length > 0 && !stream.isVerified && mayDoubt) {
          isDoubtful = true;
          mayDoubt = false;
        }
        // A stream that has not shown the anchor leaves it where it is: the next probe looks for the same row.
        if (stream.isVerified) cursor.advance(rows.start, rows.changes, since);
        for (const batch of cursor.batches(news, batchSize, since, repeated)) yield batch;
        if (rows.fault !== undefined) throw rows.fault;
        if (!rows.ended) continue;
        const elapsed = clock.monotonic() - opened;
        if (!endsWhenIdle || elapsed < shortestWait(this.#settings)) return;
        // The stream ended because `timeout` had passed, and said how far it had come: nothing is lost.
        budget.giveBack();
        await paceQuiet(elapsed, this.#settings, session.signal);
        stream = renew();
        opened = clock.monotonic();
      }
    } finally {
      if (clock.monotonic() - opened >= WORTHWHILE) this.#retryPolicy.noteProgress();
    }
  }

  /** Milliseconds until the contact has to be renewed. */
  #untilProbe({ contact }: Cursor): number {
    const { clock, maxLag } = this.#settings;
    return contact === undefined ? 0 : proofPeriod(maxLag) - possiblyElapsed(contact, instant(clock));
  }

  /** Yields the loss: an empty batch with state `"lost"`; and another for each fault and each reset while it lasts. */
  *#lose(decision: RetryDecision): Generator<CouchBatch, void, undefined> {
    const { monitor } = this.#settings;
    const { fault, reset } = decision;
    const lost = { type: "lost", ...faultFields(fault) } as const;
    const cursor = this.#cursor;
    const met = fault === undefined ? {} : { fault };
    if (cursor === undefined) {
      if (!this.#lossReported) monitor.emit(lost);
      this.#lossReported = true;
      yield { changes: [], position: this.#from, state: "lost", contact: undefined, ...met };
    } else if (cursor.state !== "lost" || reset !== undefined || fault !== undefined) {
      if (cursor.state !== "lost") monitor.emit(lost);
      cursor.state = "lost";
      yield { ...cursor.batch([], cursor.since, reset), ...met };
    }
  }

  /** What to do about a fault. @throws The fault, if it is final. */
  #decide(fault: unknown): RetryDecision {
    if (fault instanceof FeedGap) this.#cursor?.reset(fault);
    return this.#retryPolicy.decide(fault, this.#isAnew || this.#cursor !== undefined);
  }
}
