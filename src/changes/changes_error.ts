/**
 * Faults of a feed: one error class, with a code for each kind.
 *
 * @module
 */
import type { ChangesErrorCode, Since } from "./change.ts";

/**
 * The one error class of this package: a fault of a changes feed. It never carries a credential.
 *
 * Programmer mistakes are `TypeError` and `RangeError` instead.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { ChangesError } from "@stillfresh/etag";
 *
 * const error = new ChangesError("not-found", "the database does not exist", { status: 404 });
 * assert.equal(error.code, "not-found");
 * assert.equal(error.status, 404);
 * ```
 */
export class ChangesError extends Error {
  /** `"ChangesError"`. */
  override readonly name: string = "ChangesError";
  /** Which fault. */
  readonly code: ChangesErrorCode;
  /** The HTTP status of the response that was the fault; undefined for any other fault. */
  readonly status: number | undefined;
  /** The position before the fault, where a row could not be read: that row is the first after it. */
  readonly since: Since | undefined;

  /**
   * Makes an error with a code.
   *
   * @param code Which fault.
   * @param message A sentence, without credentials.
   * @param options The HTTP status, the position before the fault, the error that caused it.
   */
  constructor(
    code: ChangesErrorCode,
    message: string,
    options: { readonly status?: number; readonly since?: Since; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options.status;
    this.since = options.since;
  }
}
