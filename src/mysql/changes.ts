/**
 * The changes of MariaDB tables as a feed, through any client, without a replica's privileges or a connection of its own.
 * Triggers fill a change table whose rows are numbered, and a look reads the numbers that were not seen before: those above
 * the highest, and each missing one below it until no transaction is left that may still commit it.
 *
 * MySQL itself is refused: it has not been run.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import { changes } from "@stillfresh/etag/mysql";
 *
 * // Stands in for a pool of `mysql2/promise`, which gives rows and fields.
 * const looked = [
 *   { kind: "top", a: "7", b: "" }, { kind: "floor", a: "0", b: "" }, { kind: "identity", a: "life/1", b: "" },
 *   { kind: "shape", a: "", b: "version 1" }, { kind: "shape", a: "posts", b: 'about {"table":"posts","groups":[],"cascades":[],"triggers":3}' },
 *   { kind: "shape", a: "posts", b: "engine InnoDB/2026-01-01" },
 *   ...["insert", "update", "delete"].map((event) => ({ kind: "shape", a: "posts", b: `trigger ${event}` })),
 * ];
 * const pool = {
 *   query(text: string) {
 *     const [, asked] = /'asked', convert\('([^']+)'/.exec(text) ?? [];
 *     const running = { id: 0, thread: 1, started: 1, identity: "life/1", query: text };
 *     return Promise.resolve([asked === undefined ? [running] : [...looked, { kind: "asked", a: asked, b: "" }], []]);
 *   },
 * };
 *
 * const registry = new EtagRegistry();
 * const feed = changes((text) => pool.query(text), { tables: ["posts"] });
 * const follower = follow(registry, feed);
 * await follower.ready;
 * assert.equal(registry.live, true);
 * await follower.close();
 * ```
 *
 * @module
 */
import type { Change, Position } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { namedTables, PolledFeed, type TableFeed, type TableFeedOptions } from "../changes/polled_feed.ts";
import type { Look, PolledSource, PollSettings } from "../changes/polled_reader.ts";
import { faultOf } from "./faults.ts";
import {
  checkLook,
  isDetached,
  listStatement,
  type Looked,
  lookStatement,
  readList,
  readLook,
  watchedTables,
} from "./look.ts";
import { literal, tableName } from "./names.ts";
import { type Transaction, Undecided } from "./undecided.ts";

export {
  type Cascade,
  type Migration,
  migration,
  type MigrationOptions,
  type TableOptions,
} from "./migration.ts";
export type { TableFeed, TableFeedOptions } from "../changes/polled_feed.ts";
export type { PolledFeedEvent } from "../changes/polled_reader.ts";

/**
 * All that is asked of a client: it runs one statement outside of transactions, and gives its rows, as an array, in `rows`,
 * or as the first of an array with the fields. There are never parameters.
 */
export type Query = (
  text: string,
  parameters: string[],
) => PromiseLike<readonly unknown[] | { readonly rows: readonly unknown[] }>;

/** Options of the feed. */
export interface MysqlOptions extends TableFeedOptions {
  /** Most changes of one look; if there are more, everything counts as changed. Also most gaps that it keeps. Default 10,000. */
  readonly overflow?: number;
  /** ms for which a change is kept for followers that are behind, at least; 0: this feed prunes nothing. Default 600,000. */
  readonly keep?: number;
}

/**
 * Follows tables. Each change of a row is reported as `posts/7`, `posts`, and `posts?author_id=5` for the old and the new
 * value of each column that the migration was given as a group: what `row()` and `rows()` declare.
 *
 * A look sees every commit that was acknowledged before it was sent. A restart of the server, a failover and a change of a
 * table's shape are resets.
 *
 * @param query Runs one statement, and gives its rows: `(text) => pool.query(text)` with `mysql2/promise` and `mariadb`.
 * @param options The tables, bounds and clocks.
 * @returns The feed. The database is not asked before it is read.
 * @throws {TypeError} If `query` is no function, or no table is named.
 * @throws {RangeError} If a number is illegal.
 */
