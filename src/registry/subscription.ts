/**
 * One follower's subscription in a registry: what it has reported, and whether it may be relied on at this moment.
 *
 * @module
 */
import type { Change, ChangeBatch, Position } from "../changes/change.ts";
import { type Clock, type Instant, instant, possiblyElapsed } from "../changes/clock.ts";
import type { Reason } from "./reason.ts";

/** ms a change goes on counting against new leases where the database keeps replicas. */
const REPLICATED_SETTLE = 5_000;

/** What a subscription does to its registry. */
export interface ChangeSink {
  /** Voids everything: a feed began at a new position, or reported a gap. */
  reset(reason: Reason): void;
  /** A group changed. */
  change(group: string, rev: string | undefined, subscription: Subscription): void;
  /** The subscription may have become live, or ceased to be. */
  stateChanged(): void;
}

/** For {@linkcode follow}: a subscription is not live until its first `"live"` batch. */
export class Subscription {
  readonly #host: ChangeSink;
  readonly #clock: Clock;
  readonly #replicaLag: number | undefined;
  #position: Position | undefined;
  #contact: Instant | undefined;
  #started: boolean;
  #live = false;
  #closed = false;
  #spent = 0;
  /** Tells several feeds of one registry apart. */
  readonly name: string;
  /** ms without contact after which nothing is answered. */
  readonly maxLag: number;
  /** ms a change goes on counting against new leases. */
  replicaLag: number;

  /**
   * Takes the subscription over from its predecessor, if there was one.
   *
   * @param replicaLag ms, or undefined to go by what the database says of its replicas.
   * @param previous The closed subscription of the same name, whose position this one resumes from.
   */
  constructor(
    host: ChangeSink,
    clock: Clock,
    name: string,
    maxLag: number,
    replicaLag: number | undefined,
    previous: Pick<Subscription, "position" | "replicaLag"> | undefined,
  ) {
    this.#host = host;
    this.#clock = clock;
    this.#replicaLag = replicaLag;
    this.#position = previous?.position;
    this.#started = previous?.position !== undefined;
    this.name = name;
    this.maxLag = maxLag;
    this.replicaLag = replicaLag ?? previous?.replicaLag ?? 0;
  }

  /** The position after the last batch applied: where a later follower of the same name resumes. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** The last applied contact; undefined while not live. */
  get contact(): Instant | undefined {
    return this.#live ? this.#contact : undefined;
  }

  /** Whether the last batch said so; the time since is the registry's to judge. */
  get live(): boolean {
    return this.#live;
  }

  /** Whether the follower is gone; its position is kept for the next of its name. */
  get closed(): boolean {
    return this.#closed;
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
   * Applies a batch, synchronously and whole: reset, then changes, then state. Whoever asks in between asks nothing.
   *
   * @param groups What a change touches besides its id. If it throws, everything is void.
   */
  apply<C extends Change>(batch: ChangeBatch<C>, groups: (change: C) => Iterable<string>): void {
    if (this.#closed) return;
    const start = this.#clock.monotonic();
    if (this.#replicaLag === undefined && batch.replicas !== undefined) {
      this.replicaLag = batch.replicas > 1 ? REPLICATED_SETTLE : 0;
      this.#host.stateChanged();
    }
    // A source that cannot say where it is has begun anew, even where its predecessor could.
    const unresumed = batch.position === undefined && this.#position !== undefined;
    if (batch.reset !== undefined || !this.#started || unresumed) this.#host.reset("reset");
    // A loss before the feed could begin leaves its beginning to come.
    this.#started ||= batch.state !== "lost" || batch.position !== undefined;
    for (const change of batch.changes) {
      this.#change(change.id, change.rev);
      try {
        const touched = groups(change);
        // A string is an iterable of its letters, and never meant as one.
        for (const group of typeof touched === "string" ? [touched] : touched) this.#change(group, undefined);
      } catch {
        // Which groups it would have named is unknown, so it may have been any.
        this.#host.reset("groups-threw");
      }
    }
    this.#position = batch.position;
    this.#contact = batch.contact ?? this.#contact;
    this.#live = batch.state === "live" && batch.contact !== undefined;
    this.#host.stateChanged();
    this.#spent += this.#clock.monotonic() - start;
  }

  #change(group: string, rev: string | undefined): void {
    if (typeof group !== "string") throw new TypeError(`A changed group is named by a string, not ${group}`);
    this.#host.change(group, rev, this);
  }

  /** A batch for a source that has none: it has no contact to report, so it counts as complete as of now. */
  unbatched<C extends Change>(...changes: readonly C[]): ChangeBatch<C> {
    return { changes, position: undefined, state: "live", contact: instant(this.#clock) };
  }

  /** Suspends the registry from this instant, until somebody follows under the same name again. */
  close(): void {
    this.#closed = true;
    this.#live = false;
    this.#host.stateChanged();
  }
}
