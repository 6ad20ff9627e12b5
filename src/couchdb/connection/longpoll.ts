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

/** Sends one request at a time, the first at once and each later one in `read()`: a slow consumer is waited for. */
export class LongpollStream implements Stream {
  readonly #poll: (since: Since, signal: AbortSignal) => Promise<Page>;
  readonly #settings: Settings;
  readonly #session: AbortController;
  /** Aborts the request that waits. */
  readonly #request = new AbortController();
  #pending: Promise<Rows> | undefined;
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
    const { clock, monitor } = this.#settings;
    const asked = clock.monotonic();
    monitor.noteConnected();
    try {
      const { rows } = await this.#poll(this.#since, this.#request.signal);
      this.#since = rows.since;
      if (rows.changes.length > 0) return rows;
      const elapsed = clock.monotonic() - asked;
      // The server does not wait: end the stream, so that the reader backs off.
      if (elapsed < shortestWait(this.#settings)) rows.ended = true;
      else await paceQuiet(elapsed, this.#settings, this.#request.signal);
      return rows;
    } catch (error) {
      if (!this.#request.signal.aborted) this.#session.abort(error);
      throw error;
    }
  }
}
