/** What a registry must do, without any thought for cost: it remembers every change for ever. */
import assert from "node:assert/strict";
import type { Dependency } from "../../src/http/dependency.ts";
import type { Instant } from "../../src/changes/clock.ts";
import type { SettableClock } from "./clock.ts";

const groupOf = (source: Dependency): string => typeof source === "string" ? source : source._id;
const revisionOf = (source: Dependency): string | undefined =>
  typeof source === "string" ? undefined : source._rev;

export interface TwinLease {
  readonly key: string;
  readonly caller: string | undefined;
  readonly mark: number;
  readonly at: Instant;
  /** By a clock that never lies. */
  readonly time: number;
}

interface Happening {
  /** Undefined: every group. */
  readonly group: string | undefined;
  readonly rev: string | undefined;
  /** It is at `rev` still, or again. */
  readonly repeated: boolean;
  readonly mark: number;
  readonly replicaLag: number;
  readonly at: Instant;
  readonly time: number;
}

interface Registered {
  readonly key: string;
  readonly caller: string | undefined;
  readonly etag: string;
  readonly groups: readonly string[];
  /** Declared revisions; undefined for a group that was declared without one. */
  readonly revisions: ReadonlyMap<string, string | undefined>;
  readonly mark: number;
  excused: boolean;
}

interface Following {
  readonly maxLag: number;
  readonly replicaLag: number;
  started: boolean;
  contact: Instant | undefined;
}

/** Why a registration must or may be refused. */
export type Judgement = "must refuse" | "may refuse" | "must accept";

export class ReferenceModel {
  readonly #clock: SettableClock;
  readonly #happened: Happening[] = [];
  readonly #feeds: Map<string, Following> = new Map();
  /** Since everything was invalidated: who reported a group, and at which revision, if that is known. */
  #reports = new Map<string, { readonly feeds: ReadonlySet<string>; readonly rev: string | undefined }>();
  #registered: Registered[] = [];
  #mark = 0;
  #time = 0;

  constructor(clock: SettableClock) {
    this.#clock = clock;
  }

  /** Time that really passed, whatever the clocks say. */
  pass(ms: number): void {
    this.#time += ms;
  }

  get live(): boolean {
    const { wall, monotonic } = this.#clock.instant;
    for (const { contact, maxLag } of this.#feeds.values()) {
      if (contact === undefined) return false;
      if (Math.max(wall - contact.wall, monotonic - contact.monotonic) > maxLag) return false;
    }
    return true;
  }

  get #replicaLag(): number {
    return Math.max(0, ...Array.from(this.#feeds.values(), ({ replicaLag }) => replicaLag));
  }

  follow(name: string, maxLag: number, replicaLag: number): void {
    const started = this.#feeds.get(name)?.started ?? false;
    this.#feeds.set(name, { maxLag, replicaLag, started, contact: undefined });
  }

  batch(
    name: string,
    reset: boolean,
    changes: readonly { readonly id: string; readonly rev?: string }[],
    live: boolean,
    further: readonly string[],
    threw: boolean,
    repeated: boolean = false,
  ): void {
    const feed = this.#feeds.get(name)!;
    if (reset || !feed.started) this.invalidateAll();
    feed.started = true;
    for (const { id, rev } of changes) {
      this.#happen(id, rev, feed.replicaLag, name, repeated);
      for (const group of further) this.#happen(group, undefined, feed.replicaLag);
      if (threw) this.invalidateAll();
    }
    feed.contact = live ? this.#clock.instant : undefined;
  }

  #happen(
    group: string | undefined,
    rev: string | undefined,
    replicaLag: number,
    feed: string | undefined = undefined,
    repeated: boolean = false,
  ): void {
    const at = this.#clock.instant;
    this.#happened.push({ group, rev, repeated, mark: ++this.#mark, replicaLag, at, time: this.#time });
    if (group === undefined) return this.#reports.clear();
    const feeds = new Set(this.#reports.get(group)?.feeds);
    if (feed !== undefined) feeds.add(feed);
    this.#reports.set(group, { feeds, rev });
  }

  /** Another revision of a document was reported last, by the one feed that has reported it. */
  #isSuperseded(sources: readonly Dependency[]): boolean {
    return sources.some((source) => {
      const report = this.#reports.get(groupOf(source));
      const rev = revisionOf(source);
      return rev !== undefined && report?.rev !== undefined && report.feeds.size === 1 && report.rev !== rev;
    });
  }

