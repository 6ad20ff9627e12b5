/**
 * The probe: the one mechanism that catches up, proves contact and finds gaps.
 *
 * It asks `_changes` from one row early (the anchor) until nothing is pending, yields the rows, and then compares the
 * database's identity. If the known row came again and the identity is unchanged, the feed was complete
 * when the last page was requested: that moment is the contact. Bytes and heartbeats are no contact, because a server
 * that has stopped following its own database sends them too.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { instant } from "../../changes/clock.ts";
import { deadline, EXPIRED } from "../../changes/timing.ts";
import type { Database } from "../connection/database.ts";
import type { Settings } from "../connection/options.ts";
import { rewindOf } from "../wire/database_info.ts";
import type { Page } from "../wire/page.ts";
import type { Rows } from "../wire/rows.ts";
import { type Anchor, beforeLast, emptyAnchor, fromNewest, rowsNeeded } from "./anchor.ts";
import type { CouchBatch, Cursor } from "./cursor.ts";
import { FeedGap } from "./gap.ts";
import { Progress } from "./progress.ts";
import { Recognition } from "./recognition.ts";

/** What a reader works with from one fault to the next. */
export interface SessionContext {
  readonly database: Database;
  readonly cursor: Cursor;
  readonly settings: Settings;
  /** Interrupts requests: aborted when the reader is closed and when the live stream breaks. */
  readonly signal: AbortSignal;
}

/**
 * Yields what is new, and known rows that came again, then an empty batch with state `"live"` and the new contact.
 *
 * A known row that comes again with the known revision does not show that nothing happened: the document may have been
 * changed and changed back. So it is yielded, apart from the news. Only within one connection, and if it comes at its
 * known position as well, it says nothing.
 *
 * @param isFirst Whether it is the first probe of a connection.
 * @throws {FeedGap} If rows or positions known from before can no longer be relied on.
 */
export async function* probe(
  context: SessionContext,
  isFirst: boolean,
): AsyncGenerator<CouchBatch, void, undefined> {
  const { cursor, settings: { batchSize, clock, monitor, selection } } = context;
  let requested = instant(clock);
  for await (const anchor of selection.filtered ? filteredPasses(context) : passes(context)) {
    const recognition = new Recognition(anchor);
    let { since } = anchor;
    let isTrusted = recognition.isExact;
    const progress = new Progress(since);
    for (let pending = true; pending;) {
      requested = instant(clock);
      const { rows, complete } = await requestPage(context, since);
      const { news, repeated, unmoved } = recognition.sort(since, rows.changes);
      if (rows.fault === undefined) {
        if (complete && !recognition.came) await explainGap(context, anchor.since);
        isTrusted ||= recognition.isExact || await verifyHistory(context, anchor);
      }
      // Until then the anchor stays where it is: after a fault, the next probe has to look for the same row.
      if (isTrusted) cursor.advance(since, rows.changes, rows.since);
      since = rows.since;
      monitor.counters.replays += repeated.length + unmoved.length;
      const again = isFirst ? [...repeated, ...unmoved] : repeated;
      for (const batch of cursor.batches(news, batchSize, since, again)) yield batch;
      if (rows.fault !== undefined) throw rows.fault;
      pending = !complete;
      if (pending) await goOn(context, progress, rows);
    }
  }
  await verifyIdentity(context);
  cursor.contact = requested;
  cursor.state = "live";
  cursor.pageSize = batchSize;
  yield cursor.batch([]);
}

/**
 * Anchors from which all pages are read, one after the other; usually one. The rows themselves show that none is
 * missing.
 *
 * A start from which no row came has no known row yet. Then one of the newest rows of the database becomes the anchor,
 * and what follows `since` is read once more after that: what has been written in between counts as known otherwise.
 */
async function* passes(context: SessionContext): AsyncGenerator<Anchor, void, undefined> {
  const { cursor } = context;
  yield cursor.anchor;
  if (cursor.anchor.rows.size > 0) return;
  const anchor = await newestAnchor(context);
  yield cursor.anchor;
  if (cursor.anchor.rows.size === 0) cursor.anchor = anchor;
}

