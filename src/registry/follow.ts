/**
 * Following a feed: each of its batches is applied to a registry.
 *
 * @module
 */
import type { Change, ChangeBatch, ChangesFeed, FeedLook, Position, Since } from "../changes/change.ts";
import { ignoreRejection } from "../changes/callback.ts";
import { ChangesError } from "../changes/changes_error.ts";
import { coreOf } from "./core.ts";
import { attempts, shownFault } from "./feed_fault.ts";
import { discard, milliseconds, nothing, requireFeed } from "./followable.ts";
import { type FollowedGroups, followedGroups } from "./followed_groups.ts";
import { type Group, group, type GroupOptions } from "./group.ts";
import { groupBy, type GroupFamily, type GroupMember } from "./group_by.ts";
import type { EtagRegistry } from "./registry.ts";
import type { Subscription } from "./subscription.ts";

export { type Group, group, groupBy, type GroupFamily, type GroupMember, type GroupOptions };

/** How a feed is followed. */
export interface FollowOptions<C extends Change = Change> {
  /**
   * Groups a change touches, besides its id: what {@linkcode group} and {@linkcode groupBy} made, or a function that
   * names them. A function sees only what the change shows, and not what the document was in before; if it throws,
   * everything is void. It runs while a batch is applied: it gives its names at once, and keeps it short.
   */
  readonly groups?: readonly (Group<C> | GroupFamily<C>)[] | ((change: C) => Iterable<string>);
  /** ms without contact after which nothing is answered; default 25,000. */
  readonly maxLag?: number;
  /**
   * ms a change goes on counting against responses that begin after it, because a replica may answer them with older
   * data; default 5,000 where the database has replicas, else 0.
   */
  readonly replicaLag?: number;
  /**
   * Tells several feeds of one registry apart; default `"changes"`. A feed that was closed is continued by the next one of
   * its name, and suspends the registry until then; {@linkcode EtagRegistry.retire} forgets it.
   */
  readonly name?: string;
  /**
   * Allows a feed that reports some documents only (`filter: "_doc_ids"`). A response that declares any other group is
   * then not registered (`unreported`), because its changes would not be reported. All feeds of a registry have to be
   * partial, or none, and `groups` is not possible. Default false: such a feed is refused. One with any other filter is
   * always refused, because a document that no longer matches vanishes without a change.
   */
  readonly partial?: boolean;
  /**
   * Called once with the fault that ends the feed. Nothing is answered from then on. Whatever it throws is ignored.
   * Default: the console shows the fault, unless the program has read {@linkcode Follower.ready} before it was settled,
   * or {@linkcode Follower.error}. A feed that goes on trying has no such fault: the console warns of it once, where it has
   * had no contact in its first 10 s.
   */
  readonly onError?: (error: unknown) => unknown;
  /**
   * Called after each batch that has voided something, with the names of what it has voided: documents and groups, which
   * `purgeKey` spells as caches in front know them. `"all"`: the feed has begun anew, or which groups were touched is not
   * known. What is built from older data from then on is not registered, and with `purgeFields` not for caches in front.
   * What the program voids itself is not reported. Whatever it throws is ignored.
   */
  readonly onVoid?: (names: ReadonlySet<string> | "all") => unknown;
  /** Closes the follower. */
  readonly signal?: AbortSignal;
}

/** A feed being followed. */
export interface Follower extends AsyncDisposable {
  /** Resolves when first live, rejects on a final fault or when closed before; never an unhandled rejection. */
  readonly ready: Promise<void>;
  /** Whether the feed says that it is complete; the registry also asks how long ago. */
  readonly live: boolean;
  /** The position after the last batch applied; undefined before the first, or where the feed has none. */
  readonly since: Since | undefined;
  /** ms since the last applied contact; Infinity before the first. */
  readonly lag: number;
  /** The fault that has ended the feed; undefined while there is none. `close()` is none. */
  readonly error: unknown;
  /** Suspends the registry at once, and ends the feed. */
  close(): Promise<void>;
}

/**
 * The documents that a feed reports; undefined: all.
 *
 * @throws {TypeError} If some are left out, and the options do not say that this is meant.
 */
function reportedDocuments<C extends Change>(
  { documents }: ChangesFeed<C>,
  { partial = false, groups }: FollowOptions<C>,
): readonly string[] | undefined {
  if (documents === "filtered") {
    throw new TypeError(
      "follow() takes no filtered feed, because a document that no longer matches vanishes without a change",
    );
  }
  if (partial !== (documents !== undefined)) {
    throw new TypeError(
      partial
        ? "partial: true is for a feed of some documents, but this one reports all"
        : "This feed reports some documents only: say { partial: true } if responses depend on no others",
    );
  }
  if (partial && groups !== undefined) {
    throw new TypeError(
      "partial contradicts groups: a document that is not reported may belong to a group too",
    );
  }
  return documents;
}

/** ms without a first contact after which the console is told. */
const LONGEST_SILENCE = 10_000;

/** ms of applying in a row, after which requests and timers have their turn. */
const MOST_WORK = 1;

