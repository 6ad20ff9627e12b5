/**
 * Reads a source that pushes its changes: connects, proves contact by tokens, and connects again after each loss.
 *
 * @module
 */
import { BackOff } from "./back_off.ts";
import { BatchQueue } from "./batch_queue.ts";
import type { Change, ChangeBatch, Instant } from "./change.ts";
import { ChangesError } from "./changes_error.ts";
import { type Clock, instant } from "./clock.ts";
import { FINAL } from "./final_faults.ts";
import { deadline, EXPIRED, proofPeriod, type Sleep } from "./timing.ts";

/** How a source hands over what it hears. Once its connection is lost, whatever it calls is ignored. */
export interface SourceController<C extends Change = Change> {
  /**
   * Reports a change. To be called in the order of the source, and not before the new state can be read.
   *
   * @throws {TypeError} If the change has no string id. The connection is then lost, because a change is.
   */
  readonly change: (change: C) => void;
  /**
   * Reports that a token came back, at its place among the changes. Unknown tokens, such as those of other processes,
   * are ignored.
   *
   * @param token As it was sent.
   * @param connection What it came through: the socket, or the server's number of the session. Anything that is not the
   * same as the last time shows that the client has connected anew.
   */
  readonly received: (token: string, connection: unknown) => void;
  /**
   * Reports that the connection is lost, or was made anew by the client: changes may be missing. It can be given to an
   * emitter as a listener.
   *
   * @param reason Passed on to `onLost`.
   */
  readonly lost: (reason?: unknown) => void;
  /** Aborts when the connection is lost, or no longer needed. */
  readonly signal: AbortSignal;
}

/** A connection to a source. A `WebSocket` is one. */
export interface SourceConnection {
  /**
   * Sends a token the way that changes come, so that it arrives behind every change that was made before. If this
   * throws or rejects, the connection is lost.
   */
  send(token: string): unknown;
  /** Closes the connection, after the loss too; what it throws is ignored. */
  close?(): unknown;
}

/** Connects to a source, or listens to this process and returns nothing. */
export type Connect<C extends Change> = (
  controller: SourceController<C>,
) => SourceConnection | PromiseLike<SourceConnection> | void;

/** Options, checked and completed. */
export interface SourceSettings {
  readonly onlyWriter: boolean;
  readonly maxLag: number;
  readonly maxQueued: number;
  readonly onLost: (reason: unknown) => void;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly random: () => number;
}

/** ms after which an attempt to connect is given up. */
const LONGEST_CONNECT = 30_000;

/** ms: a connection that is lost sooner does not end the back-off. */
const WORTHWHILE = 1_000;

/** Connects, and after each loss waits and connects again. */
export class SourceReader<C extends Change> implements AsyncIterableIterator<ChangeBatch<C>, undefined> {
  readonly #connect: Connect<C>;
  readonly #settings: SourceSettings;
  readonly #onEnd: () => void;
  readonly #queue: BatchQueue<C>;
  readonly #closing = new AbortController();
  #connection: Connection<C> | undefined;
  #started = false;

  /** @param onEnd Called when it has ended, perhaps more than once. */
  constructor(connect: Connect<C>, settings: SourceSettings, onEnd: () => void) {
    this.#connect = connect;
    this.#settings = settings;
    this.#onEnd = onEnd;
    this.#queue = new BatchQueue(settings.maxQueued);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ChangeBatch<C>, undefined>> {
    if (!this.#started) void this.#run();
    return this.#queue.next();
  }

  return(): Promise<IteratorResult<ChangeBatch<C>, undefined>> {
    this.#started = true;
    this.#queue.close();
    this.#closing.abort();
    this.#connection?.lose(undefined);
    this.#onEnd();
    return this.#queue.next();
  }

  async #run(): Promise<void> {
    this.#started = true;
    const { signal } = this.#closing;
    const { clock, random, sleep, onLost } = this.#settings;
    const backOff = new BackOff(random);
    while (!signal.aborted) {
      const began = clock.monotonic();
      this.#connection = new Connection(this.#queue, this.#settings);
      const { reason, final } = await this.#connection.run(this.#connect);
      if (signal.aborted) return;
      if (final) {
        this.#onEnd();
        return this.#queue.fail(reason);
      }
      try {
        onLost(reason);
      } catch {
        // What the listener does with it must not harm the feed.
      }
      if (this.#connection.proved && clock.monotonic() - began >= WORTHWHILE) backOff.reset();
      await sleep(backOff.nextEager(), signal).catch(() => {});
    }
  }
}

/** Why a connection is over. */
interface Loss {
  readonly reason: unknown;
  /** Whether there is no use in another one. */
  readonly final: boolean;
}

/** One connection, from the call of `connect` until the loss. */
class Connection<C extends Change> {
  readonly #queue: BatchQueue<C>;
  readonly #settings: SourceSettings;
  readonly #abort = new AbortController();
  #loss: Loss | undefined;
  /** The token that has not come back. */
  #awaited: { readonly token: string; readonly sent: Instant } | undefined;
  /** What the first token came back through. */
  #identity: { readonly connection: unknown } | undefined;
  #proved = false;

