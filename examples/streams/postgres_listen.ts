/**
 * A channel of PostgreSQL as the source (`LISTEN`, `NOTIFY`): for programs that notify it of what they change, in the
 * transaction that changes it. `@stillfresh/etag/postgres` needs no such discipline, and costs the writers less.
 *
 * PostgreSQL delivers notifications in the order in which transactions commit. A token that is notified over the
 * connection that listens comes behind all that was committed before.
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`, and `change.ts` is `@stillfresh/etag/change`.
 */
import { ownFeed, type OwnFeedOptions } from "../../mod.ts";
import type { Change, MappableFeed } from "../../src/changes/change.ts";

/** A connection of its own, such as `Client` of npm's `pg`. It must not be one of a pool, nor behind a pooler. */
export interface PostgresConnection {
  connect(): Promise<unknown>;
  query(text: string, parameters?: unknown[]): Promise<unknown>;
  on(event: "notification", listener: (message: { readonly payload?: string }) => void): unknown;
  on(event: "error" | "end", listener: (reason?: unknown) => void): unknown;
  end(): Promise<unknown>;
}

const TOKEN = "stillfresh-token:";

/**
 * The changes that are notified to a channel: each payload is the id of what changed.
 *
 * @param open Makes a connection that is not connected yet.
 * @param channel Its name, in lower case.
 */
export function notifiedChanges(
  open: () => PostgresConnection,
  channel: string,
  options?: OwnFeedOptions,
): MappableFeed<Change> {
  return ownFeed(async ({ change, received, lost }) => {
    const connection = open();
    connection.on("error", lost);
    connection.on("end", lost);
    connection.on("notification", ({ payload = "" }) => {
      if (payload.startsWith(TOKEN)) received(payload.slice(TOKEN.length), connection);
      else change({ id: payload });
    });
    await connection.connect();
    await connection.query(`LISTEN "${channel.replaceAll('"', '""')}"`);
    return {
      send: (token) => connection.query("SELECT pg_notify($1, $2)", [channel, TOKEN + token]),
      close: () => connection.end(),
    };
  }, options);
}
