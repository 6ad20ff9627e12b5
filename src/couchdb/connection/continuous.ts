/**
 * A continuous feed: one connection, its rows as they arrive, and a watchdog on its silence.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { type Instant, instant } from "../../changes/clock.ts";
import { BodyReader } from "./body_reader.ts";
import type { Settings } from "./options.ts";
import { RowScanner } from "../wire/row_scanner.ts";
import { Rows } from "../wire/rows.ts";
import type { Stream } from "./stream.ts";

/** One connection to a continuous feed. Nothing is read ahead of whoever asks. */
export class ContinuousStream implements Stream {
  readonly #settings: Settings;
  readonly #session: AbortController;
  readonly #connection = new AbortController();
  readonly #idleTimeout: number;
  readonly #scanner = new RowScanner();
  readonly #body: Promise<BodyReader>;
  #receiving = false;
  #received: Rows | undefined;
  /** Wakes whoever waits for rows, so that he looks again. */
  #wake: () => void = () => {};
  /** When the alarm that has been set goes off. */
  #alarm = Infinity;
  #silentSince: Instant;
  #since: Since;

  /**
   * Connects.
   *
   * @param open Sends the request.
   * @param since Where the feed starts.
   * @param session Aborts the connection; aborted by it when it breaks, so that nothing else waits in vain.
   */
  constructor(
    open: (since: Since, signal: AbortSignal) => Promise<Response>,
    settings: Settings,
    since: Since,
    session: AbortController,
  ) {
    this.#settings = settings;
    this.#session = session;
    this.#idleTimeout = settings.watchdog.idleTimeout;
    this.#since = since;
    this.#silentSince = instant(settings.clock);
    session.signal.addEventListener("abort", this.close);
    const { signal } = this.#connection;
    this.#body = open(since, signal).then((response) =>
      new BodyReader(response, signal, settings.monitor.counters)
    );
    void this.#receive();
  }

  /**
   * The rows that arrive next. Heartbeats are none: they only show that the connection is alive.
   *
   * @param ms How long to wait for them, in milliseconds.
   * @returns Undefined if none came in that time; the connection is as it was.
   * @throws {ChangesError} If it broke, or was silent for too long.
   */
  async read(ms: number): Promise<Rows | undefined> {
    const { clock, watchdog } = this.#settings;
    if (!this.#receiving && this.#received === undefined) {
      // Whoever handles the last rows may take his time: the silence begins when the reading does.
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
        watchdog.noteExpired();
        throw new ChangesError("timeout", "The feed has fallen silent");
      }
      if (now.monotonic >= until) return undefined;
      await this.#waitForWake(now.monotonic, Math.min(until, now.monotonic + left));
    }
  }

  /** Closes this connection only. */
  readonly close = (): void => {
    this.#session.signal.removeEventListener("abort", this.close);
    this.#connection.abort();
    this.#wake();
  };

  /** Waits for rows or the end of the connection, but not beyond `deadline`; may come back for nothing. */
  #waitForWake(now: number, deadline: number): Promise<void> {
    // Rows put deadlines off, and an alarm for each chunk would cost more than the chunk: one that goes off too soon
    // serves as well.
    if (deadline < this.#alarm) {
      this.#alarm = deadline;
      const ring = () => {
        if (this.#alarm === deadline) this.#alarm = Infinity;
        this.#wake();
      };
      this.#settings.sleep(deadline - now, this.#connection.signal).then(ring, ring);
    }
    return new Promise((resolve) => this.#wake = resolve);
  }

  /** Reads on until there is something to tell, so that a break is noticed whoever is waiting for what. */
  async #receive(): Promise<void> {
    const { watchdog, monitor: { counters }, clock } = this.#settings;
    this.#receiving = true;
    try {
      const body = await this.#body;
      for (;;) {
        const rows = this.#rows(await body.read());
        const now = instant(clock);
        watchdog.noteBytes(this.#silence(now));
        this.#silentSince = now;
        if (rows.changes.length > 0 || rows.ended || rows.fault !== undefined || rows.since !== rows.start) {
          this.#received = rows;
          break;
        }
        counters.heartbeats++;
      }
    } catch (error) {
      if (!this.#connection.signal.aborted) this.#session.abort(error);
    }
    this.#receiving = false;
    this.#wake();
  }

  #rows(bytes: Uint8Array | undefined): Rows {
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

  /** Milliseconds since the last byte; after the machine has slept, the other end may be gone without a word. */
  #silence({ wall, monotonic }: Instant): number {
    const silence = monotonic - this.#silentSince.monotonic;
    const asleep = wall - this.#silentSince.wall - silence;
    if (asleep < this.#idleTimeout) return silence;
    throw new ChangesError("timeout", "The machine has slept, the connection may be dead");
  }
}
