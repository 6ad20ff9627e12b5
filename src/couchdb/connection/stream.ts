/**
 * A live feed as its reader sees it.
 *
 * @module
 */
import type { Rows } from "../wire/rows.ts";

/**
 * Milliseconds that a healthy server keeps a live request open when there is nothing to send. A request that ends
 * sooner without rows counts as a failure, so that a server that never waits is not asked in a tight loop.
 */
export const SHORTEST_WAIT = 1_000;

/** One connection to a live feed. Nothing is read ahead of whoever asks. */
export interface Stream {
  /**
   * The rows that arrive next.
   *
   * @param ms How long to wait for them, in milliseconds.
   * @returns Undefined if none came in that time; the connection is as it was.
   * @throws {ChangesError} If it broke, or was silent for too long.
   */
  read(ms: number): Promise<Rows | undefined>;
  /** Closes this connection only. */
  close(): void;
}
