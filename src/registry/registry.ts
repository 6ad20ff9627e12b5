/**
 * The registry of valid entity tags: which responses of the past would be given again, because nothing they were
 * built from has changed.
 *
 * @module
 */
import { ChangeLog } from "./change_log.ts";
import { EntryStore } from "./entry_store.ts";
import type { Entry, Registration, StoredEntry } from "./entry.ts";
import { resourceGroup } from "../http/dependency.ts";
import { groupNames } from "./group_table.ts";
import type { Lease } from "./lease.ts";
import { randomTag, tagToKeep } from "./random_tag.ts";
import { countIn, type Reason, zeroCounters } from "./reason.ts";
import type { ChangeSink, Subscription } from "./subscription.ts";
import { clockOf, type EtagRegistryOptions, limitsOf, requireVersion } from "./options.ts";
import { Subscriptions } from "./subscriptions.ts";
import { makeSnapshot, readSnapshot } from "./snapshot.ts";
import { storageKey } from "./storage_key.ts";

export type { Entry, Registration } from "./entry.ts";
export type { Source } from "../http/dependency.ts";
export type { Lease } from "./lease.ts";
export type { Reason } from "./reason.ts";
export type { EtagRegistryOptions } from "./options.ts";
export type { Subscription } from "./subscription.ts";
export type { NotModifiedInit } from "./shared_headers.ts";

/**
 * Entity tags that are valid now, by resource. An entry is made under a {@linkcode Lease}, depends on groups, and is
 * void from the instant that one of them changes.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry } from "@stillfresh/etag";
 *
 * const registry = new EtagRegistry({ maxEntries: 10_000 });
 * const lease = registry.lease("https://example.org/");
 * registry.register(lease, {
 *   etag: '"1"', representation: "", lastModified: undefined, fields: {}, isPublic: true, vary: [], sources: ["post-1"],
 * }, new Headers());
 *
 * assert.equal(registry.hasTag('"1"'), true);
 * registry.invalidate("post-1");
 * assert.equal(registry.hasTag('"1"'), false);
 * ```
 */
export class EtagRegistry {
  readonly #entries: EntryStore;
  readonly #changeLog: ChangeLog;
  readonly #subscriptions: Subscriptions;
  readonly #stats: Record<Reason, number> = zeroCounters();
  readonly #sink: ChangeSink;
  readonly #onEvict: ((key: string, reason: Reason) => void) | undefined;
  #inEvictCallback = false;
  /** The build whose tags these are. */
  readonly version: string | undefined;

