/**
 * A database that any follower can follow (normal, long-poll and continuous feeds, cookies), and whose answers a
 * script can replace or spoil, byte by byte.
 */
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Exchange, onRequests } from "./exchange.ts";

interface Row {
  readonly n: number;
  readonly id: string;
  readonly rev: string;
}

/** Answers instead of the database; returns false to let the database answer after all. */
export type Answer = (exchange: Exchange) => unknown;

/**
 * Sends `rows` in its own way; `end` is what an answer to a long poll ends with.
 *
 * @returns Whether the answer is as whole as it should be, so that the database may go on with it.
 */
export type Delivery = (exchange: Exchange, rows: string, end: string) => boolean | Promise<boolean>;

/** A live request: one that waits for the next row. */
interface Live {
  readonly exchange: Exchange;
  readonly longpoll: boolean;
  readonly timers: readonly ReturnType<typeof setTimeout>[];
}

export type Kind = "any" | "information" | "changes" | "live";

export class FaultyCouchdb {
  /** Everything asked, in order. */
  readonly requests: Exchange[] = [];
  life = 1_700_000_000;
  exists = true;
  /** Rows carry `"seq":null`. */
  nullSeqs = false;
  /** The number before the sequences' opaque part is this much lower than at first. */
  renumbered = 0;
  /** The cookie that is good, where one is asked for. */
  cookie: string | undefined;
  /** Heartbeats are this many times as frequent as asked for, and silence as short. */
  readonly pace: number;
  #rows: Row[] = [];
  #n = 0;
  #answers: { readonly kind: Kind; readonly answer: Answer; times: number }[] = [];
  #delivery: Delivery | undefined;
  readonly #live = new Set<Live>();
  readonly #sockets = new Set<Socket>();
  readonly #silenced = new Set<Socket>();
  #watchers: { readonly holds: () => boolean; readonly seen: () => void }[] = [];
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    onRequests(socket, (exchange) => this.#answer(exchange));
  });

  constructor(pace: number) {
    this.pace = pace;
  }

  static async start(pace = 1): Promise<FaultyCouchdb> {
    const database = new FaultyCouchdb(pace);
    await new Promise<void>((resolve) => database.#server.listen(0, "127.0.0.1", () => resolve()));
    return database;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nobody waits for it: now and then a runtime never says that a socket it was told to destroy is closed. */
  close(): void {
    for (const live of [...this.#live]) this.#forget(live);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    this.#server.unref();
  }

  // What a writer does.

  put(...ids: string[]): void {
    for (const id of ids) {
      const generation = Number(this.#rows.find((row) => row.id === id)?.rev.split("-")[0] ?? 0) + 1;
      const row = { n: ++this.#n, id, rev: `${generation}-967a00dff5e02add41819138abb3284d` };
      this.#rows = [...this.#rows.filter((other) => other.id !== id), row];
    }
    for (const live of [...this.#live]) {
      const rows = this.#rows.filter(({ id }) => ids.includes(id));
      this.#forget(live);
      this.#deliver(live.exchange, rows, live.longpoll);
    }
  }

  /** The files were rebuilt: sequences start over, and everything comes again. */
  rewind(): void {
    this.renumbered = this.#n;
    this.#rows = this.#rows.map((row, index) => ({ ...row, n: this.#n + 1 + index }));
    this.#n += this.#rows.length;
    const rows = this.#rows;
    for (const live of [...this.#live]) {
      this.#forget(live);
      this.#deliver(live.exchange, rows, live.longpoll);
    }
  }

  delete(): void {
    this.exists = false;
    this.#rows = [];
    this.endFeeds();
  }

  recreate(): void {
    this.exists = true;
    this.life++;
    this.#n = 0;
    this.#rows = [];
  }

  // What a script does.

  /** The next `times` requests of a kind are answered by `answer`. */
  replace(kind: Kind, answer: Answer, times = 1): void {
    this.#answers.push({ kind, answer, times });
  }

  /** The next rows are sent by `delivery`. */
  spoil(delivery: Delivery): void {
    this.#delivery = delivery;
  }

  /** Every open connection falls silent, without a word; new ones are as before. */
  silence(): void {
    for (const socket of this.#sockets) this.#silenced.add(socket);
    for (const live of [...this.#live]) this.#forget(live);
  }

  /** Every live request's connection breaks. */
  hangUp(): void {
    for (const live of [...this.#live]) {
      this.#forget(live);
      live.exchange.socket.destroy();
    }
  }

  /** Every live request ends as CouchDB ends it. */
  endFeeds(): void {
    for (const live of [...this.#live]) {
      this.#forget(live);
      live.exchange.write(live.longpoll ? this.#end() : `{"last_seq":${this.#seq(this.#n)},"pending":0}\n`);
      live.exchange.end();
    }
  }

  /** Resolves once it holds; looked at whenever something was asked. */
  until(holds: () => boolean): Promise<void> {
    return holds() ? Promise.resolve() : new Promise((seen) => this.#watchers.push({ holds, seen }));
  }

  /** Resolves once somebody waits for the next row. */
  followed(): Promise<void> {
    return this.until(() => this.#live.size > 0);
  }

  /** How many wait for the next row. */
  get followers(): number {
    return this.#live.size;
  }

  #answer(exchange: Exchange): void {
    if (this.#silenced.has(exchange.socket)) return;
    this.requests.push(exchange);
    const kind = kindOf(exchange);
    const script = this.#answers.find(({ kind: wanted, times }) => times > 0 && covers(wanted, kind));
    if (script !== undefined) script.times--;
    if (script === undefined || script.answer(exchange) === false) this.#serve(exchange);
    this.#watchers = this.#watchers.filter(({ holds, seen }) => {
      const held = holds();
      if (held) seen();
      return !held;
    });
  }

  #serve(exchange: Exchange): void {
    const { url, method } = exchange;
    if (url.pathname === "/_session") return this.#logIn(exchange);
    if (this.cookie !== undefined && exchange.headers.get("cookie") !== this.cookie) {
      return exchange.respond(401, `{"error":"unauthorized","reason":"You are not authorized."}`);
    }
    if (!url.pathname.startsWith("/db")) return exchange.respond(200, `{"couchdb":"Welcome"}`);
    if (!this.exists) {
      return exchange.respond(404, `{"error":"not_found","reason":"Database does not exist."}`);
    }
    if (!url.pathname.endsWith("/_changes")) {
      return exchange.respond(200, method === "HEAD" ? "" : this.#information());
    }
    this.#changes(exchange);
  }

  #logIn(exchange: Exchange): void {
    const cookie = this.cookie ?? "AuthSession=any";
    exchange.respond(200, `{"ok":true,"name":"reader","roles":[]}`, {
      "set-cookie": `${cookie}; Version=1; Path=/; HttpOnly`,
    });
  }

  #changes(exchange: Exchange): void {
    const query = exchange.url.searchParams;
    const since = this.#parseSince(query.get("since"));
    const limit = Number(query.get("limit") ?? 1e15);
    const feed = query.get("feed") ?? "normal";
    const descending = query.get("descending") === "true";
    const all = descending ? [...this.#rows].reverse() : this.#rows.filter(({ n }) => n > since);
    const rows = all.slice(0, limit);
    if (feed === "continuous" || (feed === "longpoll" && rows.length === 0)) {
      exchange.start();
      exchange.write(feed === "longpoll" ? `{"results":[\n` : "\n");
      if (rows.length > 0) this.#deliver(exchange, rows, false);
      else this.#wait(exchange, feed === "longpoll");
      return;
    }
    const last = rows.length === all.length ? this.#n : rows.at(-1)?.n ?? since;
    const lines = rows.map((row) => this.#line(row)).join(",\r\n");
    const pending = all.length - rows.length;
    exchange.respond(
      200,
      `{"results":[\n${lines}\n],\n"last_seq":${this.#seq(last)},"pending":${pending}}\n`,
    );
  }

  /** Keeps a request until the next row, with heartbeats. */
  #wait(exchange: Exchange, longpoll: boolean): void {
    const query = exchange.url.searchParams;
    const asked = Number(query.get("heartbeat") ?? NaN);
    const timeout = Math.min(60_000, Number(query.get("timeout") ?? 60_000)) / this.pace;
    const beat = asked > 0 ? setInterval(() => exchange.write("\n"), asked / this.pace) : undefined;
    const end = beat === undefined ? setTimeout(() => this.#timeOut(live), timeout) : undefined;
    const live: Live = { exchange, longpoll, timers: [beat, end].filter((timer) => timer !== undefined) };
    this.#live.add(live);
    void exchange.closed.then(() => this.#forget(live));
  }

  #timeOut(live: Live): void {
    this.#forget(live);
    live.exchange.write(live.longpoll ? this.#end() : `{"last_seq":${this.#seq(this.#n)},"pending":0}\n`);
    live.exchange.end();
  }

  #forget(live: Live): void {
    for (const timer of live.timers) clearTimeout(timer);
    this.#live.delete(live);
  }

  #deliver(exchange: Exchange, rows: readonly Row[], longpoll: boolean): void {
    const delivery = this.#delivery;
    this.#delivery = undefined;
    const lines = rows.map((row) => this.#line(row));
    const text = longpoll ? lines.join(",\r\n") : `${lines.join("\n")}\n`;
    const end = longpoll ? this.#end() : "";
    const known = Math.max(...rows.map(({ n }) => n));
    const goOn = (): void => {
      // Whatever was written meanwhile comes next.
      const next = this.#rows.filter(({ n }) => n > known);
      if (longpoll) exchange.end();
      else if (next.length > 0) this.#deliver(exchange, next, false);
      else this.#wait(exchange, false);
    };
    if (delivery === undefined) {
      exchange.write(text + end);
      goOn();
    } else {
      void Promise.resolve(delivery(exchange, text, end)).then((whole) => whole && goOn());
    }
  }

  #end(): string {
    return `\n],\n"last_seq":${this.#seq(this.#n)},"pending":0}\n`;
  }

  #parseSince(since: string | null): number {
    if (since === "now") return this.#n;
    const n = Number.parseInt((since ?? "0").replace(/^"/, ""));
    return n === 0 ? 0 : n + this.renumbered;
  }

  #seq(n: number): string {
    return n === 0
      ? `"0"`
      : `"${n - this.renumbered}-g1AAAAB5eJzLYWBgYMpgTmEQTM4vTc5ISXIwNDLXMwBCwxyQVCJDUv3"`;
  }

  #line({ n, id, rev }: Row): string {
    const seq = this.nullSeqs ? "null" : this.#seq(n);
    return `{"seq":${seq},"id":${JSON.stringify(id)},"changes":[{"rev":"${rev}"}]}`;
  }

  #information(): string {
    return `{"db_name":"db","doc_count":${this.#rows.length},"update_seq":${this.#seq(this.#n)},` +
      `"purge_seq":"0-g1","instance_start_time":"${this.life}","cluster":{"q":1,"n":1}}`;
  }
}

/** Whether what is scripted for one kind of request is meant for another, too. */
function covers(wanted: Kind, kind: Kind | "session"): boolean {
  if (kind === "session") return false;
  return wanted === "any" || wanted === kind || (wanted === "changes" && kind === "live");
}

function kindOf({ url }: Exchange): Kind | "session" {
  if (url.pathname === "/_session") return "session";
  if (!url.pathname.endsWith("/_changes")) return "information";
  return ["continuous", "longpoll"].includes(url.searchParams.get("feed") ?? "") ? "live" : "changes";
}
