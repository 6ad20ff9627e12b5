/**
 * A proxy in front of a database that counts what is asked through it, and can hold the feed back: what the database
 * answers to requests of `_changes` then waits, and everything else passes.
 *
 * @module
 */

/** A gate that is open, on a free port of the loopback interface. */
export class FeedGate {
  /** Continuous feeds that are open now. */
  feeds = 0;
  /** Documents read so far. */
  reads = 0;
  readonly #target: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  /** @param target The origin of the database's server. */
  constructor(target: string) {
    this.#target = target;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request, { completed }) => this.#pass(request, completed),
    );
  }

  /** The origin to ask in the target's place. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** From now on no byte of a feed passes. */
  hold(): void {
    this.#opened = new Promise((resolve) => this.#open = resolve);
  }

  /** Lets through what has waited, and what comes. */
  release(): void {
    this.#open();
    this.#opened = Promise.resolve();
  }

  async close(): Promise<void> {
    this.release();
    await this.#server.shutdown();
  }

  /** @param completed Settles when the answer has been sent, or the client is gone. */
  async #pass(request: Request, completed: Promise<void>): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url);
    const isFeed = pathname.endsWith("/_changes");
    if (isFeed && searchParams.get("feed") === "continuous") {
      this.feeds++;
      completed.catch(() => {}).then(() => this.feeds--);
    }
    if (request.method === "GET" && /^\/\w+\/\w+$/.test(pathname) && !isFeed) this.reads++;
    const { method, headers, body } = request;
    const url = `${this.#target}${pathname}${search}`;
    const { status, headers: fields, body: answer } = await fetch(url, { method, headers, body });
    if (!isFeed || answer === null) return new Response(answer, { status, headers: fields });
    const held = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: async (bytes, controller) => {
        await this.#opened;
        controller.enqueue(bytes);
      },
    });
    return new Response(answer.pipeThrough(held), { status, headers: fields });
  }
}