  invalidate(group: string): void {
    this.#happen(group, undefined, this.#replicaLag);
  }

  delete(key: string): void {
    this.#happen(`resource ${key}`, undefined, 0);
  }

  deleteTag(etag: string): void {
    this.#registered = this.#registered.filter((entry) => entry.etag !== etag);
  }

  invalidateAll(): void {
    this.#happen(undefined, undefined, this.#replicaLag);
  }

  lease(key: string, caller: string | undefined): TwinLease {
    return { key, caller, mark: this.#mark, at: this.#clock.instant, time: this.#time };
  }

  judge(lease: TwinLease, sources: readonly Dependency[]): Judgement {
    const revisions = new Map(sources.map((source) => [groupOf(source), revisionOf(source)]));
    let judgement: Judgement = this.#isSuperseded(sources) ? "may refuse" : "must accept";
    for (const { group, rev, repeated, mark, replicaLag, at, time } of this.#happened) {
      if (group !== undefined && group !== `resource ${lease.key}` && !revisions.has(group)) continue;
      const needsRevision = sources.some((source) =>
        groupOf(source) === group && revisionOf(source) === undefined
      );
      const declared = group === undefined || needsRevision ? undefined : revisions.get(group);
      if (mark > lease.mark) {
        if (!repeated || declared !== rev) return "must refuse";
        // Reported again at one revision and then at another, it may have been at any.
        judgement = "may refuse";
      }
      if (declared !== undefined && declared === rev) continue;
      if (lease.time - time < replicaLag) return "must refuse";
      const { wall, monotonic } = lease.at;
      if (Math.min(wall - at.wall, monotonic - at.monotonic) < replicaLag) judgement = "may refuse";
    }
    return judgement;
  }

  /** Notes what was registered. Nothing it was built from has changed since its lease, so that is its mark. */
  register({ key, caller, mark }: TwinLease, etag: string, sources: readonly Dependency[]): void {
    const groups = [...new Set([...sources.map(groupOf), `resource ${key}`])].sort();
    for (const former of this.#registered.filter((entry) => entry.etag === etag)) {
      // A tag that was given before is a minted one, and those mean one registration.
      assert.deepEqual([former.key, former.caller, former.groups], [key, caller, groups], `${etag} was kept`);
      assert.equal(this.#isVoid(former), false, `${etag} was kept, though void`);
    }
    const revisions = new Map<string, string | undefined>();
    for (const source of sources) {
      const group = groupOf(source);
      revisions.set(
        group,
        revisions.has(group) && revisions.get(group) === undefined ? undefined : revisionOf(source),
      );
    }
    this.#registered.push({ key, caller, etag, groups, revisions, mark, excused: false });
  }

  /** From here on the registry need not know what it was told of a resource. */
  excuse(key: string): void {
    for (const entry of this.#registered) if (entry.key === key) entry.excused = true;
  }

  mayAnswer(key: string, caller: string | undefined, etag: string): boolean {
    return this.#of(key, caller).some((entry) => entry.etag === etag && !this.#isVoid(entry));
  }

  mustKnow(key: string, caller: string | undefined): boolean {
    return this.#of(key, caller).some((entry) => !entry.excused && !this.#mayBeVoid(entry));
  }

  anyVoid(key: string, caller: string | undefined): boolean {
    return this.#of(key, caller).some((entry) => this.#mayBeVoid(entry));
  }

  #of(key: string, caller: string | undefined): readonly Registered[] {
    return this.#registered.filter((entry) => entry.key === key && entry.caller === caller);
  }

  #isVoid({ groups, revisions, mark }: Registered): boolean {
    return this.#happened.some((one) => {
      if (one.mark <= mark) return false;
      if (one.group === undefined) return true;
      return groups.includes(one.group) && !(one.repeated && revisions.get(one.group) === one.rev);
    });
  }

  /** What declares the revision that was reported again may go with what declares another. */
  #mayBeVoid({ groups, mark }: Registered): boolean {
    return this.#happened.some((one) =>
      one.mark > mark && (one.group === undefined || groups.includes(one.group))
    );
  }
}
