/**
 * What follows a fault: whether to try again, after which wait, and whether it is a reset.
 *
 * @module
 */
import type { ResetReason } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";
import type { Clock } from "../../changes/clock.ts";
import { faultFields } from "../connection/monitor.ts";
import type { Settings } from "../connection/options.ts";
import { retryAfterOf } from "../wire/faults.ts";
import { BackOff, LEAST_WAIT } from "../../changes/back_off.ts";
import { FeedGap } from "./gap.ts";

/**
 * The least wait after a 403, in milliseconds, unless it says that the user has lost a role: CouchDB has locked out a
 * client whose credentials failed too often, which lasts for minutes.
 */
const LOCKED_OUT = 60_000;

/** The least wait after a second 401, in milliseconds: it may pass as soon as a lost role. */
const REFUSED_AGAIN = 60_000;

/** CouchDB locks a client out after five failures in five minutes, which its own clock measures. */
const LOCKOUT_WINDOW = 301_000;

/** The most 401s in that time. */
const MOST_REFUSALS = 4;

/**
 * The longest wait after a reset without progress, in milliseconds: what follows it may be all of the database.
 */
const LONGEST_AFTER_RESET = 30_000;

/** The longest where little was read between two resets, in milliseconds: as after any other fault. */
const LONGEST_AFTER_SHORT_RESET = 4_000;

/** How many times as long as the attempt before it the wait after a reset may be, if that is longer. */
const TIMES_THE_ATTEMPT = 4;

/** How many times a row that cannot be read must come again before it is final. */
const REPEATS_OF_BAD_ROW = 3;

/** How long a row that cannot be read must keep coming before it is final, in milliseconds. */
const DURATION_OF_BAD_ROW = 60_000;

/**
 * The least time between two back-offs that rows have ended, in milliseconds: a server that sends a row and ends, again
 * and again, is not asked at the speed of the network.
 */
const LEAST_BETWEEN_ROWS = 5_000;

/** Faults of a connection, and credentials that may have expired: the first new attempt is made at once. */
const EAGER: ReadonlySet<string> = new Set(["network", "timeout", "truncated", "unauthorized"]);

/** When to try again, and what is reported before. */
export interface RetryDecision {
  /** Milliseconds until the next attempt. */
  readonly wait: number;
  /** The fault; absent after an end without a fault, and after a gap. */
  readonly fault?: ChangesError;
  /** Why everything known before is void; absent if it is not. */
  readonly reset?: ResetReason;
}

/** Decides for one reader, by what has happened to it so far. */
export class RetryPolicy {
  readonly #backOff: BackOff;
  readonly #resetBackOff: BackOff;
  readonly #clock: Clock;
  /** Whether a probe has been complete: the address, the credentials and the options were right. */
  #wasLive = false;
  /** When rows last ended a back-off, by the monotonic clock. */
  #rowsNoted = -Infinity;
  /** When the attempt that is under way began, by the monotonic clock. */
  #attempted: number;
  /** Whether an attempt has been decided on since the last progress: the next is not made at once. */
  #eagerSpent = false;
  /** Whether the database has answered before, and does not exist now. */
  #gone = false;
  /** Whether a 401 has been answered with fresh headers, and no probe was complete since. */
  #headersRefreshed = false;
  /** When the last 401s came, by the monotonic clock; the last {@linkcode MOST_REFUSALS} at most. */
  #refusals: readonly number[] = [];
  /** The row that could not be read, named by its error's message, and how often and since when it has come. */
  #badRow = { message: "", times: 0, since: 0 };

