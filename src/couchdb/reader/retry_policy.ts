/**
 * What follows a fault: whether to try again, after which wait, and whether it is a reset.
 *
 * @module
 */
import type { ChangesErrorCode, ResetReason } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import type { Settings } from "../connection/options.ts";
import { retryAfterOf } from "../wire/faults.ts";
import { BackOff } from "./back_off.ts";
import { FeedGap } from "./gap.ts";

/**
 * The least wait after a 403, in milliseconds. It means that the user has lost a role, or that CouchDB has locked out a
 * client whose credentials failed too often; both last for minutes.
 */
const LOCKED_OUT = 60_000;

/** Faults of a connection, after which the first new attempt is made at once. */
const EAGER: ReadonlySet<string> = new Set(["network", "timeout", "truncated"]);

/** Faults of a server, which need time to pass. */
const TRANSIENT: ReadonlySet<string> = new Set(["server-error", "not-json", "too-many-requests"]);

/** When to try again, and what is reported before. */
export interface RetryDecision {
  /** Milliseconds until the next attempt. */
  readonly wait: number;
  /** Which fault; absent after an end without a fault, and after a gap. */
  readonly code?: ChangesErrorCode;
  /** Why everything known before is void; absent if it is not. */
  readonly reset?: ResetReason;
}

/** Decides for one reader, by what has happened to it so far. */
export class RetryPolicy {
  readonly #backOff: BackOff;
  /** Whether the database has answered before, and does not exist now. */
  #gone = false;
  /** Whether a 401 has been answered with fresh headers, and no probe was complete since. */
  #headersRefreshed = false;
  /** Whether there was a reset, and no progress since. */
  #resetWithoutProgress = false;

  /** @param random A number from 0 up to, not including, 1. */
  constructor(random: () => number) {
    this.#backOff = new BackOff(random);
  }

  /** Whether the database does not exist any more: when it is back, it may have been recreated. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Notes that the database exists. */
  noteFound(): void {
    this.#gone = false;
  }

  /** Notes that a probe was complete, so that the credentials are good. */
  noteProbed(): void {
    this.#headersRefreshed = false;
  }

  /** Notes that a connection brought rows or lasted: the next wait begins anew. */
  noteProgress(): void {
    this.#resetWithoutProgress = false;
    this.#backOff.reset();
  }

  /** What to do when a live feed has ended without a fault. */
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
      // A gap is only found in a response, so the server is back: restart the back-off, but not for a second gap
      // without progress in between.
      if (this.#gone || !this.#resetWithoutProgress) this.#backOff.reset();
      this.#resetWithoutProgress = true;
      return { wait: this.#backOff.nextEager(), reset: fault.reason };
    }
    if (!(fault instanceof ChangesError)) throw fault;
    const { code } = fault;
    if (EAGER.has(code)) return { wait: this.#backOff.nextEager(), code };
    // A 404 before the first success is a wrong address, not a server that will be back.
    const transient = TRANSIENT.has(code) && (started || fault.status !== 404);
    if (transient) return { wait: this.#backOff.next(retryAfterOf(fault)), code };
    if (!started) throw fault;
    return this.#decideRefusal(fault);
  }

  /** What to do when a database that has answered before refuses. @throws The fault, if it is final. */
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
