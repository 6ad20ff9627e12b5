/**
 * The process under test: the real registry, wrapped handlers and followers, on the simulation's clocks and network.
 *
 * @module
 */
import {
  type AuditMismatch,
  EtagRegistry,
  type EtagRegistryOptions,
  follow,
  type Follower,
  ownFeed,
  withEtag,
} from "../../mod.ts";
import type { Instant } from "../../src/changes/clock.ts";
import type { Change, ChangesFeed } from "../../src/changes/change.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { changes as tableChanges } from "../../src/postgres/changes.ts";
import { coreOf } from "../../src/registry/core.ts";
import type { Lease } from "../../src/registry/lease.ts";
import type { Subscription } from "../../src/registry/subscription.ts";
import type { Database } from "./database.ts";
import type { Document } from "./document.ts";
import { checkAccusation, type Violation } from "./invariant.ts";
import { MS } from "./clocks.ts";
import { Random } from "./random.ts";
import { collectionOf } from "./resources.ts";
import type { Visit } from "./visit.ts";
import type { World } from "./world.ts";
import { TABLE } from "./snapshot_server.ts";
import { restoreAtOnce } from "./snapshot_pieces.ts";
import { type Removal, WrittenSnapshot } from "./written_snapshot.ts";

/** What has been applied to a registry on behalf of one feed, word for word. */
export interface Applied {
  live: boolean;
  closed: boolean;
  contact: Instant | undefined;
  /** Milliseconds. */
  readonly maxLag: number;
  since: string | undefined;
  /** The document of the last row, and its revision. */
  lastRow: string | undefined;
  lastRev: string | undefined;
}

/** A registry whose leases and subscriptions can be seen. */
export class WatchedRegistry extends EtagRegistry {
  readonly leases: Set<Lease> = new Set();
  readonly subscriptions: Map<string, Applied> = new Map();
  /** Called after each batch, and when a follower ends. */
  onApplied: (name: string, reset: boolean) => void = () => {};
  /** Called before entries are taken out by anything but a change that a feed reports. */
  onRemoval: (removal: Removal) => void = () => {};

  constructor(options: EtagRegistryOptions = {}) {
    super(options);
    const core = coreOf(this);
    const lease = core.lease.bind(core);
    core.lease = (key, caller) => this.#watchLease(lease(key, caller));
    const [invalidate, deleteResource] = [core.invalidate.bind(core), core.delete.bind(core)];
    const [clear, restart] = [core.clear.bind(core), core.restart.bind(core)];
    core.invalidate = (group) => (this.onRemoval({ group }), invalidate(group));
    core.delete = (resource) => (this.onRemoval({ resource }), deleteResource(resource));
    core.clear = () => (this.onRemoval("everything"), clear());
    core.restart = () => (this.onRemoval("everything"), restart());
    const subscribe = core.subscribe.bind(core);
    core.subscribe = (name, maxLag, replicaLag, reach) =>
      this.#watchSubscription(subscribe(name, maxLag, replicaLag, reach), name, maxLag);
  }

  #watchLease(lease: Lease): Lease {
    const release = lease.release.bind(lease);
    lease.release = () => {
      this.leases.delete(lease);
      release();
    };
    this.leases.add(lease);
    return lease;
  }

  #watchSubscription(subscription: Subscription, name: string, maxLag: number): Subscription {
    const applied: Applied = {
      live: false,
      closed: false,
      contact: undefined,
      maxLag,
      ...{ since: undefined, lastRow: undefined, lastRev: undefined },
    };
    this.subscriptions.set(name, applied);
    const apply = subscription.apply.bind(subscription);
    const close = subscription.close.bind(subscription);
    subscription.apply = (batch, groups) => {
      if (batch.reset !== undefined && !applied.closed) this.onRemoval("everything");
      apply(batch, groups);
      if (applied.closed) return;
      applied.contact = batch.contact ?? applied.contact;
      applied.live = batch.state === "live" && batch.contact !== undefined;
      applied.since = batch.position?.since as string | undefined;
      applied.lastRow = batch.changes.at(-1)?.id ?? applied.lastRow;
      applied.lastRev = batch.changes.at(-1)?.rev ?? applied.lastRev;
      this.onApplied(name, batch.reset !== undefined);
    };
    subscription.close = () => {
      close();
      applied.closed = true;
      applied.live = false;
      this.onApplied(name, false);
    };
    return subscription;
  }
}