  constructor(queue: BatchQueue<C>, settings: SourceSettings) {
    this.#queue = queue;
    this.#settings = settings;
  }

  /** Whether the source has once proved to be complete. */
  get proved(): boolean {
    return this.#proved;
  }

  /** Connects, proves contact again and again, and returns once the connection is lost. */
  async run(connect: Connect<C>): Promise<Loss> {
    try {
      const { onlyWriter } = this.#settings;
      await (onlyWriter ? this.#listen(connect) : this.#exchangeTokens(connect));
    } catch (error) {
      this.lose(error);
    }
    return this.#loss!;
  }

  /** Ends the connection: the loss is in the queue when this returns. */
  lose(reason: unknown, final = reason instanceof ChangesError && FINAL.has(reason.code)): void {
    if (this.#loss !== undefined) return;
    this.#loss = { reason, final };
    this.#queue.lose(reason);
    this.#abort.abort();
  }

  async #listen(connect: Connect<C>): Promise<void> {
    const { clock, maxLag, sleep } = this.#settings;
    const returned = connect(this.#controller());
    if (isThenable(returned) || isConnection(returned)) {
      return this.lose(
        new TypeError(
          "onlyWriter is for changes made by this process: nothing is waited for, nothing is sent",
        ),
        true,
      );
    }
    while (this.#loss === undefined) {
      this.#prove(instant(clock));
      await sleep(proofPeriod(maxLag), this.#abort.signal);
    }
  }

  async #exchangeTokens(connect: Connect<C>): Promise<void> {
    const { clock, maxLag, sleep } = this.#settings;
    const { signal } = this.#abort;
    const connection = await this.#open(connect);
    if (connection === undefined) return;
    const session = crypto.randomUUID();
    for (let count = 1; this.#loss === undefined; count++) {
      // By now the one before has to be back.
      if (this.#awaited !== undefined) {
        return this.lose(new ChangesError("timeout", "A token has not come back in time"));
      }
      this.#awaited = { token: `stillfresh-${session}-${count}`, sent: instant(clock) };
      void this.#send(connection, this.#awaited.token);
      await sleep(proofPeriod(maxLag), signal);
    }
  }

  /** The connection, once the source listens; undefined if there will be none. */
  async #open(connect: Connect<C>): Promise<SourceConnection | undefined> {
    const { sleep } = this.#settings;
    const { signal } = this.#abort;
    const connecting = Promise.resolve(connect(this.#controller()) as SourceConnection);
    // Also where it is made after it was given up.
    const closed = () => void connecting.then(close, () => {});
    signal.addEventListener("abort", closed);
    if (signal.aborted) closed();
    const connection: unknown = await deadline(connecting, LONGEST_CONNECT, sleep, signal);
    if (this.#loss !== undefined) return undefined;
    if (connection === EXPIRED) {
      this.lose(new ChangesError("timeout", "The source did not connect in time"));
    } else if (isConnection(connection)) {
      return connection;
    } else {
      const missing =
        "connect() must return { send(token) }, which sends the token the way that changes come";
      this.lose(
        new TypeError(`${missing}; if this process is the only writer, say { onlyWriter: true }`),
        true,
      );
    }
    return undefined;
  }

  async #send(connection: SourceConnection, token: string): Promise<void> {
    try {
      await connection.send(token);
    } catch (error) {
      this.lose(error);
    }
  }

  #controller(): SourceController<C> {
    return {
      change: (change) => this.#change(change),
      received: (token, connection) => this.#receive(token, connection),
      lost: (reason) => this.lose(reason ?? new ChangesError("network", "The source was lost")),
      signal: this.#abort.signal,
    };
  }

  #change(change: C): void {
    if (this.#loss !== undefined) return;
    if (typeof change?.id === "string") return this.#queue.push(change);
    const error = new TypeError(`change() takes a change with a string id, not ${String(change?.id)}`);
    this.lose(error);
    throw error;
  }

  #receive(token: string, connection: unknown): void {
    const awaited = this.#awaited;
    if (this.#loss !== undefined || awaited === undefined || token !== awaited.token) return;
    this.#awaited = undefined;
    this.#identity ??= { connection };
    if (!Object.is(this.#identity.connection, connection)) {
      return this.lose(new ChangesError("network", "The source was connected anew"));
    }
    this.#prove(awaited.sent);
  }

  /** Nothing before the first proof counts, whatever was said of when the source began to listen. */
  #prove(contact: Instant): void {
    this.#queue.prove(contact, this.#proved ? undefined : "connected");
    this.#proved = true;
  }
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === "function";
}

function isConnection(value: unknown): value is SourceConnection {
  return typeof (value as SourceConnection | undefined)?.send === "function";
}

/** A connection that is over is closed in any case, so errors of its `close()` are ignored. */
async function close(connection: SourceConnection): Promise<void> {
  try {
    await connection?.close?.();
  } catch {
    // See above.
  }
}
