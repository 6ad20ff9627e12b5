/**
 * A TCP proxy in front of a database that spoils what passes through it, between two bytes if need be.
 *
 * One fault is in force at a time, on every connection, from `inject` until `calm`; what it has broken stays broken.
 * Left out is what nobody can see through: an intermediary that answers a request with an older whole answer to it.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { Random } from "../simulation/random.ts";
import { oneOfThreeCopies } from "./disagreeing_copies.ts";

/** Every fault, with what it does. */
export const faults = {
  "latency": "each piece is 20 to 300 ms late",
  "cut mid-row": "the connection breaks inside a row",
  "cut mid-chunk-header": "the connection breaks inside the length of a chunk",
  "stall": "nothing comes until the fault is over, then everything",
  "half-open": "the connection stays open, and nothing comes ever again",
  "garbage": "random bytes come, as a chunk or in the middle of everything",
  "html under 200": "a web page answers, with status 200",
  "429": "answered without Retry-After",
  "429 with Retry-After": "answered with a second to wait",
  "503": "answered without Retry-After",
  "503 with Retry-After": "answered with a second to wait",
  "drip": "one byte at a time, two milliseconds apart",
  "duplicate": "bytes come again: the latest chunk, or the former response behind the present one",
  "lost role": "answered 403, as if a role had been taken",
  "refused credentials": "answered 401, although the credentials are right",
  "locked out": "answered 403, as to a client whose credentials failed too often",
  "circle": "each page of changes ends where it began, and says that more is pending",
  "cache": "an answer to the same URL is given again",
} as const;

export type Fault = keyof typeof faults;

export const faultNames: readonly Fault[] = Object.keys(faults) as Fault[];

/** Faults after which a feed waits a minute or more, by design. */
export const slowFaults: ReadonlySet<Fault> = new Set<Fault>(["refused credentials", "locked out"]);

const page = "<!doctype html><title>Sign in</title><h1>Please sign in to this network</h1>\n";

