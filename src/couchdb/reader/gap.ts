/**
 * The end of what was known, on its way from where it is found to where it is told.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import type { Information } from "../wire/database_info.ts";

/** Thrown inside a reader when everything known before is void; never leaves it. */
export class Reset extends Error {
  /** Told to the consumer, in band. */
  readonly reason: ResetReason;
  /** The database as it is now, where that has been read. */
  readonly information: Information | undefined;

  /**
   * @param reason Told to the consumer.
   * @param information The database as it is now.
   */
  constructor(reason: ResetReason, information?: Information) {
    super(reason);
    this.reason = reason;
    this.information = information;
  }
}
