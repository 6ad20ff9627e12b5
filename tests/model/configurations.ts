/** The configurations of the model that are searched to the end, with their bounds. */

/** What has to precede an answer, so that no property holds for want of it. By its number in the models. */
export const EVENTS = {
  "a write": 0,
  "a loss": 1,
  "a row that was yielded": 2,
  "a probe": 3,
  "a known row that came again": 4,
  "a reset": 5,
  "a refused registration": 6,
  "a recreated database": 7,
  "a purge": 8,
  "a roll-back": 9,
  "a read from a replica that lags": 10,
  "the end of settling": 11,
  "an old row again": 12,
  "an overflow": 13,
  "a restored snapshot": 14,
  "a follower closed and followed again": 15,
  "a write through the site": 16,
  "a restart": 17,
  "a groups function that throws": 18,
  "a read of a kept document": 19,
  "a losing conflict": 20,
  "a page that breaks off": 21,
  "a superseded revision": 22,
  "a client that connects anew in silence": 23,
} as const;

export type EventName = keyof typeof EVENTS;

export interface Configuration {
  readonly name: string;
  /** The model; absent: the one of the whole protocol. */
  readonly model?: "consistency.pml" | "own_feed.pml";
  /** Macros of the model, `NAME` or `NAME=value`. */
  readonly macros: readonly string[];
  /** Beside those of every configuration of consistency.pml. */
  readonly events: readonly EventName[];
  /** Whether it belongs to the slice that takes less than a minute. */
  readonly slice?: boolean;
}

/** Possible in every configuration of consistency.pml. */
const COMMON: readonly EventName[] = [
  "a write",
  "a loss",
  "a row that was yielded",
  "a probe",
  "a known row that came again",
  "a refused registration",
];

const TWO_DOCUMENTS = ["DOCS=2", "SHOWS0=3"] as const;
const REPLICAS: readonly EventName[] = ["a read from a replica that lags", "the end of settling"];

