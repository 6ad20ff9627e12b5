/** Clients that keep copies, ask whether they are still good, and check every answer against the ledger. */
import type { Random } from "../simulation/random.ts";
import { type Copy, readCopy, statesOf } from "./copy.ts";
import type { Ledger } from "./ledger.ts";

/** Whom they ask: an answer from the registry comes synchronously, so that the contact at that moment is known. */
export interface Asked {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  /** The follower's: ms since its last contact. */
  readonly lag: () => number;
  readonly maxLag: number;
  readonly registry: { readonly live: boolean; readonly stats: { readonly reset: number } };
  readonly authorOf: (post: string) => string;
}

/** What came of it. */
export interface Tally {
  requests: number;
  /** Requests with a tag. */
  conditional: number;
  /** 304s from the registry. */
  hits: number;
  /**
   * Questions about a copy that was the latest and still right, and those that the registry confirmed. Without those of
   * an outage: the registry was live, and had been since the copy was made, without a reset.
   */
  current: number;
  currentHits: number;
  /** 304s of the registry that broke the promise. */
  readonly wrong: string[];
  /** Answers of the handler that were older than the request: the fault of a reading, not of the registry. */
  readonly stale: string[];
}

/** No count of anything. */
export function emptyTally(): Tally {
  return { requests: 0, conditional: 0, hits: 0, current: 0, currentHits: 0, wrong: [], stale: [] };
}

/** All clients together. */
export class Readers {
  readonly #asked: Asked;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #paths: readonly string[];
  /** All copies by path, each under its tag, the latest last. */
  readonly #copies: Map<string, Map<string, Copy>> = new Map();
  /** When the request for each was sent. */
  readonly #made: WeakMap<Copy, number> = new WeakMap();
  #lastOutage = -Infinity;
  #resets = 0;
  tally: Tally = emptyTally();

  constructor(asked: Asked, ledger: Ledger, random: Random, paths: readonly string[]) {
    this.#asked = asked;
    this.#ledger = ledger;
    this.#random = random;
    this.#paths = paths;
  }

  /** Asks for one resource: a few of them most of the time. */
  async read(
    path: string = this.#paths[Math.floor(this.#random.next() ** 2 * this.#paths.length)]!,
  ): Promise<void> {
    const copies = [...this.#copies.get(path)?.values() ?? []];
    const sent = this.#choose(copies);
    const field = sent.map((copy) => copy.etag).join(", ");
    const init = sent.length === 0 ? {} : { headers: { "if-none-match": field } };
    const request = new Request(`http://localhost${path}`, init);
    const { tally } = this;
    const latest = sent.length === 1 && sent[0] === copies.at(-1);
    const outage = this.#outage();
    tally.requests++;
    if (sent.length > 0) tally.conditional++;
    const asked = performance.now();
    const lag = this.#asked.lag();
    const undisturbed = latest && outage < this.#made.get(sent[0]!)!;
    const answer = this.#asked.fetch(request);
    const contact = performance.now() - this.#asked.lag();
    const response = await answer;
    const answered = performance.now();
    const isCurrent = undisturbed && this.#ledger.behind(sent[0]!, answered, answered).length === 0;
    if (isCurrent) tally.current++;
    if (response.headers.get("cache-status") === "Stillfresh; hit" && response.status === 304) {
      tally.hits++;
      if (isCurrent) tally.currentHits++;
      if (answer !== response) tally.wrong.push(`${path}: a hit that was waited for`);
      if (lag > this.#asked.maxLag) tally.wrong.push(`${path}: answered ${lag} ms after the last contact`);
      this.#confirmed(tally.wrong, path, sent, response, contact, asked);
    } else if (response.status === 304) {
      this.#confirmed(tally.stale, path, sent, response, asked, asked);
    } else {
      await this.#keep(path, response, asked);
    }
  }

  /** When the registry was last seen suspended, or emptied by a reset. */
  #outage(): number {
    const { live, stats: { reset } } = this.#asked.registry;
    if (!live || reset !== this.#resets) this.#lastOutage = performance.now();
    this.#resets = reset;
    return this.#lastOutage;
  }

  #choose(copies: readonly Copy[]): Copy[] {
    if (copies.length === 0 || this.#random.chance(0.01)) return [];
    const latest = copies.at(-1)!;
    const any = this.#random.pick(copies);
    if (this.#random.chance(0.85)) return [latest];
    return this.#random.chance(0.5) ? [any] : [any, latest];
  }

  #confirmed(
    complaints: string[],
    path: string,
    sent: readonly Copy[],
    { headers }: Response,
    moment: number,
    asked: number,
  ): void {
    const copy = sent.find(({ etag }) => etag === headers.get("etag"));
    const wrong = copy === undefined
      ? [`${headers.get("etag")} was not sent`]
      : this.#ledger.behind(copy, moment, asked);
    if (wrong.length > 0) complaints.push(`304 for ${path}: ${wrong.join("; ")}`);
  }

  async #keep(path: string, response: Response, asked: number): Promise<void> {
    const text = await response.text();
    const etag = response.headers.get("etag");
    if (response.status === 404) return;
    if (response.status !== 200 || etag === null) {
      this.tally.stale.push(`${path}: ${response.status}, tag ${etag}: ${text.slice(0, 200)}`);
      return;
    }
    const copy = readCopy(path, etag, text, this.#asked.authorOf);
    const wrong = this.#ledger.behind(copy, asked, asked);
    if (wrong.length > 0) this.tally.stale.push(`200 for ${path}: ${wrong.join("; ")}`);
    const copies = this.#copies.get(path) ?? new Map<string, Copy>();
    const former = copies.get(etag);
    if (former !== undefined && statesOf(former) !== statesOf(copy)) {
      this.tally.wrong.push(`${path}: ${etag} names two states, ${statesOf(former)} and ${statesOf(copy)}`);
    }
    this.#made.set(copy, asked);
    copies.delete(etag);
    copies.set(etag, copy);
    this.#copies.set(path, copies);
  }
}
