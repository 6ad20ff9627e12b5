/**
 * A live feed, whether it is one connection or one request after another.
 *
 * @module
 */
import { LEAST_WAIT } from "../../changes/back_off.ts";
import type { Rows } from "../wire/rows.ts";
import type { Settings } from "./options.ts";

/** Milliseconds after which a connection has been of use, so that the next back-off begins anew. */
export const WORTHWHILE = 1_000;

/**
 * Milliseconds that a healthy server keeps a live request open when there is nothing to send: a second, or half of a
 * shorter `timeout`, because timers are not exact. A request that ends sooner without rows counts as a failure, so that a
 * server that never waits is not asked in a tight loop.
 */
export function shortestWait(
  { endsWhenIdle, heartbeat }: Pick<Settings, "endsWhenIdle" | "heartbeat">,
): number {
  return endsWhenIdle ? Math.min(WORTHWHILE, heartbeat / 2) : WORTHWHILE;
}

/** Waits until a live request that ended without rows was sent long enough ago for the next one, however short `timeout` is. */
export async function paceQuiet(
  elapsed: number,
  { sleep }: Pick<Settings, "sleep">,
  signal: AbortSignal,
): Promise<void> {
  if (elapsed < LEAST_WAIT) await sleep(LEAST_WAIT - elapsed, signal);
}

/** What a stream gives of which no byte has come for as long as a server may be silent. */
export const WITHHELD: unique symbol = /* @__PURE__ */ Symbol("withheld");

/** The rows of a live feed from one position on. */
export interface Stream {
  /**
   * The rows that arrive next.
   *
   * @param ms How long to wait, in milliseconds.
   * @returns Undefined if no row came in that time; the stream stays open.
   * @throws {ChangesError} If the stream broke, or was silent for too long after its first bytes.
   */
  read(ms: number): Promise<Rows | undefined | typeof WITHHELD>;
  /** Closes this stream; the session goes on. */
  close(): void;
}
