/**
 * The one mechanism that catches up, proves contact and finds gaps: ask from one row early until nothing is pending,
 * hand the rows out, then read the identity. Only what a probe has shown is contact: bytes and heartbeats also come
 * from a server that has stopped following its own database.
 *
 * @module
 */
import type { Instant, Since } from "../change.ts";
import { ChangesError } from "../changes_error.ts";
import { instant } from "../clock.ts";
import type { Client } from "./client.ts";
import type { Batch, Cursor } from "./cursor.ts";
import { difference, rewound } from "./information.ts";
import { fromNewest, rowsNeeded } from "./landmark.ts";
import type { Settings } from "./options.ts";
import type { Page } from "./page.ts";
import { Reset } from "./reset.ts";

/** What one connection works with. */
export interface Connection {
  readonly client: Client;
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
  const { cursor } = connection;
  let contact = yield* pages(connection);
  if (cursor.landmark.rows.size === 0) contact = yield* landmarkFound(connection);
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
  { client, cursor, signal }: Connection,
  since: Since = cursor.since,
): Promise<void> {
  const current = await client.information(signal);
  const reason = difference(cursor.information, current);
  if (reason !== undefined) throw new Reset(reason, current);
  if (rewound(since, current)) throw new Reset("rewound", current);
  cursor.information = current;
}

/** Pages from the landmark on until nothing is pending; returns when the last one was asked for. */
async function* pages(connection: Connection): Batches<Instant> {
  const { cursor, settings } = connection;
  const { since: start, rows: known } = cursor.landmark;
  let recognised = known.size === 0;
  let since = start;
  for (;;) {
    const sent = instant(settings.clock);
    const { rows, complete } = await page(connection, since);
    recognised ||= rows.changes.some(({ id }) => known.has(id));
    cursor.advance(since, rows.changes, rows.since);
    since = rows.since;
    const news = rows.changes.filter(({ id, rev }) => known.get(id) !== rev);
    yield* cursor.batches(news, settings.batchSize, since);
    if (rows.fault !== undefined) throw rows.fault;
    if (!complete) continue;
    if (recognised) return sent;
    await verifyIdentity(connection, start);
    throw new Reset("rolled-back");
  }
}

async function page({ client, settings, signal }: Connection, since: Since): Promise<Page> {
  try {
    return await client.page(since, settings.batchSize, signal);
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
  const { client, cursor, signal } = connection;
  const limit = rowsNeeded(cursor.information.shards);
  const newest = await client.newest(limit, signal);
  const contact = yield* pages(connection);
  if (cursor.landmark.rows.size > 0 || newest.rows.changes.length === 0) return contact;
  cursor.landmark = fromNewest(newest.rows.changes, limit);
  return yield* pages(connection);
}