export const configurations: readonly Configuration[] = [
  { name: "one document", macros: ["WRITES=5"], events: [] },
  {
    name: "one document without its revision",
    macros: ["WRITES=4", "KIND0=BARE", "CONFLICTS"],
    events: ["a losing conflict"],
    slice: true,
  },
  { name: "two documents", macros: [...TWO_DOCUMENTS, "WRITES=4", "STATES=2"], events: [] },
  {
    name: "pages of one row",
    macros: [...TWO_DOCUMENTS, "WRITES=3", "STATES=2", "ONE_ROW_PAGES"],
    events: [],
    slice: true,
  },
  {
    name: "pages that break off",
    macros: [...TWO_DOCUMENTS, "WRITES=3", "STATES=2", "FAULTS"],
    events: ["a page that breaks off"],
  },
  { name: "replicas", macros: ["REPLICAS", "WRITES=4"], events: REPLICAS },
  {
    name: "replicas, one of which is ahead",
    macros: ["REPLICAS", "AHEAD", "WRITES=4", "STATES=2"],
    events: REPLICAS,
  },
  {
    name: "replicas, without a revision",
    macros: ["REPLICAS", "WRITES=3", "KIND0=BARE"],
    events: REPLICAS,
  },
  {
    name: "old rows again",
    macros: ["REPLICAS", "REPLAY", "WRITES=3"],
    events: [...REPLICAS, "an old row again"],
  },
  {
    name: "recreated and purged",
    macros: ["RECREATE", "PURGE", "WRITES=3"],
    events: ["a recreated database", "a purge", "a reset"],
  },
  {
    name: "recreated and purged, two documents",
    macros: [...TWO_DOCUMENTS, "RECREATE", "PURGE", "WRITES=2", "STATES=2"],
    events: ["a recreated database", "a purge", "a reset"],
  },
  {
    name: "rolled back",
    macros: ["ROLLBACK", "STATES=4", "WRITES=3"],
    events: ["a roll-back", "a reset"],
  },
  {
    name: "rolled back, two documents",
    macros: ["DOCS=2", "ROLLBACK", "BACKUP_AT_START", "NO_EARLY_LOSS", "WRITES=4"],
    events: ["a roll-back", "a reset"],
  },
  {
    name: "rolled back, one shard with one copy",
    macros: ["ROLLBACK", "ONE_COUNT", "STATES=4", "WRITES=3"],
    events: ["a roll-back", "a reset"],
  },
  {
    name: "rolled back and purged",
    macros: [...TWO_DOCUMENTS, "ROLLBACK", "PURGE", "STATES=2", "WRITES=2"],
    events: ["a roll-back", "a purge", "a reset"],
  },
  {
    name: "rolled back anyhow, then restarted",
    macros: ["ROLLBACK", "RESTART", "WRITES=3"],
    events: ["a roll-back", "a restart"],
  },
  {
    name: "late answers",
    macros: ["LATE", "RECREATE", "WRITES=3"],
    events: ["a recreated database", "a reset"],
  },
  {
    name: "late answers, two documents",
    macros: [...TWO_DOCUMENTS, "LATE", "WRITES=3", "STATES=2"],
    events: [],
  },
  {
    name: "two handlers",
    macros: ["HANDLERS=2", "KIND0=BARE", "WRITES=3"],
    events: [],
  },
  {
    name: "two handlers, two pages of one document",
    macros: ["HANDLERS=2", "PAGES=2", "WRITES=3", "STATES=2"],
    events: [],
  },
  {
    name: "two feeds",
    macros: ["FEEDS=2", ...TWO_DOCUMENTS, "WRITES=2", "STATES=2"],
    events: [],
  },
  {
    name: "two shards",
    macros: ["SHARDS=2", ...TWO_DOCUMENTS, "WRITES=3", "STATES=2"],
    events: [],
  },
  {
    name: "snapshot",
    macros: ["SNAPSHOT", "KIND0=BARE", "WRITES=3"],
    events: ["a restored snapshot"],
  },
  {
    name: "snapshot, recreated and purged",
    macros: ["SNAPSHOT", "RECREATE", "PURGE", "WRITES=2", "STATES=2"],
    events: ["a restored snapshot", "a recreated database", "a purge", "a reset"],
  },
  {
    name: "snapshot, replicas",
    macros: ["SNAPSHOT", "REPLICAS", "WRITES=2"],
    events: ["a restored snapshot", ...REPLICAS],
  },
  {
    name: "closed and followed again",
    macros: ["CLOSE", "WRITES=4"],
    events: ["a follower closed and followed again"],
    slice: true,
  },
  {
    name: "a change log with room for one change",
    macros: ["OVERFLOW", "DOCS=2", "KIND0=BARE", "WRITES=3", "STATES=2"],
    events: ["an overflow"],
  },
  {
    name: "writes through the site",
    macros: ["SITE", "WRITES=4"],
    events: ["a write through the site"],
  },
  {
    name: "writes through the site, replicas",
    macros: ["SITE", "REPLICAS", "WRITES=3", "STATES=2"],
    events: ["a write through the site", ...REPLICAS],
  },
  {
    name: "a list",
    macros: [...TWO_DOCUMENTS, "KIND0=LIST", "THROWS", "WRITES=3", "STATES=2"],
    events: ["a groups function that throws"],
  },
  {
    name: "handlers that keep documents",
    macros: ["KEPT", "WRITES=4"],
    events: ["a read of a kept document", "a superseded revision"],
    slice: true,
  },
  {
    name: "a feed of a site's own",
    model: "own_feed.pml",
    macros: ["WRITES=3", "STATES=2"],
    events: [
      "a write",
      "a loss",
      "a row that was yielded",
      "a probe",
      "a reset",
      "a refused registration",
      "an overflow",
      "a client that connects anew in silence",
    ],
  },
];

/** All that has to precede an answer in a configuration. */
export function eventsOf({ model, events }: Configuration): readonly EventName[] {
  return model !== "own_feed.pml" ? [...COMMON, ...events] : events;
}
