/** What will happen in a run: drawn from its seed beforehand, so that single events can be left out. */
import type { ActionName } from "./action_name.ts";
import { MS } from "./clocks.ts";
import { Random } from "./random.ts";

export interface Config {
  readonly shards: number;
  readonly replicas: number;
  readonly databases: number;
  /** Milliseconds. */
  readonly maxLag: number;
  /** Milliseconds. */
  readonly heartbeat: number;
  readonly batchSize: number;
  readonly fromStart: boolean;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** How many of the site's pages are visited. */
  readonly pages: number;
  /** Share of would-be 304s for which the handler runs after all. */
  readonly auditRate: number;
  /** Whether bodies are hashed. */
  readonly hashBody: boolean;
  /** For the draws of `audit`. */
  readonly auditSeed: number;
  /** Whether a position is always spelled alike, as by a single node. */
  readonly spellsAlike: boolean;
  /** Whether handlers keep documents that they have read. */
  readonly keepsDocuments: boolean;
  /** Whether there is a table beside the databases, which a feed of the site's own follows. */
  readonly table: boolean;
  /** Whether that feed looks at it through snapshots, and is not told by a channel. */
  readonly polled: boolean;
  /** Whether its channel tells the revision of what has changed. */
  readonly tellsRevisions: boolean;
  /** Whether its client connects anew without a word. */
  readonly reconnectsInSilence: boolean;
  /** Whether the server's class of responses keeps the `Headers` that it is given, and the handler gives some twice. */
  readonly sharesHeaders: boolean;
  /** Whether the site has pages that read a document which they do not declare. Then everything is audited. */
  readonly forgets: boolean;
}

export interface Action {
  readonly name: ActionName;
  /** Ticks since the one before. */
  readonly gap: number;
  /** For whatever it decides. */
  readonly seed: number;
}

export interface Plan {
  readonly seed: number;
  readonly config: Config;
  readonly actions: readonly Action[];
}

/** Weights: mostly requests and writes, so that there is something to be wrong about. */
const OFTEN = {
  "request": 2_600,
  "write": 24,
  "delete": 4,
  "conflict": 5,
  "winner away and back": 3,
  "losing conflict": 6,
  "write under a handler": 14,
  "write through the site": 8,
  "rotate": 8,
  "back up": 12,
} as const;

/** All kinds of faults that a run may meet. */
export const FAULTS: readonly ActionName[] = [
  "connection cut",
  "cut mid-row",
  "stall",
  "half-open",
  "silence",
  "503",
  "429",
  "refused",
  "error line",
  "html under 200",
  "clean end",
  "dropped and recreated",
  "purged",
  "rolled back",
  "winner away and back",
  "losing conflict",
  "busy after a roll-back",
  "files exchanged",
  "history repeated",
  "restored and started anew",
  "rows late",
  "rows repeated",
  "replayed from the start",
  "paused in a burst",
  "machine asleep",
  "wall clock forward",
  "wall clock back",
  "burst under a slow handler",
  "slow handler",
  "handler throws",
  "read twice",
  "groups throw",
  "clear",
  "close and follow",
  "restart",
  "boundary of maxLag",
];

/** What happens to a table and its channel, in the place of other actions where there is one. */
export const TABLE_ACTIONS: readonly ActionName[] = [
  "row written",
  "row written",
  "channel cut",
  "channel dead",
  "channel refused",
];

/** What happens to a table and its server, where the feed looks at it. */
export const POLLED_ACTIONS: readonly ActionName[] = [
  "transactions",
  "transactions",
  "transactions",
  "server cut",
  "server silent",
  "server restarted",
  "commits undone",
  "commits undone",
  "triggers passed by",
  "triggers passed by",
  "change table pruned",
  "change table pruned",
  "statements in an old transaction",
];
const TABLE_ACTION_SHARE = 0.015;
const POLLED_ACTION_SHARE = 0.05;

/** In half of the runs, in the place of other actions. */
export const SNAPSHOT_ACTION: ActionName = "snapshot in pieces";
const SNAPSHOT_ACTION_SHARE = 0.006;

/** What often cannot be done when it is drawn, and so is drawn more often. */
const RARELY_POSSIBLE: readonly ActionName[] = [
  "rolled back",
  "rolled back",
  "rolled back",
  "busy after a roll-back",
  "busy after a roll-back",
  "busy after a roll-back",
  "busy after a roll-back",
  "files exchanged",
  "files exchanged",
  "files exchanged",
  "files exchanged",
  "files exchanged",
  "history repeated",
  "history repeated",
  "history repeated",
  "history repeated",
  "history repeated",
  "rows repeated",
  "rows late",
  "burst under a slow handler",
  "burst under a slow handler",
];
const RARELY_POSSIBLE_SHARE = 0.2;

