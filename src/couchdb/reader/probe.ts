/**
 * The probe: the one mechanism that catches up, proves contact and finds gaps.
 *
 * It asks `_changes` from one row early (the anchor) until nothing is pending, yields the rows that are new, and then
 * compares the database's identity. If the known row came again and the identity is unchanged, the feed was complete
 * when the last page was requested: that moment is the contact. Bytes and heartbeats are no contact, because a server
 * that has stopped following its own database sends them too.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { instant } from "../../changes/clock.ts";
import type { Database } from "../connection/database.ts";
import type { Settings } from "../connection/options.ts";
import { identityChange, isRewound } from "../wire/database_info.ts";
import type { Page } from "../wire/page.ts";
import { type Anchor, emptyAnchor, fromNewest, holdsKnownRow, rowsNeeded } from "./anchor.ts";
import type { CouchBatch, Cursor } from "./cursor.ts";
import { FeedGap } from "./gap.ts";

/** What a reader works with from one fault to the next. */
export interface SessionContext {
  readonly database: Database;
  readonly cursor: Cursor;
  readonly settings: Settings;
  /** Interrupts requests: aborted when the reader is closed and when the live stream breaks. */
  readonly signal: AbortSignal;
}

/**
 * Yields what is new, then an empty batch with state `"live"` and the new contact.
 *
 * @throws {FeedGap} If rows or positions known from before can no longer be relied on.
 */
export async function* probe(context: SessionContext): AsyncGenerator<CouchBatch, void, undefined> {
  const { cursor, settings: { batchSize, clock, monitor, selection } } = context;
  let requested = instant(clock);
  for await (const anchor of selection.filtered ? filteredPasses(context) : passes(context)) {
    let { since } = anchor;
    let recognised = anchor.rows.size === 0;
    for (let pending = true; pending;) {
      requested = instant(clock);
      const { rows, complete } = await requestPage(context, since);
      recognised ||= holdsKnownRow(rows.changes, anchor);
      cursor.advance(since, rows.changes, rows.since);
      since = rows.since;
      const news = rows.changes.filter(({ id, rev }) => anchor.rows.get(id) !== rev);
      monitor.counters.replays += rows.changes.length - news.length;
      for (const batch of cursor.batches(news, batchSize, since)) yield batch;
      if (rows.fault !== undefined) throw rows.fault;
      pending = !complete;
    }
    if (!recognised) await explainGap(context, anchor.since);
  }
  await verifyIdentity(context);
  cursor.contact = requested;
  cursor.state = "live";
  yield cursor.batch([]);
}

/**
 * Anchors from which all pages are read, one after the other; usually one. The rows themselves show that none is
 * missing.
 *
 * A start from which no row came has no known row yet. Then the newest rows of the database become the anchor, and
 * `since` is read once more before they do: what was written between the first pass and the look at the newest rows
 * would otherwise count as known without having been yielded.
 */
async function* passes(
  { database, cursor, signal }: SessionContext,
): AsyncGenerator<Anchor, void, undefined> {
  yield cursor.anchor;
  if (cursor.anchor.rows.size > 0) return;
  const limit = rowsNeeded(cursor.info.shards);
  const newest = await database.readNewest(limit, signal);
  yield cursor.anchor;
  if (cursor.anchor.rows.size > 0 || newest.rows.changes.length === 0) return;
  cursor.anchor = fromNewest(newest.rows.changes, limit);
  yield cursor.anchor;
}

/**
 * Under a filter, one pass from the reader's position. A filter may hide the known rows, so they are asked for by id
 * afterwards, and newer ones take their place.
 */
async function* filteredPasses(context: SessionContext): AsyncGenerator<Anchor, void, undefined> {
  const { cursor } = context;
  yield emptyAnchor(cursor.since);
  await verifyAnchor(context);
  cursor.anchor = await nearestAnchor(context);
}

/** One page; a position that the server refuses is a gap. */
async function requestPage({ database, settings, signal }: SessionContext, since: Since): Promise<Page> {
  try {
    return await database.readPage(since, settings.batchSize, signal);
  } catch (error) {
    const refused = error instanceof ChangesError && error.code === "bad-request" && error.status === 400 &&
      since !== 0;
    throw refused ? new FeedGap("since-refused") : error;
  }
}

/**
 * Compares the database's identity with the one that was read last.
 *
 * @param since A position that the database must have reached.
 * @throws {FeedGap} If it was recreated or purged, or has not come as far as `since`.
 */
export async function verifyIdentity(
  { database, cursor, signal }: SessionContext,
  since: Since = cursor.since,
): Promise<void> {
  const current = await database.readInfo(signal);
  const reason = identityChange(cursor.info, current);
  if (reason !== undefined) throw new FeedGap(reason, current);
  if (isRewound(since, current)) throw new FeedGap("rewound", current);
  cursor.info = current;
}

/** @throws {FeedGap} Saying why a row that was known does not come again. */
async function explainGap(context: SessionContext, since: Since): Promise<never> {
  // Even if a purge explains it, no position can be relied on any more.
  context.cursor.since = 0;
  await verifyIdentity(context, since);
  throw new FeedGap("rolled-back");
}

/** Asks for the rows of the anchor, whether the filter accepts them or not. */
async function verifyAnchor(context: SessionContext): Promise<void> {
  const { anchor } = context.cursor;
  if ((await rowsPresent(context, anchor)).size < anchor.rows.size) await explainGap(context, anchor.since);
}

/** The anchor of a filtered feed: the newest rows of the whole database, as soon as the feed has moved. */
async function nearestAnchor(context: SessionContext): Promise<Anchor> {
  const { database, cursor: { since: reached, anchor, info }, signal } = context;
  if (anchor.rows.size > 0 && JSON.stringify(anchor.reached) === JSON.stringify(reached)) return anchor;
  const limit = rowsNeeded(info.shards);
  const newest = await database.readNewest(limit, signal);
  const fresh = fromNewest(newest.rows.changes, limit);
  return { since: fresh.since, rows: await rowsPresent(context, fresh), reached };
}

/** Those rows of an anchor that follow its position, asked for by document id. */
async function rowsPresent(
  { database, signal }: SessionContext,
  { since, rows }: Anchor,
): Promise<ReadonlyMap<string, string>> {
  if (rows.size === 0) return rows;
  const { rows: { changes, fault } } = await database.readDocuments([...rows.keys()], since, signal);
  if (fault !== undefined) throw fault;
  return new Map(changes.map(({ id, rev }) => [id, rev]));
}
