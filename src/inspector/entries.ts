/**
 * Looks through the entries of a registry in slices of half a millisecond, between which requests have their turn.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import type { StoredEntry } from "../registry/entry.ts";
import { callerOf, variantValues } from "../registry/storage_key.ts";
import { cut, type Showing } from "./hidden.ts";

/** Entries that one answer shows. */
export const MOST_ENTRIES = 100;

/** Groups that are shown of one entry. */
const MOST_GROUPS = 200;

/** ms of looking in a row, and of rest after it: requests wait for a slice at most, and have most of the time. */
const SLICE = 0.5;
const REST = 2;

/** Entries, and groups of them, between two looks at the clock. */
const STEP = 64;

/** What an entry is found by: a part of its URL, a part of the name of a group, or the whole name of one. */
export type SearchBy = "url" | "group" | "dependents";

/** An entry as it is shown. */
export interface ShownEntry {
  readonly resource: string;
  readonly etag: string;
  /** Void: a group has changed since. Expired: its own moment has passed. */
  readonly state: "valid" | "void" | "expired";
  /** When it was registered, in ms since the epoch; undefined: that was not seen. */
  readonly since: number | undefined;
  /** For whom it is; undefined: for no caller of its own. */
  readonly caller: string | undefined;
  /** The request fields that select it among the variants of its resource. */
  readonly variant: readonly string[];
  readonly groups: readonly string[];
  /** How many groups there are, shown or not. */
  readonly groupCount: number;
  readonly changed: readonly string[];
  /** What a 304 repeats. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Bytes of content that each 304 saves; 0: not known. */
  readonly length: number;
  readonly expires: number | undefined;
  /** Whether it is answered to requests with Cookie or Authorization as well. */
  readonly isPublic: boolean;
}

/** What a search has found. */
export interface Found {
  readonly entries: readonly ShownEntry[];
  /** How many there are in all, shown or not. */
  readonly total: number;
  /** How many were looked at. */
  readonly lookedAt: number;
}

/** How entries are told, and for whom. */
export interface Search {
  readonly by: SearchBy;
  readonly text: string;
  readonly showing: Showing;
  /** When an entry was registered, where that is known. */
  readonly registeredAt: (entry: StoredEntry) => number | undefined;
  /** Aborts when the client is gone. */
  readonly signal: AbortSignal;
}

/**
 * Finds entries, the newest of those that match last seen first. What is not shown cannot be searched for: else a search
 * would tell it letter by letter.
 *
 * @throws The signal's reason.
 */
export async function findEntries(core: RegistryCore, search: Search): Promise<Found> {
  const matches = matcher(core, search);
  const rest = slices(search.signal);
  const walk = core.look();
  const found: (readonly [entry: StoredEntry, place: number])[] = [];
  let total = 0;
  let lookedAt = 0;
  try {
    for (;;) {
      const entry = walk.next();
      if (entry === undefined) break;
      lookedAt++;
      if (matches(entry)) {
        total++;
        // The newest are shown, and they come last.
        found[(total - 1) % MOST_ENTRIES] = [entry, lookedAt];
      }
      const resting = rest(entry);
      if (resting !== undefined) await resting;
    }
  } finally {
    walk.end();
  }
  const entries: ShownEntry[] = [];
  for (const [entry] of found.sort(([, one], [, other]) => other - one)) {
    const shown = shownEntry(core, entry, search);
    if (shown !== undefined) entries.push(shown);
    const resting = rest(entry);
    if (resting !== undefined) await resting;
  }
  return { entries, total, lookedAt };
}

/** Says after each entry whether it is time to rest: then it gives a promise. */
function slices(signal: AbortSignal): (entry: StoredEntry) => Promise<void> | undefined {
  let from = performance.now();
  let steps = 0;
  const pause = async () => {
    await new Promise<void>((resolve) => setTimeout(resolve, REST));
    signal.throwIfAborted();
    from = performance.now();
  };
  return ({ groups }) => {
    steps += 1 + groups.length;
    if (steps < STEP) return undefined;
    steps = 0;
    return performance.now() - from < SLICE ? undefined : pause();
  };
}

function matcher(core: RegistryCore, { by, text, showing }: Search): (entry: StoredEntry) => boolean {
  const wanted = text.toLowerCase();
  if (by === "url") return ({ key }) => showing.resource(key).toLowerCase().includes(wanted);
  const isWanted = by === "dependents"
    ? (name: string) => name === text
    : (name: string) => name.toLowerCase().includes(wanted);
  return (entry) =>
    core.someGroup(
      entry,
      (name) => isWanted(name) && showing.group(name, callerOf(entry.storageKey)) !== undefined,
    );
}

/** An entry as it is shown; undefined: it has left since it was found. */
function shownEntry(
  core: RegistryCore,
  entry: StoredEntry,
  { showing, registeredAt }: Search,
): ShownEntry | undefined {
  const groups = core.groupsOf(entry, MOST_GROUPS);
  if (groups === undefined) return undefined;
  const { etag, expires, headers, key, length, storageKey } = entry;
  const changed = core.changedIn(entry);
  const caller = callerOf(storageKey);
  const values = variantValues(storageKey);
  const named = (names: readonly string[]) => names.flatMap((name) => showing.group(name, caller) ?? []);
  return {
    resource: showing.resource(key),
    etag: cut(etag),
    state: changed !== undefined ? "void" : expires <= core.now ? "expired" : "valid",
    since: registeredAt(entry),
    caller: caller === undefined ? undefined : showing.caller(caller),
    variant: core.selectingOf(entry).map((name, at) => showing.field(name, values[at] ?? null)),
    groups: named(groups),
    // That of its own resource is one of them where it is for a caller.
    groupCount: entry.groups.length - (caller === undefined ? 0 : 1),
    // What only the resource itself has voided is a write to it.
    changed: named((changed ?? []).slice(0, MOST_GROUPS))
      .map((name) => name.startsWith("\0") ? "a write to the resource" : name),
    fields: Object.entries(headers.fields).map(([name, value]) =>
      [name, showing.repeated(name, value)] as const
    ),
    length,
    expires: expires === Infinity ? undefined : expires,
    isPublic: headers.isPublic,
  };
}
