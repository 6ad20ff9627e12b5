/** What happened on the site: requests with their answers, runs of the handler, changes that the feed brought. */
import type { Dependency } from "../../../mod.ts";
import type { Change } from "../../../src/changes/change.ts";

/** One run of the handler. */
export interface Run {
  readonly number: number;
  readonly time: Date;
  /** Path and query of the request. */
  readonly path: string;
  /** The last change that the feed had brought when the run began. */
  readonly lastChange: BroughtChange | undefined;
  /** The documents and groups that its page is built from: the handler fills this in. */
  sources: readonly Dependency[];
}

/** A change, and when the feed brought it. */
export interface BroughtChange extends Change {
  readonly time: Date;
}

/** A request and its answer. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** On the clock of `performance.now()`. */
  readonly start: number;
  /** The run that answered; undefined: the handler did not run. */
  run: Run | undefined;
  status: number;
  /** How long the answer took, in µs. */
  micros: number;
  /** When the answer was given, in ms since 1970. */
  time: number;
  /** `Cache-Status` of the answer, where the handler ran. */
  cacheStatus: string | null;
  /** Where the handler did not run: the last exchange of this page for which it did. */
  builtBy: Exchange | undefined;
  /** What an answer of the demo itself did; undefined for those of the blog. */
  deed?: string;
}

/** What is known of one page. */
export interface PageStory {
  /** The last GET of it. */
  exchange: Exchange;
  /** The last one for which the handler ran. */
  builtBy: Exchange | undefined;
}

/** Is told what happens, while it happens: what it does has to be quick. */
export interface Listener {
  onExchange?(exchange: Exchange): void;
  onChange?(change: BroughtChange): void;
}

/** Pages and groups that are remembered: the oldest are forgotten first. */
const mostRemembered = 1_000;

/** Remembers what a page or a terminal tells. For a hit it reads a clock twice, looks up a page and makes one object. */
export class Story {
  readonly startedAt: Date = new Date();
  readonly #pages: Map<string, PageStory> = new Map();
  /** The last change of each group. */
  readonly #changes: Map<string, BroughtChange> = new Map();
  readonly #listeners: Set<Listener> = new Set();
  #runs = 0;
  #lastChange: BroughtChange | undefined;

  /** How often the handler has run. */
  get runs(): number {
    return this.#runs;
  }

  /** The last change that the feed has brought; undefined: none since the start. */
  get lastChange(): BroughtChange | undefined {
    return this.#lastChange;
  }

  /** A request has arrived. */
  begin(method: string, path: string): Exchange {
    return {
      method,
      path,
      start: performance.now(),
      run: undefined,
      builtBy: undefined,
      status: 0,
      micros: 0,
      time: 0,
      cacheStatus: null,
    };
  }

  /** The handler runs for it. */
  startRun(exchange: Exchange): Run {
    const lastChange = this.#lastChange;
    const run = { number: ++this.#runs, time: new Date(), path: exchange.path, lastChange, sources: [] };
    return exchange.run = run;
  }

  /** It is answered. */
  finish(exchange: Exchange, response: Response): Response {
    const end = performance.now();
    exchange.micros = (end - exchange.start) * 1_000;
    exchange.time = performance.timeOrigin + end;
    exchange.status = response.status;
    if (exchange.run !== undefined) exchange.cacheStatus = response.headers.get("cache-status");
    if (exchange.method === "GET") this.#remember(exchange);
    for (const listener of this.#listeners) listener.onExchange?.(exchange);
    return response;
  }

  /** The feed has brought a change, of a document that is in these groups. */
  noteChange(change: Change, groups: readonly string[]): void {
    // A row that is read again is no news.
    if (change.rev !== undefined && this.changeOf(change.id)?.rev === change.rev) return;
    const brought = { ...change, time: new Date() };
    this.#lastChange = brought;
    for (const group of [change.id, ...groups]) {
      this.#changes.delete(group);
      this.#changes.set(group, brought);
      if (this.#changes.size > mostRemembered) deleteFirst(this.#changes);
    }
    for (const listener of this.#listeners) listener.onChange?.(brought);
  }

  /** The last change of a document or a group. */
  changeOf(group: string): BroughtChange | undefined {
    return this.#changes.get(group);
  }

  /** The last change of any of these sources, if it came at this time, in ms since 1970, or later. */
  changeSince(time: number, sources: readonly Dependency[]): BroughtChange | undefined {
    let last: BroughtChange | undefined;
    for (const source of sources) {
      const change = this.#changes.get(typeof source === "string" ? source : source._id);
      if (change !== undefined && Number(change.time) >= Math.max(time, Number(last?.time ?? 0))) {
        last = change;
      }
    }
    return last;
  }

  /** What is known of a page. */
  page(path: string): Readonly<PageStory> | undefined {
    return this.#pages.get(path);
  }

  /** Calls a listener from now on, until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #remember(exchange: Exchange): void {
    const page = this.#pages.get(exchange.path);
    if (page === undefined) {
      if (this.#pages.size >= mostRemembered) deleteFirst(this.#pages);
      this.#pages.set(exchange.path, { exchange, builtBy: exchange.run && exchange });
      return;
    }
    page.exchange = exchange;
    if (exchange.run === undefined) exchange.builtBy = page.builtBy;
    else page.builtBy = exchange;
  }
}

/** Of a map, the entry that was set first. */
function deleteFirst(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
