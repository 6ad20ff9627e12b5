/**
 * Leases, and the memory of changes that they are judged by.
 *
 * A response may be registered only if nothing it was built from changed since before its handler began. A lease
 * marks that beginning with a counter; each change moves the counter and is remembered, whether or not anything
 * depends on its group yet, for as long as an open lease could be concerned by it. Where a database keeps replicas a
 * read may lag behind the feed, so a change also counts against leases taken within `settle` after it.
 *
 * One number stands for "everything changed": the floor.
 *
 * @module
 */
import { type Clock, type Instant, instant, surelyElapsed } from "../changes/clock.ts";
import { groupOf, resourceGroup, revOf, type Source } from "../http/dependency.ts";
import { type Lease, OpenLease, OpenLeases } from "./lease.ts";
import type { Reason } from "./reason.ts";

/** What one feed has reported of a group. Kept only where `settle` is not 0. */
interface Report {
  readonly feed: unknown;
  readonly settle: number;
  /** The revision last reported, and when. */
  readonly rev: string | undefined;
  readonly at: Instant;
  /** When any other revision was last reported. */
  readonly otherAt: Instant | undefined;
}

interface Remembered {
  readonly mark: number;
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
export class ChangeMemory {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #onOverflow: () => void;
  // Both in the order of their marks, so that the oldest is the first.
  readonly #open = new OpenLeases();
  readonly #changes = new Map<string, Remembered>();
  #bytes = 0;
  #mark = 0;
  #floorAt: Instant | undefined;
  /** ms: the longest `settle` of any feed, and so that of a change which no feed reported. */
  settle = 0;

  constructor(clock: Clock, maxBytes: number, onOverflow: () => void) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#onOverflow = onOverflow;
  }

  /** How many changes there have been. */
  get mark(): number {
    return this.#mark;
  }

  /** How many leases are open. */
  get open(): number {
    return this.#open.size;
  }

  /** How many changes are remembered. */
  get size(): number {
    return this.#changes.size;
  }

  /** Takes the mark for a handler that is about to run. */
  lease(key: string, caller: string | undefined): Lease {
    const at = this.settle > 0 ? instant(this.#clock) : undefined;
    return this.#open.add(new OpenLease(this, key, caller, this.#mark, at));
  }

  /** Closes a lease; changes that concerned only it are forgotten. */
  close(lease: Lease): void {
    if (this.#open.delete(lease as OpenLease)) this.#forget();
  }

  /**
   * Remembers a change, and returns its mark.
   *
   * @param group What changed.
   * @param rev The revision reported, if one was.
   * @param feed Who reported it: revisions of two feeds are recorded apart.
   * @param settle ms that it goes on counting against new leases.
   */
  record(group: string, rev: string | undefined, feed: unknown, settle: number): number {
    const mark = ++this.#mark;
    // Nobody can be overtaken by it, now or later.
    if (settle === 0 && this.#open.size === 0) {
      this.#forget();
      if (this.#changes.size === 0 || !this.#changes.has(group)) return mark;
    }
    const known = this.#changes.get(group);
    if (known === undefined) this.#bytes += CHANGE_BYTES + group.length;
    else this.#changes.delete(group);
    const reports = settle === 0 ? known?.reports ?? NONE : this.#report(known, rev, feed, settle);
    this.#changes.set(group, { mark, reports });
    this.#forget();
    if (this.#bytes > this.#maxBytes) {
      this.floor();
      this.#onOverflow();
    }
    return mark;
  }

  #report(
    known: Remembered | undefined,
    rev: string | undefined,
    feed: unknown,
    settle: number,
  ): readonly Report[] {
    const at = instant(this.#clock);
    const previous = known?.reports.find((report) => report.feed === feed);
    const same = previous !== undefined && rev !== undefined && previous.rev === rev;
    const report: Report = { feed, settle, rev, at, otherAt: same ? previous.otherAt : previous?.at };
    return [...(known?.reports.filter((other) => other !== previous) ?? []), report];
  }

  /** Counts as a change of every group there is: open leases are void, and all that was reported is forgotten. */
  floor(): void {
    this.#mark++;
    this.#open.clear();
    this.#changes.clear();
    this.#bytes = 0;
    this.#floorAt = instant(this.#clock);
  }

  /**
   * Why a response built under an open lease may be older than what is known by now; undefined if it cannot be.
   *
   * @param sources Everything it was built from.
   */
  overtaken(lease: Lease, sources: readonly Source[]): Reason | undefined {
    const { at } = lease as OpenLease;
    if (!this.#open.has(lease as OpenLease)) return "lease-broken";
    if (at !== undefined && this.#floorAt !== undefined && surelyElapsed(this.#floorAt, at) < this.settle) {
      return "settling";
    }
    if (isTorn(sources)) return "revision-differs";
    if (this.#changes.size === 0) return undefined;
    for (const source of sources) {
      const reason = this.#overtakenBy(lease as OpenLease, groupOf(source), revOf(source));
      if (reason !== undefined) return reason;
    }
    return this.#overtakenBy(lease as OpenLease, resourceGroup(lease.key), undefined);
  }

  #overtakenBy({ mark, at }: OpenLease, group: string, rev: string | undefined): Reason | undefined {
    const change = this.#changes.get(group);
    if (change === undefined) return undefined;
    if (change.mark > mark) return "lease-broken";
    if (at === undefined) return undefined;
    for (const report of change.reports) {
      if (surelyElapsed(report.at, at) >= report.settle) continue;
      if (rev === undefined || report.rev === undefined) return "settling";
      if (report.rev !== rev) return "revision-differs";
      if (report.otherAt !== undefined && surelyElapsed(report.otherAt, at) < report.settle) {
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
      if (oldest !== undefined && oldest.mark < change.mark) return;
      for (const report of change.reports) {
        until ??= oldest?.at ?? instant(this.#clock);
        if (surelyElapsed(report.at, until) < report.settle) return;
      }
      this.#changes.delete(group);
      this.#bytes -= CHANGE_BYTES + group.length;
    }
  }
}
