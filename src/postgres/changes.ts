/**
 * The changes of PostgreSQL tables as a feed, through any client, without a replication slot, a privilege of the server
 * or a connection of its own. Triggers fill a change table, and each look reads what became visible between two
 * snapshots: whatever the order in which transactions commit, and however long one of them runs, no change is lost.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import { changes } from "@stillfresh/etag/postgres";
 *
 * // Stands in for `pool.query` of `pg`.
 * const looked = {
 *   now: "7:7:", start: "1", age: 0, pruned: false, rows: null, version: 1, identity: "a", shape: "b", children: null,
 *   watched: [["posts", '{"table":"posts","groups":[]}', 2]],
 * };
 * const pool = {
 *   query: (_text: string, [, asked]: string[]) =>
 *     Promise.resolve({ rows: [{ looked: JSON.stringify({ ...looked, asked }) }] }),
 * };
 *
 * const registry = new EtagRegistry();
 * const feed = changes((text, parameters) => pool.query(text, parameters), { tables: ["posts"] });
 * const follower = follow(registry, feed);
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * ```
 *
 * @module
 */
import type { Change, Position, ResetReason } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { namedTables, PolledFeed, type TableFeed, type TableFeedOptions } from "../changes/polled_feed.ts";
import type { Look, PolledSource, PollSettings } from "../changes/polled_reader.ts";
import { faultOf } from "./faults.ts";
import { checkLook, type Looked, lookStatement, readLook, SNAPSHOT, watchedTable } from "./look.ts";
import { identifier, type TableName, tableName } from "./table_name.ts";

export { type Migration, migration, type MigrationOptions, type TableOptions } from "./migration.ts";
export type { TableFeed, TableFeedOptions } from "../changes/polled_feed.ts";
export type { PolledFeedEvent } from "../changes/polled_reader.ts";

/** All that is asked of a client: it runs one statement outside of transactions, and gives its rows. */
export type Query = (
  text: string,
  parameters: string[],
) => PromiseLike<readonly unknown[] | { readonly rows: readonly unknown[] }>;

/**
 * Listens to a channel, as `listen` of postgres.js and `Bun.sql` does. Only a wake: nothing depends on a notification.
 * What it gives is called, or its `unlisten()`, when the feed is closed.
 */
export type Listen = (channel: string, onNotify: () => void, onListen: () => void) => PromiseLike<unknown>;

/** Options of the feed. */
export interface PostgresOptions extends TableFeedOptions {
  /** Looks at once when a statement has notified; for a migration with `notify`. Default: none. */
  readonly listen?: Listen;
  /** The schema that was given to the migration; default `"stillfresh"`. */
  readonly schema?: string;
  /** ms for which a change is kept for followers that are behind, at least; 0: this feed prunes nothing. Default 600,000. */
  readonly keep?: number;
}

/** The channel that a migration with `notify` notifies. */
const CHANNEL = "stillfresh";

/**
 * Follows tables. Each change of a row is reported as `posts/7`, `posts`, and `posts?author_id=5` for the old and the new
 * value of each column that the migration was given as a group: what `row()` and `rows()` declare.
 *
 * A look sees every commit that was acknowledged before it was sent. A restart of the server, a failover, a restored
 * backup and a change of a table's shape are resets.
 *
 * @param query Runs one statement, and gives its rows: `(text, parameters) => pool.query(text, parameters)` with `pg`,
 * `(text, parameters) => sql.unsafe(text, parameters)` with postgres.js and `Bun.sql`.
 * @param options The tables, bounds and clocks.
 * @returns The feed. The database is not asked before it is read.
 * @throws {TypeError} If `query` is no function, or no table is named.
 * @throws {RangeError} If a number is illegal.
 */
export function changes(query: Query, options: PostgresOptions): TableFeed {
  if (typeof query !== "function") {
    throw new TypeError(
      `changes() takes a function that runs a statement, not a value of type ${typeof query}`,
    );
  }
  const tables = namedTables(options).map(tableName);
  const source = (settings: PollSettings, sources: Set<string>) =>
    new TablesSource(query, tables, options, settings, sources);
  return new PolledFeed(options, 200, source);
}

/** What a position belongs to. */
type Source = readonly [identity: string, shape: string, tables: string];

class TablesSource implements PolledSource {
  readonly #query: Query;
  readonly #tables: readonly TableName[];
  readonly #settings: PollSettings;
  readonly #sources: Set<string>;
  readonly #statements: { readonly whole: string; readonly quick: string; readonly prune: string };
  readonly #asked: string;
  readonly #most: number;
  readonly #keep: number;
  readonly #listen: Listen | undefined;
  #prunedAt: number;
  /** When the server was started that the last whole look was at. */
  #start: string | undefined;
  #listening: PromiseLike<unknown> | undefined;

