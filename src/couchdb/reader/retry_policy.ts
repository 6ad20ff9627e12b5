/**
 * After a fault: whether to try again, when, and what to tell.
 *
 * @module
 */
import type { ChangesErrorCode, ResetReason } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import { BackOff } from "./back_off.ts";
import { retryAfterOf } from "../wire/faults.ts";
import { FeedGap } from "./gap.ts";
import type { Settings } from "../connection/options.ts";

/** A 403 is a lost role, or CouchDB's lock-out of a client that failed too often: five minutes, anew at each attempt. */
const LOCKED_OUT = 60_000;

/** Faults after which the first new attempt may be made at once. */
const EAGER: ReadonlySet<string> = new Set(["network", "timeout", "truncated"]);

/** Faults that only time can mend. */
const TRANSIENT: ReadonlySet<string> = new Set(["server-error", "not-json", "too-many-requests"]);

/** When to try again, and what to tell before. */
export interface RetryDecision {
  /** Milliseconds. */
  readonly wait: number;
  readonly code?: ChangesErrorCode;
  readonly reset?: ResetReason;
}

/** What one reader has been through. */
export class RetryPolicy {
  readonly #backOff: BackOff;
  /** The database was there, and is not. */
  #gone = false;
  /** A 401 has been answered with fresh headers once. */
  #headersRefreshed = false;
  /** There was a reset, and no connection since was good for anything. */
  #resetWithoutProgress = false;

  /** @param random A number from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#backOff = new BackOff(random);
  }

  /** The database was there, and is not: it may be back in another life. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The database is back. */
  noteFound(): void {
    this.#gone = false;
  }

  /** A probe was complete: the credentials are good. */
  noteProbed(): void {
    this.#headersRefreshed = false;
  }

  /** The connection was good for something. */
  noteProgress(): void {
    this.#resetWithoutProgress = false;
    this.#backOff.reset();
  }

  /** A feed that ended as it should. */
  decideAfterEnd(): RetryDecision {
    return { wait: this.#backOff.nextEager() };
  }

  /**
   * What to do about a fault.
   *
   * @param started Whether the database has answered before.
   * @throws {unknown} The fault, if nothing can be done.
   */
  decide(fault: unknown, started: boolean): RetryDecision {
    if (fault instanceof FeedGap) {
      // Only an answer shows it: the wait for the database is over. One reset upon the other is no such news.
      if (this.#gone || !this.#resetWithoutProgress) this.#backOff.reset();
      this.#resetWithoutProgress = true;
      return { wait: this.#backOff.nextEager(), reset: fault.reason };
    }
    if (!(fault instanceof ChangesError)) throw fault;
    const { code } = fault;
    if (EAGER.has(code)) return { wait: this.#backOff.nextEager(), code };
    // Before the first success, an address that leads nowhere is a mistake, not a fault.
    const transient = TRANSIENT.has(code) && (started || fault.status !== 404);
    if (transient) return { wait: this.#backOff.next(retryAfterOf(fault)), code };
    if (!started) throw fault;
    return this.#decideRefusal(fault);
  }

  /** A database that was open to us, and no longer is. */
  #decideRefusal(fault: ChangesError): RetryDecision {
    const { code } = fault;
    if (code === "forbidden") return { wait: this.#backOff.next(LOCKED_OUT), code };
    if (code === "unauthorized" && !this.#headersRefreshed) {
      this.#headersRefreshed = true;
      return { wait: 0, code };
    }
    if (code !== "not-found") throw fault;
    const wait = this.#backOff.next();
    if (this.#gone) return { wait, code };
    this.#gone = true;
    return { wait, code, reset: "deleted" };
  }
}

/** Announces the next attempt, and waits until it is due or `signal` aborts. */
export async function pause(
  decision: RetryDecision,
  { monitor, sleep }: Pick<Settings, "monitor" | "sleep">,
  signal: AbortSignal,
): Promise<void> {
  const { wait } = decision;
  monitor.emit({ type: "retrying", ms: wait, ...codeField(decision) });
  if (wait > 0) await sleep(wait, signal);
}

/** The code as an event holds it: absent where no fault was the cause. */
export function codeField({ code }: RetryDecision): { readonly code?: ChangesErrorCode } {
  return code === undefined ? {} : { code };
}
