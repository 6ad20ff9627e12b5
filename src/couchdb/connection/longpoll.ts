/**
 * A live feed made of one request after another, each of which is answered when there are rows.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import type { Page } from "../wire/page.ts";
import type { Rows } from "../wire/rows.ts";
import type { Settings } from "./options.ts";
import { paceQuiet, shortestWait, type Stream } from "./stream.ts";
import { deadline, EXPIRED } from "../../changes/timing.ts";

/** Polls in a row that may be answered at once, with less than a full page, before the next is waited for. */
const MOST_QUICK = 10;

/** Milliseconds between two polls after that: a server that always has a row is asked five times a second. */
const PERIOD = 200;

/** Sends one request at a time, the first at once and each later one in `read()`: a slow consumer is waited for. */
export class LongpollStream implements Stream {
  readonly #poll: (since: Since, signal: AbortSignal) => Promise<Page>;
  readonly #settings: Settings;
  readonly #session: AbortController;
  /** Aborts the request that waits. */
  readonly #request = new AbortController();
  #pending: Promise<Rows> | undefined;
  /** How many polls in a row were answered at once, with less than a full page. */
  #quick = 0;
  #since: Since;

  /**
   * @param poll Waits for rows after a position; may resolve without any, but not at once.
   * @param since Where the feed starts.
   * @param session Ends the stream when it is aborted. A request that fails aborts it in turn, so that a probe does not
   * go on waiting for its response.
   */
  constructor(
    poll: (since: Since, signal: AbortSignal) => Promise<Page>,
    settings: Settings,
    since: Since,
    session: AbortController,
  ) {
    this.#poll = poll;
    this.#settings = settings;
    this.#since = since;
    this.#session = session;
    session.signal.addEventListener("abort", this.close);
    this.#startPoll();
  }

  async read(ms: number): Promise<Rows | undefined> {
    const pending = this.#pending ?? this.#startPoll();
    const rows = await deadline(pending, ms, this.#settings.sleep, this.#session.signal);
    if (rows === EXPIRED) return undefined;
    this.#pending = undefined;
    return rows;
  }

  readonly close = (): void => {
    this.#session.signal.removeEventListener("abort", this.close);
    this.#request.abort();
  };

  #startPoll(): Promise<Rows> {
    this.#pending = this.#pollOnce();
    this.#pending.catch(() => {}); // The failure reaches the reader through the session.
    return this.#pending;
  }

  async #pollOnce(): Promise<Rows> {
    const { clock, monitor, sleep, batchSize, heartbeat, budget } = this.#settings;
    monitor.noteConnected();
    try {
      if (this.#quick > MOST_QUICK) await sleep(PERIOD, this.#request.signal);
      const asked = clock.monotonic();
      const { rows } = await this.#poll(this.#since, this.#request.signal);
      // Rows that lead nowhere would come again at once: end the stream, so that the reader backs off.
      if (rows.changes.length > 0) rows.ended = JSON.stringify(rows.since) === JSON.stringify(this.#since);
      this.#since = rows.since;
      const elapsed = clock.monotonic() - asked;
      const isQuick = rows.changes.length > 0 && rows.changes.length < batchSize && elapsed < PERIOD;
      this.#quick = isQuick ? this.#quick + 1 : 0;
      if (rows.changes.length > 0) return rows;
      // The server does not wait.
      rows.ended = elapsed < shortestWait({ heartbeat, endsWhenIdle: true });
      if (rows.ended) return rows;
      budget.giveBack();
      await paceQuiet(elapsed, this.#settings, this.#request.signal);
      return rows;
    } catch (error) {
      if (!this.#request.signal.aborted) this.#session.abort(error);
      throw error;
    }
  }
}
