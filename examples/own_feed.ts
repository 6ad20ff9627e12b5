/**
 * Without CouchDB: any async iterable of changes can be followed. Here it is a queue in this process. An iterable
 * counts as live until it ends or throws, so one that reads from a connection has to throw when the connection is lost.
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag`.
 */
import { dependsOn, EtagRegistry, follow, type Follower, withEtag } from "../mod.ts";

/** Prices, and the changes to them as they happen. */
export class Prices {
  readonly #prices = new Map([["tea", 300], ["cake", 450]]);
  readonly #waiting: { id: string }[] = [];
  #wake: () => void = () => {};

  get(name: string): number | undefined {
    return this.#prices.get(name);
  }

  set(name: string, price: number): void {
    this.#prices.set(name, price);
    this.#waiting.push({ id: name });
    this.#wake();
  }

  /** Never ends: the end of the iterable would suspend the registry for good. */
  async *changes(): AsyncGenerator<{ id: string }> {
    for (;;) {
      const change = this.#waiting.shift();
      if (change !== undefined) yield change;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** `GET /tea` answers with its price. */
export function servePrices(
  prices: Prices,
): { fetch(request: Request): Response | Promise<Response>; follower: Follower } {
  const registry = new EtagRegistry();
  const follower = follow(registry, prices.changes());
  const handler = withEtag((request: Request) => {
    const name = new URL(request.url).pathname.slice(1);
    const price = prices.get(name);
    if (price === undefined) return new Response("That is not on the menu.\n", { status: 404 });
    return Response.json({ name, price }, {
      headers: { "cache-control": "public, no-cache", ...dependsOn(name) },
    });
  }, { registry });
  return { fetch: (request) => handler(request), follower };
}
