/**
 * A client of pages that show one document each, as JSON of its state: it keeps a copy of each, asks whether it is still
 * good, and compares each 304 of the registry with what the database had acknowledged by the registry's contact.
 */
import type { Ledger } from "../chaos/ledger.ts";

/** Whom it asks; a 304 of the registry is synchronous, so that its contact is known. */
export interface Judged {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly follower: { readonly lag: number };
}

/** One client. */
export class JudgedReader {
  /** 304s of the registry, and those that broke the promise. */
  hits = 0;
  readonly wrong: string[] = [];
  readonly #judged: Judged;
  readonly #ledger: Ledger;
  readonly #copies: Map<string, { readonly etag: string; readonly state: string | null }> = new Map();

  constructor(judged: Judged, ledger: Ledger) {
    this.#judged = judged;
    this.#ledger = ledger;
  }

  /** Asks for the page of one document, with the latest copy. */
  async read(id: string): Promise<void> {
    const { fetch, follower } = this.#judged;
    const copy = this.#copies.get(id);
    const headers = copy === undefined ? {} : { "if-none-match": copy.etag };
    const asked = performance.now();
    const answer = fetch(new Request(`http://localhost/${id}`, { headers }));
    const contact = performance.now() - follower.lag;
    const response = await answer;
    if (response.status === 200) {
      this.#copies.set(id, { etag: response.headers.get("etag")!, state: await response.json() });
    }
    if (response.status !== 304 || response.headers.get("cache-status") !== "Stillfresh; hit") return;
    this.hits++;
    const { etag, state } = copy!;
    const built = { path: `/${id}`, etag, states: new Map([[id, state]]), range: undefined };
    this.wrong.push(...this.#ledger.behind(built, contact, asked));
  }
}
