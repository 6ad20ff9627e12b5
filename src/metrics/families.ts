/**
 * What a registry and its feeds have counted, as families of metrics. The families of reasons come from the list of
 * reasons, so that none can be forgotten.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import { feedResets } from "../registry/feed_counters.ts";
import { HANDLER_TIME_BOUNDS } from "../registry/handler_runs.ts";
import { type Reason, reasonFamilies, type ReasonFamily, requestEnds } from "../registry/reason.ts";
import type { Subscription } from "../registry/subscription.ts";

/** One number of a family. */
export interface MetricSample {
  /** What follows the name of the family: `_total`, or what a histogram has; empty for a gauge. */
  readonly suffix: "" | "_total" | "_bucket" | "_sum" | "_count";
  /** Only names that the program has given to registries and feeds, reasons, and bounds of a histogram. */
  readonly labels: Readonly<Record<string, string>>;
  /** As it is now: Infinity is the lag of a feed that has had no contact. */
  readonly value: number;
}

/**
 * A metric family (OpenMetrics 1.0, "MetricFamily"): a name, what it means, and its numbers.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry } from "@stillfresh/etag";
 * import { type MetricFamily, metrics } from "@stillfresh/etag/metrics";
 *
 * const families: readonly MetricFamily[] = metrics({ registry: new EtagRegistry() }).families();
 * const entries = families.find(({ name }) => name === "stillfresh_entries");
 * assert.deepEqual(entries?.samples, [{ suffix: "", labels: {}, value: 0 }]);
 * ```
 */
export interface MetricFamily {
  /** Without the suffix of its samples. */
  readonly name: string;
  /** A counter only grows, while the process lives. */
  readonly type: "counter" | "gauge" | "histogram";
  /** A sentence without its full stop. */
  readonly help: string;
  /** The last part of the name, where it is a unit. */
  readonly unit: "seconds" | "bytes" | undefined;
  /** None, where no feed is followed that they could be of. */
  readonly samples: readonly MetricSample[];
}

/** A family, and what is read of one registry for it. */
interface Description extends Omit<MetricFamily, "samples" | "unit"> {
  readonly read: (core: RegistryCore) => readonly MetricSample[];
}

/** Families of reasons that are no outcome, by the family of {@linkcode reasonFamilies}. */
const REFUSALS: Readonly<Record<Exclude<ReasonFamily, "outcome">, Pick<Description, "name" | "help">>> = {
  lookup: {
    name: "stillfresh_lookup_refusals",
    help: "Requests that a look-up gave no entry for, by reason: the handler ran",
  },
  registration: {
    name: "stillfresh_registration_refusals",
    help: "Responses of the handler that were not registered, by reason",
  },
  departure: { name: "stillfresh_departures", help: "Entries that left one by one, by reason" },
  incident: { name: "stillfresh_incidents", help: "What else is worth counting, by reason" },
};

const isEnd = (reason: Reason): boolean => (requestEnds as readonly Reason[]).includes(reason);
const reasonsOf = (family: ReasonFamily): readonly Reason[] =>
  (Object.keys(reasonFamilies) as Reason[]).filter((reason) => reasonFamilies[reason] === family);

function one(value: number, suffix: MetricSample["suffix"] = ""): readonly MetricSample[] {
  return [{ suffix, labels: {}, value }];
}

function counted(
  { counters }: RegistryCore,
  label: "outcome" | "reason",
  reasons: readonly Reason[],
): readonly MetricSample[] {
  return reasons.map((reason) => ({
    suffix: "_total",
    labels: { [label]: reason },
    value: counters[reason],
  }));
}

function gauge(name: string, help: string, value: (core: RegistryCore) => number): Description {
  return { name, type: "gauge", help, read: (core) => one(value(core)) };
}

function counter(name: string, help: string, value: (core: RegistryCore) => number): Description {
  return { name, type: "counter", help, read: (core) => one(value(core), "_total") };
}

function ofFeeds(
  type: "counter" | "gauge",
  name: string,
  help: string,
  value: (feed: Subscription) => number,
): Description {
  const suffix = type === "counter" ? "_total" : "";
  const read = ({ feeds }: RegistryCore) =>
    Array.from(feeds, (feed) => ({ suffix, labels: { feed: feed.name }, value: value(feed) } as const));
  return { name, type, help, read };
}

function handlerTimes({ runs: { counts, seconds } }: RegistryCore): readonly MetricSample[] {
  let sum = 0;
  const buckets = [...HANDLER_TIME_BOUNDS, Infinity].map((bound, at) => {
    sum += counts[at]!;
    return { suffix: "_bucket", labels: { le: boundary(bound) }, value: sum } as const;
  });
  return [...buckets, ...one(sum, "_count"), ...one(seconds, "_sum")];
}