class FeedFollower<C extends Change> implements Follower {
  readonly #subscription: Subscription;
  readonly #groups: FollowedGroups<C>;
  readonly #open: (anew: boolean) => AsyncIterator<ChangeBatch<C>>;
  #iterator: AsyncIterator<ChangeBatch<C>>;
  /** Whether the feed has to begin anew: what the iterator still yields is of before. */
  #isRestarting = false;
  readonly #onError: ((error: unknown) => unknown) | undefined;
  readonly #onVoid: FollowOptions["onVoid"];
  readonly #ready: Promise<void>;
  #settleReady!: { resolve: () => void; reject: (reason: unknown) => void };
  #error: unknown;
  #wasLive = false;
  // Whether the program learns of a fault without being told.
  #readyRead = false;
  #errorRead = false;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.close();
  /** Whether the console has been told that there is no contact. */
  #isTold = false;
  /** {@linkcode Subscription.spent} when requests and timers last had a turn. */
  #restedAt = 0;

  constructor(registry: EtagRegistry, feed: ChangesFeed<C>, options: FollowOptions<C>) {
    const maxLag = milliseconds("maxLag", options.maxLag ?? 25_000);
    if (options.replicaLag !== undefined) milliseconds("replicaLag", options.replicaLag);
    const name = options.name ?? "changes";
    requireFeed(feed, "follow");
    const core = coreOf(registry);
    const documents = reportedDocuments(feed, options);
    this.#groups = followedGroups(options.groups ?? nothing, () => core.count("membership-unknown"));
    this.#subscription = core.subscribe(name, maxLag, options.replicaLag, {
      documents,
      groups: this.#groups.names,
      sources: feed.sources,
      look: typeof feed.look === "function" ? (from) => this.#look(feed, from) : undefined,
    });
    this.#subscription.onLook = (batch) => this.#apply(batch as ChangeBatch<C>);
    this.#onError = options.onError;
    this.#onVoid = options.onVoid;
    this.#ready = new Promise((resolve, reject) => this.#settleReady = { resolve, reject });
    this.#ready.catch(() => {});
    this.#open = (anew) => feed.batches(this.#subscription.position, { maxLag, anew });
    this.#subscription.onRestart = () => {
      this.#isRestarting = true;
      void discard(this.#iterator);
    };
    try {
      this.#iterator = this.#open(false);
    } catch (error) {
      this.#subscription.close();
      throw error;
    }
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort);
    if (options.signal?.aborted) void this.close();
    else void this.#pump();
  }

  get ready(): Promise<void> {
    this.#readyRead = true;
    return this.#ready;
  }

  get live(): boolean {
    return this.#subscription.live;
  }

  get since(): Since | undefined {
    return this.#subscription.position?.since;
  }

  get lag(): number {
    return this.#subscription.lag;
  }

  get error(): unknown {
    this.#errorRead = true;
    return this.#error;
  }

  async close(): Promise<void> {
    this.#end(new ChangesError("aborted", "The follower was closed before the feed was live"));
    await discard(this.#iterator);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A `next()` is always pending, so that a loss, which the feed reports in band, is known at once. */
  async #pump(): Promise<void> {
    try {
      while (!this.#subscription.closed) {
        const pending = this.#iterator.next();
        if (this.#subscription.spent - this.#restedAt >= MOST_WORK) await this.#rest(pending);
        const { value, done } = await pending;
        if (this.#isRestarting) {
          await this.#reopen();
          continue;
        }
        if (done) break;
        this.#apply(value);
      }
      this.#fail(new ChangesError("truncated", "The feed ended, and a feed that is followed must not end"));
    } catch (error) {
      this.#fail(error);
      await discard(this.#iterator);
    }
  }

  async #reopen(): Promise<void> {
    await discard(this.#iterator);
    this.#isRestarting = false;
    if (!this.#subscription.closed) this.#iterator = this.#open(true);
  }

  /** Gives requests and timers a turn, unless the next batch is a loss or a fault: those are applied at once. */
  async #rest(pending: Promise<IteratorResult<ChangeBatch<C>>>): Promise<void> {
    const turn = new Promise<void>((resolve) => setTimeout(resolve));
    const isLoss = ({ value }: IteratorResult<unknown>) =>
      (value as ChangeBatch | undefined)?.state === "lost";
    const lost = pending.then((next) => isLoss(next) ? undefined : turn, () => {});
    await Promise.race([turn, lost]);
    this.#restedAt = this.#subscription.spent;
  }

  #apply(batch: ChangeBatch<C>): void {
    const { touchedBy, forget } = this.#groups;
    if (this.#onVoid === undefined) this.#subscription.apply(batch, touchedBy, forget);
    else this.#applyTelling(batch, this.#onVoid);
    if (!this.#subscription.live) {
      if (batch.state === "lost") this.#noteLoss(batch.fault);
      return;
    }
    this.#wasLive = true;
    this.#settleReady.resolve();
  }

  #look(feed: ChangesFeed<C>, from: Position | undefined): FeedLook<C> | undefined {
    try {
      return feed.look!(from);
    } catch (error) {
      this.#subscription.noteFault(shownFault(error), "look");
      throw error;
    }
  }

  /**
   * Notes a loss. Tells once of a feed that tries again and again without ever having had contact: its address may be
   * wrong. Nothing else does: `ready` waits, and `onError` is for the fault that ends a feed.
   */
  #noteLoss(met: unknown): void {
    if (met !== undefined) this.#subscription.noteFault(shownFault(met));
    const { age, fault, name } = this.#subscription;
    if (this.#isTold || this.#wasLive || age < LONGEST_SILENCE) return;
    this.#isTold = true;
    const cause = fault === undefined ? "" : ` (${fault.what}; ${attempts(fault)})`;
    console.warn(
      `Stillfresh: the feed ${JSON.stringify(name)} has had no contact with its source for ` +
        `${
          Math.round(age / 1_000)
        } s${cause}, so nothing is answered from its registry. It goes on trying: check its ` +
        "address, and whether the source runs and can be reached from here. This is said once.",
    );
  }

  #applyTelling(batch: ChangeBatch<C>, onVoid: NonNullable<FollowOptions["onVoid"]>): void {
    const names = new Set<string>();
    const { touchedBy, forget } = this.#groups;
    let isReset = false;
    // How many changes there were, and of how many it is known what they touched: of the others it may be anything.
    let asked = 0;
    let known = 0;
    this.#subscription.apply(batch, (change) => {
      asked++;
      names.add(change.id);
      const touched = touchedBy(change);
      if (typeof touched?.[Symbol.iterator] !== "function") return touched;
      // An iterable may be read once.
      const groups = typeof touched === "string" ? [touched] : [...touched];
      groups.forEach((group) => names.add(group));
      if (groups.every((group) => typeof group === "string")) known++;
      return groups;
    }, () => {
      isReset = true;
      forget();
    });
    const isAll = isReset || known < asked;
    if (!isAll && names.size === 0) return;
    try {
      ignoreRejection(onVoid(isAll ? "all" : names));
    } catch {
      // What the listener does with it is its own concern.
    }
  }

  /** The feed is over without having been closed. */
  #fail(error: unknown): void {
    if (this.#subscription.closed) return;
    this.#error = error;
    this.#subscription.noteFault(shownFault(error), "end");
    this.#end(error);
    if (this.#onError === undefined) {
      const heard = this.#errorRead || (this.#readyRead && !this.#wasLive);
      if (!heard && !isAbort(error)) console.error(sentence(this.#subscription.name, error));
      return;
    }
    try {
      ignoreRejection(this.#onError(error));
    } catch {
      // What the listener does with it is its own concern.
    }
  }

  #end(reason: unknown): void {
    this.#subscription.close();
    // A signal may outlive thousands of followers.
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#settleReady.reject(reason);
  }
}

/** A program that aborts its feed knows that it has. */
function isAbort(error: unknown): boolean {
  return error instanceof ChangesError && error.code === "aborted";
}

function sentence(feed: string, error: unknown): string {
  return `Stillfresh: the feed ${
    JSON.stringify(feed)
  } has failed for good, so nothing is answered from its ` +
    `registry (${shownFault(error)}${
      error instanceof ChangesError ? "" : ", of which follower.error has more"
    }). Mend the cause and follow it again. With onError, follow() tells you instead of the console.`;
}

/**
 * Follows a feed: every change takes out of the registry what was built from it. While the feed has lost contact with
 * its source, or is older than `maxLag`, the registry answers nothing and the handlers run.
 *
 * The feed itself recovers from a fault that passes. A final one suspends the registry, is kept at `error` and goes to
 * `onError`, or else to the console. It never becomes an unhandled rejection.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow } from "@stillfresh/etag";
 * import { changes } from "@stillfresh/etag/couchdb";
 *
 * // Stands in for an empty database.
 * const info = { db_name: "blog", update_seq: "0-x", purge_seq: "0-x", instance_start_time: "1795354892" };
 * const fetch = (url: string) => url.includes("feed=")
 *   ? new Promise<Response>(() => {})
 *   : Promise.resolve(Response.json(url.includes("_changes") ? { results: [], last_seq: "0-x", pending: 0 } : info));
 *
 * const registry = new EtagRegistry();
 * const feed = changes("http://localhost:5984/blog", { fetch });
 * const follower = follow(registry, feed, { groups: () => ["posts"], onError: (error) => console.error(error) });
 * await follower.ready;
 * assert.equal(registry.live, true);
 *
 * await follower.close();
 * assert.equal(registry.live, false);
 * ```
 *
 * @param registry What to keep true.
 * @param feed `changes(url)`, `ownFeed(connect)`, or any {@linkcode ChangesFeed}.
 * @param options Groups, bounds, a name.
 * @throws {RangeError} If `maxLag` or `replicaLag` is not a number of milliseconds.
 * @throws {TypeError} If this is no feed but a plain iterable, is filtered, or reports some documents only without
 * `partial`; if a feed of that name is followed already; if `groups` holds what is no group.
 */
export function follow<C extends Change>(
  registry: EtagRegistry,
  feed: ChangesFeed<C>,
  options: FollowOptions<C> = {},
): Follower {
  return new FeedFollower(registry, feed, options);
}
