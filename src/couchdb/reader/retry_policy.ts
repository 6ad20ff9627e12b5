/**
 * What follows a fault: whether to try again, after which wait, and whether it is a reset.
 *
 * @module
 */
import type { ChangesErrorCode, ResetReason } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import type { Clock } from "../../changes/clock.ts";
import type { Settings } from "../connection/options.ts";
import { retryAfterOf } from "../wire/faults.ts";
import { BackOff, LEAST_WAIT } from "../../changes/back_off.ts";
import { FeedGap } from "./gap.ts";

/**
 * The least wait after a 403, in milliseconds. It means that the user has lost a role, or that CouchDB has locked out a
 * client whose credentials failed too often; both last for minutes.
 */
const LOCKED_OUT = 60_000;

/**
 * The least wait after a second 401, in milliseconds. CouchDB locks a client out after five failures in five minutes:
 * with two at once, one every two minutes makes four.
 */
const REFUSED_AGAIN = 120_000;

/** The least waits of the faults that have one of their own. */
const LEAST_WAITS: { readonly [Code in ChangesErrorCode]?: number } = {
  forbidden: LOCKED_OUT,
  unauthorized: REFUSED_AGAIN,
};

/** How many times a row that cannot be read must come again before it is final. */
const REPEATS_OF_BAD_ROW = 3;

/** How long a row that cannot be read must keep coming before it is final, in milliseconds. */
const DURATION_OF_BAD_ROW = 60_000;

/** Faults of a connection, after which the first new attempt is made at once. */
const EAGER: ReadonlySet<string> = new Set(["network", "timeout", "truncated"]);

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
  readonly #clock: Clock;
  /** Whether a probe has been complete: the address, the credentials and the options were right. */
  #wasLive = false;
  /** Whether an attempt has been decided on since the last progress: the next is not made at once. */
  #eagerSpent = false;
  /** Whether the database has answered before, and does not exist now. */
  #gone = false;
  /** Whether a 401 has been answered with fresh headers, and no probe was complete since. */
  #headersRefreshed = false;
  /** Whether there was a reset, and no progress since. */
  #resetWithoutProgress = false;
  /** The row that could not be read, named by its error's message, and how often and since when it has come. */
  #badRow = { message: "", times: 0, since: 0 };

  /**
   * @param random A number from 0 up to, not including, 1.
   * @param clock Measures for how long a row cannot be read.
   */
  constructor(random: () => number, clock: Clock) {
    this.#backOff = new BackOff(random);
    this.#clock = clock;
  }

  /** Whether the database does not exist any more: when it is back, it may have been recreated. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Notes that the database exists. */
  noteFound(): void {
    this.#gone = false;
  }

  /** Notes that a probe was complete, so that the credentials are good and every row could be read. */
  noteProbed(): void {
    this.#wasLive = true;
    this.#headersRefreshed = false;
    this.#badRow = { message: "", times: 0, since: 0 };
  }

  /** Notes that a connection brought rows or lasted: the next wait begins anew. */
  noteProgress(): void {
    this.#resetWithoutProgress = false;
    this.#resetBackOff();
  }

  /** What to do when a live feed has ended without a fault. */
  decideAfterEnd(): RetryDecision {
    return { wait: this.#nextEager() };
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
      if (this.#gone || !this.#resetWithoutProgress) this.#resetBackOff();
      this.#resetWithoutProgress = true;
      return { wait: this.#nextEager(), reset: fault.reason };
    }
    if (fault instanceof ChangesError) return this.#decideFault(fault, started);
    if (!started) throw fault;
    // An exception of a parser, by an answer that no check has foreseen.
    const unforeseen = new ChangesError("not-json", "The database's answer cannot be read", { cause: fault });
    return this.#decideFault(unforeseen, started);
  }

  #decideFault(fault: ChangesError, started: boolean): RetryDecision {
    const { code } = fault;
    if (this.#isFinal(fault, started)) throw fault;
    if (EAGER.has(code)) return { wait: this.#nextEager(), code };
    if (code === "unauthorized" && !this.#headersRefreshed) {
      this.#headersRefreshed = true;
      return { wait: this.#nextEager(), code };
    }
    const least = Math.max(LEAST_WAITS[code] ?? LEAST_WAIT, retryAfterOf(fault));
    const decision = { wait: this.#next(least), code };
    if (code !== "not-found" || this.#gone) return decision;
    this.#gone = true;
    return { ...decision, reset: "deleted" };
  }

  /** Whether no wait can help: before the feed was live, because of a mistake; later, because of a row or a filter. */
  #isFinal(fault: ChangesError, started: boolean): boolean {
    const { status } = fault;
    switch (fault.code) {
      case "network":
      case "timeout":
      case "truncated":
      case "server-error":
      case "too-many-requests":
        return false;
      case "not-json":
        // A server without a database at this address; under status 200, it may be a page that asks for patience.
        return !started && status !== undefined && status !== 200;
      case "unauthorized":
      case "forbidden":
      case "not-found":
        return !started;
      case "bad-request":
        // What was accepted once will be accepted again. Under 404, the filter is missing.
        return !this.#wasLive || status === 404;
      case "bad-row":
        return !this.#wasLive || this.#keepsComing(fault);
      default:
        return true;
    }
  }

  /** Whether a row that cannot be read is as the database has it: it has come too often, and for too long. */
  #keepsComing({ message }: ChangesError): boolean {
    const now = this.#clock.monotonic();
    if (this.#badRow.message !== message) this.#badRow = { message, times: 0, since: now };
    this.#badRow.times++;
    const { times, since } = this.#badRow;
    return times > REPEATS_OF_BAD_ROW && now - since >= DURATION_OF_BAD_ROW;
  }

  /** The next wait: none for the first attempt after progress. */
  #nextEager(): number {
    const wait = this.#backOff.nextEager();
    const least = this.#eagerSpent ? LEAST_WAIT : 0;
    this.#eagerSpent = true;
    return Math.max(least, wait);
  }

  #next(least: number): number {
    this.#eagerSpent = true;
    return this.#backOff.next(least);
  }

  #resetBackOff(): void {
    this.#eagerSpent = false;
    this.#backOff.reset();
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