type Site = (request: Request, visit: Visit) => Response | Promise<Response>;

export class Process {
  readonly world: World;
  readonly registry: WatchedRegistry;
  readonly build: string;
  /** Every tag it has given out. */
  readonly tags: Set<string> = new Set();
  /** What it has answered that it wrote: the version of each document. */
  readonly written: Map<Document, number> = new Map();
  /** Tags that a check has refuted and no handler has given since, each behind its path and a space. */
  readonly refuted: Set<string> = new Set();
  /** Documents that handlers keep, by version; of no use after a reset, as the registry remembers nothing by then. */
  readonly kept: Map<Document, { readonly version: number; readonly resets: number }> = new Map();
  /** Tags that two bodies have been seen under, each behind its path and a space, and the step at which they were. */
  readonly denied: Map<string, number> = new Map();
  /** `Headers` that the handler has made, by what they say. */
  readonly sharedHeaders: Map<string, Headers> = new Map();
  readonly #visits = new WeakMap<Request, Visit>();
  /** Neither closed nor replaced by another. */
  running = true;
  readonly #followers = new Map<string, Follower>();
  readonly #public: Site;
  readonly #personal: Site;
  readonly #draws: Random;
  readonly #bodyDraws: Random;
  #asking: Visit | undefined;

  /** A snapshot that is being written. */
  #writing: WrittenSnapshot | undefined;

  /** @param snapshot What a former process has left behind, to start from. */
  constructor(world: World, build: string, snapshot?: readonly Uint8Array[]) {
    this.world = world;
    this.build = build;
    const { maxEntries, maxBytes, auditRate, hashBody } = world.config;
    this.#draws = new Random(world.config.auditSeed);
    this.#bodyDraws = new Random(world.config.auditSeed ^ 1);
    const { now, monotonic } = world.scheduler.clocks;
    this.registry = new WatchedRegistry({
      ...{ maxEntries, maxBytes, now, monotonic, maxVariants: 3, version: build },
      // It was found to have variants, or more of them.
      onEvict: (resource, reason) => {
        if (reason === "vary-grew") this.#writing?.remove({ resource });
      },
    });
    if (snapshot !== undefined) restoreAtOnce(coreOf(this.registry), snapshot);
    const { registry } = this;
    const handler = (request: Request, visit: Visit) => world.handle(this, request, visit);
    const caller = (request: Request) => request.headers.get("cookie") ?? undefined;
    const onAudit = (mismatch: AuditMismatch, request: Request) => this.#audited(mismatch, request);
    const options = { registry, version: build, hashBody, auditRate, onAudit, random: () => this.#draw() };
    this.#public = withEtag(handler, options);
    this.#personal = withEtag(handler, { ...options, caller });
    registry.onApplied = (name, reset) => this.#applied(name, reset);
    registry.onRemoval = (removal) => this.#writing?.remove(removal);
    for (const source of world.sources) this.follow(source);
  }

  /** The site. */
  answer(request: Request, visit: Visit): Response | Promise<Response> {
    this.#asking = visit;
    this.#visits.set(request, visit);
    const answer = (visit.path.startsWith("/personal") ? this.#personal : this.#public)(request, visit);
    this.#asking = undefined;
    return answer;
  }

  #audited(mismatch: AuditMismatch, request: Request): void {
    const { world } = this;
    const visit = this.#visits.get(request)!;
    const { reason, registered, answered } = mismatch;
    world.count(`another ${reason}`);
    if (reason !== "body") return;
    if (registered === answered) this.denied.set(`${visit.path} ${registered}`, world.scheduler.steps);
    try {
      checkAccusation(this, visit);
    } catch (error) {
      world.violation ??= error as Violation;
    }
  }

  /** Whether the request being answered at this moment is checked, or else the body of a response is read. */
  #draw(): number {
    const visit = this.#asking;
    if (visit === undefined) return this.#bodyDraws.next();
    const drawn = this.#draws.next();
    if (drawn < this.world.config.auditRate) {
      visit.audited = true;
      visit.upsets = this.upsets;
    }
    return drawn;
  }

