/**
 * Leases, and the memory of changes that they are judged by.
 *
 * A response may be registered only if nothing it was built from changed since before its handler began. A lease
 * marks that beginning with a counter; each change moves the counter and is remembered, whether or not anything
 * depends on its group yet, for as long as an open lease could be concerned by it. Where a database keeps replicas a
 * read may lag behind the feed, so a change also counts against leases taken within `replicaLag` after it.
 *
 * One number stands for "everything changed": the floor.
 *
 * @module
 */
import { type Clock, type Instant, instant, surelyElapsed } from "../changes/clock.ts";
import { groupOf, resourceGroup, revOf, type Source } from "../http/dependency.ts";
import { type Lease, OpenLease, OpenLeases } from "./lease.ts";
import type { Reason } from "./reason.ts";

/** What one feed has reported of a group. Kept only where `replicaLag` is not 0. */
interface Report {
  readonly feed: unknown;
  readonly replicaLag: number;
  /** The revision last reported, and when. */
  readonly rev: string | undefined;
  readonly at: Instant;
  /** When any other revision was last reported. */
  readonly otherAt: Instant | undefined;
}

interface Remembered {
  readonly sequence: number;
  readonly reports: readonly Report[];
}

const NONE: readonly Report[] = [];

/** Estimated bytes of a remembered change beside its name. */
const CHANGE_BYTES = 160;

/** Whether one document was read at two revisions. */
function isTorn(sources: readonly Source[]): boolean {
  if (sources.length < 2) return false;
  const revisions = new Map<string, string>();
  for (const source of sources) {
    const rev = revOf(source);
    if (rev === undefined) continue;
    const group = groupOf(source);
    if ((revisions.get(group) ?? rev) !== rev) return true;
    revisions.set(group, rev);
  }
  return false;
}

/** All open leases, and the changes that may concern them. */
export class ChangeLog {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #onOverflow: () => void;
  // Both in the order of their marks, so that the oldest is the first.
  readonly #open = new OpenLeases();
  readonly #changes = new Map<string, Remembered>();
  #bytes = 0;
  #sequence = 0;
  #allInvalidatedAt: Instant | undefined;
  /** ms: the longest `replicaLag` of any feed, and so that of a change which no feed reported. */
  replicaLag = 0;

  constructor(clock: Clock, maxBytes: number, onOverflow: () => void) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#onOverflow = onOverflow;
  }

  /** How many changes there have been. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How many leases are open. */
  get open(): number {
    return this.#open.size;
  }

  /** How many changes are remembered. */
  get size(): number {
    return this.#changes.size;
  }

  /** Takes the sequence for a handler that is about to run. */
  lease(key: string, caller: string | undefined): Lease {
    const at = this.replicaLag > 0 ? instant(this.#clock) : undefined;
    return this.#open.add(new OpenLease(this, key, caller, this.#sequence, at));
  }

  /** Closes a lease; changes that concerned only it are forgotten. */
  close(lease: Lease): void {
    if (this.#open.delete(lease as OpenLease)) this.#forget();
  }

  /**
   * Remembers a change, and returns its sequence.
   *
   * @param group What changed.
   * @param rev The revision reported, if one was.
   * @param feed Who reported it: revisions of two feeds are recorded apart.
   * @param replicaLag ms that it goes on counting against new leases.
   */
  record(group: string, rev: string | undefined, feed: unknown, replicaLag: number): number {
    const sequence = ++this.#sequence;
    // No lease can conflict with it, now or later.
    if (replicaLag === 0 && this.#open.size === 0) {
      this.#forget();
      if (this.#changes.size === 0 || !this.#changes.has(group)) return sequence;
    }
    const known = this.#changes.get(group);
    if (known === undefined) this.#bytes += CHANGE_BYTES + group.length;
    else this.#changes.delete(group);
    const reports = replicaLag === 0 ? known?.reports ?? NONE : this.#report(known, rev, feed, replicaLag);
    this.#changes.set(group, { sequence, reports });
    this.#forget();
    if (this.#bytes > this.#maxBytes) {
      this.invalidateAll();
      this.#onOverflow();
    }
    return sequence;
  }

  #report(
    known: Remembered | undefined,
    rev: string | undefined,
    feed: unknown,
    replicaLag: number,
  ): readonly Report[] {
    const at = instant(this.#clock);
    const previous = known?.reports.find((report) => report.feed === feed);
    const same = previous !== undefined && rev !== undefined && previous.rev === rev;
    const report: Report = { feed, replicaLag, rev, at, otherAt: same ? previous.otherAt : previous?.at };
    return [...(known?.reports.filter((other) => other !== previous) ?? []), report];
  }

  /** Counts as a change of every group there is: open leases are void, and all that was reported is forgotten. */
  invalidateAll(): void {
    this.#sequence++;
    this.#open.clear();
    this.#changes.clear();
    this.#bytes = 0;
    this.#allInvalidatedAt = instant(this.#clock);
  }

  /**
   * Why a response built under an open lease may be older than what is known by now; undefined if it cannot be.
   *
   * @param sources Everything it was built from.
   */
  conflict(lease: Lease, sources: readonly Source[]): Reason | undefined {
    const { at } = lease as OpenLease;
    if (!this.#open.has(lease as OpenLease)) return "lease-broken";
    if (
      at !== undefined && this.#allInvalidatedAt !== undefined &&
      surelyElapsed(this.#allInvalidatedAt, at) < this.replicaLag
    ) {
      return "settling";
    }
    if (isTorn(sources)) return "revision-differs";
    if (this.#changes.size === 0) return undefined;
    for (const source of sources) {
      const reason = this.#conflictWith(lease as OpenLease, groupOf(source), revOf(source));
      if (reason !== undefined) return reason;
    }
    return this.#conflictWith(lease as OpenLease, resourceGroup(lease.key), undefined);
  }

  #conflictWith({ sequence, at }: OpenLease, group: string, rev: string | undefined): Reason | undefined {
    const change = this.#changes.get(group);
    if (change === undefined) return undefined;
    if (change.sequence > sequence) return "lease-broken";
    if (at === undefined) return undefined;
    for (const report of change.reports) {
      if (surelyElapsed(report.at, at) >= report.replicaLag) continue;
      if (rev === undefined || report.rev === undefined) return "settling";
      if (report.rev !== rev) return "revision-differs";
      if (report.otherAt !== undefined && surelyElapsed(report.otherAt, at) < report.replicaLag) {
        return "settling";
      }
    }
    return undefined;
  }

  #forget(): void {
    if (this.#changes.size === 0) return;
    const { oldest } = this.#open;
    let until: Instant | undefined;
    for (const [group, change] of this.#changes) {
      if (oldest !== undefined && oldest.sequence < change.sequence) return;
      for (const report of change.reports) {
        until ??= oldest?.at ?? instant(this.#clock);
        if (surelyElapsed(report.at, until) < report.replicaLag) return;
      }
      this.#changes.delete(group);
      this.#bytes -= CHANGE_BYTES + group.length;
    }
  }
}
