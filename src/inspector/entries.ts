/**
 * Looks through the entries of a registry in slices of about a millisecond, between which requests have their turn.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import type { StoredEntry } from "../registry/entry.ts";
import { callerOf, variantValues } from "../registry/storage_key.ts";
import type { Showing } from "./hidden.ts";

/** Entries that one answer shows. */
export const MOST_ENTRIES = 100;

/** Groups that are shown of one entry. */
const MOST_GROUPS = 200;

/** ms of looking in a row, and of rest after it: requests wait for a slice at most, and have most of the time. */
const SLICE = 1;
const REST = 3;

/** Entries between two looks at the clock. */
const STEP = 32;

/** What an entry is found by: a part of its URL, a part of the name of a group, or the whole name of one. */
export type SearchBy = "url" | "group" | "dependents";

/** An entry as it is shown. */
export interface ShownEntry {
  readonly resource: string;
  readonly etag: string;
  /** Void: a group has changed since. Expired: its own moment has passed. */
  readonly state: "valid" | "void" | "expired";
  /** Its place in the order in which entries came, from 1 on. */
  readonly place: number;
  /** ms since the epoch, where its response had a `Date`, or its registration was seen. */
  readonly since: number | undefined;
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

/**
 * Finds entries, the newest of those that match last seen first. What is not shown cannot be searched for: else a search
 * would tell it letter by letter.
 *
 * @param seen When the registration of a resource was seen, by the URL that was asked for.
 */
export async function findEntries(
  core: RegistryCore,
  by: SearchBy,
  text: string,
  showing: Showing,
  seen: (key: string) => number | undefined = () => undefined,
): Promise<Found> {
  const matches = matcher(core, by, text, showing);
  const walk = core.look();
  const found: (readonly [entry: StoredEntry, place: number])[] = [];
  let total = 0;
  let lookedAt = 0;
  try {
    for (let from = performance.now();;) {
      const entry = walk.next();
      if (entry === undefined) break;
      lookedAt++;
      if (matches(entry)) {
        total++;
        // The newest are shown, and they come last.
        found[(total - 1) % MOST_ENTRIES] = [entry, lookedAt];
      }
      if (lookedAt % STEP !== 0 || performance.now() - from < SLICE) continue;
      await new Promise<void>((resolve) => setTimeout(resolve, REST));
      from = performance.now();
    }
  } finally {
    walk.end();
  }
  const entries = found.sort(([, one], [, other]) => other - one)
    .flatMap(([entry, place]) => shownEntry(core, entry, place, showing, seen) ?? []);
  return { entries, total, lookedAt };
}

function matcher(
  core: RegistryCore,
  by: SearchBy,
  text: string,
  showing: Showing,
): (entry: StoredEntry) => boolean {
  const wanted = text.toLowerCase();
  if (by === "url") return ({ key }) => showing.resource(key).toLowerCase().includes(wanted);
  const isWanted = by === "dependents"
    ? (group: string) => group === text
    : (group: string) => group.toLowerCase().includes(wanted);
  return (entry) => core.someGroup(entry, isWanted);
}

/** An entry as it is shown; undefined: it has left since it was found. */
function shownEntry(
  core: RegistryCore,
  entry: StoredEntry,
  place: number,
  showing: Showing,
  seen: (key: string) => number | undefined,
): ShownEntry | undefined {
  const groups = core.groupsOf(entry);
  if (groups === undefined) return undefined;
  const { etag, expires, headers, key, length, storageKey } = entry;
  const changed = core.changedIn(entry);
  const caller = callerOf(storageKey);
  const values = variantValues(storageKey);
  const date = Date.parse(headers.fields["date"] ?? "");
  return {
    resource: showing.resource(key),
    etag,
    state: changed !== undefined ? "void" : expires <= core.now ? "expired" : "valid",
    place,
    since: Number.isNaN(date) ? seen(key) : date,
    caller: caller === undefined ? undefined : showing.caller(caller),
    variant: core.selectingOf(entry).map((name, at) => showing.field(name, values[at] ?? null)),
    groups: groups.slice(0, MOST_GROUPS),
    groupCount: groups.length,
    // What only the resource itself has voided is a write to it.
    changed: (changed ?? []).map((name) => name.startsWith("\0") ? "a write to the resource" : name),
    fields: Object.entries(headers.fields).map(([name, value]) =>
      [name, name === "content-location" ? showing.resource(value) : value] as const
    ),
    length,
    expires: expires === Infinity ? undefined : expires,
    isPublic: headers.isPublic,
  };
}