  /** How often leases were broken by more than a change of what is declared. */
  get upsets(): number {
    const { overflow, cleared, reset, deleted } = this.registry.stats;
    return overflow + cleared + reset + deleted + this.registry.stats["unsafe-method"];
  }

  /** How often everything was void: no report from before is remembered. */
  get resets(): number {
    const { cleared, reset, "groups-threw": threw } = this.registry.stats;
    return cleared + reset + threw;
  }

  instant(): Instant {
    const { clocks } = this.world.scheduler;
    return { wall: clocks.now(), monotonic: clocks.monotonic() };
  }

  follow(source: Database): void {
    const groups = (change: Change) => this.#groups(change);
    const { maxLag } = this.world.config;
    // A fault ends the feed of a simulated database again and again: the console need not be told.
    const onError = () => {};
    const feed = source === this.world.table ? this.#tableFeed() : this.#databaseFeed(source);
    this.#followers.set(
      source.name,
      follow(this.registry, feed, { name: source.name, maxLag, groups, onError }),
    );
  }

  #tableFeed(): ChangesFeed {
    const { config, scheduler, channel, snapshots, random } = this.world;
    const { maxLag, batchSize } = config;
    const { clocks: { now, monotonic }, sleep } = scheduler;
    const options = { maxLag, now, monotonic, sleep, random: random.next };
    // Both are often too few for a burst.
    if (snapshots === undefined) {
      return ownFeed((controller) => channel!.connect(controller), {
        ...options,
        maxQueued: batchSize > 20 ? 1_000 : 3,
      });
    }
    const overflow = batchSize > 20 ? 10_000 : 3;
    return tableChanges(snapshots.query, { ...options, tables: [TABLE], poll: batchSize * 20, overflow });
  }

  #databaseFeed(database: Database): ChangesFeed {
    const { config, scheduler, server, random } = this.world;
    return changes(server.url(database), {
      heartbeat: config.heartbeat,
      maxLag: config.maxLag,
      batchSize: config.batchSize,
      since: config.fromStart ? 0 : "now",
      fetch: server.fetch,
      now: scheduler.clocks.now,
      monotonic: scheduler.clocks.monotonic,
      sleep: scheduler.sleep,
      random: random.next,
    });
  }

  unfollow(database: Database): void {
    void this.#followers.get(database.name)!.close();
  }

  /**
   * Writes a snapshot, so many entries a piece; false if one is being written.
   *
   * @param pause Ticks until the next piece.
   * @param done Called with the pieces, in the same event as the last one, unless the process has ended before.
   */
  writeSnapshot(
    entries: number,
    pause: () => number,
    done: (pieces: readonly Uint8Array[]) => void,
  ): boolean {
    if (this.#writing !== undefined) return false;
    const writing = this.#writing = new WrittenSnapshot(this.registry, entries);
    const write = () => {
      if (!this.running) return;
      if (writing.write()) return this.world.scheduler.inProcess(pause(), write);
      this.#writing = undefined;
      try {
        writing.check();
        done(writing.pieces);
      } catch (error) {
        this.world.violation ??= error as Violation;
      }
    };
    write();
    return true;
  }

  /** Nothing of it is heard any more; handlers that run now run for nobody. */
  stop(): void {
    this.running = false;
    this.#writing?.cancel();
    for (const source of this.world.sources) this.unfollow(source);
  }

  #groups({ id }: Change): string[] {
    if (this.world.groupsThrow) {
      this.world.groupsThrow = false;
      this.world.count("groups threw");
      throw new Error("no idea which groups");
    }
    const row = id.startsWith(`${TABLE}/`) ? id.slice(TABLE.length + 1) : id;
    return [collectionOf(row), row];
  }

  #applied(name: string, reset: boolean): void {
    const database = this.world.sources.find((candidate) => candidate.name === name)!;
    const { closed, live } = this.registry.subscriptions.get(name)!;
    this.world.trace?.(
      `  ${name}: ${closed ? "closed" : live ? "live" : "not live"}${reset ? ", reset" : ""}`,
    );
    if (reset || live) database.readOnly = false;
    if (reset) database.isRestored = database.repeatsHistory = false;
    if (!closed || !this.running) return;
    this.world.scheduler.after(this.world.random.integer(1, 4_000 * MS), () => {
      if (this.running && this.registry.subscriptions.get(name)!.closed) this.follow(database);
    });
  }
}
