/**
 * A continuous feed: one connection, its rows as they arrive, and a watchdog on its silence.
 *
 * @module
 */
import type { Since } from "../change.ts";
import { ChangesError } from "../changes_error.ts";
import { type Instant, instant } from "../clock.ts";
import { Body } from "./body.ts";
import type { Settings } from "./options.ts";
import { RowScanner } from "./row_scanner.ts";
import { Rows } from "./rows.ts";
import type { Stream } from "./stream.ts";
import { LATE, within } from "./timing.ts";

/** Turns of the microtask queue in which bytes that have been received already become rows: setting a timer costs more. */
const TURNS = 16;

/** One connection to a continuous feed. Nothing is read ahead of whoever asks. */
export class RowStream implements Stream {
  readonly #settings: Settings;
  readonly #session: AbortController;
  readonly #connection = new AbortController();
  readonly #patience: number;
  readonly #scanner = new RowScanner();
  readonly #body: Promise<Body>;
  #pending: Promise<Rows> | undefined;
  /** What `#pending` gives, once it is there. */
  #arrived: Rows | undefined;
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
    this.#patience = settings.watchdog.patience;
    this.#since = since;
    this.#silentSince = instant(settings.clock);
    session.signal.addEventListener("abort", this.close);
    const { signal } = this.#connection;
    this.#body = open(since, signal).then((response) => new Body(response, signal, settings.sight.counters));
    this.#pending = this.#receive();
    this.#pending.catch(() => {}); // told through the session
  }

  /**
   * The rows that arrive next. Heartbeats are none: they only show that the connection is alive.
   *
   * @param ms How long to wait for them, in milliseconds.
   * @returns Undefined if none came in that time, or the wait has to be reconsidered; the connection is as it was.
   * @throws {ChangesError} If it broke, or was silent for too long.
   */
  async read(ms: number): Promise<Rows | undefined> {
    const { clock, sleep } = this.#settings;
    if (this.#pending === undefined) {
      // Whoever handles the last rows may take his time: the silence begins when the reading does.
      this.#silentSince = instant(clock);
      this.#pending = this.#receive();
      this.#pending.catch(() => {}); // told through the session
    }
    for (let turn = 0; turn < TURNS && this.#arrived === undefined; turn++) await undefined;
    if (this.#arrived !== undefined) return this.#take(this.#arrived);
    const wait = Math.min(ms, this.#patience - this.#silence());
    const rows = await within(this.#pending, wait, sleep, this.#session.signal);
    if (rows !== LATE) return this.#take(rows);
    if (this.#silence() < this.#patience) return undefined;
    this.#settings.watchdog.expired();
    throw new ChangesError("timeout", "The feed has fallen silent");
  }

  #take(rows: Rows): Rows {
    this.#pending = this.#arrived = undefined;
    return rows;
  }

  /** Closes this connection only. */
  readonly close = (): void => {
    this.#session.signal.removeEventListener("abort", this.close);
    this.#connection.abort();
  };

  /** Reads on until there is something to tell, so that a break is noticed whoever is waiting for what. */
  async #receive(): Promise<Rows> {
    const { watchdog, sight: { counters }, clock } = this.#settings;
    try {
      const body = await this.#body;
      for (;;) {
        const rows = this.#rows(await body.read());
        watchdog.saw(this.#silence());
        this.#silentSince = instant(clock);
        if (rows.changes.length > 0 || rows.ended || rows.fault !== undefined || rows.since !== rows.start) {
          return this.#arrived = rows;
        }
        counters.heartbeats++;
      }
    } catch (error) {
      if (!this.#connection.signal.aborted) this.#session.abort(error);
      throw error;
    }
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
  #silence(): number {
    const { wall, monotonic } = instant(this.#settings.clock);
    const silence = monotonic - this.#silentSince.monotonic;
    const asleep = wall - this.#silentSince.wall - silence;
    if (asleep < this.#patience) return silence;
    throw new ChangesError("timeout", "The machine has slept, the connection may be dead");
  }
}