export function changes(query: Query, options: MysqlOptions): TableFeed {
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

/** How long, in ms, the server keeps what it has listed, and how often it is asked until it lists anew. */
const KEPT = 100;
const MOST_LISTS = 4;

/** What a position belongs to. */
type Source = readonly [identity: string, shape: string, tables: string];

class TablesSource implements PolledSource {
  readonly #query: Query;
  readonly #tables: readonly string[];
  readonly #settings: PollSettings;
  readonly #sources: Set<string>;
  readonly #closing = new AbortController();
  readonly #asked: string;
  readonly #most: number;
  readonly #period: number;
  /** What was seen, with what is known of the transactions that hold gaps; its text is in the position. */
  #seen: Undecided | undefined;
  #prunedAt: number;

  constructor(
    query: Query,
    tables: readonly string[],
    { overflow = 10_000, keep = 600_000 }: MysqlOptions,
    settings: PollSettings,
    sources: Set<string>,
  ) {
    this.#query = query;
    this.#tables = tables;
    this.#settings = settings;
    this.#sources = sources;
    this.#most = overflow;
    this.#period = keep;
    this.#asked = JSON.stringify(tables);
    this.#prunedAt = settings.clock.monotonic();
  }

  async look(from: Position | undefined, isWhole: boolean): Promise<Look> {
    if (from === undefined) return await this.#begin();
    const known = this.#seen?.toString() === from.since ? this.#seen! : Undecided.parse(from.since);
    const source = sourceOf(from);
    if (known === undefined || source === undefined) return await this.#begin("since-refused");
    const [identity, shape, tables] = source;
    const running = isWhole && known.gaps.length > 0 ? await this.#list(identity) : undefined;
    const listed = running === undefined ? known : known.list(running);
    const looked = await this.#look(listed, isWhole);
    if (tables !== this.#asked) return await this.#begin("since-refused");
    if (identity !== looked.identity) return await this.#begin("restarted");
    if (isWhole && shape !== await digestOf(looked)) return await this.#begin("schema");
    // Such as a machine that was set back, memory included: then nothing else is different.
    if (looked.top < known.top) return await this.#begin("rolled-back");
    if (listed.decided < looked.floor) return await this.#begin("since-refused");
    if (looked.rows.length > this.#most) return await this.#begin("overflow");
    const seen = this.#keep(listed.see(looked.rows.map(([number]) => number)));
    if (isWhole) this.#prune(seen, identity);
    return { changes: changesOf(looked.rows), position: { since: seen.toString(), source: from.source } };
  }

  close(): void {
    this.#closing.abort();
  }

  /**
   * Finds where the numbers stand. A trigger can be made only while no connection holds the table, but one that ends with a
   * prepared transaction lets go of it: what that one changed before is told by no trigger. So none may be left, between
   * two looks at the same triggers.
   */
  async #begin(reset?: Look["reset"]): Promise<Look> {
    const before = await this.#look(undefined, true);
    const running = await this.#listNow(before.identity!);
    if (running.some(isDetached)) {
      throw new ChangesError(
        "server-error",
        "A prepared transaction without a connection, or one that a crash has left, may hold changes from before the " +
          "triggers: the feed begins once it has been committed or rolled back (XA RECOVER lists it)",
      );
    }
    const looked = await this.#look(undefined, true);
    const shape = await digestOf(looked);
    if (looked.identity !== before.identity || shape !== await digestOf(before)) {
      throw new ChangesError("server-error", "The tables have been changed while the feed began");
    }
    const seen = this.#keep(new Undecided(looked.top, looked.gaps));
    const source = JSON.stringify([looked.identity!, shape, this.#asked] satisfies Source);
    return { changes: [], position: { since: seen.toString(), source }, reset };
  }

  async #look(seen: Undecided | undefined, isWhole: boolean): Promise<Looked> {
    const ask = async () => {
      const asked = crypto.randomUUID();
      return readLook(await this.#run(lookStatement(seen, this.#most, isWhole, asked)), asked);
    };
    let looked = await ask();
    checkLook(looked, this.#tables, isWhole);
    if (looked.identity === undefined) {
      await this.#run("insert ignore into stillfresh_lives values (1, uuid())");
      looked = await ask();
      if (looked.identity === undefined) {
        throw new ChangesError(
          "server-error",
          "The server does not keep what was written into stillfresh_lives",
        );
      }
    }
    if (isWhole) this.#noteSources(looked);
    return looked;
  }

  /** Asks which transactions run; undefined: the answer is not of now, or not of this server, and tells nothing. */
  async #list(identity: string): Promise<Transaction[] | undefined> {
    const token = `stillfresh ${crypto.randomUUID()}`;
    return readList(await this.#run(listStatement(token)), token, identity);
  }

  /** The same, until an answer is of now: the server keeps what it has listed for a tenth of a second. */
  async #listNow(identity: string): Promise<Transaction[]> {
    const { sleep, random } = this.#settings;
    for (let attempt = 0; attempt < MOST_LISTS; attempt++) {
      const running = await this.#list(identity);
      if (running !== undefined) return running;
      await sleep(KEPT * (1 + random()), this.#closing.signal);
    }
    throw new ChangesError("server-error", "The server has not listed which transactions run now");
  }

  /** Keeps it for the next look. With too many gaps, the look would be of as many parts. */
  #keep(seen: Undecided): Undecided {
    if (seen.gaps.length > this.#most) {
      throw new ChangesError(
        "server-error",
        `More than ${this.#most} numbers may still be committed, because a transaction runs for too long`,
      );
    }
    return this.#seen = seen;
  }

  async #run(statement: string): Promise<unknown> {
    try {
      return await this.#query(statement, []);
    } catch (error) {
      throw faultOf(error);
    }
  }

  #noteSources(looked: Looked): void {
    this.#sources.clear();
    for (const { table, groups } of watchedTables(looked)) {
      if (!this.#tables.includes(table)) continue;
      this.#sources.add(table);
      for (const column of groups) this.#sources.add(`${table}?${column}`);
    }
  }

  /**
   * The first of all followers to come after that time takes out what none of them needs. It may reach a server that has
   * been started meanwhile, whose numbers stand lower: that one leaves it.
   */
  #prune({ decided }: Undecided, identity: string): void {
    const { clock, onEvent } = this.#settings;
    if (this.#period === 0 || clock.monotonic() - this.#prunedAt < this.#period / 2) return;
    this.#prunedAt = clock.monotonic();
    this.#run(`call stillfresh_prune(${decided}, ${this.#period / 1_000}, ${literal(identity)})`).catch(
      (error) => {
        try {
          onEvent({ type: "unpruned", error });
        } catch {
          // What the listener does with it must not harm the feed.
        }
      },
    );
  }
}

function changesOf(rows: Looked["rows"]): Change[] {
  const ids = new Set<string>();
  for (const [, id] of rows) {
    ids.add(id);
    ids.add(id.slice(0, id.search(/[/?]/)));
  }
  return Array.from(ids, (id) => ({ id }));
}

/** Of all that a whole look says of the tables, in no order. */
async function digestOf({ shape }: Looked): Promise<string> {
  const lines = shape.map((line) => JSON.stringify(line)).toSorted();
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join()));
  return Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a position says that it belongs to; undefined: it is one of another feed. */
function sourceOf({ source }: Position): Source | undefined {
  try {
    const parts = JSON.parse(String(source));
    return Array.isArray(parts) && parts.length === 3 ? parts as never : undefined;
  } catch {
    return undefined;
  }
}
