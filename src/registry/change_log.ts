/**
 * The changes that leases are judged by.
 *
 * A response may be registered only if nothing that it was built from has changed since before its handler began. A
 * lease marks that beginning with a sequence number, and each change gets the next number. A change is remembered,
 * whether or not an entry depends on its group yet, for as long as an open lease could conflict with it.
 *
 * Where a database keeps replicas, a read may lag behind the feed. So a change also conflicts with leases that are
 * taken within `replicaLag` after it: it is settling.
 *
 * What happens to all groups at once (a start position, a reset, `clear()`) is not remembered for each group: it closes
 * every open lease, and its time is kept, because it settles like any other change.
 *
 * @module
 */
import { type Clock, type Instant, instant, surelyElapsed } from "../changes/clock.ts";
import { type DeclaredDependency, REPORTED } from "../http/dependency.ts";
import { copied, textBytes } from "./kept_text.ts";
import { type Lease, OpenLease, OpenLeases } from "./lease.ts";
import { CHANGE_BYTES, REPORT_BYTES } from "./memory_cost.ts";
import type { RegistrationRefusal } from "./reason.ts";
import { SeededMap } from "./seeded_map.ts";

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

interface RememberedChange {
  readonly group: string;
  /** Of its last report. */
  readonly sequence: number;
  /** Of its last report that was a change; later ones said that it is at `repeated` still. */
  readonly changedAt: number;
  /** The revision reported again since; undefined if none was. */
  readonly repeated: string | undefined;
  readonly reports: readonly Report[];
}

const NO_REPORTS: readonly Report[] = [];

function changeBytes({ group, repeated, reports }: RememberedChange): number {
  const bytes = CHANGE_BYTES + textBytes(group) + revisionBytes(repeated);
  return reports.reduce((sum, { rev }) => sum + REPORT_BYTES + revisionBytes(rev), bytes);
}

function revisionBytes(rev: string | undefined): number {
  return rev === undefined ? 0 : textBytes(rev);
}

/**
 * Whether one document was read at two revisions. Two digests of a row may be of two selections of its columns; a change
 * between them is told by the feed.
 */
function isTorn(dependencies: readonly DeclaredDependency[]): boolean {
  if (dependencies.length < 2) return false;
  const revisions = new Map<string, string>();
  for (const { _id, _rev, [REPORTED]: table } of dependencies) {
    if (_rev === undefined || table !== undefined) continue;
    if ((revisions.get(_id) ?? _rev) !== _rev) return true;
    revisions.set(_id, _rev);
  }
  return false;
}

/** All open leases, and the changes that may conflict with them. */
export class ChangeLog {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #onOverflow: () => void;
  readonly #open = new OpenLeases();
  readonly #changes = new SeededMap<RememberedChange>();
  /** In the order of their sequence numbers, as the leases are: the oldest comes first. */
  readonly #order = new Set<RememberedChange>();
  #bytes = 0;
  #sequence = 0;
  #allInvalidatedAt: Instant | undefined;
  /** ms: the longest `replicaLag` of any feed, and that of a change which no feed reported. */
  replicaLag = 0;

  /** @param onOverflow Called when more changes would have to be remembered than `maxBytes` allow. */
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

  /** Estimated bytes of the changes that are remembered. */
  get bytes(): number {
    return this.#bytes + this.#changes.bytes;
  }

  /** How many changes are remembered. */
  get size(): number {
    return this.#changes.size;
  }

