/** Pages of single keys of a database that reports its changes by a stream, each 304 judged by what was acknowledged. */
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { Ledger } from "../chaos/ledger.ts";
import { JudgedReader } from "../support/judged_reader.ts";
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
  readonly reader: JudgedReader;
  readonly #database: KeyValues;
  readonly #random: Random;
  readonly #ledger: Ledger = new Ledger();
  #edition = 0;

  constructor(database: KeyValues, feed: ChangesFeed, seed: number, maxLag: number) {
    this.#database = database;
    this.#random = new Random(seed);
    this.follower = follow(this.registry, feed, { maxLag, onError: () => {} });
    const fetch = withEtag(async (request: Request) => {
      const key = new URL(request.url).pathname.slice(1);
      const value = await database.get(key);
      return Response.json(value, { headers: { "cache-control": "public, no-cache", ...dependsOn(key) } });
    }, { registry: this.registry, cacheStatus: "Stillfresh" });
    this.reader = new JudgedReader({ fetch, follower: this.follower }, this.#ledger);
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

  /** Reads and writes for some rounds; between them whatever else happens gets its turn. */
  async load(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const write = this.#random.chance(0.2) ? this.write() : undefined;
      await Promise.all(Array.from({ length: 4 }, () => this.reader.read(this.#key())));
      await write;
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  #key(): string {
    return `post:${this.#random.integer(0, 7)}`;
  }
}
