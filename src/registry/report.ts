/**
 * Which revision of a group was reported last, and by which feed, as one number: groups may be in the millions.
 *
 * A response that declares another revision was made from a superseded one, for example from a document that its handler
 * keeps. Two feeds may report documents of the same id: then neither is remembered.
 *
 * @module
 */
import type { Hash } from "./hash.ts";

/** Nothing has been reported. */
export const NO_REPORT = 0;

/** Feeds have numbers below this, from 1 on. */
const FEEDS = 16;

/** The feed's number where several have reported the group, or where a feed has no number of its own. */
const SEVERAL = FEEDS - 1;

/**
 * The report that follows another.
 *
 * @param previous {@linkcode NO_REPORT}, or what this function gave: positive where the revision is known, else the
 * negative number of the feed.
 * @param revision The fingerprint of the revision; undefined: the group changed, and its revision is not known.
 * @param feed Which feed reported it, from 1 on.
 */
export function nextReport(previous: number, revision: number | undefined, feed: number): number {
  if (revision === undefined) return previous > 0 ? -(previous % FEEDS) : previous;
  const before = previous > 0 ? previous % FEEDS : -previous;
  const isOne = feed < SEVERAL && (before === NO_REPORT || before === feed);
  return isOne ? revision * FEEDS + feed : -SEVERAL;
}

/** Whether another revision than this was reported last. */
export function isSuperseded(report: number, revision: number): boolean {
  return report > 0 && Math.floor(report / FEEDS) !== revision;
}

/** A power of two. */
const SLOTS = 4_096;

/**
 * The last reports of groups that nothing depends on, as many as there is room for: a later report may take the place of
 * any earlier one. 80 KiB, taken at the first report.
 */
export class RecentReports {
  #hashes = new Int32Array(0);
  #reports = new Float64Array(0);

  /** The last report of the group with this hash. */
  get({ low, high }: Hash): number {
    const slot = low & (SLOTS - 1);
    const isOfGroup = this.#hashes[2 * slot] === low && this.#hashes[2 * slot + 1] === high;
    return isOfGroup ? this.#reports[slot]! : NO_REPORT;
  }

  /** Remembers a report. */
  set(hash: Hash, report: number): void {
    if (report === NO_REPORT && this.get(hash) === NO_REPORT) return;
    if (this.#reports.length === 0) {
      this.#hashes = new Int32Array(2 * SLOTS);
      this.#reports = new Float64Array(SLOTS);
    }
    const slot = hash.low & (SLOTS - 1);
    this.#hashes[2 * slot] = hash.low;
    this.#hashes[2 * slot + 1] = hash.high;
    this.#reports[slot] = report;
  }
}
