/**
 * Replays recorded bytes from a plain TCP server, so that no HTTP library stands between them and the client.
 */
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** The bytes of one recorded scenario of `tests/couchdb-wire/`. */
export function recording(name: string): Uint8Array {
  return readFileSync(new URL(`../couchdb-wire/${name}`, import.meta.url));
}

/** The recorded database information, as CouchDB sends it. */
export function informationResponse(): Uint8Array {
  const body = recording("database-info.json");
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return new Uint8Array([...new TextEncoder().encode(head), ...body]);
}

export interface WireServer {
  readonly url: string;
  /** Request targets, in the order of arrival. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * Answers each request with the bytes that `answer` gives for its target, piece by piece; the connection stays open,
 * unless `answer` gives a null at the end, which closes it.
 */
export async function startWireServer(
  answer: (target: string) => Uint8Array | readonly (Uint8Array | null)[],
): Promise<WireServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    let head = "";
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (bytes) => {
      head += bytes.toString("latin1");
      for (let end = head.indexOf("\r\n\r\n"); end >= 0; end = head.indexOf("\r\n\r\n")) {
        const target = head.split(" ", 2)[1] ?? "";
        head = head.slice(end + 4);
        requests.push(target);
        const pieces = answer(target);
        void send(socket, pieces instanceof Uint8Array ? [pieces] : pieces);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/wire`,
    requests,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function send(socket: Socket, pieces: readonly (Uint8Array | null)[]): Promise<void> {
  socket.setNoDelay(true);
  for (const piece of pieces) {
    if (piece === null) socket.end();
    else await new Promise((resolve) => socket.write(piece, resolve));
  }
}
