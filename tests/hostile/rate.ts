/** How often a server was asked. */

/** The most requests in any window of so many milliseconds. */
export class Rate {
  /** The most that were in one window. */
  most = 0;
  readonly #window: number;
  #times: number[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  /** Notes a request. */
  note(now: number): void {
    this.#times = [...this.#times.filter((time) => time > now - this.#window), now];
    this.most = Math.max(this.most, this.#times.length);
  }
}
