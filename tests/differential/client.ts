/**
 * An HTTP/1.1 client for one connection that is kept alive: field lines go out as they are given, octet by octet,
 * which no client that knows better would do.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import net from "node:net";

/** An answer: its status, and its fields in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** One connection; one request at a time. A new socket is opened where the server has closed the last one. */
export class Connection {
  readonly #port: number;
  #socket: net.Socket | undefined;
  #buffer = "";
  #head = false;
  #replicaLag:
    | { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }
    | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Asks for the one page there is; once more where a connection was closed meanwhile (RFC 9112 §9.3.1). */
  async ask(method: "GET" | "HEAD", lines: readonly (readonly [string, string])[]): Promise<Answer> {
    const kept = this.#socket !== undefined;
    try {
      return await this.#send(method, lines);
    } catch (error) {
      if (!kept) throw error;
      return await this.#send(method, lines);
    }
  }

  #send(method: "GET" | "HEAD", lines: readonly (readonly [string, string])[]): Promise<Answer> {
    const text = [`${method} /page.txt HTTP/1.1`, "Host: localhost", ...lines.map((line) => line.join(": "))];
    this.#head = method === "HEAD";
    return new Promise((resolve, reject) => {
      this.#replicaLag = { resolve, reject };
      this.#open().write(Buffer.from(`${text.join("\r\n")}\r\n\r\n`, "latin1"));
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): net.Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = net.connect(this.#port, "127.0.0.1");
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    this.#buffer = "";
    socket.on("data", (chunk) => {
      this.#buffer += chunk;
      this.#take();
    });
    const gone = (error?: Error) => {
      // One that was closed on purpose may say so while the next is asked already.
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#replicaLag?.reject(error ?? new Error("the connection was closed before an answer"));
    };
    socket.on("error", gone);
    socket.on("close", () => gone());
    return this.#socket = socket;
  }

  #take(): void {
    const end = this.#buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [first = "", ...lines] = this.#buffer.slice(0, end).split("\r\n");
    const status = Number(first.split(" ")[1]);
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const bodiless = this.#head || status === 304 || status === 204;
    const rest = this.#buffer.slice(end + 4);
    const length = bodyLength(rest, headers, bodiless);
    if (length === undefined || rest.length < length) return;
    this.#buffer = rest.slice(length);
    const replicaLag = this.#replicaLag;
    this.#replicaLag = undefined;
    if (headers.get("connection") === "close") this.close();
    replicaLag?.resolve({ status, headers });
  }
}

/** How many characters the body takes; undefined where that cannot be told yet. */
function bodyLength(
  rest: string,
  headers: ReadonlyMap<string, string>,
  bodiless: boolean,
): number | undefined {
  if (bodiless) return 0;
  if (headers.get("transfer-encoding") !== "chunked") return Number(headers.get("content-length") ?? 0);
  const last = rest.indexOf("0\r\n\r\n");
  return last < 0 ? undefined : last + 5;
}
