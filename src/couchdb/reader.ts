/**
 * A reader's life: start, connect, probe, follow; and after each fault, wait and connect again.
 *
 * @module
 */
import type { Position, ResetReason } from "../change.ts";
import { ChangesError } from "../changes_error.ts";
import { instant, possiblyElapsed } from "../clock.ts";
import { BackOff } from "./back_off.ts";
import type { Client } from "./client.ts";
import { type Batch, Cursor } from "./cursor.ts";
import { retryAfterOf } from "./faults.ts";
import { foreign, rewound } from "./information.ts";
import type { Settings } from "./options.ts";
import { type Connection, probe, verifyIdentity } from "./probe.ts";
import { Reset } from "./reset.ts";
import { RowStream } from "./row_stream.ts";

/** A 403 is a lost role, or CouchDB's lock-out of a client that failed too often: five minutes, anew at each attempt. */
const LOCKED_OUT = 60_000;

/** A connection that brings nothing and ends sooner was good for nothing. */
const WORTHWHILE = 1_000;

/** Faults after which the first new attempt may be made at once. */
const EAGER: ReadonlySet<string> = new Set(["network", "timeout", "truncated"]);

/** Faults that only time can mend. */
const TRANSIENT: ReadonlySet<string> = new Set(["server-error", "not-json", "too-many-requests"]);

/** When to try again, and what to tell before. */
interface Verdict {
  readonly wait: number;
  readonly reset?: ResetReason;
}

type Batches = AsyncGenerator<Batch, void, undefined>;

/** Yields batches until closed or beyond help. */
export class Reader {
  readonly #client: Client;
  readonly #settings: Settings;
  readonly #from: Position | undefined;
  readonly #backOff: BackOff;
  #cursor: Cursor | undefined;
  #session = new AbortController();
  #closed = false;
  /** The database was there, and is not. */
  #gone = false;
  /** A loss before the start has been told. */
  #told = false;
  /** A 401 has been answered with fresh headers once. */
  #refreshed = false;

  /** @param from Where to start; absent: at the `since` option. */
  constructor(client: Client, settings: Settings, from: Position | undefined) {
    this.#client = client;
    this.#settings = settings;
    this.#from = from;
    this.#backOff = new BackOff(settings.random);
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
      let verdict: Verdict;
      try {
        if (wait > 0) await this.#settings.sleep(wait, session.signal);
        if (this.#closed) return;
        yield* this.#connect(session);
        verdict = { wait: this.#backOff.eager() };
      } catch (error) {
        if (this.#closed) return;
        // When the stream breaks under a probe, the probe's own fault is only that it was aborted.
        verdict = this.#judge(session.signal.aborted ? session.signal.reason : error);
      } finally {
        session.abort();
      }
      wait = verdict.wait;
      yield* this.#lose(verdict.reset);
    }
  }

  async *#connect(session: AbortController): Batches {
    const cursor = this.#cursor ?? await this.#start(session.signal);
    const connection = { client: this.#client, cursor, settings: this.#settings, signal: session.signal };
    if (this.#gone) {
      await verifyIdentity(connection);
      this.#gone = false;
    }
    yield* probe(connection);
    this.#refreshed = false;
    yield* this.#follow(connection, session);
  }

  /** Pins the start, so that nothing written from here on is missed whatever happens next. */
  async #start(signal: AbortSignal): Promise<Cursor> {
    const { href } = this.#client;
    const from = this.#from;
    const information = await this.#client.information(signal);
    const since = from?.since ?? this.#settings.since;
    const cursor = new Cursor(href, since === "now" ? information.updateSeq : since, information);
    if (this.#told) cursor.state = "lost";
    this.#cursor = cursor;
    const reason = from === undefined ? undefined : foreign(from.source, href, information);
    if (reason !== undefined) throw new Reset(reason);
    if (rewound(cursor.since, information)) throw new Reset("rewound");
    return cursor;
  }

  /** Yields the rows of a continuous feed until it ends, with a probe whenever one is due. */
  async *#follow(connection: Connection, session: AbortController): Batches {
    const { cursor, settings } = connection;
    const { clock, batchSize } = settings;
    const opened = clock.monotonic();
    const connect = () => new RowStream(connection.client, settings, cursor.since, session);
    let stream = connect();
    try {
      for (;;) {
        if (this.#untilProbe(cursor) <= 0) {
          const { yielded } = cursor;
          yield* probe(connection);
          if (cursor.yielded !== yielded) {
            // The stream is behind: what it still has to say is older than what has been told.
            stream.close();
            stream = connect();
          }
        }
        const rows = await stream.read(Math.max(0, this.#untilProbe(cursor)));
        if (rows === undefined) continue;
        if (rows.changes.length > 0) this.#backOff.reset();
        cursor.advance(rows.start, rows.changes, rows.since);
        yield* cursor.batches(rows.changes, batchSize, rows.since);
        if (rows.fault !== undefined) throw rows.fault;
        if (rows.ended) return;
      }
    } finally {
      if (clock.monotonic() - opened >= WORTHWHILE) this.#backOff.reset();
    }
  }

  /** Milliseconds until the contact has to be renewed. */
  #untilProbe({ contact }: Cursor): number {
    const { clock, maxLag } = this.#settings;
    return contact === undefined ? 0 : maxLag / 2 - possiblyElapsed(contact, instant(clock));
  }

  /** Tells that nothing is known any more: once, or as often as there is a reason why. */
  *#lose(reset: ResetReason | undefined): Generator<Batch, void, undefined> {
    const cursor = this.#cursor;
    if (cursor === undefined) {
      if (!this.#told) yield { changes: [], position: this.#from, state: "lost", contact: undefined };
      this.#told = true;
    } else if (cursor.state !== "lost" || reset !== undefined) {
      cursor.state = "lost";
      yield cursor.batch([], cursor.since, reset);
    }
  }

  /** What to do about a fault; throws it if nothing can be done. */
  #judge(fault: unknown): Verdict {
    if (fault instanceof Reset) {
      this.#cursor?.reset(fault);
      // It is back: the wait for it is over.
      if (this.#gone) this.#backOff.reset();
      return { wait: this.#backOff.eager(), reset: fault.reason };
    }
    if (!(fault instanceof ChangesError)) throw fault;
    if (EAGER.has(fault.code)) return { wait: this.#backOff.eager() };
    const started = this.#cursor !== undefined;
    // Before the first success, an address that leads nowhere is a mistake, not a fault.
    const transient = TRANSIENT.has(fault.code) && (started || fault.status !== 404);
    if (transient) return { wait: this.#backOff.next(retryAfterOf(fault)) };
    if (!started) throw fault;
    return this.#judgeRefusal(fault);
  }

  /** A database that was open to us, and no longer is. */
  #judgeRefusal(fault: ChangesError): Verdict {
    if (fault.code === "forbidden") return { wait: this.#backOff.next(LOCKED_OUT) };
    if (fault.code === "unauthorized" && !this.#refreshed) {
      this.#refreshed = true;
      return { wait: 0 };
    }
    if (fault.code !== "not-found") throw fault;
    const wait = this.#backOff.next();
    if (this.#gone) return { wait };
    this.#gone = true;
    return { wait, reset: "deleted" };
  }
}
