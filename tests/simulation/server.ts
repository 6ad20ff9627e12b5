/**
 * The simulated CouchDB server, behind an injected `fetch`: `GET /{db}`, `_changes`, normal, descending and continuous,
 * `_revs_diff`, and a network that can do what networks do.
 *
 * @module
 */
import { MS } from "./clocks.ts";
import type { Database, Row } from "./database.ts";
import { Exchange } from "./exchange.ts";
import { LiveFeed } from "./live_feed.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** An answer that is not the database's own. */
export type WrongAnswer = "503" | "429" | "html" | "refused";

/** What a request asks for. */
export type RequestKind = "information" | "page" | "stream" | "revisions";

const ROOT = "http://couchdb.test/";

function kindOf({ pathname, searchParams }: URL): RequestKind {
  if (pathname.endsWith("/_revs_diff")) return "revisions";
  if (!pathname.endsWith("/_changes")) return "information";
  return searchParams.get("feed") === "continuous" ? "stream" : "page";
}

export class Server {
  readonly databases: readonly Database[];
  readonly exchanges: Set<Exchange> = new Set();
  readonly feeds: Set<LiveFeed> = new Set();
  /** What the next requests get instead. */
  wrongAnswers: WrongAnswer[] = [];
  /** What happens once to a database just before a request of some kind is answered. */
  readonly #beforeRequest = new Map<Database, (kind: RequestKind) => void>();
  /** Called when such an answer was given. */
  onWrongAnswer: (wrong: WrongAnswer) => void = () => {};
  /** Nothing goes over the wire before this time. */
  silentUntil = 0;
  readonly #scheduler: Scheduler;
  readonly #random: Random;

  constructor(databases: readonly Database[], scheduler: Scheduler, random: Random) {
    this.databases = databases;
    this.#scheduler = scheduler;
    this.#random = random;
    for (const database of databases) {
      database.onRow = () => {
        for (const feed of this.feeds) if (feed.database === database) feed.wake();
      };
    }
  }

  /** Where a database is. */
  url(database: Database): string {
    return ROOT + database.name;
  }

  readonly fetch = (url: string, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const exchange = new Exchange(url, init, { resolve, reject }, this.#scheduler, this.#random);
      if (exchange.closed) return;
      this.exchanges.add(exchange);
      exchange.onClose = () => this.exchanges.delete(exchange);
      this.#travel(() => this.#arrive(exchange));
    });

  /** Over the wire, in either direction. */
  #travel(then: () => void): void {
    const delay = this.#random.chance(0.9)
      ? this.#random.integer(1, 5 * MS)
      : this.#random.integer(1, 400 * MS);
    this.#scheduler.after(Math.max(delay, this.silentUntil - this.#scheduler.time), () => {
      if (this.#scheduler.time < this.silentUntil) this.#travel(then);
      else then();
    });
  }

  #arrive(exchange: Exchange): void {
    if (!exchange.open) return;
    const wrong = this.wrongAnswers.shift();
    if (wrong !== undefined) return this.#answerWrongly(exchange, wrong);
    const [name, resource] = exchange.url.pathname.slice(1).split("/");
    const database = this.databases.find((candidate) => candidate.name === name);
    if (!database?.exists) {
      const body = '{"error":"not_found","reason":"Database does not exist."}';
      return this.#travel(() => exchange.answer(404, "application/json", body));
    }
    this.#beforeRequest.get(database)?.(kindOf(exchange.url));
    if (resource === "_revs_diff") {
      const body = JSON.stringify(database.missing(JSON.parse(exchange.body)));
      return this.#travel(() => exchange.answer(200, "application/json", body));
    }
    if (resource === undefined) {
      const body = JSON.stringify(database.information());
      return this.#travel(() => exchange.answer(200, "application/json", body));
    }
    this.#changes(exchange, database);
  }

  #answerWrongly(exchange: Exchange, wrong: WrongAnswer): void {
    this.onWrongAnswer(wrong);
    this.#travel(() => {
      if (wrong === "503") {
        exchange.answer(503, "application/json", '{"error":"all_workers_died","reason":""}');
      } else if (wrong === "429") exchange.answer(429, "text/plain", "slow down", { "retry-after": "1" });
      else if (wrong === "html") {
        const type = this.#random.chance(0.5) ? "text/html" : "application/json";
        exchange.answer(200, type, "<!doctype html><p>Please log in</p>");
      } else exchange.fail(new TypeError("connection refused"));
    });
  }

  #changes(exchange: Exchange, database: Database): void {
    const query = exchange.url.searchParams;
    const limit = Number(query.get("limit") ?? 1e9);
    if (query.get("descending") === "true") return this.#newest(exchange, database, limit);
    const position = database.parse(query.get("since") ?? "0");
    if (position === undefined) {
      const body = '{"error":"bad_request","reason":"Malformed sequence supplied in \'since\' parameter."}';
      return this.#travel(() => exchange.answer(400, "application/json", body));
    }
    if (query.get("feed") !== "continuous") return this.#page(exchange, database, position, limit);
    const heartbeat = Number(query.get("heartbeat"));
    this.#travel(() => {
      if (!exchange.open) return;
      const feed = new LiveFeed(exchange, database, position, heartbeat, this.#scheduler, this.#random);
      this.feeds.add(feed);
      exchange.onClose = () => {
        this.exchanges.delete(exchange);
        this.feeds.delete(feed);
      };
    });
  }

  #page(exchange: Exchange, database: Database, after: number[], limit: number): void {
    const queues = database.rows(after);
    const total = queues.reduce((sum, queue) => sum + queue.length, 0);
    const rows: unknown[] = [];
    let position = after;
    while (rows.length < Math.min(limit, total)) {
      const row = this.#random.pick(queues.filter((queue) => queue.length > 0)).shift()!;
      position = [...position];
      position[row.document.shard] = row.seq;
      rows.push({ seq: database.spell(position), ...row.json });
    }
    this.#answerRows(exchange, rows, database.spell(position), total - rows.length);
  }

  /** Newest first; the position of each row names, for each shard, the oldest row sent so far. */
  #newest(exchange: Exchange, database: Database, limit: number): void {
    const queues = database.rows(database.seqs.map(() => 0));
    const total = queues.reduce((sum, queue) => sum + queue.length, 0);
    const rows: unknown[] = [];
    const position = [...database.seqs];
    while (rows.length < Math.min(limit, total)) {
      const row: Row = this.#random.pick(queues.filter((queue) => queue.length > 0)).pop()!;
      position[row.document.shard] = row.seq;
      rows.push({ seq: database.spell(position), ...row.json });
    }
    this.#answerRows(exchange, rows, database.spell(position), total - rows.length);
  }

  #answerRows(exchange: Exchange, results: readonly unknown[], lastSeq: string, pending: number): void {
    const body = JSON.stringify({ results, last_seq: lastSeq, pending });
    this.#travel(() => exchange.answer(200, "application/json", body));
  }

  /** Does something just before the next request of a kind is answered. */
  before(database: Database, kind: RequestKind, act: () => void): void {
    this.#beforeRequest.set(database, (asked) => {
      if (asked !== kind) return;
      this.#beforeRequest.delete(database);
      act();
    });
  }

  /** Every continuous connection ends as it should. */
  endFeeds(database: Database): void {
    for (const feed of [...this.feeds]) {
      if (feed.database !== database) continue;
      feed.end(`{"last_seq":"${database.spell(feed.position)}","pending":0}\n`);
    }
  }

  /** Every connection breaks. */
  cut(): void {
    for (const exchange of [...this.exchanges]) exchange.fail(new TypeError("connection reset"));
  }
}
