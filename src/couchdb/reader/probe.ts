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
import type { Batch, Cursor } from "./cursor.ts";
import type { Database } from "../connection/database.ts";
import { difference, rewound } from "../wire/database_info.ts";
import { fromNewest, type Landmark, rowsNeeded, unmarked } from "./anchor.ts";
import type { Settings } from "../connection/options.ts";
import type { Page } from "../wire/page.ts";
import { Reset } from "./gap.ts";

/** What one connection works with. */
export interface Connection {
  readonly database: Database;
  readonly cursor: Cursor;
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

type Batches<Result = void> = AsyncGenerator<Batch, Result, undefined>;

/**
 * Yields what is new, then an empty batch with state `"live"` and the new contact.
 *
 * @throws {Reset} If what was known of the database no longer holds.
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
 * @throws {Reset} If it is another, or in another life.
 */
export async function verifyIdentity(
  { database, cursor, signal }: Connection,
  since: Since = cursor.since,
): Promise<void> {
  const current = await database.information(signal);
  const reason = difference(cursor.information, current);
  if (reason !== undefined) throw new Reset(reason, current);
  if (rewound(since, current)) throw new Reset("rewound", current);
  cursor.information = current;
}

/** Everything: the rows themselves show that none is missing. */
async function* all(connection: Connection): Batches<Instant> {
  const contact = yield* pages(connection, connection.cursor.landmark);
  return connection.cursor.landmark.rows.size > 0 ? contact : yield* landmarkFound(connection);
}

/** What a filter lets through: whether the others are still there has to be asked for. */
async function* selected(connection: Connection): Batches<Instant> {
  const { cursor } = connection;
  const contact = yield* pages(connection, unmarked(cursor.since));
  await verifyLandmark(connection);
  cursor.landmark = await freshLandmark(connection);
  return contact;
}

/** Pages from the landmark on until nothing is pending; returns when the last one was asked for. */
async function* pages(connection: Connection, landmark: Landmark): Batches<Instant> {
  const { cursor, settings } = connection;
  const { since: start, rows: known, last } = landmark;
  let recognised = known.size === 0;
  let since = start;
  for (;;) {
    const sent = instant(settings.clock);
    const { rows, complete } = await page(connection, since);
    recognised ||= rows.changes.some(({ id }) => last === undefined ? known.has(id) : id === last);
    cursor.advance(since, rows.changes, rows.since);
    since = rows.since;
    const news = rows.changes.filter(({ id, rev }) => known.get(id) !== rev);
    settings.sight.counters.replays += rows.changes.length - news.length;
    yield* cursor.batches(news, settings.batchSize, since);
    if (rows.fault !== undefined) throw rows.fault;
    if (!complete) continue;
    if (!recognised) await explainGap(connection, start);
    return sent;
  }
}

/** @throws {Reset} Saying why a row that was known does not come again. */
async function explainGap(connection: Connection, since: Since): Promise<never> {
  // Even if a purge explains it, no position can be relied on any more.
  connection.cursor.since = 0;
  await verifyIdentity(connection, since);
  throw new Reset("rolled-back");
}

async function page({ database, settings, signal }: Connection, since: Since): Promise<Page> {
  try {
    return await database.page(since, settings.batchSize, signal);
  } catch (error) {
    const refused = error instanceof ChangesError && error.status === 400 && since !== 0;
    throw refused ? new Reset("since-refused") : error;
  }
}

/**
 * After a start from which no row came: learns which rows precede it, so that later probes can recognise them. What
 * was written between the first pages and that look is handed out by the second.
 */
async function* landmarkFound(connection: Connection): Batches<Instant> {
  const { database, cursor, signal } = connection;
  const limit = rowsNeeded(cursor.information.shards);
  const newest = await database.newest(limit, signal);
  const contact = yield* pages(connection, cursor.landmark);
  if (cursor.landmark.rows.size > 0 || newest.rows.changes.length === 0) return contact;
  cursor.landmark = fromNewest(newest.rows.changes, limit);
  return yield* pages(connection, cursor.landmark);
}

/** Asks for the rows of the landmark, whether the filter accepts them or not. */
async function verifyLandmark(connection: Connection): Promise<void> {
  const { since, rows } = connection.cursor.landmark;
  if (rows.size === 0) return;
  if ((await present(connection, connection.cursor.landmark)).size < rows.size) {
    await explainGap(connection, since);
  }
}

/** The landmark of a feed whose rows are no landmark: as near as the feed has come. */
async function freshLandmark(connection: Connection): Promise<Landmark> {
  const { database, cursor: { since: reached, landmark, information }, signal } = connection;
  if (landmark.rows.size > 0 && JSON.stringify(landmark.reached) === JSON.stringify(reached)) return landmark;
  const limit = rowsNeeded(information.shards);
  const newest = await database.newest(limit, signal);
  const fresh = fromNewest(newest.rows.changes, limit);
  return { since: fresh.since, rows: await present(connection, fresh), reached };
}

/** Those rows of a landmark that come after its position. */
async function present(
  { database, signal }: Connection,
  { since, rows }: Landmark,
): Promise<ReadonlyMap<string, string>> {
  if (rows.size === 0) return rows;
  const { rows: { changes, fault } } = await database.documents([...rows.keys()], since, signal);
  if (fault !== undefined) throw fault;
  return new Map(changes.map(({ id, rev }) => [id, rev]));
}
