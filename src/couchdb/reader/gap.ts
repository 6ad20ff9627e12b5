/**
 * The end of what was known, on its way from where it is found to where it is told.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import type { DatabaseInfo } from "../wire/database_info.ts";

/** Thrown inside a reader when everything known before is void; never leaves it. */
export class FeedGap extends Error {
  /** Told to the consumer, in band. */
  readonly reason: ResetReason;
  /** The database as it is now, where that has been read. */
  readonly info: DatabaseInfo | undefined;

  /**
   * @param reason Told to the consumer.
   * @param info The database as it is now.
   */
  constructor(reason: ResetReason, info?: DatabaseInfo) {
    super(reason);
    this.reason = reason;
    this.info = info;
  }
}
