/**
 * All subscriptions of one registry: nothing may be answered unless each of them is live, and its contact not older than
 * its `maxLag`.
 *
 * @module
 */
import type { Clock } from "../changes/clock.ts";
import { type ChangeSink, Subscription } from "./subscription.ts";
import type { SavedSubscription } from "./snapshot.ts";

/** The subscriptions of a registry, by name. */
export class Subscriptions {
  readonly #byName: Map<string, Subscription> = new Map();
  readonly #clock: Clock;
  #replicaLag = 0;
  /** Whether answers may be given while there is no subscription. */
  readonly #manual: boolean;
  // Nothing is answered after either moment. A look-up only compares.
  #wallDeadline: number;
  #monotonicDeadline: number;

  constructor(clock: Clock, manual: boolean) {
    this.#clock = clock;
    this.#manual = manual;
    this.#wallDeadline = this.#monotonicDeadline = manual ? Infinity : -Infinity;
  }

  /** Whether no feed has ever been followed, although one has to be. */
  get unfollowed(): boolean {
    return this.#byName.size === 0 && !this.#manual;
  }

  /** True while each subscription is live and within its `maxLag`, by both clocks; without subscriptions, if `manual`. */
  get live(): boolean {
    return this.#wallDeadline === Infinity ||
      (this.#clock.now() <= this.#wallDeadline && this.#clock.monotonic() <= this.#monotonicDeadline);
  }

  /** ms: the longest `replicaLag` of any subscription. */
  get replicaLag(): number {
    return this.#replicaLag;
  }

  /**
   * Opens a subscription; a closed one of the same name hands its position over.
   *
   * @throws {TypeError} If one of that name is open.
   */
  open(host: ChangeSink, name: string, maxLag: number, replicaLag: number | undefined): Subscription {
    const previous = this.#byName.get(name);
    if (previous !== undefined && !previous.closed) {
      throw new TypeError(
        `A feed named ${JSON.stringify(name)} is followed already; give this one another name`,
      );
    }
    const number = previous?.number ?? this.#byName.size + 1;
    const subscription = new Subscription(host, this.#clock, name, number, maxLag, replicaLag, previous);
    this.#byName.set(name, subscription);
    this.updateDeadlines();
    return subscription;
  }

  /** Subscriptions of an earlier process, closed: nothing is answered until each is followed again and has caught up. */
  restore(host: ChangeSink, saved: readonly SavedSubscription[]): void {
    for (const previous of saved) {
      const number = this.#byName.size + 1;
      const subscription = new Subscription(host, this.#clock, previous.name, number, 0, undefined, previous);
      subscription.close();
      this.#byName.set(previous.name, subscription);
    }
    this.updateDeadlines();
  }

  /** The position of each feed; undefined where one of them has none, or there is no feed. */
  save(): readonly SavedSubscription[] | undefined {
    const subscriptions: SavedSubscription[] = [];
    for (const { name, replicaLag, position } of this.#byName.values()) {
      if (position === undefined) return undefined;
      subscriptions.push({ name, replicaLag, position });
    }
    return subscriptions.length === 0 ? undefined : subscriptions;
  }

  /** Works out until when answers may be given. */
  updateDeadlines(): void {
    this.#replicaLag = 0;
    this.#wallDeadline = this.#monotonicDeadline = this.unfollowed ? -Infinity : Infinity;
    for (const { replicaLag, contact, maxLag } of this.#byName.values()) {
      this.#replicaLag = Math.max(this.#replicaLag, replicaLag);
      this.#wallDeadline = Math.min(
        this.#wallDeadline,
        contact === undefined ? -Infinity : contact.wall + maxLag,
      );
      this.#monotonicDeadline = Math.min(
        this.#monotonicDeadline,
        contact === undefined ? -Infinity : contact.monotonic + maxLag,
      );
    }
  }
}
