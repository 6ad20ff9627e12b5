/**
 * HTTP/1.1 by hand over `node:net`: a fault between two bytes needs a server that decides about every byte.
 */
import type { Socket } from "node:net";

/** One request, and the bytes that answer it. */
export class Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly socket: Socket;
  /** Resolves when the connection has gone, whoever closed it. */
  readonly closed: Promise<void>;
  readonly #encoder = new TextEncoder();
  #last: Promise<void> = Promise.resolve();

  constructor(socket: Socket, head: string, body: string) {
    const [start = "", ...fields] = head.split("\r\n");
    const [method = "", target = ""] = start.split(" ");
    this.method = method;
    this.url = new URL(target, "http://127.0.0.1");
    this.headers = new Map(fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }));
    this.body = body;
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  /** The whole answer at once. */
  respond(status: number, body: string, fields: Readonly<Record<string, string>> = {}): void {
    const length = String(this.#encoder.encode(body).length);
    this.raw(
      head(status, { "content-type": "application/json", ...fields, "content-length": length }) + body,
    );
  }

  /** The head of an answer in pieces. */
  start(): void {
    this.raw(head(200, { "content-type": "application/json", "transfer-encoding": "chunked" }));
  }

  /** One piece. */
  write(piece: string | Uint8Array): void {
    const bytes = typeof piece === "string" ? this.#encoder.encode(piece) : piece;
    if (bytes.length === 0) return;
    const size = this.#encoder.encode(`${bytes.length.toString(16)}\r\n`);
    const chunk = new Uint8Array(size.length + bytes.length + 2);
    chunk.set(size);
    chunk.set(bytes, size.length);
    chunk.set([13, 10], size.length + bytes.length);
    this.raw(chunk);
  }

  /** The end of an answer in pieces. */
  end(): void {
    this.raw("0\r\n\r\n");
  }

  /** Bytes as they are. */
  raw(bytes: string | Uint8Array): void {
    if (this.socket.destroyed) return;
    this.#last = new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Resolves when all of it has been given to the network, and it had a moment to pass it on. */
  async flushed(): Promise<void> {
    await this.#last;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Closes the connection as a server does that has no more to say. */
  async hangUp(): Promise<void> {
    await this.flushed();
    this.socket.end();
    this.socket.destroy();
  }

  /** Resets the connection, where the runtime can. */
  async reset(): Promise<void> {
    await this.flushed();
    try {
      this.socket.resetAndDestroy();
    } catch {
      this.socket.destroy();
    }
  }
}

function head(status: number, fields: Readonly<Record<string, string>>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join("")}\r\n`;
}

/** Reads requests off a connection, one after the other. */
export function onRequests(socket: Socket, answer: (exchange: Exchange) => void): void {
  let bytes = "";
  socket.setNoDelay(true);
  socket.on("error", () => {}); // a client that leaves is no fault of the server's
  socket.on("data", (data: Uint8Array) => {
    for (const byte of data) bytes += String.fromCharCode(byte);
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/^content-length: *(\d+)/im.exec(bytes.slice(0, end))?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      const exchange = new Exchange(socket, bytes.slice(0, end), bytes.slice(end + 4, end + 4 + length));
      bytes = bytes.slice(end + 4 + length);
      answer(exchange);
    }
  });
}
