/** Pages of single keys of a database that reports its changes by a stream, each 304 judged by what was acknowledged. */
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { Ledger } from "../chaos/ledger.ts";
import { Random } from "../simulation/random.ts";

/** How the site reads and writes. */
export interface KeyValues {
  get(key: string): Promise<string | null>;
  set(key: string, value: string): Promise<unknown>;
}

/** A site that is written to and read from at random. */
export class StreamedSite {
  readonly registry: EtagRegistry = new EtagRegistry({ version: "streams" });
  readonly follower: Follower;
  hits = 0;
  readonly wrong: string[] = [];
  readonly #database: KeyValues;
  readonly #random: Random;
  readonly #ledger: Ledger = new Ledger();
  readonly #copies: Map<string, { readonly etag: string; readonly value: string | null }> = new Map();
  readonly #fetch: (request: Request) => Response | Promise<Response>;
  #edition = 0;

  constructor(database: KeyValues, feed: ChangesFeed, seed: number, maxLag: number) {
    this.#database = database;
    this.#random = new Random(seed);
    this.follower = follow(this.registry, feed, { maxLag, onError: () => {} });
    this.#fetch = withEtag(async (request) => {
      const key = new URL(request.url).pathname.slice(1);
      const value = await database.get(key);
      return Response.json(value, { headers: { "cache-control": "public, no-cache", ...dependsOn(key) } });
    }, { registry: this.registry, cacheStatus: "Stillfresh" });
  }

  /** One write of a key. */
  write(key: string = this.#key()): Promise<void> {
    return this.#ledger.write(key, false, async () => {
      const value = String(++this.#edition);
      await this.#database.set(key, value);
      return value;
    });
  }

  /** Something that takes every key away. */
  async empty(act: () => Promise<unknown>): Promise<void> {
    const acted = act();
    const taken = [...this.#ledger.ids].map((key) =>
      this.#ledger.write(key, false, async () => {
        await acted;
        return null;
      })
    );
    await Promise.all(taken);
  }

  /** One request with the latest copy. */
  async read(key: string = this.#key()): Promise<void> {
    const copy = this.#copies.get(key);
    const headers = copy === undefined ? {} : { "if-none-match": copy.etag };
    const asked = performance.now();
    const answer = this.#fetch(new Request(`http://localhost/${key}`, { headers }));
    const contact = performance.now() - this.follower.lag;
    const response = await answer;
    if (response.status === 200) {
      this.#copies.set(key, { etag: response.headers.get("etag")!, value: await response.json() });
    }
    if (response.status !== 304 || response.headers.get("cache-status") !== "Stillfresh; hit") return;
    this.hits++;
    const { etag, value } = copy!;
    const built = { path: `/${key}`, etag, states: new Map([[key, value]]), range: undefined };
    this.wrong.push(...this.#ledger.behind(built, contact, asked));
  }

  /** Reads and writes for some rounds; between them whatever else happens gets its turn. */
  async load(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const write = this.#random.chance(0.2) ? this.write() : undefined;
      await Promise.all(Array.from({ length: 4 }, () => this.read()));
      await write;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  #key(): string {
    return `post:${this.#random.integer(0, 7)}`;
  }
}
