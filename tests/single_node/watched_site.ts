/**
 * Pages of single documents of a real CouchDB, answered behind a registry while the documents change all the time: each
 * 304 of the registry is compared with what the database held at the registry's last contact.
 */
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { Ledger } from "../chaos/ledger.ts";
import { JudgedReader } from "../support/judged_reader.ts";

/** Asks the server as its administrator; `path` has no slash in front. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<Response>;

/** ms between two readings of a client, and between two writes. */
const rest = 10;
const writeEvery = 20;
const clients = 4;
const hotDocuments = 5;
/** ms for one request to a server that may be away. */
const patience = 5_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A site over one database. */
export class WatchedSite {
  readonly registry: EtagRegistry = new EtagRegistry({ version: "single" });
  readonly follower: Follower;
  readonly reader: JudgedReader;
  readonly #ask: Ask;
  readonly #database: string;
  readonly #ledger: Ledger = new Ledger();
  readonly #running: Promise<void>[] = [];
  #closed = false;
  /** Settles when the documents may be written: not while the server or its files are troubled. */
  #calm: Promise<unknown> = Promise.resolve();

  private constructor(ask: Ask, database: string, feed: ChangesFeed, maxLag: number) {
    this.#ask = ask;
    this.#database = database;
    this.follower = follow(this.registry, feed, { maxLag });
    const fetch = withEtag((request: Request) => this.#page(request), {
      registry: this.registry,
      cacheStatus: "Stillfresh",
    });
    this.reader = new JudgedReader({ fetch, follower: this.follower }, this.#ledger);
  }

  /** Opens one; writes and readings begin at once. */
  static async open(ask: Ask, database: string, feed: ChangesFeed, maxLag: number): Promise<WatchedSite> {
    const site = new WatchedSite(ask, database, feed, maxLag);
    for (let n = 0; n < hotDocuments; n++) await site.put(`hot-${n}`);
    site.#running.push(site.#write(), ...Array.from({ length: clients }, () => site.#read()));
    return site;
  }

  /** Writes a new revision of a document, and gives it. */
  async put(id: string): Promise<string> {
    let rev = "";
    await this.#ledger.write(id, false, async () => {
      // Tried until the database has taken it: an answer that was lost may have been a success.
      for (;;) {
        const written = await this.#tryPut(id).catch(() => undefined);
        if (written !== undefined) return rev = written;
        await wait(rest);
      }
    });
    return rev;
  }

  async #tryPut(id: string): Promise<string | undefined> {
    const present = await this.#state(id);
    const body = { content: crypto.randomUUID(), ...(present === null ? {} : { _rev: present }) };
    const response = await this.#ask("PUT", `${this.#database}/${id}`, body);
    const { rev } = await response.json() as { readonly rev?: string };
    return response.ok ? rev : undefined;
  }

  async #state(id: string): Promise<string | null> {
    const response = await this.#ask("GET", `${this.#database}/${id}`);
    const { _rev } = await response.json() as { readonly _rev?: string };
    if (response.status === 200) return _rev!;
    if (response.status === 404) return null;
    throw new Error(`GET ${id}: ${response.status}`);
  }

  /**
   * Does something that changes the state of documents in a way that no row of a feed tells. Nothing is written meanwhile;
   * afterwards the writes go on at once.
   */
  async disrupt(act: () => Promise<void>): Promise<void> {
    const before = this.#calm;
    let end!: () => void;
    this.#calm = new Promise<void>((resolve) => end = resolve);
    await before;
    while (this.#ledger.writing > 0) await wait(1);
    const acted = act();
    const states = [...this.#ledger.ids].map((id) =>
      this.#ledger.write(id, false, async () => {
        await acted;
        for (;;) {
          const state = await this.#state(id).catch(() => undefined);
          if (state !== undefined) return state;
          await wait(rest);
        }
      })
    );
    try {
      await Promise.all(states);
    } finally {
      end();
    }
  }

  async #write(): Promise<void> {
    for (let n = 0; !this.#closed; n++) {
      await this.#calm;
      await this.put(`hot-${n % hotDocuments}`);
      await wait(writeEvery);
    }
  }

  async #page(request: Request): Promise<Response> {
    const id = new URL(request.url).pathname.slice(1);
    try {
      const response = await this.#ask("GET", `${this.#database}/${id}`);
      const document = await response.json() as { readonly _id: string; readonly _rev: string };
      if (response.status === 200) return Response.json(document._rev, { headers: dependsOn(document) });
    } catch {
      // The server is away.
    }
    return new Response("", { status: 503, headers: { "cache-control": "no-store" } });
  }

  async #read(): Promise<void> {
    for (let n = 0; !this.#closed; n++) {
      await this.reader.read(`hot-${Math.floor(Math.random() * hotDocuments)}`);
      await wait(rest);
    }
  }

  /** Ends it, but for what it was given. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
    await this.follower.close();
  }
}

/** Asks a server as the administrator that its URL names. */
export function askAsAdmin(server: URL): Ask {
  const { username, password, origin } = server;
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  return (method, path, body) =>
    fetch(`${origin}/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(patience),
    });
}