/** A bound of a histogram, in the spelling that OpenMetrics has for it: a whole number has a fraction too. */
function boundary(bound: number): string {
  if (bound === Infinity) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

/** In the order in which they are written. */
const descriptions = (): readonly Description[] => [
  {
    name: "stillfresh_requests",
    type: "counter",
    help: "Requests that have ended, by how: each is counted once",
    read: (core) => counted(core, "outcome", requestEnds),
  },
  {
    name: "stillfresh_bypasses",
    type: "counter",
    help: "Requests that the handler had to see whatever a look-up gives, by reason",
    read: (core) => counted(core, "reason", reasonsOf("outcome").filter((reason) => !isEnd(reason))),
  },
  ...Object.entries(REFUSALS).map(([family, { name, help }]): Description => ({
    ...{ name, help, type: "counter" },
    read: (core) => counted(core, "reason", reasonsOf(family as ReasonFamily)),
  })),
  {
    name: "stillfresh_handler_seconds",
    type: "histogram",
    help: "From the call of the handler to its response, whose body may follow",
    read: handlerTimes,
  },
  gauge(
    "stillfresh_handlers_running",
    "Handlers that have not given their response yet",
    (core) => core.runs.running,
  ),
  {
    name: "stillfresh_saved_bytes",
    type: "counter",
    help: "Content that a 304 did not send, as far as the length of the response is known",
    read: ({ savedByHits, savedAfterHandler }) => [
      { suffix: "_total", labels: { outcome: "hit" }, value: savedByHits },
      { suffix: "_total", labels: { outcome: "not-modified" }, value: savedAfterHandler },
    ],
  },
  gauge("stillfresh_live", "1 while the registry may answer", (core) => Number(core.live && !core.unasked)),
  gauge("stillfresh_entries", "Entries kept, void ones included", ({ size }) => size),
  gauge("stillfresh_groups", "Groups that entries depend on", ({ groups }) => groups),
  gauge("stillfresh_bytes", "Estimated memory of all that is kept", ({ bytes }) => bytes),
  counter(
    "stillfresh_entries_added",
    "Entries that came: responses registered, and restored ones",
    ({ added }) => added,
  ),
  counter(
    "stillfresh_entries_voided",
    "Entries that left at once, with a reset or clear()",
    (core) => core.voidedAtOnce,
  ),
  ofFeeds(
    "gauge",
    "stillfresh_feed_live",
    "1 while the feed says that it is complete",
    ({ live }) => Number(live),
  ),
  ofFeeds(
    "gauge",
    "stillfresh_feed_followed",
    "0 once the follower was closed, or the feed failed for good",
    (
      { closed },
    ) => Number(!closed),
  ),
  ofFeeds("gauge", "stillfresh_feed_lag_seconds", "Time since the last contact", ({ lag }) => lag / 1_000),
  ofFeeds(
    "counter",
    "stillfresh_feed_changes",
    "Changes that were applied",
    ({ counters }) => counters.changes,
  ),
  ofFeeds(
    "counter",
    "stillfresh_feed_repeated_changes",
    "Changes that came again",
    ({ counters }) => counters.repeated,
  ),
  ofFeeds("counter", "stillfresh_feed_batches", "Batches that were applied, with changes or without", (
    { counters },
  ) => counters.batches),
  ofFeeds(
    "counter",
    "stillfresh_feed_apply_seconds",
    "Time that applying took",
    ({ counters }) => counters.seconds,
  ),
  ofFeeds(
    "counter",
    "stillfresh_feed_losses",
    "How often the contact was lost",
    ({ counters }) => counters.losses,
  ),
  ofFeeds("counter", "stillfresh_feed_recoveries", "How often the feed was live again after a loss", (
    { counters },
  ) => counters.recoveries),
  {
    name: "stillfresh_feed_resets",
    type: "counter",
    help: "How often the feed voided everything, by reason",
    read: ({ feeds }) =>
      [...feeds].flatMap(({ name: feed, counters: { resets } }) =>
        Object.keys(feedResets).map((reason) => ({
          ...{ suffix: "_total", labels: { feed, reason } } as const,
          value: resets[reason as keyof typeof resets],
        }))
      ),
  },
];

/**
 * Reads all families of some registries, those of feeds too where none is followed yet.
 *
 * @param cores By the name that each has in the label `registry`; an empty name is no label.
 */
export function readFamilies(cores: ReadonlyMap<string, RegistryCore>): MetricFamily[] {
  return descriptions().map(({ name, type, help, read }): MetricFamily => {
    const samples = [...cores].flatMap(([registry, core]) =>
      read(core).map((sample) =>
        registry === "" ? sample : { ...sample, labels: { registry, ...sample.labels } }
      )
    );
    return { name, type, help, unit: unitOf(name), samples };
  });
}

function unitOf(name: string): MetricFamily["unit"] {
  return (["seconds", "bytes"] as const).find((unit) => name.endsWith(`_${unit}`));
}