  /**
   * @param random A number from 0 up to, not including, 1.
   * @param clock Measures for how long a row cannot be read.
   */
  constructor(random: () => number, clock: Clock) {
    this.#backOff = new BackOff(random);
    this.#resetBackOff = new BackOff(random, LONGEST_AFTER_RESET);
    this.#clock = clock;
    this.#attempted = clock.monotonic();
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

  /** Notes that a connection brought rows: the next wait begins anew, unless it has done so a moment ago. */
  noteRows(): void {
    const now = this.#clock.monotonic();
    if (now - this.#rowsNoted < LEAST_BETWEEN_ROWS) return;
    this.#rowsNoted = now;
    this.noteProgress();
  }

  /** Notes that a connection lasted: the next wait begins anew. */
  noteProgress(): void {
    this.#eagerSpent = false;
    this.#backOff.reset();
    this.#resetBackOff.reset();
  }

  /** What to do when a live feed has ended without a fault. */
  decideAfterEnd(): RetryDecision {
    return this.#noteAttempt({ wait: this.#nextEager() });
  }

  /**
   * What to do about a fault.
   *
   * @param started Whether the database has answered before.
   * @throws {unknown} The fault, if nothing can be done.
   */
  decide(fault: unknown, started: boolean): RetryDecision {
    return this.#noteAttempt(this.#decide(fault, started));
  }

  /** Notes that the next attempt begins after the wait. */
  #noteAttempt(decision: RetryDecision): RetryDecision {
    this.#attempted = this.#clock.monotonic() + decision.wait;
    return decision;
  }

  #decide(fault: unknown, started: boolean): RetryDecision {
    if (fault instanceof FeedGap) {
      if (this.#gone) this.#resetBackOff.reset();
      const elapsed = this.#clock.monotonic() - this.#attempted;
      const longest = Math.max(LONGEST_AFTER_SHORT_RESET, TIMES_THE_ATTEMPT * elapsed);
      const wait = Math.min(longest, this.#resetBackOff.nextEager());
      // A gap is only found in a response, so the server is back: restart the back-off, but not for a second gap
      // without progress in between.
      if (wait === 0) this.#backOff.reset();
      return { wait, reset: fault.reason };
    }
    if (fault instanceof ChangesError) return this.#decideFault(fault, started);
    // An exception of a parser, by an answer that no check has foreseen.
    const unforeseen = new ChangesError("not-json", "The database's answer cannot be read", { cause: fault });
    if (!started) throw unforeseen;
    return this.#decideFault(unforeseen, started);
  }

  #decideFault(fault: ChangesError, started: boolean): RetryDecision {
    const { code } = fault;
    if (this.#isFinal(fault, started)) throw fault;
    const least = Math.max(this.#leastWait(fault), retryAfterOf(fault));
    if (least === 0 && EAGER.has(code)) return { wait: this.#nextEager(), fault };
    const decision = { wait: this.#next(least), fault };
    if (code !== "not-found" || this.#gone) return decision;
    this.#gone = true;
    return { ...decision, reset: "deleted" };
  }

  /** The least wait after a fault that has one of its own, in milliseconds; else 0. */
  #leastWait({ code, message }: ChangesError): number {
    // A role that was taken: asking again is no failed login, and it may be given back at any moment.
    if (code === "forbidden") return message.includes("not allowed to access this db") ? 0 : LOCKED_OUT;
    if (code !== "unauthorized") return 0;
    const now = this.#clock.monotonic();
    this.#refusals = [...this.#refusals, now].slice(-MOST_REFUSALS);
    const [oldest = now] = this.#refusals;
    const lockedOut = this.#refusals.length === MOST_REFUSALS ? oldest + LOCKOUT_WINDOW - now : 0;
    const refused = this.#headersRefreshed ? REFUSED_AGAIN : 0;
    this.#headersRefreshed = true;
    return Math.max(refused, lockedOut);
  }

  /** Whether no wait can help: before the feed was live, because of a mistake; later, because of a row. */
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
      case "too-large":
        // What was accepted once will be accepted again: a design document that is replaced is missing for a while.
        return !this.#wasLive;
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
}

/** Announces the next attempt, and waits until it is due or `signal` aborts. */
export async function pause(
  decision: RetryDecision,
  { monitor, sleep }: Pick<Settings, "monitor" | "sleep">,
  signal: AbortSignal,
): Promise<void> {
  const { wait, fault } = decision;
  monitor.emit({ type: "retrying", ms: wait, ...faultFields(fault) });
  if (wait > 0) await sleep(wait, signal);
}
