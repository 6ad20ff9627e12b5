/**
 * A channel that tells of a table's changes, as `LISTEN` or a broker does: it pushes what happens while a client listens,
 * keeps nothing for later, and does not say when a connection is dead.
 *
 * @module
 */
import type { Change } from "../../src/changes/change.ts";
import type { SourceConnection, SourceController } from "../../src/changes/own_feed.ts";
import { MS } from "./clocks.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

type Message = { readonly token: string } | Change;

/** A connection as the server sees it. */
class Connection {
  readonly controller: SourceController;
  listening = false;
  /** Nothing gets through any more, and neither end has noticed. */
  dead = false;
  /** Whether what was under way when it died is lost. */
  loses = false;
  /** When the last message arrives: messages do not overtake each other. */
  arrival = 0;
  /** What is under way, with the time of its arrival. */
  readonly underWay: { readonly message: Message; readonly arrival: number }[] = [];

  constructor(controller: SourceController) {
    this.controller = controller;
  }
}

/** A channel, and the client at the other end of it. */
export class Channel {
  readonly #connections = new Set<Connection>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  /** Whether the client connects anew without a word. */
  readonly #isSilent: boolean;
  /** How many attempts to connect are refused. */
  refusals = 0;
  /** Called once when a token is under way back to the client. */
  onToken: (() => void) | undefined;

  constructor(isSilent: boolean, scheduler: Scheduler, random: Random) {
    this.#isSilent = isSilent;
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Sends a message to every client that listens. */
  publish(message: Message): void {
    for (const connection of this.#connections) {
      if (!connection.listening || connection.dead) continue;
      const delay = this.#random.chance(0.75) ? 5 * MS : 800 * MS;
      const soon = this.#scheduler.time + this.#random.integer(1, delay);
      connection.arrival = Math.max(connection.arrival + 1, soon);
      connection.underWay.push({ message, arrival: connection.arrival });
      this.#scheduler.inProcess(connection.arrival - this.#scheduler.time, () => this.#deliver(connection));
    }
  }

  /** Whatever has arrived, and what follows closely, comes in one piece. */
  #deliver(connection: Connection): void {
    const { underWay, dead, loses, controller: { change, received } } = connection;
    const until = this.#scheduler.time + this.#random.pick([0, 3 * MS]);
    while (underWay.length > 0 && underWay[0]!.arrival <= until) {
      const { message } = underWay.shift()!;
      if (dead && loses) continue;
      if ("token" in message) received(message.token, connection);
      else change(message);
    }
  }

  /** What the follower's feed calls. */
  connect(controller: SourceController): Promise<SourceConnection> {
    return new Promise((resolve, reject) => {
      this.#listen(controller, (connection) => {
        if (connection === undefined) return reject(new Error("refused"));
        resolve({
          send: (token) => this.#send(controller, token),
          close: () => {
            for (const each of this.#connections) {
              if (each.controller === controller) this.#connections.delete(each);
            }
          },
        });
      });
    });
  }

  #listen(controller: SourceController, then: (connection: Connection | undefined) => void): void {
    const connection = new Connection(controller);
    this.#connections.add(connection);
    this.#scheduler.after(this.#random.integer(1, 50 * MS), () => {
      const refused = this.refusals > 0;
      if (refused) this.refusals--;
      connection.listening = !refused;
      this.#scheduler.inProcess(
        this.#random.integer(1, 50 * MS),
        () => then(refused ? undefined : connection),
      );
    });
  }

  /** By the newest connection: a client that has connected anew sends through that one. */
  #send(controller: SourceController, token: string): void {
    const connection = [...this.#connections].findLast((each) => each.controller === controller);
    this.#scheduler.after(this.#random.integer(1, 30 * MS), () => {
      if (!connection?.listening || connection.dead) return;
      this.publish({ token });
      this.onToken?.();
      this.onToken = undefined;
    });
  }

  /** Every connection is cut. The client hears of it, and says so or connects anew by itself. */
  cut(): boolean {
    const open = this.#die();
    for (const { controller } of open) {
      this.#scheduler.inProcess(this.#random.integer(1, 300 * MS), () => {
        if (controller.signal.aborted) return;
        if (this.#isSilent) this.#listen(controller, () => {});
        else controller.lost();
      });
    }
    return open.length > 0;
  }

  /** Every connection is dead, and neither end notices. */
  stall(): boolean {
    return this.#die().length > 0;
  }

  #die(): Connection[] {
    const open = [...this.#connections].filter(({ dead }) => !dead);
    for (const connection of open) {
      connection.dead = true;
      connection.loses = this.#random.chance(0.5);
    }
    return open;
  }
}
