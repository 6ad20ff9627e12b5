/**
 * One feed's subscription to a registry: what it has reported, and whether it is live.
 *
 * @module
 */
import type { Change, ChangeBatch, FeedLook, Position } from "../changes/change.ts";
import { ignoreRejection } from "../changes/callback.ts";
import { type Clock, type Instant, instant, possiblyElapsed } from "../changes/clock.ts";
import type { FeedFault } from "./feed_fault.ts";
import { type FeedCounters, type FeedReset, feedResetOf, zeroFeedCounters } from "./feed_counters.ts";
import type { Incident } from "./reason.ts";

/** ms for which a change conflicts with new leases, where the database keeps replicas. */
const DEFAULT_REPLICA_LAG = 5_000;

/** What a subscription does to its registry. */
export interface ChangeSink {
  /** Voids everything: a feed began at a new position, or reported a gap. */
  reset(reason: Incident): void;
  /** Records a change of a group. */
  change(group: string, rev: string | undefined, subscription: Subscription): void;
  /** Records that a group is at a revision still, or again. */
  repeat(group: string, rev: string, subscription: Subscription): void;
  /** The subscription may have become live, or may no longer be. */
  stateChanged(): void;
  /** A batch has been applied, to its end. */
  batchApplied(): void;
}

/** Of what the changes of a feed tell. */
export interface Reach {
  /** Ids of the documents whose changes are reported; absent: all. */
  readonly documents?: readonly string[] | undefined;
  /** Names of the groups and families that the follower was given. */
  readonly groups?: ReadonlySet<string>;
  /** Names of the tables, and the like, whose rows are reported; it may grow. */
  readonly sources?: ReadonlySet<string> | undefined;
  /** Asks the feed at once, where it can be asked. */
  readonly look?: ((from: Position | undefined) => FeedLook | undefined) | undefined;
}

/**
 * How a feed is, as those who watch are told it.
 *
 * - `starting`: it has had no contact since it was followed, or since it began anew.
 * - `live`: it says that it is complete.
 * - `stale`: it says so, but its last contact is longer ago than its `maxLag`.
 * - `lost`: it has lost its contact, or could not be asked when it last was.
 * - `ended`: its follower was closed, or it has failed for good.
 */
export type SubscriptionState = "starting" | "live" | "stale" | "lost" | "ended";

/** A subscription is not live before its first batch whose state is `"live"`. */
export class Subscription {
  readonly #sink: ChangeSink;
  readonly #clock: Clock;
  readonly #replicaLag: number | undefined;
  #position: Position | undefined;
  #contact: Instant | undefined;
  #started: boolean;
  #live = false;
  /** Whether the contact was lost, and the feed has not been live since. */
  #isLost = false;
  #closed = false;
  /** Whether the batch before said so. */
  #wasLost = false;
  #lostAt: number | undefined;
  #lastReset: { readonly reason: FeedReset; readonly at: number } | undefined;
  #fault: FeedFault | undefined;
  /** Attempts that have failed since the feed was last live. */
  #failures = 0;
  /** Whether the feed could not be asked when it last was. */
  #isUnasked = false;
  /** When it was followed, by the monotonic clock. */
  readonly #since: number;
  /** Whether a batch is being applied: the groups of its changes may ask the registry. */
  #isApplying = false;
  #spent = 0;
  #restarts = 0;
  /** Tells several feeds of one registry apart. */
  readonly name: string;
  /** The place of its name among those of the registry, from 1 on. */
  readonly number: number;
  /** Whether a snapshot has brought it, and its feed has not been followed since. */
  isAwaited = false;
  /** ms without contact after which nothing is answered. */
  readonly maxLag: number;
  /** What the feeds of this name have brought. */
  readonly counters: FeedCounters;
  /** Called when the feed has to begin anew. */
  onRestart: () => void = () => {};
  /** Asks the feed what was committed after a position, and gives it as a batch to `apply`; undefined: it cannot be asked. */
  readonly #ask: ((from: Position | undefined) => FeedLook | undefined) | undefined;
  /** Applies what the feed was asked for, with the groups that the follower was given. */
  onLook: (batch: ChangeBatch) => void = () => {};
  /** Of what its changes tell. */
  readonly reach: Reach;
  /** ms for which a change conflicts with new leases. */
  replicaLag: number;

