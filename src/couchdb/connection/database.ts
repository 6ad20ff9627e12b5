/**
 * The questions that a reader asks of a database: over HTTP (client.ts) or in this process (pouchdb.ts).
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";
import type { Page } from "../wire/page.ts";
import type { Stream } from "./stream.ts";

/** A database that has a feed of changes. */
export interface Database {
  /** Its name, without credentials: part of every position. */
  readonly name: string;
  /** Identity and position (`GET /{db}`). */
  readInfo(signal: AbortSignal): Promise<DatabaseInfo>;
  /** Up to `limit` rows of the selection after `since`. */
  readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page>;
  /** The newest rows of the selection, newest first. */
  readDescending(limit: number, signal: AbortSignal): Promise<Page>;
  /** The newest rows of the whole database, newest first. Their positions may be asked from, but not resumed at. */
  readNewest(limit: number, signal: AbortSignal): Promise<Page>;
  /** The rows of these documents after `since`, whether the selection holds them or not. */
  readDocuments(ids: readonly string[], since: Since, signal: AbortSignal): Promise<Page>;
  /**
   * Whether the history of each document holds this revision, by document id. False also where the database cannot tell.
   */
  hasRevisions(revisions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<boolean>;
  /**
   * Opens the live feed of the selection after `since`.
   *
   * @param session Ends the stream when it is aborted; a stream that breaks aborts it in turn.
   * @param buffered Whether something on the way holds back an answer that is not complete.
   */
  openStream(since: Since, session: AbortController, buffered: boolean): Stream;
}
