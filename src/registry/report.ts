/**
 * Which revision of a group was reported last, and by which feed, as one number: groups may be in the millions.
 *
 * A response that declares another revision was made from a superseded one, for example from a document that its handler
 * keeps. Two feeds may report documents of the same id: then neither is remembered.
 *
 * @module
 */
import type { Hash } from "./hash.ts";
import { HashTable } from "./hash_table.ts";
import { REFERENCE_BYTES } from "./memory_cost.ts";

/** Nothing has been reported. */
export const NO_REPORT = 0;

/** Feeds have numbers below this, from 1 on; the last is {@linkcode SEVERAL}. */
const FEEDS = 16;

/** The feed's number where several have reported the group, or where a feed has no number of its own. */
const SEVERAL = 15;

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

/** The most reports that are kept. */
export const MOST_REPORTS = 4_096;

/** As many are kept, however small a registry is. */
export const LEAST_REPORTS = 256;

/**
 * The last reports of groups that nothing depends on: of those that were reported first, or for the first time since they
 * were last forgotten, the latest 4,096. At most 240 KiB, taken as they come.
 */
export class RecentReports {
  readonly #table = new HashTable();
  // A ring, by id from 1 on: the hashes in two numbers each, because there are many.
  readonly #low: number[] = [0];
  readonly #high: number[] = [0];
  readonly #reports: number[] = [NO_REPORT];
  readonly #most: number;
  #next = 1;

  /** @param most How many reports are kept; default 4,096. */
  constructor(most: number = MOST_REPORTS) {
    this.#most = most;
  }

  /** Estimated bytes held, beyond those without a report. */
  get bytes(): number {
    return this.#table.bytes + 3 * REFERENCE_BYTES * (this.#reports.length - 1);
  }

  /** The last report of the group with this hash. */
  get(hash: Hash): number {
    const slot = this.#table.find(hash);
    return slot < 0 ? NO_REPORT : this.#reports[this.#table.idAt(slot)]!;
  }

  /** Remembers a report, and forgets the oldest one if there are too many. */
  set(hash: Hash, report: number): void {
    const slot = this.#table.find(hash);
    if (slot >= 0) {
      this.#reports[this.#table.idAt(slot)] = report;
    } else if (report !== NO_REPORT) this.#add(hash, report);
  }

  #add(hash: Hash, report: number): void {
    const id = this.#next;
    this.#next = id === this.#most ? 1 : id + 1;
    if (id < this.#reports.length) {
      this.#table.remove(this.#table.find({ low: this.#low[id]!, high: this.#high[id]! }));
    }
    this.#table.add(hash, id);
    this.#low[id] = hash.low;
    this.#high[id] = hash.high;
    this.#reports[id] = report;
  }
}