  constructor(
    query: Query,
    tables: readonly TableName[],
    { schema = "stillfresh", overflow = 10_000, keep = 600_000, listen }: PostgresOptions,
    settings: PollSettings,
    sources: Set<string>,
  ) {
    this.#query = query;
    this.#tables = tables;
    this.#settings = settings;
    this.#sources = sources;
    this.#most = overflow;
    this.#keep = keep;
    this.#listen = listen;
    this.#asked = JSON.stringify(tables.map(({ name, quoted }) => [name, quoted]));
    this.#statements = {
      whole: lookStatement(schema, overflow, true),
      quick: lookStatement(schema, overflow, false),
      prune: `select ${identifier(schema)}.prune($1::text::float8)`,
    };
    this.#prunedAt = settings.clock.monotonic();
  }

  async look(from: Position | undefined, isWhole: boolean): Promise<Look> {
    const { clock } = this.#settings;
    const sent = clock.monotonic();
    const { whole, quick } = this.#statements;
    // The position of another feed is none that the server could read.
    const since = isOwn(from) ? from.since : "";
    const looked = isWhole ? await this.#run(whole, since, this.#asked) : await this.#run(quick, since);
    checkLook(looked, this.#tables, clock.monotonic() - sent);
    if (!isWhole && looked.start !== this.#start) {
      // A snapshot of one server says nothing of another, and that of a standby leaves out what is running.
      throw new ChangesError(
        "server-error",
        "Another server has answered than the look before, or it was restarted",
      );
    }
    if (isWhole) {
      this.#start = looked.start;
      this.#noteSources(looked);
      this.#prune();
    }
    return this.#lookOf(looked, from);
  }

  async #run(statement: string, since: string, ...more: readonly string[]): Promise<Looked> {
    const asked = crypto.randomUUID();
    let result: unknown;
    try {
      result = await this.#query(statement, [since, asked, ...more]);
    } catch (error) {
      throw faultOf(error);
    }
    return readLook(result, asked);
  }

  #lookOf(looked: Looked, from: Position | undefined): Look {
    const { now, age, rows, identity, shape } = looked;
    const source = identity === undefined
      ? from!.source
      : JSON.stringify([identity, shape!, this.#asked] satisfies Source);
    const position = { since: now, source };
    const found = { position, age: Math.max(0, age) };
    if (from === undefined) return { changes: [], ...found };
    const reset = from.source === source ? this.#resetOf(looked, from) : differenceOf(from.source, source);
    return reset === undefined
      ? { changes: changesOf(rows ?? []), ...found }
      : { changes: [], ...found, reset };
  }

  /** What makes everything void, though server and tables are those of the position. */
  #resetOf({ now, pruned, rows }: Looked, from: Position): ResetReason | undefined {
    // Such as a machine that was set back, memory included: then nothing else is different.
    if (isOwn(from) && nextOf(from.since) > nextOf(now)) return "rolled-back";
    if (pruned) return "since-refused";
    return (rows?.length ?? 0) > this.#most ? "overflow" : undefined;
  }

  #noteSources({ watched = [] }: Looked): void {
    this.#sources.clear();
    for (const [name, about] of watched) {
      this.#sources.add(name);
      for (const column of watchedTable(about!).groups) this.#sources.add(`${name}?${column}`);
    }
  }

  /** The first of all followers to come after that time takes out what none of them needs. */
  #prune(): void {
    const { clock, onEvent } = this.#settings;
    if (this.#keep === 0 || clock.monotonic() - this.#prunedAt < this.#keep / 2) return;
    this.#prunedAt = clock.monotonic();
    Promise.resolve(this.#query(this.#statements.prune, [String(this.#keep / 1_000)])).catch((error) => {
      try {
        onEvent({ type: "unpruned", error: faultOf(error) });
      } catch {
        // What the listener does with it must not harm the feed.
      }
    });
  }

  /** Listens for notifications, which wake. */
  listen(wake: () => void): void {
    if (this.#listen === undefined) return;
    this.#listening = Promise.resolve(this.#listen(CHANNEL, wake, wake)).catch(() => undefined);
  }

  close(): void {
    void this.#listening?.then(async (listening) => {
      const stop = typeof listening === "function"
        ? listening
        : (listening as { readonly unlisten?: unknown } | undefined)?.unlisten;
      if (typeof stop === "function") await stop.call(listening);
    }).then(undefined, () => {});
  }
}

function isOwn(from: Position | undefined): from is { readonly since: string; readonly source: string } {
  return typeof from?.since === "string" && SNAPSHOT.test(from.since);
}

/** The next transaction of a snapshot. */
function nextOf(snapshot: string): bigint {
  return BigInt(snapshot.split(":")[1]!);
}

function changesOf(rows: NonNullable<Looked["rows"]>): Change[] {
  const ids = new Set<string>();
  for (const [table, key, groups] of rows) {
    ids.add(`${table}/${key}`);
    ids.add(table);
    for (const group of groups) ids.add(group);
  }
  return Array.from(ids, (id) => ({ id }));
}

/** Why a position does not belong to what a look has found. */
function differenceOf(known: string, found: string): "restarted" | "schema" | "since-refused" {
  try {
    const [identity, shape, tables] = JSON.parse(known) as Source;
    const [newIdentity, newShape, newTables] = JSON.parse(found) as Source;
    if (tables !== newTables) return "since-refused";
    if (identity !== newIdentity) return "restarted";
    if (shape !== newShape) return "schema";
  } catch {
    // A position of another feed.
  }
  return "since-refused";
}
