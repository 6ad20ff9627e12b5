/**
 * A live feed, whether it is one connection or one request after another.
 *
 * @module
 */
import type { Rows } from "../wire/rows.ts";

/**
 * Milliseconds that a healthy server keeps a live request open when there is nothing to send. A request that ends
 * sooner without rows counts as a failure, so that a server that never waits is not asked in a tight loop.
 */
export const SHORTEST_WAIT = 1_000;

/** The rows of a live feed from one position on. */
export interface Stream {
  /**
   * The rows that arrive next.
   *
   * @param ms How long to wait, in milliseconds.
   * @returns Undefined if no row came in that time; the stream stays open.
   * @throws {ChangesError} If the stream broke, or was silent for too long.
   */
  read(ms: number): Promise<Rows | undefined>;
  /** Closes this stream; the session goes on. */
  close(): void;
}
