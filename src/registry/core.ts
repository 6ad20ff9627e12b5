/**
 * The inside of a registry, for `follow` and the wrapper. An `EtagRegistry` is the door that users see.
 *
 * @module
 */
import type { Clock } from "../changes/clock.ts";
import { type DeclaredDependency, FOLLOWED, REPORTED } from "../http/dependency.ts";
import { ChangeLog } from "./change_log.ts";
import { Observers } from "./decision.ts";
import { CrossOriginMemory } from "./cross_origin_memory.ts";
import type { Registration, StoredEntry } from "./entry.ts";
import { type EntryLook, EntryStore } from "./entry_store.ts";
import { distinctGroups, resourceGroup } from "./group_table.ts";
import { HandlerRuns } from "./handler_runs.ts";
import type { Lease } from "./lease.ts";
import { clockOf, type EtagRegistryOptions, limitsOf, requireVersion } from "./options.ts";
import { isTagOf, randomTag } from "./random_tag.ts";
import {
  type Departure,
  type Incident,
  type LookupRefusal,
  type Reason,
  type RegistrationRefusal,
  zeroCounters,
} from "./reason.ts";
import type { RetainedHeaders } from "./shared_headers.ts";
import { SnapshotWriter } from "./snapshot.ts";
import { SnapshotReader } from "./snapshot_reader.ts";
import { baseOf, storageKey } from "./storage_key.ts";
import { type ChangeSink, type Reach, Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Where a registry keeps its core. Copies of this module in one process share the name, and so their registries. */
const CORE: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag core 1");

/** Gives a registry its core. */
export function attachCore(registry: object, core: RegistryCore): void {
  Object.defineProperty(registry, CORE, { value: core });
}

/** Whether this is an `EtagRegistry`, of whichever copy of this module. */
export function isRegistry(value: unknown): boolean {
  return typeof value === "object" && value !== null && CORE in value;
}

/**
 * The core of a registry.
 *
 * @throws {TypeError} If this is no `EtagRegistry`.
 */
export function coreOf(registry: object): RegistryCore {
  const core = (registry as { readonly [CORE]?: RegistryCore } | undefined)?.[CORE];
  if (core === undefined) throw new TypeError(`Expected an EtagRegistry, not ${String(registry)}`);
  return core;
}

/**
 * Where all copies of this module in one process keep the cores that a feed is followed for, was, or is going to be, as
 * after a snapshot: their entries may answer later. Weak, because a registry may be let go without a word.
 */
const SUBSCRIBED_CORES: unique symbol = /* @__PURE__ */ Symbol.for(
  "@stillfresh/etag subscribed registries 1",
);

type CoreReference = Pick<WeakRef<RegistryCore>, "deref">;

/** An edge may have no `WeakRef` (`workerd` before the compatibility date 2025-05-05); its processes are short. */
function referenceTo(core: RegistryCore): CoreReference {
  return typeof WeakRef === "undefined" ? { deref: () => core } : new WeakRef(core);
}

function subscribedCores(): Set<CoreReference> {
  const globals = globalThis as { [SUBSCRIBED_CORES]?: Set<CoreReference> };
  const cores = globals[SUBSCRIBED_CORES] ??= new Set();
  for (const core of cores) if (core.deref() === undefined) cores.delete(core);
  return cores;
}

/** A tag that is registered. */
export interface RegisteredTag {
  readonly etag: string;
  /** Whether the request's fields select among several entries of the resource. */
  readonly isVariant: boolean;
  /** Void: something that it depends on has changed; valid: nothing has, and a feed vouches for that. */
  readonly state: "valid" | "void" | "unvouched";
  /** The names of the groups whose changes have voided it. */
  readonly changed: readonly string[];
}

/** Entries, the changes that void them, and the feeds that report those. */
export class RegistryCore {
  readonly #entries: EntryStore;
  readonly #changeLog: ChangeLog;
  readonly #crossOrigin: CrossOriginMemory;
  readonly #subscriptions: Subscriptions;
  /** How often each reason was given. */
  readonly counters: Record<Reason, number> = zeroCounters();
  /** The handlers whose responses are registered here. */
  readonly runs: HandlerRuns;
  /** Bytes that hits did not send, as far as the length of their entries is known. */
  savedByHits = 0;
  /** Bytes that 304s after the handler did not send, as far as the length of its response is known. */
  savedAfterHandler = 0;
  /** Entries that left at once with all others. */
  voidedAtOnce = 0;
  /** What is told of each decision about a request. */
  readonly observers: Observers = new Observers();
  readonly #sink: ChangeSink;
  /** Snapshots that are being written. */
  readonly #writers: Set<SnapshotWriter> = new Set();
  #isRestoring = false;
  readonly #onEvict: EtagRegistryOptions["onEvict"];
  readonly #clock: Clock;
  /**
   * Whether a response has allowed the Origin of its request: then an entry that was made without one may lack the fields
   * that an Origin needs. Asking each request for its Origin takes as long as a tenth of a hit.
   */
  originMatters = false;
  /** What `onEvict` is still to be told of. */
  readonly #departed: { readonly key: string; readonly reason: Departure | Incident }[] = [];
  #isReporting = false;
  /** Whether the console has been told that `onEvict` throws. */
  #evictThrew = false;
  #isReachable = false;
  /** Whether the console has been told that no feed is followed. */
  #warned = false;
  /** The build whose tags these are. */
  readonly version: string | undefined;

  constructor(options: EtagRegistryOptions) {
    const [limits, clock] = [limitsOf(options), clockOf(options)];
    this.#onEvict = options.onEvict;
    this.#clock = clock;
    this.runs = new HandlerRuns(clock.monotonic);
    this.version = options.version;
    this.#subscriptions = new Subscriptions(clock, options.manual ?? false);
    // All that is kept shares one bound. Changes may take the room of entries, but not of more than half of it.
    this.#changeLog = new ChangeLog(clock, limits.maxBytes / 2, () => this.count("overflow"));
    this.#crossOrigin = new CrossOriginMemory(limits.maxBytes / 16);
    this.#entries = new EntryStore(limits, (entry, reason) => {
      // What does not fit, or left while the snapshot was written, was never an entry of this process.
      if (this.#isRestoring) return;
      // A response has shown that the resource has variants, or more of them.
      if (reason === "vary-grew") this.#noteResource(entry.key);
      this.count(reason);
      this.#noteDeparture(entry.key, reason);
    }, () => this.#changeLog.bytes + this.#crossOrigin.bytes);
    this.#sink = {
      reset: (reason) => this.#reset(reason),
      change: (group, rev, subscription) => this.#change(group, rev, subscription, subscription.replicaLag),
      repeat: (group, rev, subscription) => {
        const sequence = this.#changeLog.record(group, rev, subscription, subscription.replicaLag, true);
        this.#entries.repeat(group, sequence, rev, subscription.number);
        this.#entries.trim();
      },
      stateChanged: () => {
        this.#subscriptions.updateDeadlines();
        this.#changeLog.replicaLag = this.#subscriptions.replicaLag;
      },
      batchApplied: () => this.#reportDepartures(),
    };
  }

  /** Entries kept, including void ones that no look-up has met since. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many entries have come: responses that were registered, and what a snapshot brought. */
  get added(): number {
    return this.#entries.added;
  }

  /** The feeds that are followed, or were and are missed. */
  get feeds(): Iterable<Subscription> {
    return this.#subscriptions.values();
  }

  /** How many groups the entries depend on. */
  get groups(): number {
    return this.#entries.groups;
  }

  /** Estimated bytes of all that is kept. */
  get bytes(): number {
    return this.#entries.bytes;
  }

  /** Whether answers may be given now. */
  get live(): boolean {
    return this.#subscriptions.live;
  }

  /** Whether a feed could not be asked before the last answer, so that the registry gave none, though it is live. */
  get unasked(): boolean {
    return this.#subscriptions.unasked;
  }

  /** Whether a feed is followed, and does not vouch for the entries now. */
  get suspended(): boolean {
    return !this.#subscriptions.live && !this.#subscriptions.unfollowed;
  }

  /** Whether no feed has ever been followed, although one has to be. */
  get unfollowed(): boolean {
    return this.#subscriptions.unfollowed;
  }

  /** ms since the epoch. */
  get now(): number {
    return this.#clock.now();
  }

  /** ms of a clock that is never set back. */
  get monotonic(): number {
    return this.#clock.monotonic();
  }

  /** Counts a reason. */
  count(reason: Reason): void {
    this.counters[reason]++;
  }

  /** Counts a reason, and returns it. */
  #refuse<R extends Reason>(reason: R): R {
    this.counters[reason]++;
    return reason;
  }

  /**
   * The entry that may answer now, else why none may.
   *
   * @param headers The request's fields, from which `Vary` selects.
   */
  lookup(key: string, headers: Headers, caller?: string): StoredEntry | LookupRefusal {
    if (!this.#subscriptions.live) {
      return this.#refuse(this.#subscriptions.unfollowed ? "unfollowed" : "suspended");
    }
    if (!this.#subscriptions.look()) return this.#refuse("suspended");
    const entry = this.#entries.find(storageKey(key, caller), headers);
    if (typeof entry === "string") return this.#refuse(entry);
    if (!this.#entries.isValid(entry)) {
      this.#drop(entry, "outdated");
      return this.#refuse("group-changed");
    }
    if (entry.expires !== Infinity && entry.expires <= this.#clock.now()) {
      this.#drop(entry, "lapsed");
      return this.#refuse("expired");
    }
    if (this.originMatters && !entry.headers.anyOrigin && headers.has("origin")) {
      return this.#refuse("variant");
    }
    entry.visited = true;
    return entry;
  }

  /** Why no look-up of a resource gives an entry, for any caller; undefined: one may. Counts nothing. */
  refusalFor(key: string): LookupRefusal | undefined {
    if (!this.#subscriptions.live) return this.#subscriptions.unfollowed ? "unfollowed" : "suspended";
    return this.#entries.mayHave(key) ? undefined : "miss";
  }

  /** The entry that would answer if every feed were live. Counts nothing, and is no use in the sense of eviction. */
  peek(key: string, headers: Headers, caller?: string): StoredEntry | undefined {
    const entry = this.#entries.find(storageKey(key, caller), headers);
    return typeof entry !== "string" && this.#entries.isValid(entry) ? entry : undefined;
  }

  /** The headers of a 304 as `Headers`, which are kept from now on. */
  readyHeaders(headers: RetainedHeaders): Headers {
    const ready = this.#entries.readyHeaders(headers);
    this.#reportDepartures();
    return ready;
  }

  /**
   * The names of the groups that the response of an entry declared; undefined where the entry has left.
   *
   * @param most How many names are wanted.
   */
  groupsOf(entry: StoredEntry, most: number = Infinity): readonly string[] | undefined {
    if (!this.#entries.has(entry)) return undefined;
    const own = resourceGroup(entry.key);
    return this.#entries.namesOf(entry, most + 1).filter((name) => name !== own).slice(0, most);
  }

  /** The entry that has come last; undefined: there is none. */
  get newest(): StoredEntry | undefined {
    return this.#entries.newest;
  }

  /** Begins a walk over all entries, void ones included, oldest first: for an operator who looks at them. */
  look(): EntryLook {
    return this.#entries.look();
  }

  /** The names of the groups whose changes have voided an entry; undefined: it is valid. The entry must be kept here. */
  changedIn(entry: StoredEntry): readonly string[] | undefined {
    return this.#entries.isValid(entry) ? undefined : this.#entries.changedIn(entry);
  }

  /** Whether the name of a group that the response of an entry declared will do. The entry must be kept here. */
  someGroup(entry: StoredEntry, matches: (name: string) => boolean): boolean {
    // That of its own resource begins with NUL.
    return this.#entries.someGroup(entry, (name) => name.charCodeAt(0) !== 0 && matches(name));
  }

  /** The names of the request fields that select an entry among the variants of its resource. */
  selectingOf(entry: StoredEntry): readonly string[] {
    return this.#entries.selectingOf(entry);
  }

  /**
   * The tags that are registered for a resource and a caller, in all variants. Where this registry never had a feed, those
   * of the process that have one know more than it does.
   */
  tagsOf(key: string, caller: string | undefined): RegisteredTag[] {
    const tags = this.#entries.all(storageKey(key, caller)).map((entry): RegisteredTag => {
      const { etag, expires } = entry;
      const isVariant = baseOf(entry.storageKey) !== undefined;
      if (!this.#entries.isValid(entry)) {
        return { etag, isVariant, state: "void", changed: this.#entries.changedIn(entry) };
      }
      const state = this.live && expires > this.#clock.now() ? "valid" : "unvouched";
      return { etag, isVariant, state, changed: [] };
    });
    return [...tags, ...this.#subscribedElsewhere().flatMap((core) => core.tagsOf(key, caller))];
  }

  /** Remembers the fields that a resource has sent to an origin; undefined: it has sent none. */
  noteCrossOrigin(key: string, origin: string, fields: Readonly<Record<string, string>> | undefined): void {
    this.#crossOrigin.set(key, origin, fields);
    this.#entries.trim();
    this.#reportDepartures();
  }

  /** The fields that a resource has last sent to an origin; undefined where they are not known. */
  crossOriginFields(key: string, origin: string): Readonly<Record<string, string>> | undefined {
    return this.#crossOrigin.get(key, origin);
  }

  /** Whether a feed has reported last another revision of one of these documents. */
  isSuperseded(dependencies: readonly DeclaredDependency[]): boolean {
    return this.#entries.isSuperseded(dependencies) ||
      this.#subscribedElsewhere().some((core) => core.isSuperseded(dependencies));
  }

  /** Whether a response that was built under a lease may be older than what is known by now. */
  isOvertaken(lease: Lease, dependencies: readonly DeclaredDependency[]): boolean {
    return this.#changeLog.conflict(lease, dependencies) !== undefined;
  }

  /** Opens a lease for a handler that is about to run. What it will read is applied before, so that it voids no lease. */
  lease(key: string, caller?: string): Lease {
    this.#subscriptions.look();
    return this.#changeLog.lease(key, caller);
  }

  /**
   * Registers a response, or says why not. Closes the lease either way.
   *
   * @param headers The request's fields, from which `Vary` selects.
   */
  register(
    lease: Lease,
    registration: Registration,
    headers: Headers,
  ): StoredEntry | RegistrationRefusal {
    if (this.#subscriptions.unfollowed) this.#warnUnfollowed();
    // Before a random tag is kept, all is applied that may have changed since it was given.
    const isKnown = this.#subscriptions.look();
    const { dependencies } = registration;
    const groups = groupsFor(lease, dependencies);
    const refusal = this.refusalOf(lease, dependencies);
    lease.release();
    if (refusal !== undefined) return this.#refuse(refusal);
    const { key, caller } = lease;
    const { sequence } = this.#changeLog;
    const tagFor = (previous: StoredEntry | undefined) => {
      const { etag, representation } = registration;
      const kept = etag === undefined && isKnown
        ? this.#tagToKeep(previous, groups, representation)
        : undefined;
      return etag ?? kept ?? randomTag(representation);
    };
    const entry = this.#entries.add(
      storageKey(key, caller),
      registration,
      groups,
      sequence,
      headers,
      tagFor,
    );
    this.#reportDepartures();
    return typeof entry === "string" ? this.#refuse(entry) : entry;
  }

  /** Why a response that was built under a lease may not be registered. Counts nothing, and leaves the lease open. */
  refusalOf(lease: Lease, dependencies: readonly DeclaredDependency[]): RegistrationRefusal | undefined {
    return this.#unfollowedGroup(dependencies) ??
      this.#changeLog.conflict(lease, dependencies) ??
      (this.#entries.isSuperseded(dependencies) ? "superseded" : undefined) ??
      (this.#subscriptions.reports(dependencies) ? undefined : "unreported");
  }

  /**
   * The random tag that a response would keep if it were registered: for a HEAD or a part, which is not. Counts nothing,
   * and leaves the lease open.
   *
   * @param representation What a random tag of the response would carry.
   * @param headers The request's fields, from which `Vary` selects.
   */
  keptTag(
    lease: Lease,
    dependencies: readonly DeclaredDependency[],
    representation: string,
    headers: Headers,
  ): string | undefined {
    if (!this.#subscriptions.look() || this.refusalOf(lease, dependencies) !== undefined) return undefined;
    const entry = this.peek(lease.key, headers, lease.caller);
    return this.#tagToKeep(entry, groupsFor(lease, dependencies), representation);
  }

  /** A group that no follower was given never changes, so that what depends on it would be valid for ever. */
  #unfollowedGroup(dependencies: readonly DeclaredDependency[]): "group-unfollowed" | undefined {
    const isUnfollowed = ({ [FOLLOWED]: group, [REPORTED]: source }: DeclaredDependency) =>
      group !== undefined && !this.#subscriptions.follows(group) ||
      source !== undefined && !this.#subscriptions.reportsOf(source);
    return dependencies.some(isUnfollowed) ? "group-unfollowed" : undefined;
  }

  /**
   * The random tag of the entry that a response replaces, if the response may keep it. A random tag means one
   * registration. So it stays only where the same groups say that nothing has changed since, for the same representation,
   * and not while suspended: then no report of a change does not mean that there was none.
   */
  #tagToKeep(
    previous: StoredEntry | undefined,
    groups: readonly DeclaredDependency[],
    representation: string,
  ): string | undefined {
    if (previous === undefined || !previous.headers.minted || !this.live) return undefined;
    const names = this.#entries.namesOf(previous);
    if (names.length !== groups.length || !isTagOf(previous.etag, representation)) return undefined;
    const wanted = new Set(groups.map(({ _id }) => _id));
    return names.every((name) => wanted.has(name)) ? previous.etag : undefined;
  }

  /** Voids what was built from a group, and what is being built from it now. */
  invalidate(group: string): void {
    for (const core of this.#subscribedElsewhere()) core.invalidate(group);
    this.#invalidateHere(group);
  }

  #invalidateHere(group: string): void {
    for (const writer of this.#writers) writer.noteGroup(group);
    this.#change(group, undefined, this, this.#changeLog.replicaLag);
    this.#reportDepartures();
  }

  /**
   * Where this registry never had a feed, those of the process that have one or had one: a wrapper of writes that was
   * given no `registry` writes for them.
   */
  #subscribedElsewhere(): RegistryCore[] {
    if (!this.#subscriptions.unfollowed) return [];
    return [...subscribedCores()].map((core) => core.deref()).filter((core) => core !== undefined);
  }

  /**
   * Takes out a resource with all variants and callers, and voids the leases of handlers that are building it. Handlers
   * that begin later may register at once, also where reads may lag: see {@linkcode ChangeLog.breakLeases}.
   */
  delete(key: string): boolean {
    for (const core of this.#subscribedElsewhere()) core.delete(key);
    this.#noteResource(key);
    const isFound = this.#deleteHere(key);
    this.#reportDepartures();
    return isFound;
  }

  #noteResource(key: string): void {
    for (const writer of this.#writers) writer.noteResource(key);
  }

  #deleteHere(key: string): boolean {
    this.#entries.change(resourceGroup(key), this.#changeLog.breakLeases(key));
    return this.#entries.dropAll(storageKey(key, undefined), "deleted");
  }

  /** Whether a valid entry has this tag. Looks at every entry. */
  hasTag(tag: string): boolean {
    return this.#entries.valid().some(({ etag }) => etag === tag);
  }

  /** Takes out the entries with these tags, and returns how many. Looks at every entry. */
  deleteTags(tags: ReadonlySet<string>): number {
    for (const writer of this.#writers) for (const tag of tags) writer.noteTag(tag);
    const count = this.#entries.dropTags(tags, "deleted");
    this.#reportDepartures();
    return count;
  }

  /** Takes out everything, and voids every lease. */
  clear(): void {
    for (const core of this.#subscribedElsewhere()) core.clear();
    this.#reset("cleared");
    this.#crossOrigin.clear();
    this.#reportDepartures();
  }

  /** Takes out everything, and lets every feed begin anew. */
  restart(): void {
    for (const core of this.#subscribedElsewhere()) core.restart();
    this.#reset("cleared");
    this.#subscriptions.restart();
    this.#reportDepartures();
  }

  /** Opens the subscription of a feed; {@linkcode Subscriptions.open} has the rules. */
  subscribe(name: string, maxLag: number, replicaLag?: number, reach: Reach = {}): Subscription {
    const subscription = this.#subscriptions.open(this.#sink, name, maxLag, replicaLag, reach);
    this.#keepReachable();
    // The groups of the feed may be others, and there may be one feed more to resume.
    for (const writer of this.#writers) writer.noteAll();
    // What was registered before may depend on documents that this feed does not report.
    if (reach.documents !== undefined) this.#reset("reset");
    this.#reportDepartures();
    return subscription;
  }

  /** Forgets a closed feed; {@linkcode Subscriptions.retire} has the rules. */
  retire(name: string): boolean {
    const isFound = this.#subscriptions.retire(this.#sink, name);
    this.#reportDepartures();
    return isFound;
  }

  /** Lets writes through registries without a feed reach this one. */
  #keepReachable(): void {
    if (this.#isReachable) return;
    this.#isReachable = true;
    subscribedCores().add(referenceTo(this));
  }

  /**
   * A snapshot to write.
   *
   * @param mostEntries Entries that one piece looks at.
   * @throws {TypeError} If the registry has no `version`.
   */
  snapshot(mostEntries?: number): SnapshotWriter {
    const writer = new SnapshotWriter(requireVersion(this.version), {
      positions: () => this.#subscriptions.save(),
      begin: () => {
        this.#writers.add(writer);
        return this.#entries.walk();
      },
      end: () => this.#writers.delete(writer),
    }, mostEntries);
    return writer;
  }

  /**
   * Restores a snapshot into this registry, which is new: nothing else may use it before the snapshot has been read to
   * its end, or refused.
   *
   * @throws {TypeError} If the registry has no `version`.
   */
  restore(): SnapshotReader {
    const reader = new SnapshotReader(requireVersion(this.version), {
      restore: (entry) => this.#entries.restore(entry, this.#changeLog.sequence),
      remove: ({ all, groups, resources, tags }) => {
        if (all) this.#entries.clear();
        for (const group of groups) this.#invalidateHere(group);
        for (const key of resources) this.#deleteHere(key);
        if (tags.length > 0) this.#entries.dropTags(new Set(tags), "deleted");
      },
      accept: (subscriptions) => {
        this.#isRestoring = false;
        // What did not fit, or left while the snapshot was written, is no departure either.
        this.#entries.added = this.size;
        this.#subscriptions.restore(this.#sink, subscriptions);
        this.#keepReachable();
        this.#changeLog.replicaLag = this.#subscriptions.replicaLag;
        this.#changeLog.invalidateAll();
      },
      refuse: () => {
        this.#isRestoring = false;
        this.#entries.clear();
        this.#entries.added = 0;
        this.count("snapshot-refused");
      },
    });
    this.#isRestoring = true;
    return reader;
  }

  /** Says once what is missing: a registry that answers nothing looks like one that works. */
  #warnUnfollowed(): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(
      "Stillfresh: no feed is followed, so no request is answered from this registry. Call follow(registry, feed) in " +
        "this process with this registry, and give withEtag() the same { registry }; or, if you call " +
        "registry.invalidate() for every change yourself, make it with new EtagRegistry({ manual: true }).",
    );
  }

  #drop(entry: StoredEntry, reason: Departure): void {
    this.#entries.drop(entry, reason);
    this.#reportDepartures();
  }

  #noteDeparture(key: string, reason: Departure | Incident): void {
    if (this.#onEvict !== undefined) this.#departed.push({ key, reason });
  }

  /**
   * Tells `onEvict` what has left, once the operation that made it leave is complete: it may then call anything. What
   * leaves because of that is told after what has left before, by the same loop.
   */
  #reportDepartures(): void {
    if (this.#departed.length === 0 || this.#isReporting) return;
    this.#isReporting = true;
    for (const { key, reason } of this.#departed) {
      try {
        const result: unknown = this.#onEvict?.(key, reason);
        if (result !== undefined) Promise.resolve(result).catch((error) => this.#warnEvictThrew(error));
      } catch (error) {
        this.#warnEvictThrew(error);
      }
    }
    this.#departed.length = 0;
    this.#isReporting = false;
  }

  #warnEvictThrew(error: unknown): void {
    if (this.#evictThrew) return;
    this.#evictThrew = true;
    console.warn("Stillfresh: onEvict threw. What it throws from now on is ignored.", error);
  }

  #change(
    group: string,
    rev: string | undefined,
    reporter: Subscription | this,
    replicaLag: number,
  ): void {
    const feed = reporter instanceof Subscription ? reporter.number : 0;
    this.#entries.change(group, this.#changeLog.record(group, rev, reporter, replicaLag), rev, feed);
    this.#entries.trim();
  }

  #reset(reason: Incident): void {
    this.count(reason);
    for (const writer of this.#writers) writer.noteAll();
    this.#changeLog.invalidateAll();
    for (const entry of this.#entries.clear()) {
      this.voidedAtOnce++;
      this.#noteDeparture(entry.key, reason);
    }
  }
}

/** The groups that an entry has: those declared, and its resource where it is a caller's. */
function groupsFor(
  { key, caller }: Lease,
  dependencies: readonly DeclaredDependency[],
): DeclaredDependency[] {
  const groups = distinctGroups(dependencies);
  // The key of a resource does not find the entries of callers, so a write to the resource must reach them as a change.
  if (caller !== undefined) groups.push({ _id: resourceGroup(key) });
  return groups;
}