/** The anchor before the last row of the database; empty if it has no rows. */
async function newestAnchor(context: SessionContext): Promise<Anchor> {
  const { database, cursor } = context;
  const limit = rowsNeeded(cursor.info.shards);
  const { rows: { changes: newest } } = await answer(context, (signal) => database.readNewest(limit, signal));
  if (newest.length === 0) return emptyAnchor(cursor.since);
  let anchor = fromNewest(newest, limit);
  const recognition = new Recognition(anchor);
  let { since } = anchor;
  const progress = new Progress(since);
  for (let pending = true; pending;) {
    const { rows, complete } = await requestPage(context, since);
    if (rows.fault !== undefined) throw rows.fault;
    recognition.sort(since, rows.changes);
    if (rows.changes.length > 0) anchor = beforeLast(since, rows.changes);
    since = rows.since;
    pending = !complete;
    if (pending) await goOn(context, progress, rows);
  }
  if (!recognition.came) await explainGap(context, anchor.since);
  return anchor;
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
async function requestPage(context: SessionContext, since: Since): Promise<Page> {
  const { database, cursor } = context;
  try {
    return await answer(context, (signal) => database.readPage(since, cursor.pageSize, signal));
  } catch (error) {
    // Less may arrive in time.
    if (error instanceof ChangesError && error.code === "timeout") {
      cursor.pageSize = Math.max(1, cursor.pageSize >> 1);
    }
    const refused = error instanceof ChangesError && error.code === "bad-request" && error.status === 400 &&
      since !== 0;
    throw refused ? new FeedGap("since-refused") : error;
  }
}

/** Waits where a page does not lead on as it should. */
async function goOn(
  { cursor, settings, signal }: SessionContext,
  progress: Progress,
  rows: Rows,
): Promise<void> {
  const wait = progress.note(rows, cursor.pageSize);
  if (wait > 0 && !settings.selection.filtered) await settings.sleep(wait, signal);
  signal.throwIfAborted();
}

/** The least time that an answer is given, in milliseconds, however small `maxLag` is. */
const LEAST_TIME = 1_000;

/**
 * An answer that arrives within `maxLag` in all, however the bytes drip: one that takes longer would be too old to prove
 * anything. Under a filter, a search may rightly take longer, and only silence ends it.
 *
 * @throws {ChangesError} `timeout`; the request is aborted.
 */
async function answer<T>(
  { settings: { maxLag, sleep, selection }, signal }: SessionContext,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (selection.filtered) return await ask(signal);
  signal.throwIfAborted();
  const request = new AbortController();
  const stop = () => request.abort(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    const result = await deadline(ask(request.signal), Math.max(LEAST_TIME, maxLag), sleep, signal);
    if (result !== EXPIRED) return result;
    throw new ChangesError("timeout", "The database's answer did not arrive within maxLag");
  } finally {
    signal.removeEventListener("abort", stop);
    request.abort(EXPIRED);
  }
}

/**
 * Compares the database's identity with the one that was read last.
 *
 * @param since A position that the database must have reached.
 * @throws {FeedGap} If it was recreated or purged, or has not come as far as `since`.
 */
export async function verifyIdentity(
  context: SessionContext,
  since: Since = context.cursor.since,
): Promise<void> {
  const { database, cursor } = context;
  const current = await answer(context, (signal) => database.readInfo(signal));
  const reason = cursor.identityChange(current);
  if (reason !== undefined) throw new FeedGap(reason, current);
  const rewind = rewindOf(since, current);
  if (rewind !== undefined) throw new FeedGap(rewind, current);
  cursor.info = current;
}

/**
 * Asks whether the known revision is in the history of its document, which has another one now, or whose row has not
 * come yet. If it is not, an older state was restored and written to. If the database cannot tell, it may have been.
 *
 * @param anchor Whose known rows are asked for.
 * @returns True.
 * @throws {FeedGap} If it is not.
 */
export async function verifyHistory(
  context: SessionContext,
  { since, rows, last }: Pick<Anchor, "since" | "rows" | "last">,
): Promise<true> {
  const revisions = new Map<string, string>();
  for (const [id, { rev }] of rows) if (last === undefined || last === id) revisions.set(id, rev);
  const { database } = context;
  if (await answer(context, (signal) => database.hasRevisions(revisions, signal))) return true;
  return await explainGap(context, since);
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
  const present = await rowsPresent(context, anchor);
  if (present.size < anchor.rows.size) await explainGap(context, anchor.since);
  const changed = [...anchor.rows].filter(([id, { rev }]) => present.get(id)?.rev !== rev);
  if (changed.length > 0) await verifyHistory(context, { since: anchor.since, rows: new Map(changed) });
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
): Promise<Anchor["rows"]> {
  if (rows.size === 0) return rows;
  const { rows: { changes, fault } } = await database.readDocuments([...rows.keys()], since, signal);
  if (fault !== undefined) throw fault;
  return new Map(changes.map(({ id, rev }) => [id, { rev, seq: undefined }]));
}
