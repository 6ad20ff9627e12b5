/**
 * How a registry and its feeds are now, as the page is told it.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import { type Reason, requestEnds } from "../registry/reason.ts";
import { attempts } from "../registry/feed_fault.ts";
import type { Subscription, SubscriptionState } from "../registry/subscription.ts";
import { causes } from "../why/causes.ts";

/** Characters of a position that are shown: those of a cluster have hundreds. */
const MOST_POSITION = 60;

/** A feed as it is now. */
export interface FeedState {
  readonly name: string;
  readonly state: SubscriptionState;
  /** ms; undefined: no contact yet. */
  readonly lag: number | undefined;
  /** ms; 0: not known, because a snapshot has brought it, and it has not been followed since. */
  readonly maxLag: number;
  readonly replicaLag: number;
  readonly position: string | undefined;
  readonly changes: number;
  readonly losses: number;
  readonly recoveries: number;
  /** ms since the epoch. */
  readonly lostAt: number | undefined;
  readonly lastReset: { readonly reason: string; readonly at: number } | undefined;
  /** What it has met last, which may have passed; where it has ended, that which has ended it. */
  readonly fault: string | undefined;
  /** When, in ms since the epoch. */
  readonly faultAt: number | undefined;
}

/** Everything that the page shows of one moment. */
export interface RegistryState {
  /** ms since the epoch. */
  readonly time: number;
  readonly state: "live" | "manual" | "suspended" | "unfollowed";
  /** What is wrong, and what to do; undefined: nothing is. */
  readonly trouble: { readonly what: string; readonly advice: readonly string[] } | undefined;
  readonly entries: number;
  readonly groups: number;
  readonly bytes: number;
  readonly version: string | undefined;
  /** Each reason that has been counted. */
  readonly counters: Readonly<Partial<Record<Reason, number>>>;
  readonly running: number;
  readonly handlerRuns: number;
  readonly handlerSeconds: number;
  readonly savedBytes: number;
  readonly feeds: readonly FeedState[];
}

/** The numbers of one moment from which the page draws its charts. */
export type Sample = readonly [
  /** ms since the epoch. */
  time: number,
  hits: number,
  /** 304s after the handler. */
  notModified: number,
  handled: number,
  /** 412 and 428. */
  refused: number,
  /** Requests that ended with an error, or were passed on. */
  others: number,
  handlerRuns: number,
  handlerSeconds: number,
  savedBytes: number,
];

/** The numbers for the charts. */
export function sampleOf(core: RegistryCore): Sample {
  const { counters: counted } = core;
  const refused = counted["precondition-failed"] + counted["precondition-failed-late"] +
    counted["precondition-required"];
  const others = counted["handler-threw"] + counted["current-threw"] + counted["passed-on"];
  const known = [counted["hit"], counted["not-modified"], counted["handled"]] as const;
  return [
    core.now,
    ...known,
    refused,
    others,
    runsOf(core),
    core.runs.seconds,
    core.savedByHits + core.savedAfterHandler,
  ];
}

function runsOf({ runs }: RegistryCore): number {
  return runs.counts.reduce((sum, count) => sum + count, 0);
}

/** How the registry and its feeds are now. */
export function stateOf(core: RegistryCore): RegistryState {
  const followed = [...core.feeds];
  const feeds = followed.map(feedState);
  const state = core.unfollowed
    ? "unfollowed"
    : !core.live || core.unasked
    ? "suspended"
    : feeds.length === 0
    ? "manual"
    : "live";
  const isCounted = ([reason, count]: [string, number]) =>
    count > 0 || (requestEnds as readonly string[]).includes(reason);
  return {
    time: core.now,
    state,
    trouble: troubleOf(state, followed),
    entries: core.size,
    groups: core.groups,
    bytes: core.bytes,
    version: core.version,
    counters: Object.fromEntries(Object.entries(core.counters).filter(isCounted)),
    running: core.runs.running,
    handlerRuns: runsOf(core),
    handlerSeconds: core.runs.seconds,
    savedBytes: core.savedByHits + core.savedAfterHandler,
    feeds,
  };
}

function feedState(feed: Subscription): FeedState {
  const { name, state, lag, maxLag, replicaLag, position, counters, lostAt, lastReset, fault } = feed;
  const { changes, losses, recoveries } = counters;
  return {
    ...{ name, state, maxLag, replicaLag, changes, losses, recoveries, lostAt, lastReset },
    lag: lag === Infinity ? undefined : lag,
    position: position === undefined ? undefined : shortened(String(position.since)),
    fault: fault && metBy(feed),
    faultAt: fault?.at,
  };
}

function shortened(text: string): string {
  return text.length > MOST_POSITION ? `${text.slice(0, MOST_POSITION)}…` : text;
}

/** What a feed has met, with how often it has tried; empty: nothing. */
function metBy({ fault }: Subscription): string {
  if (fault === undefined) return "";
  return fault.isFinal || fault.attempts === 1 ? fault.what : `${fault.what}; ${attempts(fault)}`;
}

/** What each state of a feed means for the registry. */
const MEANINGS: Readonly<Record<Exclude<SubscriptionState, "live">, string>> = {
  starting: "a feed has had no contact with its source yet",
  lost: "a feed has lost the contact with its source",
  stale: "a feed was not heard of within its maxLag",
  ended: "a feed has ended",
};

function troubleOf(
  state: RegistryState["state"],
  feeds: readonly Subscription[],
): RegistryState["trouble"] {
  if (state !== "unfollowed" && state !== "suspended") return undefined;
  const { meaning, cure } = causes[state];
  if (state === "suspended" && feeds.length === 0) {
    return troubleBy("the last feed was retired, and none is followed since", [causes["unfollowed"].cure]);
  }
  const [...meanings] = new Set(
    feeds.flatMap(({ state }) => state === "live" ? [] : MEANINGS[state]),
  );
  // The text of the counter says the most general, so it stands where nothing more exact is known.
  if (meanings.length === 0) return troubleBy(meaning, [cure]);
  return troubleBy(meanings.join(", and "), feeds.flatMap(adviceFor));
}

function troubleBy(why: string, advice: readonly string[]): RegistryState["trouble"] {
  return { what: `Every request runs its handler: ${why}.`, advice };
}

/** What to do about one feed. */
function adviceFor(feed: Subscription): string[] {
  const { name, state, maxLag, fault, isAwaited, isUnasked } = feed;
  const called = JSON.stringify(name);
  const met = metBy(feed);
  const has = `The feed ${called} has`;
  const again = `follow it under this name, or call registry.retire(${called})`;
  switch (state) {
    case "live":
      return [];
    case "ended":
      return fault?.isFinal
        ? [`${has} failed for good (${met}): mend the cause, and follow it again under this name.`]
        : [`The feed ${called} was closed: ${again}.`];
    case "stale":
      return [
        `${has} not been heard of for longer than its maxLag of ${maxLag} ms: the database, or this process, stands still.`,
      ];
    case "lost":
      if (isUnasked) {
        return [
          `The feed ${called} could not be asked before an answer${
            met && ` (${met})`
          }. It is asked again each time.`,
        ];
      }
      return [
        `${has} lost its contact${
          met && ` (${met})`
        }. It connects again by itself once the source answers: see whether it does.`,
      ];
    case "starting":
      if (isAwaited) return [`The feed ${called} comes from a snapshot, and is not followed yet: ${again}.`];
      return met === ""
        ? [`${has} had no contact yet. At the start that passes: wait for follower.ready.`]
        : [
          `${has} had no contact yet (${met}). It goes on trying: check its address, and whether the source runs and ` +
          "can be reached from here.",
        ];
  }
}
