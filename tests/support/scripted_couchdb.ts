/**
 * A database of one shard that speaks CouchDB's `_changes` and does what a test tells it, faults included.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Row {
  readonly n: number;
  readonly id: string;
  readonly rev: string;
  readonly deleted: boolean;
}

/** Answers instead of the database; returns false to let the database answer after all. */
export type Fault = (request: Asked, response: ServerResponse) => void | false;

export interface Asked {
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly kind: "information" | "page" | "newest" | "continuous";
  /** Resolves when the client has gone. */
  readonly closed: Promise<void>;
}

export interface Behaviour {
  /** Positions are numbers and `pending` is absent, as in PouchDB. */
  readonly integers?: boolean;
  readonly replicas?: number;
  /** Rows carry `"seq":null`, as under `seq_interval`. */
  readonly nullSeqs?: boolean;
}

export class ScriptedCouchdb {
  readonly requests: Asked[] = [];
  life = "1700000000";
  purges = 0;
  exists = true;
  #rows: Row[] = [];
  #n = 0;
  #faults: { readonly kind: Asked["kind"] | "any"; readonly fault: Fault; times: number }[] = [];
  readonly #feeds = new Set<ServerResponse>();
  readonly #stalled = new WeakSet<ServerResponse>();
  #watchers: { readonly matches: (asked: Asked) => boolean; readonly seen: (asked: Asked) => void }[] = [];
  readonly #server: Server;
  readonly #behaviour: Behaviour;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(behaviour: Behaviour = {}): Promise<ScriptedCouchdb> {
    const database = new ScriptedCouchdb(behaviour);
    await new Promise<void>((resolve) => database.#server.listen(0, "127.0.0.1", resolve));
    return database;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/db`;
  }

  get openFeeds(): number {
    return this.#feeds.size;
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds) feed.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  // What a writer does.

  put(id: string, deleted = false): Row {
    const generation = Number(this.#rows.find((row) => row.id === id)?.rev.split("-")[0] ?? 0) + 1;
    const row = { n: ++this.#n, id, rev: `${generation}-${id.length}`, deleted };
    this.#rows = [...this.#rows.filter((other) => other.id !== id), row];
    for (const feed of this.#feeds) if (!this.#stalled.has(feed)) feed.write(`${this.line(row)}\n`);
    return row;
  }

  /** Written, but not sent to the feeds that are open, which stay behind from here on. */
  putSilently(id: string): Row {
    for (const feed of this.#feeds) this.#stalled.add(feed);
    return this.put(id);
  }

  /** Revisions by document id. */
  latest(): Map<string, string> {
    return new Map(this.#rows.map(({ id, rev }) => [id, rev]));
  }

  purge(id: string): void {
    this.#rows = this.#rows.filter((row) => row.id !== id);
    this.#n++;
    this.purges++;
  }

  recreate(): void {
    this.exists = true;
    this.life = String(Number(this.life) + 1);
    this.#rows = [];
    this.#n = 0;
  }

  /** Puts back the files of when the database had `n` changes. */
  rollBack(n: number): void {
    this.#rows = this.#rows.filter((row) => row.n <= n);
    this.#n = n;
  }

  // What a fault does.

  /** The next `times` requests of a kind are answered by `fault`. */
  fail(kind: Asked["kind"] | "any", fault: Fault, times = 1): void {
    this.#faults.push({ kind, fault, times });
  }

  /** Sends something to every open feed. */
  send(text: string | Uint8Array): void {
    for (const feed of this.#feeds) feed.write(text);
  }

  heartbeat(): void {
    this.send("\n");
  }

  /** Ends every open feed as CouchDB does, or without a last line. */
  end(clean: boolean): void {
    for (const feed of this.#feeds) feed.end(clean ? `{"last_seq":${this.seq(this.#n)},"pending":0}\n` : "");
    this.#feeds.clear();
  }

  /** Breaks every open feed, once what was sent is on its way: Deno does not close a socket that is still writing. */
  async cut(): Promise<void> {
    const feeds = [...this.#feeds];
    this.#feeds.clear();
    await new Promise((resolve) => setImmediate(resolve));
    for (const feed of feeds) feed.destroy();
  }

  // What a test waits for.

  /** Resolves at the next request that matches. */
  asked(kind: Asked["kind"], from: number = this.requests.length): Promise<Asked> {
    const matches = (asked: Asked) => asked.kind === kind;
    const past = this.requests.slice(from).find(matches);
    return past ? Promise.resolve(past) : new Promise((seen) => this.#watchers.push({ matches, seen }));
  }

  seq(n: number): string {
    return this.#behaviour.integers ? String(n) : `"${n}-g1AAAA"`;
  }

  line(row: Row): string {
    const deleted = row.deleted ? `,"deleted":true` : "";
    const seq = this.#behaviour.nullSeqs ? "null" : this.seq(row.n);
    return `{"seq":${seq},"id":${JSON.stringify(row.id)},"changes":[{"rev":"${row.rev}"}]${deleted}}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", this.url);
    const kind = kindOf(url);
    const closed = new Promise<void>((resolve) => response.on("close", resolve));
    const asked = { url, headers: request.headers, kind, closed };
    this.requests.push(asked);
    const fault = this.#faults.find((fault) =>
      fault.times > 0 && (fault.kind === kind || fault.kind === "any")
    );
    if (fault !== undefined) fault.times--;
    if (fault === undefined || fault.fault(asked, response) === false) this.#serve(asked, response);
    this.#watchers = this.#watchers.filter(({ matches, seen }) => {
      if (matches(asked)) seen(asked);
      return !matches(asked);
    });
  }

  #serve({ url, kind }: Asked, response: ServerResponse): void {
    if (!this.exists) return json(response, 404, `{"error":"not_found","reason":"Database does not exist."}`);
    if (kind === "information") return json(response, 200, this.#information());
    const since = Number.parseInt(url.searchParams.get("since") ?? "0");
    if (Number.isNaN(since)) {
      return json(response, 400, `{"error":"bad_request","reason":"Malformed sequence"}`);
    }
    if (kind === "continuous") return this.#continue(since, response);
    const limit = Number(url.searchParams.get("limit") ?? 1e15);
    const rows = kind === "newest" ? [...this.#rows].reverse() : this.#rows.filter((row) => row.n > since);
    json(response, 200, this.#page(rows, limit, Math.min(since, this.#n)));
  }

  #information(): string {
    const cluster = { q: 1, n: this.#behaviour.replicas ?? 1 };
    const start = `{"db_name":"db","update_seq":${this.seq(this.#n)},"purge_seq":"${this.purges}-g1"`;
    return this.#behaviour.integers
      ? `{"db_name":"db","update_seq":${this.#n}}`
      : `${start},"instance_start_time":"${this.life}","cluster":${JSON.stringify(cluster)}}`;
  }

  #page(all: readonly Row[], limit: number, since: number): string {
    const rows = all.slice(0, limit);
    const last = rows.length === all.length ? Math.max(since, this.#n) : rows.at(-1)?.n ?? since;
    const pending = this.#behaviour.integers ? "" : `,"pending":${all.length - rows.length}`;
    const lines = rows.map((row) => this.line(row)).join(",\r\n");
    return `{"results":[\n${lines}\n],\n"last_seq":${this.seq(last)}${pending}}\n`;
  }

  #continue(since: number, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("\n");
    for (const row of this.#rows) if (row.n > since) response.write(`${this.line(row)}\n`);
    this.#feeds.add(response);
    response.on("close", () => this.#feeds.delete(response));
  }
}

function kindOf(url: URL): Asked["kind"] {
  if (!url.pathname.endsWith("/_changes")) return "information";
  if (url.searchParams.get("feed") === "continuous") return "continuous";
  return url.searchParams.get("descending") === "true" ? "newest" : "page";
}

/** Answers with JSON, or what is said to be. */
export function json(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