  /**
   * Continues the previous subscription of that name, if there was one.
   *
   * @param number The place of its name among those of the registry, from 1 on.
   * @param replicaLag ms, or undefined to go by what the database says of its replicas.
   * @param previous The closed subscription of the same name, whose position this one resumes from.
   */
  constructor(
    sink: ChangeSink,
    clock: Clock,
    name: string,
    number: number,
    maxLag: number,
    replicaLag: number | undefined,
    previous: (Pick<Subscription, "position" | "replicaLag"> & Partial<Subscription>) | undefined,
    reach: Reach = {},
  ) {
    this.#sink = sink;
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#replicaLag = replicaLag;
    this.#position = previous?.position;
    this.#started = previous?.position !== undefined;
    this.name = name;
    this.number = number;
    this.counters = previous?.counters ?? zeroFeedCounters();
    this.maxLag = maxLag;
    this.reach = reach;
    this.#ask = reach.look;
    this.replicaLag = replicaLag ?? previous?.replicaLag ?? 0;
  }

  /** The position after the last batch applied: where a later subscription of the same name resumes. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** The last applied contact; undefined while not live. */
  get contact(): Instant | undefined {
    return this.#live ? this.#contact : undefined;
  }

  /** Whether the last batch said so; how long ago that was is for {@linkcode Subscriptions} to judge. */
  get live(): boolean {
    return this.#live;
  }

  /** Whether the follower is gone; the position is kept for the next subscription of that name. */
  get closed(): boolean {
    return this.#closed;
  }

  /** When the contact was last lost, in ms since the epoch; undefined: it has not been. */
  get lostAt(): number | undefined {
    return this.#lostAt;
  }