  /** Opens a lease for a handler that is about to run. */
  lease(key: string, caller: string | undefined): Lease {
    const at = this.replicaLag > 0 ? instant(this.#clock) : undefined;
    return this.#open.add(new OpenLease(this, key, caller, this.#sequence, at));
  }

  /** Closes a lease, and forgets the changes that only it could conflict with. */
  close(lease: Lease): void {
    if (this.#open.delete(lease as OpenLease)) this.#forget();
  }

  /**
   * Closes the leases of handlers that are building a resource, because it was written, and returns the sequence number
   * of that change. It is not remembered, so it delays no later lease: any client may send a write, again and again, and
   * a write does not say which documents it has changed. The groups that its response names are recorded apart.
   */
  breakLeases(key: string): number {
    this.#open.deleteAllOf(key);
    this.#forget();
    return ++this.#sequence;
  }

  /**
   * Records a change, and returns its sequence number.
   *
   * @param group What changed.
   * @param rev The revision reported, if one was.
   * @param feed What reported it: the revisions of two feeds are recorded apart.
   * @param replicaLag ms for which it conflicts with new leases.
   * @param isRepeated Whether `rev` is reported again: whatever happened in between, it conflicts with open leases only
   * if their responses declare anything else. It settles like any change.
   */
  record(
    group: string,
    rev: string | undefined,
    feed: unknown,
    replicaLag: number,
    isRepeated: boolean = false,
  ): number {
    const sequence = ++this.#sequence;
    // It can conflict with no lease, now or later.
    if (replicaLag === 0 && this.#open.size === 0) {
      this.#forget();
      if (this.#changes.size === 0 || this.#changes.get(group) === undefined) return sequence;
    }
    const known = this.#changes.get(group);
    if (known !== undefined) this.#order.delete(known);
    const reports = replicaLag === 0
      ? known?.reports ?? NO_REPORTS
      : this.#report(known, rev, feed, replicaLag);
    const isAgain = isRepeated && (known?.repeated ?? rev) === rev;
    const change = {
      group: known?.group ?? copied(group),
      sequence,
      changedAt: isAgain ? known?.changedAt ?? 0 : sequence,
      repeated: isAgain ? known?.repeated ?? copied(rev!) : undefined,
      reports,
    };
    this.#changes.set(change.group, change);
    this.#order.add(change);
    this.#bytes += changeBytes(change) - (known === undefined ? 0 : changeBytes(known));
    this.#forget();
    if (this.bytes > this.#maxBytes) {
      this.invalidateAll();
      this.#onOverflow();
    }
    return sequence;
  }

  #report(
    known: RememberedChange | undefined,
    rev: string | undefined,
    feed: unknown,
    replicaLag: number,
  ): readonly Report[] {
    const at = instant(this.#clock);
    const previous = known?.reports.find((report) => report.feed === feed);
    const same = previous !== undefined && rev !== undefined && previous.rev === rev;
    const kept = same ? previous.rev : rev === undefined ? undefined : copied(rev);
    const report: Report = {
      feed,
      replicaLag,
      rev: kept,
      at,
      otherAt: same ? previous.otherAt : previous?.at,
    };
    // `concat` makes lists without room to spare.
    return known === undefined
      ? [report]
      : known.reports.filter((other) => other !== previous).concat(report);
  }

  /** Records a change of every group: open leases are void, and every reported revision is forgotten. */
  invalidateAll(): void {
    this.#sequence++;
    this.#open.clear();
    this.#changes.clear();
    this.#order.clear();
    this.#bytes = 0;
    this.#allInvalidatedAt = instant(this.#clock);
  }

  /**
   * Why a response that was built under a lease may be older than what is known by now; undefined if it cannot be.
   *
   * @param dependencies Everything that it was built from.
   */
  conflict(lease: Lease, dependencies: readonly DeclaredDependency[]): RegistrationRefusal | undefined {
    const { at } = lease as OpenLease;
    if (!this.#open.has(lease as OpenLease)) return "lease-broken";
    if (this.#isAllSettling(at)) return "settling";
    if (isTorn(dependencies)) return "revision-differs";
    if (this.#changes.size === 0) return undefined;
    for (const { _id, _rev } of dependencies) {
      const reason = this.#conflictWith(lease as OpenLease, _id, _rev);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  /** Whether a lease was taken within `replicaLag` after everything was invalidated. */
  #isAllSettling(at: Instant | undefined): boolean {
    return at !== undefined && this.#allInvalidatedAt !== undefined &&
      surelyElapsed(this.#allInvalidatedAt, at) < this.replicaLag;
  }

  #conflictWith(
    { sequence, at }: OpenLease,
    group: string,
    rev: string | undefined,
  ): RegistrationRefusal | undefined {
    const change = this.#changes.get(group);
    if (change === undefined) return undefined;
    if (change.changedAt > sequence) return "lease-broken";
    if (change.sequence > sequence && change.repeated !== rev) return "lease-broken";
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

  /** Drops changes, oldest first, that can conflict with no lease that is open or may still be taken. */
  #forget(): void {
    if (this.#changes.size === 0) return;
    const { oldest } = this.#open;
    let until: Instant | undefined;
    for (const change of this.#order) {
      if (oldest !== undefined && oldest.sequence < change.sequence) return;
      for (const report of change.reports) {
        until ??= oldest?.at ?? instant(this.#clock);
        if (surelyElapsed(report.at, until) < report.replicaLag) return;
      }
      this.#changes.delete(change.group);
      this.#order.delete(change);
      this.#bytes -= changeBytes(change);
    }
  }
}
