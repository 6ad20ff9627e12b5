/**
 * A database of one shard that speaks CouchDB's `_changes` and does what a test tells it, faults included.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Asked, type Fault, json } from "./scripted_exchange.ts";
import { type Asking, kindOf, passes, type Row, unnumbered, written } from "./scripted_selection.ts";

export { type Asked, type Fault, json } from "./scripted_exchange.ts";
export type { Row } from "./scripted_selection.ts";

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
  /** What filters other than CouchDB's own let through. */
  matches: (id: string) => boolean = () => true;
  #rows: Row[] = [];
  /** Every row that a document has ever had. */
  readonly #history = new Map<string, Row[]>();
  #n = 0;
  #faults: { readonly kind: Asked["kind"] | "any"; readonly fault: Fault; times: number }[] = [];
  readonly #feeds = new Map<ServerResponse, Asked>();
  /** How far feeds had come that say no more. */
  readonly #stalled = new Map<ServerResponse, number>();
  #watchers: { readonly matches: (asked: Asked) => boolean; readonly seen: (asked: Asked) => void }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #behaviour: Behaviour;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
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
    const closed = new Promise((resolve) => this.#server.close(resolve));
    // A client may have connected without having asked yet: the server would wait for its question.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  // What a writer does.

  put(id: string, deleted = false): Row {
    const generation = Number(this.#rows.find((row) => row.id === id)?.rev.split("-")[0] ?? 0) + 1;
    return this.#append({ n: ++this.#n, id, rev: `${generation}-${id.length}`, deleted });
  }

  #append(row: Row): Row {
    const { id } = row;
    this.#history.set(id, [...this.#history.get(id) ?? [], row]);
    this.#rows = [...this.#rows.filter((other) => other.id !== id), row];
    for (const [feed, asked] of this.#feeds) {
      if (!this.#stalled.has(feed) && passes(asked, row, this.matches)) this.#deliver(feed, asked, row);
    }
    return row;
  }

  /** Written, but not sent to the feeds that are open, which stay behind from here on. */
  putSilently(id: string): Row {
    this.stall();
    return this.put(id);
  }

  /** The feeds that are open stay behind from here on. */
  stall(): void {
    for (const feed of this.#feeds.keys()) {
      if (!this.#stalled.has(feed)) this.#stalled.set(feed, this.#n);
    }
  }

  /** The winner is now this revision, whichever it was before. */
  win(id: string, rev: string): Row {
    return this.#append({ n: ++this.#n, id, rev, deleted: false });
  }

  /** Revisions by document id. */
  latest(): Map<string, string> {
    return new Map(this.#rows.map(({ id, rev }) => [id, rev]));
  }

  purge(id: string): void {
    this.#rows = this.#rows.filter((row) => row.id !== id);
    this.#history.delete(id);
    this.#n++;
    this.purges++;
  }

  recreate(): void {
    this.exists = true;
    this.life = String(Number(this.life) + 1);
    this.#rows = [];
    this.#history.clear();
    this.#n = 0;
  }

  /** Puts back the files of when the database had `n` changes. */
  rollBack(n: number): void {
    for (const [id, rows] of this.#history) this.#history.set(id, rows.filter((row) => row.n <= n));
    this.#rows = Array.from(this.#history.values(), (rows) => rows.at(-1))
      .filter((row) => row !== undefined)
      .sort((a, b) => a.n - b.n);
    this.#n = n;
  }

  // What a fault does.

  /** The next `times` requests of a kind are answered by `fault`. */
  fail(kind: Asked["kind"] | "any", fault: Fault, times = 1): void {
    this.#faults.push({ kind, fault, times });
  }

  /** Forgets the faults that have not happened yet. */
  heal(): void {
    this.#faults = [];
  }

  /** Sends something to every open feed. */
  send(text: string | Uint8Array): void {
    for (const feed of this.#feeds.keys()) feed.write(text);
  }

  heartbeat(): void {
    this.send("\n");
  }

  /** Ends every open feed as CouchDB does, or without a last line. */
  end(clean: boolean): void {
    for (const [feed, { kind }] of this.#feeds) {
      const last = `"last_seq":${this.seq(this.#stalled.get(feed) ?? this.#n)},"pending":0}\n`;
      feed.end(clean ? (kind === "longpoll" ? `\n],\n${last}` : `{${last}`) : "");
    }
    this.#feeds.clear();
  }

  /** Breaks every open feed, once what was sent is on its way: Deno does not close a socket that is still writing. */
  async cut(): Promise<void> {
    const feeds = [...this.#feeds.keys()];
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

  line(row: Row, asked: Asking = { url: new URL(this.url), body: "" }, index = 0): string {
    const seq = this.#behaviour.nullSeqs || unnumbered(index, asked) ? "null" : this.seq(row.n);
    return written(row, seq, asked);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    try {
      if (request.method === "POST") { for await (const piece of request) body += piece; }
    } catch {
      return; // The feed has given the request up.
    }
    const url = new URL(request.url ?? "/", this.url);
    const kind = kindOf(url);
    const closed = new Promise<void>((resolve) => response.on("close", resolve));
    const asked = { url, body, method: request.method ?? "", headers: request.headers, kind, closed };
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

  #serve(asked: Asked, response: ServerResponse): void {
    const { url, kind } = asked;
    if (!this.exists) return json(response, 404, `{"error":"not_found","reason":"Database does not exist."}`);
    if (kind === "information") return json(response, 200, this.#information());
    if (kind === "revisions") {
      return json(response, 200, JSON.stringify(this.#missing(JSON.parse(asked.body))));
    }
    const since = Number.parseInt(url.searchParams.get("since") ?? "0");
    if (Number.isNaN(since)) {
      return json(response, 400, `{"error":"bad_request","reason":"Malformed sequence"}`);
    }
    const selected = this.#rows.filter((row) => passes(asked, row, this.matches));
    const rows = kind === "newest" ? selected.reverse() : selected.filter((row) => row.n > since);
    if (kind === "continuous") return this.#continue(asked, rows, response);
    if (kind === "longpoll" && rows.length === 0) return this.#wait(asked, response);
    const limit = Number(url.searchParams.get("limit") ?? 1e15);
    json(response, 200, this.#page(asked, rows, limit, Math.min(since, this.#n)));
  }

  /** Of these revisions, those that no document has had. */
  #missing(asked: Readonly<Record<string, readonly string[]>>): Record<string, { missing: string[] }> {
    const answer: Record<string, { missing: string[] }> = {};
    for (const [id, revs] of Object.entries(asked)) {
      const missing = revs.filter((rev) => !this.#history.get(id)?.some((row) => row.rev === rev));
      if (missing.length > 0) answer[id] = { missing };
    }
    return answer;
  }

  #information(): string {
    const cluster = { q: 1, n: this.#behaviour.replicas ?? 1 };
    const start = `{"db_name":"db","update_seq":${this.seq(this.#n)},"purge_seq":"${this.purges}-g1"`;
    return this.#behaviour.integers
      ? `{"db_name":"db","update_seq":${this.#n}}`
      : `${start},"instance_start_time":"${this.life}","cluster":${JSON.stringify(cluster)}}`;
  }

  #page(asked: Asked, all: readonly Row[], limit: number, since: number): string {
    const rows = all.slice(0, limit);
    const last = rows.length === all.length ? Math.max(since, this.#n) : rows.at(-1)?.n ?? since;
    // A filter counts what it does not send.
    const hidden = asked.url.searchParams.has("filter") ? 5 : 0;
    const pending = this.#behaviour.integers ? "" : `,"pending":${all.length - rows.length + hidden}`;
    const lines = rows.map((row, index) => this.line(row, asked, index)).join(",\r\n");
    return `{"results":[\n${lines}\n],\n"last_seq":${this.seq(last)}${pending}}\n`;
  }

  #continue(asked: Asked, rows: readonly Row[], response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("\n");
    for (const row of rows) response.write(`${this.line(row, asked)}\n`);
    this.#feeds.set(response, asked);
    response.on("close", () => this.#feeds.delete(response));
  }

  #wait(asked: Asked, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(`{"results":[\n`);
    this.#feeds.set(response, asked);
    response.on("close", () => this.#feeds.delete(response));
  }

  /** A long poll ends with its first row. */
  #deliver(feed: ServerResponse, asked: Asked, row: Row): void {
    if (asked.kind !== "longpoll") return void feed.write(`${this.line(row, asked)}\n`);
    feed.end(`${this.line(row, asked)}\n],\n"last_seq":${this.seq(this.#n)},"pending":0}\n`);
    this.#feeds.delete(feed);
  }
}
