/**
 * A gap: what was known of the database no longer holds, so changes may have been missed.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";

/** Thrown where a gap is found, and turned into a reset by the reader; a consumer never sees it. */
export class FeedGap extends Error {
  /** The reason of the reset. */
  readonly reason: ResetReason;
  /** The database as it is now; undefined where it has not been read. */
  readonly info: DatabaseInfo | undefined;

  /**
   * @param reason The reason of the reset.
   * @param info The database as it is now.
   */
  constructor(reason: ResetReason, info?: DatabaseInfo) {
    super(reason);
    this.reason = reason;
    this.info = info;
  }
}
