/**
 * How a registry and its feeds are now, as the page is told it.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import { type Reason, requestEnds } from "../registry/reason.ts";
import type { Subscription } from "../registry/subscription.ts";
import { causes } from "../why/causes.ts";

/** Characters of a position that are shown: those of a cluster have hundreds. */
const MOST_POSITION = 60;

/** A feed as it is now. */
export interface FeedState {
  readonly name: string;
  /** Stale: it says that it is complete, and its last contact is longer ago than its `maxLag`. */
  readonly state: "live" | "waiting" | "lost" | "stale" | "ended";
  /** ms; undefined: no contact yet. */
  readonly lag: number | undefined;
  readonly maxLag: number;
  readonly replicaLag: number;
  readonly position: string | undefined;
  readonly changes: number;
  readonly losses: number;
  readonly recoveries: number;
  /** ms since the epoch. */
  readonly lostAt: number | undefined;
  readonly lastReset: { readonly reason: string; readonly at: number } | undefined;
  /** What has ended it for good. */
  readonly fault: string | undefined;
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
  const feeds = [...core.feeds].map(feedState);
  const state = core.unfollowed
    ? "unfollowed"
    : !core.live
    ? "suspended"
    : feeds.length === 0
    ? "manual"
    : "live";
  const isCounted = ([reason, count]: [string, number]) =>
    count > 0 || (requestEnds as readonly string[]).includes(reason);
  return {
    time: core.now,
    state,
    trouble: troubleOf(state, feeds),
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
  const { name, live, closed, lag, maxLag, replicaLag, position, counters, lostAt, lastReset, fault } = feed;
  const { changes, losses, recoveries } = counters;
  const state = closed ? "ended" : live ? lag > maxLag ? "stale" : "live" : losses > 0 ? "lost" : "waiting";
  return {
    ...{ name, state, maxLag, replicaLag, changes, losses, recoveries, lostAt, lastReset, fault },
    lag: lag === Infinity ? undefined : lag,
    position: position === undefined ? undefined : shortened(String(position.since)),
  };
}

function shortened(text: string): string {
  return text.length > MOST_POSITION ? `${text.slice(0, MOST_POSITION)}…` : text;
}

function troubleOf(
  state: RegistryState["state"],
  feeds: readonly FeedState[],
): RegistryState["trouble"] {
  if (state !== "unfollowed" && state !== "suspended") return undefined;
  const { meaning, cure } = causes[state];
  const ofFeeds = feeds.filter((feed) => feed.state !== "live").map(adviceFor);
  return {
    what: `Every request runs its handler: ${meaning}.`,
    advice: [...ofFeeds, cure],
  };
}

/** What to do about one feed. */
function adviceFor({ name, state, maxLag, fault }: FeedState): string {
  const feed = `The feed ${JSON.stringify(name)}`;
  switch (state) {
    case "ended":
      return fault === undefined
        ? `${feed} was closed: follow it again under this name, or call registry.retire(${
          JSON.stringify(name)
        }).`
        : `${feed} has failed for good (${fault}): mend the cause, and follow it again under this name.`;
    case "stale":
      return `${feed} has not been heard of for longer than its maxLag of ${maxLag} ms: the database, or this process, stands still.`;
    case "lost":
      return `${feed} has lost its contact. It connects again by itself once the source answers: see whether it does.`;
    default:
      return `${feed} has not been live yet: see whether its source answers, and with which status.`;
  }
}
