/** One request of the followed database on its way: a real `Response`, whose bytes come when the simulation says so. */
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { MS } from "./clocks.ts";

const encoder = new TextEncoder();

export class Exchange {
  readonly url: URL;
  /** What a POST carries. */
  readonly body: string;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #settle: { resolve: (response: Response) => void; reject: (error: unknown) => void };
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Over, as the client sees it. */
  closed = false;
  /** Nothing gets through any more, and nobody is told. */
  lost = false;
  /** Called when the client gives up. */
  onClose: () => void = () => {};

  constructor(
    url: string,
    { signal, body }: RequestInit,
    settle: { resolve: (response: Response) => void; reject: (error: unknown) => void },
    scheduler: Scheduler,
    random: Random,
  ) {
    this.url = new URL(url);
    this.body = typeof body === "string" ? body : "";
    this.#settle = settle;
    this.#scheduler = scheduler;
    this.#random = random;
    const abort = () => this.fail(signal?.reason);
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  }

  get open(): boolean {
    return !this.closed && !this.lost;
  }

  /** The status line and the fields. */
  head(status: number, type: string, fields: Readonly<Record<string, string>> = {}): void {
    if (!this.open) return;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
    });
    this.#settle.resolve(new Response(body, { status, headers: { "content-type": type, ...fields } }));
  }

  send(text: string): void {
    if (this.open) this.#controller?.enqueue(encoder.encode(text));
  }

  end(): void {
    if (!this.open) return;
    this.#close();
    this.#controller?.close();
  }

  /** The connection breaks, as far as the client can see. */
  fail(error: unknown): void {
    if (this.closed) return;
    this.#close();
    if (this.#controller === undefined) this.#settle.reject(error);
    else this.#controller.error(error);
  }

  /** A whole answer, in one piece or in two. */
  answer(status: number, type: string, body: string, fields?: Readonly<Record<string, string>>): void {
    this.head(status, type, fields);
    if (this.#random.chance(0.9)) {
      this.send(body);
      this.end();
      return;
    }
    const middle = this.#random.integer(0, body.length);
    this.send(body.slice(0, middle));
    this.#scheduler.after(this.#random.integer(1, 20 * MS), () => {
      this.send(body.slice(middle));
      this.end();
    });
  }

  #close(): void {
    this.closed = true;
    this.onClose();
  }
}