function canned(status: string, type: string, fields = ""): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${page.length}\r\n${fields}` +
    `Connection: close\r\n\r\n${page}`;
}

function refusal(status: string, error: string, reason: string): string {
  const body = `${JSON.stringify({ error, reason })}\n`;
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
    `Connection: close\r\n\r\n${body}`;
}

/** A page that leads to where it was asked from; undefined if the request is for no page. */
function circle(request: string): string | undefined {
  const since = /^GET \S+\/_changes\?(?!\S*feed=)(?!\S*descending)\S*since=([^&\s]+)/.exec(request)?.[1];
  if (since === undefined) return undefined;
  const text = decodeURIComponent(since);
  const seq = /^\d+$/.test(text) ? Number(text) : text;
  const body = JSON.stringify({
    results: [{ seq, id: "nobody", changes: [{ rev: "1-x" }] }],
    last_seq: seq,
    pending: 7,
  });
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
    `Connection: close\r\n\r\n${body}`;
}

/** What answers in the database's place. */
const answers: Partial<Readonly<Record<Fault, string>>> = {
  "html under 200": canned("200 OK", "text/html"),
  "429": canned("429 Too Many Requests", "text/plain"),
  "429 with Retry-After": canned("429 Too Many Requests", "text/plain", "Retry-After: 1\r\n"),
  "503": canned("503 Service Unavailable", "text/html"),
  "503 with Retry-After": canned("503 Service Unavailable", "text/html", "Retry-After: 1\r\n"),
  "lost role": refusal("403 Forbidden", "forbidden", "You are not allowed to access this db."),
  "refused credentials": refusal("401 Unauthorized", "unauthorized", "Name or password is incorrect."),
  "locked out": refusal("403 Forbidden", "forbidden", "Account is temporarily locked."),
};

/** A whole chunk of the chunked coding (RFC 9112 §7.1), as servers send it in one piece. */
const CHUNK = /^[0-9a-f]+\r\n[^]*\r\n$/i;
/** The beginning of a row, CouchDB's or PouchDB's. */
const ROW = /\{"(?:seq|id)":"?/;
/** A request for the description of a database. */
const DATABASE = /^GET \/[^/?\s]+(?:\?\S*)? HTTP/;
/** A head and a few rows: as much of a response as is repeated. */
const KEPT = 16_384;

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");
const none = new Uint8Array();

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) whole.set(part, (end += part.length) - part.length);
  return whole;
}

/** One connection through the proxy. */
class Wire {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Settles when all that came so far has been passed on: pieces never overtake each other. */
  tail: Promise<unknown> = Promise.resolve();
  /** Nothing goes through it any more. */
  dead = false;
  /** The response that is being passed on, and the one before, as far as they are kept. */
  present: Uint8Array = none;
  /** The first line of the request that it answers. */
  asked = "";
  former: Uint8Array = none;

  constructor(client: Socket, upstream: Socket) {
    this.client = client;
    this.upstream = upstream;
  }

  write(bytes: Uint8Array): true {
    if (!this.dead) this.client.write(bytes);
    return true;
  }

  /** Breaks off, after these last bytes. */
  async cut(bytes: Uint8Array = none): Promise<true> {
    if (bytes.length > 0 && !this.dead) {
      await new Promise<void>((sent) => this.client.write(bytes, () => sent()));
    }
    this.dead = true;
    this.client.destroy();
    this.upstream.destroy();
    return true;
  }
}

/** A piece of a response, and what may be done to it. */
interface Piece {
  readonly wire: Wire;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly random: Random;
  /** Settles when the fault is. */
  readonly over: Promise<void>;
}

/** Passes a piece on in a fault's way; false: there is nothing in it to spoil. */
type Spoil = (piece: Piece) => boolean | Promise<boolean>;

const spoilers: Partial<Readonly<Record<Fault, Spoil>>> = {
  async "latency"({ wire, bytes, random }) {
    await wait(random.integer(20, 300));
    return wire.write(bytes);
  },
  "cut mid-row"({ wire, bytes, text }) {
    const row = ROW.exec(text);
    return row !== null && wire.cut(bytes.subarray(0, row.index + row[0].length + 1));
  },
  "cut mid-chunk-header"({ wire, bytes, text }) {
    return CHUNK.test(text) && wire.cut(bytes.subarray(0, text.indexOf("\r\n")));
  },
  async "stall"({ wire, bytes, over }) {
    await over;
    return wire.write(bytes);
  },
  "half-open"({ wire }) {
    return wire.dead = true;
  },
  "garbage"({ wire, bytes, text, random }) {
    const noise = Uint8Array.from({ length: random.integer(1, 200) }, () => random.integer(0, 255));
    if (!CHUNK.test(text) || random.chance(0.3)) return wire.write(joined(bytes, noise));
    const size = encoder.encode(`${noise.length.toString(16)}\r\n`);
    return wire.write(joined(size, noise, encoder.encode("\r\n"), bytes));
  },
  async "drip"({ wire, bytes, over }) {
    let ended = false;
    void over.then(() => ended = true);
    for (let at = 0; at < bytes.length; at++) {
      if (ended) return wire.write(bytes.subarray(at));
      wire.write(bytes.subarray(at, at + 1));
      await wait(2);
    }
    return true;
  },
  "duplicate"({ wire, bytes, text }) {
    if (CHUNK.test(text)) return wire.write(joined(bytes, bytes));
    return wire.former.length > 0 && wire.write(joined(bytes, wire.former));
  },
};

/** A proxy that runs, on loopback. */
export class ChaosProxy {
  /** How often each fault has done something: to a request, a connection or a piece of a response. */
  readonly done: Record<Fault, number>;
  /** Times that another number of purges was told than the time before, in force all the time. */
  disagreements = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #random: Random;
  readonly #wires: Set<Wire> = new Set();
  readonly #cache = new Map<string, Uint8Array>();
  readonly #server: Server;
  #fault: Fault | undefined;
  #over: Promise<void> = Promise.resolve();
  #end: () => void = () => {};

  private constructor(target: URL, seed: number) {
    this.#target = { host: target.hostname, port: Number(target.port || 80) };
    this.#random = new Random(seed);
    this.done = Object.fromEntries(faultNames.map((fault) => [fault, 0])) as Record<Fault, number>;
    this.#server = createServer((client) => this.#open(client));
  }

  /** Starts one on a free port; `target` is the database's server, over plain HTTP. */
  static async start(target: URL, seed: number): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(target, seed);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", () => resolve()));
    return proxy;
  }

  /** The same address, through the proxy. */
  through(url: URL): URL {
    const { port } = this.#server.address() as AddressInfo;
    return Object.assign(new URL(url), { hostname: "127.0.0.1", port });
  }

  /** From now on everything suffers from this. */
  inject(fault: Fault): void {
    this.calm();
    this.#fault = fault;
    this.#over = new Promise((resolve) => this.#end = resolve);
  }

  /** From now on all is well, except for what is broken already. */
  calm(): void {
    this.#fault = undefined;
    this.#cache.clear();
    this.#end();
  }

  async close(): Promise<void> {
    this.calm();
    for (const wire of this.#wires) void wire.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #open(client: Socket): void {
    const wire = new Wire(client, connect(this.#target));
    const { upstream } = wire;
    this.#wires.add(wire);
    for (const socket of [client, upstream]) {
      socket.setNoDelay(true);
      socket.on("error", () => {});
    }
    client.on("data", (bytes) => this.#ask(wire, bytes));
    upstream.on("data", (bytes) => {
      const own = this.#disagree(wire, new Uint8Array(bytes));
      wire.tail = wire.tail.then(() => this.#pass(wire, own));
    });
    client.on("close", () => {
      this.#wires.delete(wire);
      void wire.cut();
    });
    upstream.on("close", () => void wire.tail.then(() => wire.dead || wire.cut()));
  }

  /** Whoever follows only gets, so what comes from there is the beginning of a request. */
  #ask(wire: Wire, bytes: Uint8Array): void {
    if (wire.dead) return;
    const request = latin1.decode(bytes);
    const answer = this.#answerTo(request);
    if (answer === undefined) {
      this.#keep(wire);
      wire.asked = request.split("\r\n", 1)[0] ?? "";
      [wire.former, wire.present] = [wire.present, none];
      wire.upstream.write(bytes);
      return;
    }
    this.done[this.#fault!]++;
    wire.dead = true;
    wire.client.end(answer);
    wire.upstream.destroy();
  }

  /** What the fault answers in the database's place; undefined: the database is asked. */
  #answerTo(request: string): string | Uint8Array | undefined {
    if (this.#fault === "circle") return circle(request);
    if (this.#fault === "cache") {
      const kept = this.#cache.get(request.split("\r\n", 1)[0] ?? "");
      if (kept === undefined) this.done.cache++;
      return kept;
    }
    return this.#fault === undefined ? undefined : answers[this.#fault];
  }

  /** Keeps the answer that a connection has passed on, where a cache is in between. */
  #keep({ asked, present }: Wire): void {
    if (this.#fault === "cache" && asked.startsWith("GET ") && present.length > 0 && present.length < KEPT) {
      this.#cache.set(asked, present);
    }
  }

  /** The database is a cluster whose copies disagree about how often they were purged: the numbers come by turns. */
  #disagree({ asked }: Wire, bytes: Uint8Array): Uint8Array {
    if (!DATABASE.test(asked)) return bytes;
    const told = oneOfThreeCopies(latin1.decode(bytes), this.disagreements % 2 * 3);
    if (told === undefined) return bytes;
    this.disagreements++;
    return encoder.encode(told);
  }

  async #pass(wire: Wire, bytes: Uint8Array): Promise<void> {
    if (wire.dead) return;
    if (wire.present.length < KEPT) wire.present = joined(wire.present, bytes);
    const fault = this.#fault;
    const piece = { wire, bytes, text: latin1.decode(bytes), random: this.#random, over: this.#over };
    const spoilt = fault !== undefined && spoilers[fault]?.(piece);
    if (!spoilt) return void wire.write(bytes);
    this.done[fault]++;
    await spoilt;
  }
}
