/**
 * What a feed has brought, in numbers: they go on where a feed is followed again under its name.
 *
 * @module
 */
import type { ResetReason } from "../changes/change.ts";

/**
 * Why a feed voided everything: what the feed itself says, or
 *
 * - `began`: it was read for the first time;
 * - `unresumed`: it was read anew, and says no position from which it went on;
 * - `groups-threw`: the `groups` function threw;
 * - `other`: the feed gives a reason that is none of the list.
 */
export type FeedReset = ResetReason | "began" | "unresumed" | "groups-threw" | "other";

/** Each of them. */
export const feedResets: Readonly<Record<FeedReset, true>> = {
  "began": true,
  "deleted": true,
  "recreated": true,
  "purged": true,
  "rolled-back": true,
  "rewound": true,
  "since-refused": true,
  "restarted": true,
  "schema": true,
  "connected": true,
  "overflow": true,
  "map-threw": true,
  "unresumed": true,
  "groups-threw": true,
  "other": true,
};

/** The counters of one feed. */
export interface FeedCounters {
  /** Batches that were applied. */
  batches: number;
  /** Changes in them. */
  changes: number;
  /** Changes in them that had come before. */
  repeated: number;
  /** How often the contact was lost. */
  losses: number;
  /** How often the feed was live again after that. */
  recoveries: number;
  /** Seconds that applying took. */
  seconds: number;
  /** How often everything was voided. */
  readonly resets: Record<FeedReset, number>;
}

/** A counter for each thing, all zero. */
export function zeroFeedCounters(): FeedCounters {
  const resets = { ...feedResets } as Record<FeedReset, unknown>;
  for (const reason in resets) resets[reason as FeedReset] = 0;
  return {
    ...{ batches: 0, changes: 0, repeated: 0, losses: 0, recoveries: 0, seconds: 0 },
    resets: resets as Record<FeedReset, number>,
  };
}

/** The reason that a feed gives, as one of the list. */
export function feedResetOf(given: string): FeedReset {
  return Object.hasOwn(feedResets, given) ? given as FeedReset : "other";
}
