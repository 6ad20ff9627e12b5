/**
 * The log of the command: one JSON object a line, written together, so that a line costs a request little.
 *
 * @module
 */

/** A line. No member holds a query, a field of a request, or credentials. */
export type LogEntry = Readonly<Record<string, string | number | boolean | undefined>>;

/** Characters that are written together at most. */
const MOST = 32_768;
/** Milliseconds until a line is written. */
const SOON = 50;

/** Collects lines. */
export class Log {
  readonly #write: (text: string) => void;
  #text = "";
  /** The moment of the last line, and its text: requests come in the same millisecond. */
  #now = 0;
  #time = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Adds a line, with the time in front. */
  add(entry: LogEntry): void {
    const now = Date.now();
    if (now !== this.#now) this.#time = new Date(this.#now = now).toISOString();
    this.#text += `{"time":"${this.#time}",${JSON.stringify(entry).slice(1)}\n`;
    if (this.#text.length > MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), SOON);
  }

  /** Writes what is collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#write(text);
  }
}
