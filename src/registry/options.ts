/**
 * How large a registry may become, where its time comes from, and what it begins with.
 *
 * @module
 */
import { type Clock, systemClock } from "../changes/clock.ts";
import type { EntryStoreLimits } from "./entry_store.ts";
import type { Departure, Incident } from "./reason.ts";
import type { SnapshotRefusal } from "./snapshot_reader.ts";

/** How large a registry may become, and where its time comes from. */
export interface EtagRegistryOptions {
  /** Entries kept; default 100,000. */
  readonly maxEntries?: number;
  /** Estimated bytes of all that is kept: entries, groups, variants, remembered changes; default 64 MiB. */
  readonly maxBytes?: number;
  /** Variants of one resource; default 8. */
  readonly maxVariants?: number;
  /**
   * Whether the registry answers without a feed: you call `invalidate()` yourself for whatever changes, and no other
   * process writes. Default false: until {@linkcode follow} follows a feed, nothing is answered.
   */
  readonly manual?: boolean;
  /**
   * Called with the resource and the reason after an entry has left, and after the operation or the batch of a feed that
   * made it leave is complete. It may call the registry and a wrapped handler; what it throws goes to the console, once. It
   * is told of what leaves because of it too: one that brings back what it is told of does so for ever.
   */
  readonly onEvict?: (key: string, reason: Departure | Incident) => unknown;
  /** Build id: `withEtag` puts it into every tag it derives, and a snapshot is of one build; default none. */
  readonly version?: string;
  /** Wall clock in ms; default `Date.now`. Read on every look-up, so that a late timer cannot outlive `maxLag`. */
  readonly now?: () => number;
  /** Monotonic clock in ms; default `performance.now`. */
  readonly monotonic?: () => number;
}

/** How a registry is restored from a snapshot. */
export interface RestoreOptions extends EtagRegistryOptions {
  /** Gives the snapshot up: the registry is empty. For a source that may never end. */
  readonly signal?: AbortSignal;
  /**
   * Called with the reason why the snapshot is refused, and with the fault of its source, if that is the reason. The
   * registry is empty then. What it throws is ignored.
   */
  readonly onRefused?: (reason: SnapshotRefusal, error?: unknown) => unknown;
}

/** The bounds, with their defaults. */
export function limitsOf(options: EtagRegistryOptions): EntryStoreLimits {
  return {
    maxEntries: positive("maxEntries", options.maxEntries ?? 100_000),
    maxBytes: positive("maxBytes", options.maxBytes ?? 64 * 2 ** 20),
    maxVariants: positive("maxVariants", options.maxVariants ?? 8),
  };
}

/** The clocks, with their defaults. */
export function clockOf({ now, monotonic }: EtagRegistryOptions): Clock {
  return { now: now ?? systemClock.now, monotonic: monotonic ?? systemClock.monotonic };
}

/** The build that a snapshot is of. */
export function requireVersion(version: string | undefined): string {
  if (version !== undefined && version !== "") return version;
  throw new TypeError("A snapshot is of one build: give the registry a version that says which");
}

function positive(name: string, value: number): number {
  if (!(value > 0)) throw new RangeError(`${name} must be a number above 0, not ${value}`);
  return value;
}
