/**
 * What a reader asks of a database, wherever that is.
 *
 * @module
 */
import type { Since } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";
import type { Page } from "../wire/page.ts";
import type { Stream } from "./stream.ts";

/** A database that has a feed of changes. */
export interface Database {
  /** Names it, without credentials. */
  readonly name: string;
  /** `GET /{db}`. */
  readInfo(signal: AbortSignal): Promise<DatabaseInfo>;
  /** Up to `limit` rows of the selection after `since`. */
  readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page>;
  /** The newest rows of the selection, newest first. */
  readDescending(limit: number, signal: AbortSignal): Promise<Page>;
  /** The newest rows of all, newest first; their positions are good for asking, never for resuming. */
  readNewest(limit: number, signal: AbortSignal): Promise<Page>;
  /** Whatever the selection: the rows of these documents after `since`. */
  readDocuments(ids: readonly string[], since: Since, signal: AbortSignal): Promise<Page>;
  /**
   * The live feed of the selection after `since`.
   *
   * @param session Aborts the connection; aborted by it when it breaks, so that nothing else waits in vain.
   */
  openStream(since: Since, session: AbortController): Stream;
}