  /** How it is, for those who watch. */
  get state(): SubscriptionState {
    if (this.isAwaited) return "starting";
    if (this.#closed) return "ended";
    if (!this.#live) return this.#contact !== undefined && this.#isLost ? "lost" : "starting";
    if (this.#isUnasked) return "lost";
    return this.lag > this.maxLag ? "stale" : "live";
  }

  /** Whether the feed could not be asked when it last was, so that the registry did not answer. */
  get isUnasked(): boolean {
    return this.#live && this.#isUnasked;
  }

  /** What the feed has met last; it is kept when that has passed. */
  get fault(): FeedFault | undefined {
    return this.#fault;
  }

  /** ms since it was followed. */
  get age(): number {
    return this.#clock.monotonic() - this.#since;
  }

  /**
   * Notes what the feed has met.
   *
   * @param what A sentence without a secret.
   * @param at Whether an attempt to read it has failed, a look before an answer, or the feed for good.
   */
  noteFault(what: string, at: "attempt" | "look" | "end" = "attempt"): void {
    // A request may look several times: these are no attempts in a row.
    const attempts = at === "attempt" ? ++this.#failures : 1;
    this.#fault = { what, at: this.#clock.now(), attempts, isFinal: at === "end" };
  }

  /** Why and when the feed has last voided everything, in ms since the epoch; undefined: it has not. */
  get lastReset(): { readonly reason: FeedReset; readonly at: number } | undefined {
    return this.#lastReset;
  }

  /** ms of work that applying has taken, in all. */
  get spent(): number {
    return this.#spent;
  }

  /** ms since the last applied contact, by the clock that shows more; Infinity before the first. */
  get lag(): number {
    return this.#contact === undefined ? Infinity : possiblyElapsed(this.#contact, instant(this.#clock));
  }

  /**
   * Applies a batch synchronously: the reset, then what came again, then each change, then the state. No look-up can run
   * between these steps.
   *
   * @param groups What a change touches besides its id. If it throws, everything is void. It may call back: what it asks of
   * the registry then is answered by what has been applied so far.
   * @param onReset Called where the feed begins anew, before the changes of the batch.
   */
  apply<C extends Change>(
    batch: ChangeBatch<C>,
    groups: (change: C) => Iterable<string>,
    onReset: () => void = () => {},
  ): void {
    if (this.#closed) return;
    if (this.#saysAgain(batch)) return void this.counters.batches++;
    this.#isApplying = true;
    try {
      this.#apply(batch, groups, onReset);
    } finally {
      this.#isApplying = false;
    }
  }

  /** Whether a batch says nothing but that a lost feed has tried in vain. */
  #saysAgain({ state, changes, repeated = [], reset }: ChangeBatch): boolean {
    return state === "lost" && this.#wasLost && reset === undefined && changes.length + repeated.length === 0;
  }

  #apply<C extends Change>(
    batch: ChangeBatch<C>,
    groups: (change: C) => Iterable<string>,
    onReset: () => void,
  ): void {
    const start = this.#clock.monotonic();
    const restarts = this.#restarts;
    this.#adoptReplicas(batch.replicas);
    // A feed that cannot say where it is has begun anew, even where the previous one could.
    const unresumed = batch.position === undefined && this.#position !== undefined;
    const reset = batch.reset ?? (!this.#started ? "began" : unresumed ? "unresumed" : undefined);
    if (reset !== undefined) {
      this.#noteReset(feedResetOf(reset));
      this.#sink.reset("reset");
      onReset();
    }
    // A loss before the feed could begin is no beginning.
    this.#started ||= batch.state !== "lost" || batch.position !== undefined;
    for (const change of batch.repeated ?? []) {
      this.#repeat(change.id, change.rev);
      // Which groups the states in between have touched is known from the change alone.
      this.#changeGroups(change, groups);
    }
    for (const change of batch.changes) {
      this.#change(change.id, change.rev);
      this.#changeGroups(change, groups);
    }
    // The function may have closed the follower, or restarted the registry: then the state of the batch is of before.
    if (!this.#closed && this.#restarts === restarts) {
      this.#position = batch.position;
      this.#contact = batch.contact ?? this.#contact;
      this.#live = batch.state === "live" && batch.contact !== undefined;
      this.#wasLost = batch.state === "lost";
    }
    this.#count(batch);
    if (this.#live) this.#failures = 0;
    this.#sink.stateChanged();
    this.#sink.batchApplied();
    const spent = this.#clock.monotonic() - start;
    this.#spent += spent;
    this.counters.seconds += Math.max(0, spent) / 1_000;
  }

  #count({ changes, repeated, state }: ChangeBatch): void {
    const { counters } = this;
    counters.batches++;
    counters.changes += changes.length;
    counters.repeated += repeated?.length ?? 0;
    // A feed that has had no contact has none to lose.
    if (state === "lost" && !this.#isLost && this.#contact !== undefined) {
      counters.losses++;
      this.#lostAt = this.#clock.now();
      this.#isLost = true;
    } else if (this.#live && this.#isLost) {
      counters.recoveries++;
      this.#isLost = false;
    }
  }

  #noteReset(reason: FeedReset): void {
    this.counters.resets[reason]++;
    this.#lastReset = { reason, at: this.#clock.now() };
  }

  /** Whether the feed is asked before each answer. */
  get looks(): boolean {
    return this.#ask !== undefined;
  }

  /**
   * Applies what was committed until now. False: that cannot be known, so nothing may be answered. A feed that is not live
   * is not asked: what it says of now does not mend what it has missed.
   */
  look(): boolean {
    if (!this.#live || this.#isApplying) return false;
    try {
      const look = this.#ask?.(this.#position);
      if (look !== undefined) {
        const { changes, position, reset } = look;
        const begun = reset === undefined ? {} : { reset };
        this.onLook({ changes, position, state: "live", contact: this.#contact, ...begun });
      }
      this.#isUnasked = false;
      return this.#live;
    } catch {
      this.#isUnasked = true;
      return false;
    }
  }

  /** Must precede the changes of the batch that tells it: they settle by it. */
  #adoptReplicas(replicas: number | undefined): void {
    if (replicas === undefined || this.#replicaLag !== undefined) return;
    const replicaLag = replicas > 1 ? DEFAULT_REPLICA_LAG : 0;
    if (replicaLag === this.replicaLag) return;
    this.replicaLag = replicaLag;
    this.#sink.stateChanged();
  }

  #changeGroups<C extends Change>(change: C, groups: (change: C) => Iterable<string>): void {
    let touched: Iterable<string> | undefined;
    try {
      touched = groups(change);
      // A string is an iterable of its letters, and never meant as one.
      for (const group of typeof touched === "string" ? [touched] : touched) {
        // Its own name has been told, with the revision: without it, an older one could not be told from the new one.
        if (group !== change.id) this.#change(group, undefined);
      }
    } catch {
      // Which groups it would have named is unknown, so any of them may have changed.
      this.#noteReset("groups-threw");
      this.#sink.reset("groups-threw");
      // An async function gives a promise, whose rejection would end the process.
      ignoreRejection(touched);
    }
  }

  #repeat(group: string, rev: string | undefined): void {
    if (rev === undefined) this.#change(group, rev);
    else this.#sink.repeat(group, rev, this);
  }

  #change(group: string, rev: string | undefined): void {
    if (typeof group !== "string") throw new TypeError(`A changed group is named by a string, not ${group}`);
    this.#sink.change(group, rev, this);
  }

  /** Suspends the registry until the feed has begun anew: no position of before is of use any more. */
  restart(): void {
    this.#restarts++;
    this.#position = undefined;
    this.#contact = undefined;
    this.#started = false;
    this.#wasLost = false;
    this.#live = false;
    this.#sink.stateChanged();
    if (!this.#closed) this.onRestart();
  }

  /** Suspends the registry from this instant until a feed is followed under the same name again. */
  close(): void {
    this.#closed = true;
    this.#live = false;
    this.#sink.stateChanged();
  }
}
