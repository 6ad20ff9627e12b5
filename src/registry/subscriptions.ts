/**
 * All subscriptions of one registry: nothing may be answered unless each of them is live, and its contact not older than
 * its `maxLag`.
 *
 * @module
 */
import type { Clock } from "../changes/clock.ts";
import type { DeclaredDependency } from "../http/dependency.ts";
import { type ChangeSink, type Reach, Subscription } from "./subscription.ts";
import type { SavedSubscription } from "./snapshot.ts";

/** The subscriptions of a registry, by name. */
export class Subscriptions {
  readonly #byName: Map<string, Subscription> = new Map();
  #wasFollowed = false;
  readonly #clock: Clock;
  /** The documents that partial feeds report; undefined: no feed is partial. */
  #documents: ReadonlySet<string> | undefined;
  #replicaLag = 0;
  /** Those whose feed is asked before each answer. */
  #looking: readonly Subscription[] = [];
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
    return !this.#wasFollowed && !this.#manual;
  }

  /** True while each subscription is live and within its `maxLag`, by both clocks; without subscriptions, if `manual`. */
  get live(): boolean {
    return this.#wallDeadline === Infinity ||
      (this.#clock.now() <= this.#wallDeadline && this.#clock.monotonic() <= this.#monotonicDeadline);
  }

  /** Applies what was committed until now, where feeds can be asked. False: one of them cannot tell. */
  look(): boolean {
    if (this.#looking.length === 0) return true;
    for (const subscription of this.#looking) if (!subscription.look()) return false;
    return this.live;
  }

  /** Whether a feed could not be asked when it last was. */
  get unasked(): boolean {
    return this.#looking.some(({ isUnasked }) => isUnasked);
  }

  /** Whether a follower was given the group or family of that name, or none has to be. */
  follows(group: string): boolean {
    if (this.#manual) return true;
    for (const { reach } of this.#byName.values()) if (reach.groups?.has(group)) return true;
    return false;
  }

  /** Whether a feed reports the rows of the table of that name, or none has to. */
  reportsOf(source: string): boolean {
    if (this.#manual) return true;
    for (const { reach } of this.#byName.values()) if (reach.sources?.has(source)) return true;
    return false;
  }

  /** ms: the longest `replicaLag` of any subscription. */
  get replicaLag(): number {
    return this.#replicaLag;
  }

  /**
   * Opens a subscription; a closed one of the same name hands its position over. Groups that only the closed one
   * followed change no more, so they are void. Where all others are closed, one of a new name takes their place: they are
   * retired, and the registry begins anew. Those that a snapshot brought have not been followed yet, and are kept.
   *
   * @param reach Of what the changes of the feed tell.
   * @throws {TypeError} If one of that name is open, or one that reports all documents beside one that does not: it is
   * not known which of them would report a group.
   */
  open(
    host: ChangeSink,
    name: string,
    maxLag: number,
    replicaLag: number | undefined,
    reach: Reach = {},
  ): Subscription {
    const previous = this.#byName.get(name);
    if (previous !== undefined && !previous.closed) {
      throw new TypeError(
        `A feed named ${JSON.stringify(name)} is followed already; give this one another { name }`,
      );
    }
    for (const other of this.#byName.values()) {
      if (other.closed || (other.reach.documents === undefined) === (reach.documents === undefined)) continue;
      throw new TypeError(
        `The feed ${
          JSON.stringify(other.name)
        } is followed already: all feeds of a registry are partial, or none`,
      );
    }
    if (previous === undefined) this.#retireClosed(host);
    const number = previous?.number ?? this.#freeNumber();
    const subscription = new Subscription(
      host,
      this.#clock,
      name,
      number,
      maxLag,
      replicaLag,
      previous,
      reach,
    );
    this.#byName.set(name, subscription);
    this.#wasFollowed = true;
    this.#updateDocuments();
    for (const group of previous?.reach.groups ?? []) {
      if (!reach.groups?.has(group)) host.change(group, undefined, subscription);
    }
    this.updateDeadlines();
    return subscription;
  }

  #retireClosed(host: ChangeSink): void {
    const all = [...this.#byName.values()];
    if (!all.every(({ closed, isAwaited }) => closed && !isAwaited)) return;
    for (const { name } of all) this.retire(host, name);
  }

  /**
   * Forgets a closed subscription, whose feed will not be followed again: the others vouch for the entries without it.
   * Everything is void, because an entry may depend on what only that feed reports.
   *
   * @returns Whether there was one of that name.
   * @throws {TypeError} If it is open.
   */
  retire(host: ChangeSink, name: string): boolean {
    const subscription = this.#byName.get(name);
    if (subscription === undefined) return false;
    if (!subscription.closed) {
      throw new TypeError(`The feed ${JSON.stringify(name)} is being followed: close() its follower first`);
    }
    this.#byName.delete(name);
    this.#updateDocuments();
    host.reset("reset");
    host.stateChanged();
    return true;
  }

  /** Reports of revisions are told apart by it, and a reset has forgotten those of whatever had it before. */
  #freeNumber(): number {
    const taken = new Set([...this.#byName.values()].map(({ number }) => number));
    let number = 1;
    while (taken.has(number)) number++;
    return number;
  }

  #updateDocuments(): void {
    const lists = [...this.#byName.values()].map((subscription) => subscription.reach.documents);
    this.#documents = lists.every((list) => list === undefined)
      ? undefined
      : new Set(lists.flatMap((list) => list ?? []));
  }

  /** Subscriptions of an earlier process, closed: nothing is answered until each is followed again and has caught up. */
  restore(host: ChangeSink, saved: readonly SavedSubscription[]): void {
    for (const previous of saved) {
      const number = this.#byName.size + 1;
      const subscription = new Subscription(host, this.#clock, previous.name, number, 0, undefined, previous);
      subscription.close();
      subscription.isAwaited = true;
      this.#byName.set(previous.name, subscription);
      this.#wasFollowed = true;
    }
    this.updateDeadlines();
  }

  /** All of them, in the order in which they were first followed. */
  values(): Iterable<Subscription> {
    return this.#byName.values();
  }

  /** Lets every feed begin anew. */
  restart(): void {
    for (const subscription of this.#byName.values()) subscription.restart();
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

  /** Whether changes of all these groups would be reported. */
  reports(groups: readonly DeclaredDependency[]): boolean {
    const reported = this.#documents;
    return reported === undefined || groups.every((group) => reported.has(group._id));
  }

  /** Works out until when answers may be given. */
  updateDeadlines(): void {
    this.#replicaLag = 0;
    this.#looking = [...this.#byName.values()].filter(({ looks, closed }) => looks && !closed);
    const isVouchedFor = this.#manual || this.#byName.size > 0;
    this.#wallDeadline = this.#monotonicDeadline = isVouchedFor ? Infinity : -Infinity;
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
