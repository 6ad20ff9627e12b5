/**
 * A continuous feed: one connection, its rows as they arrive, and a limit on its silence.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { type Instant, instant } from "../../changes/clock.ts";
import { RowScanner } from "../wire/row_scanner.ts";
import { Rows } from "../wire/rows.ts";
import { mostBytes } from "../wire/sizes.ts";
import { BodyReader } from "./body_reader.ts";
import type { Settings } from "./options.ts";
import { type Stream, WITHHELD } from "./stream.ts";

/** One connection to a continuous feed. At most one chunk is read ahead of the consumer. */
export class ContinuousStream implements Stream {
  readonly #settings: Settings;
  readonly #session: AbortController;
  /** Aborts the request of this connection. */
  readonly #request = new AbortController();
  readonly #idleTimeout: number;
  readonly #scanner: RowScanner;
  readonly #body: Promise<BodyReader>;
  /** Whether anything has arrived. */
  #hasBytes = false;
  /** Whether the next chunk is being waited for. */
  #receiving = false;
  /** Rows that have arrived and have not been read yet. */
  #received: Rows | undefined;
  /** Makes a `read()` that waits look again at what has happened. */
  #wake: () => void = () => {};
  /** When the sleep that is under way ends, by the monotonic clock; Infinity if there is none. */
  #wakesAt = Infinity;
  /** When the last bytes arrived, or when reading began again. */
  #silentSince: Instant;
  /** The position after the last row that has arrived. */
  #since: Since;

  /**
   * Connects.
   *
   * @param open Sends the request.
   * @param since Where the feed starts.
   * @param session Ends the connection when it is aborted. A connection that breaks aborts it in turn, so that a probe
   * does not go on waiting for its response.
   */
  constructor(
    open: (since: Since, signal: AbortSignal) => Promise<Response>,
    settings: Settings,
    since: Since,
    session: AbortController,
  ) {
    this.#settings = settings;
    this.#session = session;
    this.#scanner = new RowScanner(mostBytes(settings.selection.parameters["include_docs"] === true));
    this.#idleTimeout = settings.watchdog.idleTimeout;
    this.#since = since;
    this.#silentSince = instant(settings.clock);
    session.signal.addEventListener("abort", this.close);
    const { signal } = this.#request;
    this.#body = open(since, signal).then((response) =>
      new BodyReader(response, signal, settings.monitor.counters)
    );
    void this.#receive();
  }

  /**
   * The rows that arrive next. A heartbeat is no row: it only shows that the connection is alive.
   *
   * @param ms How long to wait, in milliseconds.
   * @returns Undefined if no row came in that time; the connection stays open.
   * @throws {ChangesError} If the connection broke, or was silent for too long after its first bytes.
   */
  async read(ms: number): Promise<Rows | undefined | typeof WITHHELD> {
    const { clock, watchdog } = this.#settings;
    if (!this.#receiving && this.#received === undefined) {
      // Nothing was read while the consumer handled the last rows: the silence begins now.
      this.#silentSince = instant(clock);
      void this.#receive();
    }
    const until = clock.monotonic() + ms;
    for (;;) {
      this.#session.signal.throwIfAborted();
      const rows = this.#received;
      if (rows !== undefined) {
        this.#received = undefined;
        return rows;
      }
      const now = instant(clock);
      const left = this.#idleTimeout - this.#silence(now);
      if (left <= 0) {
        if (!this.#hasBytes) return WITHHELD;
        watchdog.noteExpired();
        throw new ChangesError("timeout", "The feed has been silent for too long");
      }
      if (now.monotonic >= until) return undefined;
      await this.#waitForWake(now.monotonic, Math.min(until, now.monotonic + left));
    }
  }

  /** Closes this connection; the session goes on. */
  readonly close = (): void => {
    this.#session.signal.removeEventListener("abort", this.close);
    this.#request.abort();
    this.#wake();
  };

  /** Waits for rows, for the end of the connection, or until `deadline`; may resolve earlier than any of them. */
  #waitForWake(now: number, deadline: number): Promise<void> {
    // A sleep for each read would cost more than the chunk that is read. Rows only put the deadline off, so a sleep
    // that is under way ends too early at worst: `read()` then looks at the clock, and waits again.
    if (deadline < this.#wakesAt) {
      this.#wakesAt = deadline;
      const wake = () => {
        if (this.#wakesAt === deadline) this.#wakesAt = Infinity;
        this.#wake();
      };
      this.#settings.sleep(deadline - now, this.#request.signal).then(wake, wake);
    }
    return new Promise((resolve) => this.#wake = resolve);
  }

  /**
   * Reads chunks until one holds more than heartbeats. This goes on while no `read()` waits, so that a connection that
   * breaks during a probe is noticed at once.
   */
  async #receive(): Promise<void> {
    const { watchdog, monitor: { counters }, clock } = this.#settings;
    this.#receiving = true;
    try {
      const body = await this.#body;
      for (;;) {
        const rows = this.#scan(await body.read());
        const now = instant(clock);
        this.#hasBytes = true;
        watchdog.noteBytes(this.#silence(now));
        this.#silentSince = now;
        if (rows.changes.length > 0 || rows.ended || rows.fault !== undefined || rows.since !== rows.start) {
          this.#received = rows;
          break;
        }
        counters.heartbeats++;
      }
    } catch (error) {
      if (!this.#request.signal.aborted) this.#session.abort(error);
    }
    this.#receiving = false;
    this.#wake();
  }

  #scan(bytes: Uint8Array | undefined): Rows {
    const rows = new Rows(this.#since);
    if (bytes === undefined) {
      rows.fault = new ChangesError("truncated", "The feed ended without its last line", {
        since: this.#since,
      });
    } else {
      this.#scanner.push(bytes, rows);
      this.#since = rows.since;
    }
    return rows;
  }

  /**
   * Milliseconds since the last byte.
   *
   * @throws {ChangesError} If the machine slept meanwhile, which only the wall clock shows: the server may have given
   * the connection up without this end having heard of it.
   */
  #silence({ wall, monotonic }: Instant): number {
    const silence = monotonic - this.#silentSince.monotonic;
    const asleep = wall - this.#silentSince.wall - silence;
    if (asleep < this.#idleTimeout) return silence;
    throw new ChangesError("timeout", "The machine has slept, the connection may be dead");
  }
}