  /**
   * Makes an empty registry.
   *
   * @param options Bounds and clocks.
   * @throws {RangeError} If a bound is not a number above 0.
   * @throws {TypeError} If `version` is empty, or missing beside a `snapshot`.
   */
  constructor(options: EtagRegistryOptions = {}) {
    const [limits, clock] = [limitsOf(options), clockOf(options)];
    this.#onEvict = options.onEvict;
    this.version = options.version;
    this.#subscriptions = new Subscriptions(clock);
    this.#entries = new EntryStore(limits, (entry, reason) => {
      this.count(reason);
      this.#tell(entry.key, reason);
    });
    this.#changeLog = new ChangeLog(clock, limits.maxBytes, () => this.count("overflow"));
    this.#sink = {
      reset: (reason) => this.#reset(reason),
      change: (group, rev, subscription) => this.#change(group, rev, subscription, subscription.replicaLag),
      stateChanged: () => {
        this.#subscriptions.judge();
        this.#changeLog.replicaLag = this.#subscriptions.replicaLag;
      },
    };
    if (options.snapshot !== undefined) this.#restore(options.snapshot);
  }

  /** Entries kept, including those that a change has voided and nobody has asked for since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Estimated bytes kept, groups included. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /** How often each {@linkcode Reason} was given; a reset or `clear()` counts once, however much it voids. */
  get stats(): Readonly<Record<Reason, number>> {
    return this.#stats;
  }

  /** True while every follower is live and within its `maxLag`; without followers, always. */
  get live(): boolean {
    return this.#subscriptions.live;
  }

  /** Counts a reason in {@linkcode EtagRegistry.stats}. */
  count(reason: Reason): void {
    countIn(this.#stats, reason);
  }

  /**
   * The entry that may answer now, else why none may.
   *
   * @param key The resource.
   * @param headers The request's fields, from which `Vary` selects.
   * @param caller Who asks, where the answer depends on it.
   */
  lookup(key: string, headers: Headers, caller?: string): Entry | Reason {
    if (!this.live) return this.#refuse("suspended");
    const entry = this.#entries.find(storageKey(key, caller), headers);
    if (typeof entry === "string") return this.#refuse(entry);
    if (!this.#entries.isValid(entry)) {
      this.#entries.drop(entry, "group-changed");
      return "group-changed";
    }
    entry.visited = true;
    return entry;
  }

  /** The entry that would answer if every feed were live. Counts nothing, and does not keep it from being evicted. */
  peek(key: string, headers: Headers, caller?: string): Entry | undefined {
    const entry = this.#entries.find(storageKey(key, caller), headers);
    return typeof entry !== "string" && this.#entries.isValid(entry) ? entry : undefined;
  }

  /** Takes the sequence for a handler that is about to run. Use it once: register with it, or release it. */
  lease(key: string, caller?: string): Lease {
    return this.#changeLog.lease(key, caller);
  }

  /**
   * Makes a response answerable, or says why not. Closes the lease either way.
   *
   * @param headers The request's fields, from which `Vary` selects.
   */
  register(lease: Lease, offer: Registration, headers: Headers): Entry | Reason {
    const refusal = this.#changeLog.conflict(lease, offer.sources);
    lease.release();
    if (refusal !== undefined) return this.#refuse(refusal);
    const { key, caller } = lease;
    const names = groupNames(offer.sources);
    // Entries of one caller are not found by their resource alone, so a write to it must reach them as a change.
    if (caller !== undefined) names.push(resourceGroup(key));
    // While suspended, that no change was reported says nothing about whether there was one.
    const kept = (previous: StoredEntry) =>
      this.live
        ? tagToKeep(previous, this.#entries.namesOf(previous), names, offer.representation)
        : undefined;
    const tagFor = (previous?: StoredEntry) =>
      offer.etag ?? (previous && kept(previous)) ?? randomTag(offer.representation);
    const { sequence } = this.#changeLog;
    const entry = this.#entries.add(
      { base: storageKey(key, caller), offer, names, sequence },
      headers,
      tagFor,
    );
    return typeof entry === "string" ? this.#refuse(entry) : entry;
  }

  /** Takes out whatever was built from these groups, and whatever is being built from them now. O(1) for each group. */
  invalidate(...groups: readonly string[]): void {
    for (const group of groups) this.#change(group, undefined, this, this.#changeLog.replicaLag);
  }

  /** Whether some resource is kept under this wire tag and still valid. Looks at every entry: O(size). */
  hasTag(tag: string): boolean {
    return this.#entries.valid().some((entry) => entry.etag === tag);
  }

  /** Takes out every entry under these wire tags, and says how many. Looks at every entry: O(size). */
  deleteTag(...tags: readonly string[]): number {
    return this.#entries.dropTags(new Set(tags), "deleted");
  }

  /** Takes out a resource with all variants and callers, and overtakes whatever builds it. True: one of no caller was there. */
  delete(key: string): boolean {
    this.#change(resourceGroup(key), undefined, this, this.#changeLog.replicaLag);
    return this.#entries.dropAll(storageKey(key, undefined), "deleted");
  }

  /** Takes out everything, and overtakes all handlers that are running now. */
  clear(): void {
    this.#reset("cleared");
  }

  /**
   * The entries valid now and the feeds' positions, as data that JSON can carry. The `snapshot` option restores them:
   * nothing is answered until every feed is followed again, under its name, and has replayed what it missed. Without
   * a feed that can be resumed, no entry is in it.
   *
   * @throws {TypeError} If the registry has no `version`: a deploy may change what no document shows.
   */
  snapshot(): unknown {
    const subscriptions = this.#subscriptions.save();
    return makeSnapshot(
      requireVersion(this.version),
      subscriptions ?? [],
      subscriptions ? this.#entries.save() : [],
    );
  }

  #restore(value: unknown): void {
    const snapshot = readSnapshot(value, requireVersion(this.version));
    if (snapshot === undefined) return this.count("snapshot-refused");
    this.#subscriptions.restore(this.#sink, snapshot.subscriptions);
    this.#changeLog.replicaLag = this.#subscriptions.replicaLag;
    this.#changeLog.invalidateAll();
    for (const entry of snapshot.entries) this.#entries.restore(entry, this.#changeLog.sequence);
  }

  /**
   * A subscription for one follower; {@linkcode follow} takes it.
   *
   * @param name Tells several feeds apart.
   * @param maxLag ms without contact after which nothing is answered.
   * @param replicaLag ms a change goes on counting against new leases; undefined: as the database's replicas ask for.
   * @throws {TypeError} If somebody sits there.
   */
  subscribe(name: string, maxLag: number, replicaLag?: number): Subscription {
    return this.#subscriptions.take(this.#sink, name, maxLag, replicaLag);
  }

  /** In the middle of what made the entry leave, so that a call that would pull the rug away has to be refused. */
  #tell(key: string, reason: Reason): void {
    this.#inEvictCallback = true;
    try {
      this.#onEvict?.(key, reason);
    } finally {
      this.#inEvictCallback = false;
    }
  }

  #refuse(reason: Reason): Reason {
    this.count(reason);
    return reason;
  }

  #change(group: string, rev: string | undefined, reporter: unknown, replicaLag: number): void {
    this.#entries.change(group, this.#changeLog.record(group, rev, reporter, replicaLag));
  }

  #reset(reason: Reason): void {
    if (this.#inEvictCallback) throw new TypeError("onEvict must not clear the registry that calls it");
    this.count(reason);
    this.#changeLog.invalidateAll();
    for (const entry of this.#entries.clear()) this.#tell(entry.key, reason);
  }
}
