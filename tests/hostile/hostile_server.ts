/** A server on loopback that does everything at random, and in between behaves. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Random } from "../simulation/random.ts";
import { type Answer, GoodDatabase, misdeeds } from "./misdeeds.ts";

const kinds = Object.keys(misdeeds);

/** Milliseconds between two bytes of a drip, and between two pieces of an answer without end. */
const DRIP = 200;
/** The same between two heartbeats. */
const HEARTBEAT = 1_000;

export class HostileServer {
  /** Whether it behaves. */
  behaves = true;
  /** How often each misdeed was done. */
  readonly done: Record<string, number> = Object.fromEntries(kinds.map((kind) => [kind, 0]));
  readonly database: GoodDatabase = new GoodDatabase();
  readonly #random: Random;
  readonly #onRequest: () => void;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #requests = 0;

  private constructor(random: Random, onRequest: () => void) {
    this.#random = random;
    this.#onRequest = onRequest;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(random: Random, onRequest: () => void): Promise<HostileServer> {
    const server = new HostileServer(random, onRequest);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", () => resolve()));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/blog`;
  }

  /** As if it was started anew: every connection breaks. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.hangUp();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#onRequest();
    request.resume();
    response.on("error", () => {});
    const url = new URL(request.url ?? "/", this.url);
    if (this.behaves) return void this.#send(response, this.database.answer(url), true);
    const kind = this.#random.pick(kinds);
    this.done[kind] = (this.done[kind] ?? 0) + 1;
    const answer = misdeeds[kind]!(this.#random, ++this.#requests);
    if (answer.delay === undefined) return void this.#send(response, answer, false);
    const timer = setTimeout(() => this.#send(response, answer, false), Math.min(answer.delay, 1e6));
    response.on("close", () => clearTimeout(timer));
  }

  #send(response: ServerResponse, { status, headers, body, ending, raw }: Answer, beats: boolean): void {
    if (raw !== undefined) {
      response.socket?.end(raw);
      return;
    }
    response.writeHead(status, { ...headers });
    if (ending === "whole") return void response.end(body);
    response.write(body);
    if (ending === "cut") return void response.socket?.destroy();
    const repeated: Partial<Record<Answer["ending"], string>> = { drip: " ", endless: body };
    const piece = beats ? "\n" : repeated[ending];
    if (piece === undefined) return;
    const timer = setInterval(() => response.write(piece), beats ? HEARTBEAT : DRIP);
    response.on("close", () => clearInterval(timer));
    // What hangs is cut some time later: there are more misdeeds than one.
    if (!beats) setTimeout(() => response.socket?.destroy(), this.#random.integer(500, 8_000));
  }
}
