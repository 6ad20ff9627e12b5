/**
 * The one mechanism that catches up, proves contact and finds gaps: ask from one row early until nothing is pending,
 * hand the rows out, then read the identity. Only what a probe has shown is contact: bytes and heartbeats also come
 * from a server that has stopped following its own database.
 *
 * @module
 */
import type { Instant, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { instant } from "../../changes/clock.ts";
import type { CouchBatch, Cursor } from "./cursor.ts";
import type { Database } from "../connection/database.ts";
import { identityChange, isRewound } from "../wire/database_info.ts";
import { type Anchor, emptyAnchor, fromNewest, rowsNeeded } from "./anchor.ts";
import type { Settings } from "../connection/options.ts";
import type { Page } from "../wire/page.ts";
import { FeedGap } from "./gap.ts";

/** What one connection works with. */
export interface Connection {
  readonly database: Database;
  readonly cursor: Cursor;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

type Batches<Result = void> = AsyncGenerator<CouchBatch, Result, undefined>;

/**
 * Yields what is new, then an empty batch with state `"live"` and the new contact.
 *
 * @throws {FeedGap} If what was known of the database no longer holds.
 */
export async function* probe(connection: Connection): Batches {
  const { cursor, settings } = connection;
  const contact = yield* settings.selection.filtered ? selected(connection) : all(connection);
  await verifyIdentity(connection);
  cursor.contact = contact;
  cursor.state = "live";
  yield cursor.batch([]);
}

/**
 * Compares the database with what it was.
 *
 * @param since A position that it must have reached.
 * @throws {FeedGap} If it is another, or in another life.
 */
export async function verifyIdentity(
  { database, cursor, signal }: Connection,
  since: Since = cursor.since,
): Promise<void> {
  const current = await database.readInfo(signal);
  const reason = identityChange(cursor.info, current);
  if (reason !== undefined) throw new FeedGap(reason, current);
  if (isRewound(since, current)) throw new FeedGap("rewound", current);
  cursor.info = current;
}

/** Everything: the rows themselves show that none is missing. */
async function* all(connection: Connection): Batches<Instant> {
  const contact = yield* pages(connection, connection.cursor.anchor);
  return connection.cursor.anchor.rows.size > 0 ? contact : yield* anchorFound(connection);
}

/** What a filter lets through: whether the others are still there has to be asked for. */
async function* selected(connection: Connection): Batches<Instant> {
  const { cursor } = connection;
  const contact = yield* pages(connection, emptyAnchor(cursor.since));
  await verifyAnchor(connection);
  cursor.anchor = await freshAnchor(connection);
  return contact;
}

/** Pages from the anchor on until nothing is pending; returns when the last one was asked for. */
async function* pages(connection: Connection, anchor: Anchor): Batches<Instant> {
  const { cursor, settings } = connection;
  const { since: start, rows: known, last } = anchor;
  let recognised = known.size === 0;
  let since = start;
  for (;;) {
    const sent = instant(settings.clock);
    const { rows, complete } = await page(connection, since);
    recognised ||= rows.changes.some(({ id }) => last === undefined ? known.has(id) : id === last);
    cursor.advance(since, rows.changes, rows.since);
    since = rows.since;
    const news = rows.changes.filter(({ id, rev }) => known.get(id) !== rev);
    settings.monitor.counters.replays += rows.changes.length - news.length;
    yield* cursor.batches(news, settings.batchSize, since);
    if (rows.fault !== undefined) throw rows.fault;
    if (!complete) continue;
    if (!recognised) await explainGap(connection, start);
    return sent;
  }
}

/** @throws {FeedGap} Saying why a row that was known does not come again. */
async function explainGap(connection: Connection, since: Since): Promise<never> {
  // Even if a purge explains it, no position can be relied on any more.
  connection.cursor.since = 0;
  await verifyIdentity(connection, since);
  throw new FeedGap("rolled-back");
}

async function page({ database, settings, signal }: Connection, since: Since): Promise<Page> {
  try {
    return await database.readPage(since, settings.batchSize, signal);
  } catch (error) {
    const refused = error instanceof ChangesError && error.status === 400 && since !== 0;
    throw refused ? new FeedGap("since-refused") : error;
  }
}

/**
 * After a start from which no row came: learns which rows precede it, so that later probes can recognise them. What
 * was written between the first pages and that look is handed out by the second.
 */
async function* anchorFound(connection: Connection): Batches<Instant> {
  const { database, cursor, signal } = connection;
  const limit = rowsNeeded(cursor.info.shards);
  const newest = await database.readNewest(limit, signal);
  const contact = yield* pages(connection, cursor.anchor);
  if (cursor.anchor.rows.size > 0 || newest.rows.changes.length === 0) return contact;
  cursor.anchor = fromNewest(newest.rows.changes, limit);
  return yield* pages(connection, cursor.anchor);
}

/** Asks for the rows of the anchor, whether the filter accepts them or not. */
async function verifyAnchor(connection: Connection): Promise<void> {
  const { since, rows } = connection.cursor.anchor;
  if (rows.size === 0) return;
  if ((await present(connection, connection.cursor.anchor)).size < rows.size) {
    await explainGap(connection, since);
  }
}

/** The anchor of a feed whose rows are no anchor: as near as the feed has come. */
async function freshAnchor(connection: Connection): Promise<Anchor> {
  const { database, cursor: { since: reached, anchor, info }, signal } = connection;
  if (anchor.rows.size > 0 && JSON.stringify(anchor.reached) === JSON.stringify(reached)) return anchor;
  const limit = rowsNeeded(info.shards);
  const newest = await database.readNewest(limit, signal);
  const fresh = fromNewest(newest.rows.changes, limit);
  return { since: fresh.since, rows: await present(connection, fresh), reached };
}

/** Those rows of an anchor that come after its position. */
async function present(
  { database, signal }: Connection,
  { since, rows }: Anchor,
): Promise<ReadonlyMap<string, string>> {
  if (rows.size === 0) return rows;
  const { rows: { changes, fault } } = await database.readDocuments([...rows.keys()], since, signal);
  if (fault !== undefined) throw fault;
  return new Map(changes.map(({ id, rev }) => [id, rev]));
}
