/**
 * A live feed made of one request after another, each of which waits for something to tell.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import type { Page } from "../wire/page.ts";
import type { Settings } from "./options.ts";
import type { Rows } from "../wire/rows.ts";
import { SHORTEST_WAIT, type Stream } from "./stream.ts";
import { deadline, EXPIRED } from "./timing.ts";

/** Polls one at a time, and only when asked. */
export class LongpollStream implements Stream {
  readonly #poll: (since: Since, signal: AbortSignal) => Promise<Page>;
  readonly #settings: Settings;
  readonly #session: AbortController;
  readonly #connection = new AbortController();
  #pending: Promise<Rows> | undefined;
  #since: Since;

  /**
   * @param poll Waits for rows after a position; may come back without any, but not at once.
   * @param since Where the feed starts.
   * @param session Aborts the request; aborted when a request fails, so that nothing else waits in vain.
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
    this.#ask();
  }

  async read(ms: number): Promise<Rows | undefined> {
    const pending = this.#pending ?? this.#ask();
    const rows = await deadline(pending, ms, this.#settings.sleep, this.#session.signal);
    if (rows === EXPIRED) return undefined;
    this.#pending = undefined;
    return rows;
  }

  readonly close = (): void => {
    this.#session.signal.removeEventListener("abort", this.close);
    this.#connection.abort();
  };

  #ask(): Promise<Rows> {
    this.#pending = this.#rows();
    this.#pending.catch(() => {}); // told through the session
    return this.#pending;
  }

  async #rows(): Promise<Rows> {
    const { clock, monitor } = this.#settings;
    const asked = clock.monotonic();
    monitor.noteConnected();
    try {
      const { rows } = await this.#poll(this.#since, this.#connection.signal);
      this.#since = rows.since;
      // A server that does not wait is not to be asked again at once.
      const hasty = rows.changes.length === 0 && clock.monotonic() - asked < SHORTEST_WAIT;
      if (hasty) rows.ended = true;
      return rows;
    } catch (error) {
      if (!this.#connection.signal.aborted) this.#session.abort(error);
      throw error;
    }
  }
}
