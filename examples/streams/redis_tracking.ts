/**
 * Redis as the database: a feed of the keys that begin with a prefix, by client tracking (Redis documentation,
 * "Client-side caching", broadcasting mode).
 *
 * Redis tells a second connection of each key that was written. The token is such a key, so that it comes behind every
 * key that was written before it. Where either connection breaks, no token comes back any more, and a new pair begins
 * with everything void. Keyspace notifications are no source: those that no client hears are gone without a sign.
 *
 * A key that has outlived its time to live is told of when Redis takes it out, which may be later.
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`, and `change.ts` is `@stillfresh/etag/change`.
 */
import { ownFeed, type OwnFeedOptions } from "../../mod.ts";
import type { Change, MappableFeed } from "../../src/changes/change.ts";

/** A connection to Redis that does not connect anew by itself, such as npm's `redis` with `reconnectStrategy: false`. */
export interface RedisConnection {
  sendCommand(words: string[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: unknown) => void): Promise<unknown>;
  on(event: "error" | "end", listener: (reason?: unknown) => void): unknown;
  destroy(): void;
}

/** Seconds after which Redis forgets a token by itself; that is a change of its key too, which nothing waits for. */
const TOKEN_LIFE = "120";

/**
 * The changes of all keys with a prefix, each by its name.
 *
 * @param open Opens a connection; two are needed.
 * @param prefix Such as `"post:"`; empty: all keys.
 */
export function redisChanges(
  open: () => Promise<RedisConnection>,
  prefix: string,
  options?: OwnFeedOptions,
): MappableFeed<Change> {
  return ownFeed(async ({ change, received, lost, signal }) => {
    const [writing, listening] = await Promise.all([open(), open()]);
    const tokenKey = `${prefix}stillfresh-token:`;
    const close = () => {
      writing.destroy();
      listening.destroy();
    };
    signal.addEventListener("abort", close, { once: true });
    for (const connection of [writing, listening]) {
      connection.on("error", lost);
      connection.on("end", lost);
    }
    const hear = (message: unknown) => {
      // No list of keys: FLUSHDB and FLUSHALL.
      if (message === null) return lost(new Error("Redis was emptied"));
      const keys = (Array.isArray(message) ? message : [message]).map(String);
      // Keys of one message come without an order: all of them are before the token.
      for (const key of keys) if (!key.startsWith(tokenKey)) change({ id: key });
      for (const key of keys) if (key.startsWith(tokenKey)) received(key.slice(tokenKey.length), listening);
    };
    const id = String(await listening.sendCommand(["CLIENT", "ID"]));
    await listening.subscribe("__redis__:invalidate", hear);
    await writing.sendCommand(["CLIENT", "TRACKING", "ON", "REDIRECT", id, "BCAST", "PREFIX", prefix]);
    return {
      send: (token) => writing.sendCommand(["SET", tokenKey + token, "", "EX", TOKEN_LIFE]),
      close,
    };
  }, options);
}
