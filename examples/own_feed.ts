/**
 * Without CouchDB: a feed of any source that reports changes in order. Here it is a channel in this process that
 * behaves like one of PostgreSQL (`LISTEN`, `NOTIFY`), connections that break included.
 *
 * That a connection is open proves nothing: it may be dead, and many clients connect anew without a word. So the feed
 * sends a token through the channel, and is live once the token is back: every change that was published before it has
 * arrived by then.
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag`.
 */
import {
  dependsOn,
  EtagRegistry,
  follow,
  type Follower,
  ownFeed,
  type OwnFeedOptions,
  withEtag,
} from "../mod.ts";

/** A channel: what is published reaches all clients that are connected at that moment, in order. */
export class Channel {
  readonly #clients = new Set<ChannelClient>();
  #sessions = 0;

  publish(data: string): void {
    for (const client of this.#clients) {
      queueMicrotask(() => client.dispatchEvent(new MessageEvent("message", { data })));
    }
  }

  /** Opens a session for a client; it has another one after each `cut()`. */
  join(client: ChannelClient): number {
    this.#clients.add(client);
    return ++this.#sessions;
  }

  leave(client: ChannelClient): void {
    this.#clients.delete(client);
  }

  /** Breaks every connection. */
  cut(): void {
    for (const client of [...this.#clients]) {
      this.#clients.delete(client);
      client.dispatchEvent(new Event("close"));
    }
  }
}

/** A connection to a channel, as a client library gives it. */
export class ChannelClient extends EventTarget {
  readonly #channel: Channel;
  /** The server's number of the session. */
  session: number;

  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    this.session = channel.join(this);
  }

  publish(data: string): void {
    this.#channel.publish(data);
  }

  close(): void {
    this.#channel.leave(this);
  }
}

/** Prices that any process may change. Each change is published once the new price can be read. */
export class Prices {
  readonly #prices = new Map([["tea", 300], ["cake", 450]]);
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  get(name: string): number | undefined {
    return this.#prices.get(name);
  }

  set(name: string, price: number): void {
    this.#prices.set(name, price);
    this.#channel.publish(JSON.stringify({ id: name }));
  }
}

/**
 * `GET /tea` answers with its price.
 *
 * @param connect Connects to the channel of the prices.
 */
export function servePrices(
  prices: Prices,
  connect: () => ChannelClient,
  options: OwnFeedOptions = {},
): { fetch(request: Request): Response | Promise<Response>; follower: Follower } {
  const feed = ownFeed(({ change, received, lost }) => {
    const client = connect();
    client.addEventListener("message", (event) => {
      const { id, token } = JSON.parse((event as MessageEvent<string>).data);
      if (token === undefined) change({ id });
      // Another session than before would show that the client has connected anew, and may have missed a change.
      else received(token, client.session);
    });
    // Sooner known is sooner mended: without this line, the next token would show it.
    client.addEventListener("close", lost);
    return {
      // With PostgreSQL: SELECT pg_notify('prices', json_build_object('token', …, 'session', pg_backend_pid())::text),
      // over the connection that listens.
      send: (token) => client.publish(JSON.stringify({ token })),
      close: () => client.close(),
    };
  }, options);

  const registry = new EtagRegistry(options);
  const follower = follow(registry, feed, options);
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