const ACTIONS = 1_000;

/** What is drawn apart from all else, so that a seed means what it meant before there were these. */
type Extras = Pick<
  Config,
  | "auditRate"
  | "hashBody"
  | "auditSeed"
  | "forgets"
  | "spellsAlike"
  | "keepsDocuments"
  | "table"
  | "polled"
  | "tellsRevisions"
  | "reconnectsInSilence"
  | "sharesHeaders"
>;

function extras(random: Random, { replicas, databases }: Pick<Config, "replicas" | "databases">): Extras {
  const auditRate = random.chance(0.35) ? 0.05 : 0;
  const drawn = { hashBody: random.chance(0.2), auditSeed: random.seed() };
  const forgets = random.chance(0.04);
  const spellsAlike = random.chance(0.5);
  // A replica that lags behind may give what is older than the feed's start; documents of two feeds share their names.
  const keepsDocuments = random.chance(0.4) && replicas === 1 && databases === 1 && !forgets;
  const table = random.chance(0.3);
  const tellsRevisions = random.chance(0.5) || keepsDocuments;
  const reconnectsInSilence = random.chance(0.5);
  const sharesHeaders = random.chance(0.3);
  return {
    ...drawn,
    forgets,
    auditRate: forgets ? 1 : auditRate,
    spellsAlike,
    keepsDocuments,
    table,
    // Without its revision, an old document that a handler has kept cannot be told from the new one.
    tellsRevisions,
    reconnectsInSilence,
    sharesHeaders,
    polled: random.chance(0.6) && table && !keepsDocuments,
  };
}

function config(random: Random): Omit<Config, keyof Extras> {
  const replicas = random.chance(0.2) ? 3 : 1;
  return {
    shards: random.integer(1, 2),
    replicas,
    databases: random.chance(0.4) ? 2 : 1,
    maxLag: random.pick([5_000, 12_000, 25_000]),
    heartbeat: random.pick([3_000, 6_000]),
    batchSize: random.pick([3, 20, 1_000]),
    fromStart: random.chance(0.3),
    maxEntries: random.chance(0.9) ? 1_000 : random.integer(2, 8),
    maxBytes: random.chance(0.65) ? 1e6 : random.integer(8_000, 12_000),
    pages: random.integer(2, 5),
  };
}

function gap(random: Random): number {
  const ms = random.weighted({ short: 895, long: 90, longer: 15 });
  if (ms === "short") return random.integer(1, 60 * MS);
  return ms === "long" ? random.integer(1, 1_500 * MS) : random.integer(1, 14_000 * MS);
}

function withTableActions(actions: readonly Action[], seed: number, polled: boolean): readonly Action[] {
  const random = new Random(seed ^ 0x7f4a7c15);
  const [share, names] = polled ? [POLLED_ACTION_SHARE, POLLED_ACTIONS] : [TABLE_ACTION_SHARE, TABLE_ACTIONS];
  return actions.map((action) => random.chance(share) ? { ...action, name: random.pick(names) } : action);
}

function withSnapshots(actions: readonly Action[], seed: number): readonly Action[] {
  const random = new Random(seed ^ 0x3c6ef372);
  if (random.chance(0.5)) return actions;
  return actions.map((action) =>
    random.chance(SNAPSHOT_ACTION_SHARE) ? { ...action, name: SNAPSHOT_ACTION } : action
  );
}

/** Everything that a seed decides. */
export function plan(seed: number): Plan {
  const random = new Random(seed);
  const first = config(random);
  const drawn = { ...first, ...extras(new Random(seed ^ 0x9e3779b9), first) };
  // In half of the runs a few kinds of faults only, so that rare combinations meet.
  const faults = random.chance(0.5) ? FAULTS : FAULTS.filter(() => random.chance(0.4));
  const actions = Array.from({ length: ACTIONS }, (): Action => {
    const fault = faults.length > 0 && random.chance(0.029);
    const name = fault && random.chance(RARELY_POSSIBLE_SHARE)
      ? random.pick(RARELY_POSSIBLE)
      : fault
      ? random.pick(faults)
      : random.weighted(OFTEN);
    return { name, gap: gap(random), seed: random.seed() };
  });
  const all = drawn.table ? withTableActions(actions, seed, drawn.polled) : actions;
  return { seed, config: drawn, actions: withSnapshots(all, seed) };
}
