/**
 * The entries of a registry: found by resource and variant, voided by group, bounded in number and bytes.
 *
 * @module
 */
import { type Registration, StoredEntry, type Variants } from "./entry.ts";
import { copied, groupBytes, Groups } from "./group_table.ts";
import type { Reason } from "./reason.ts";
import { initBytes, SharedHeaders } from "./shared_headers.ts";
import { ShardedMap } from "./sharded_map.ts";
import { Sieve } from "./sieve.ts";
import { type SavedEntry, saveEntry } from "./snapshot.ts";
import { baseOf, variantKey } from "./storage_key.ts";

/** Estimated bytes of an entry beside its strings. */
const ENTRY_BYTES = 212;

/** How large {@linkcode EntryStore} may become. */
export interface EntryStoreLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** What is known of a response when its entry is made. */
export interface Draft {
  /** The resource and who asks, in one string. */
  readonly base: string;
  readonly offer: Registration;
  /** The groups it depends on, each once. */
  readonly names: readonly string[];
  /** The mark up to which it is known to be valid. */
  readonly sequence: number;
}

function entryBytes(entry: StoredEntry): number {
  const { storageKey, etag, others } = entry;
  return ENTRY_BYTES + storageKey.length + etag.length + 8 * (Array.isArray(others) ? others.length : 0);
}

/** A bounded store of entries. */
export class EntryStore {
  readonly #kept: Sieve<StoredEntry> = new Sieve((entry) => !this.isValid(entry));
  readonly #variants: ShardedMap<Variants> = new ShardedMap();
  readonly #groups = new Groups();
  readonly #inits = new SharedHeaders();
  readonly #limits: EntryStoreLimits;
  readonly #onLeave: (entry: StoredEntry, reason: Reason) => void;
  #bytes = 0;

  /** @param onLeave Called after an entry has left, with why. */
  constructor(limits: EntryStoreLimits, onLeave: (entry: StoredEntry, reason: Reason) => void) {
    this.#limits = limits;
    this.#onLeave = onLeave;
  }

  /** How many are kept, void ones that nobody has asked for included. */
  get size(): number {
    return this.#kept.size;
  }

  /** Estimated bytes, groups and replayed fields included. */
  get bytes(): number {
    return this.#bytes + this.#groups.bytes + this.#inits.bytes;
  }

  /** The entry for a request, void or not, else why there is none. */
  find(base: string, headers: Headers): StoredEntry | "miss" | "variant" {
    const entry = this.#kept.get(base);
    if (entry !== undefined) return entry;
    const variants = this.#variants.get(base);
    if (variants === undefined) return "miss";
    return this.#kept.get(variantKey(base, variants.fields, headers)) ?? "variant";
  }

  /** Whether no group of it has changed since it was made. One comparison, where no group at all has changed. */
  isValid(entry: StoredEntry): boolean {
    const { changedAt } = this.#groups;
    if (entry.validAt >= changedAt) return true;
    if (this.#groups.isOutdated(entry)) return false;
    entry.validAt = changedAt;
    return true;
  }

  /** All entries, void ones included. */
  values(): IterableIterator<StoredEntry> {
    return this.#kept.values();
  }

  /** The entries that no change has voided. */
  valid(): StoredEntry[] {
    return [...this.#kept.values()].filter((entry) => this.isValid(entry));
  }

  /** Voids what depends on a group, in O(1): the entries themselves are looked at when they are next asked for. */
  change(group: string, sequence: number): void {
    if (this.#groups.change(group, sequence)) this.#kept.expectDead();
  }

  /**
   * Keeps an entry in the place of its predecessor, and makes room for it first.
   *
   * @param tagFor The entity tag to give it, by the still valid entry that it replaces.
   */
  add(
    draft: Draft,
    headers: Headers,
    tagFor: (previous: StoredEntry | undefined) => string,
  ): StoredEntry | "too-large" {
    const { base, offer } = draft;
    const variants = this.#variantsFor(base, offer.vary);
    const storageKey = variants === undefined ? base : variantKey(base, variants.fields, headers);
    const previous = this.#kept.get(storageKey);
    const etag = copied(tagFor(previous !== undefined && this.isValid(previous) ? previous : undefined));
    const init = this.#inits.acquire(offer.fields, offer.isPublic, offer.etag === undefined);
    const entry = new StoredEntry(
      { etag, lastModified: offer.lastModified, init, storageKey },
      draft.names.map((name) => this.#groups.acquire(name)),
      draft.sequence,
    );
    return this.#admit(entry, previous, variants) ? entry : "too-large";
  }

  /** The valid entries as data. */
  save(): SavedEntry[] {
    return this.valid().map((entry) => saveEntry(entry, this.namesOf(entry), this.#variantsOf(entry)));
  }

  /** The names of what an entry depends on, which must be kept. */
  namesOf(entry: StoredEntry): readonly string[] {
    return entry.groups.map((group) => this.#groups.nameOf(group));
  }

  /** Keeps an entry of an earlier process, if there is room. */
  restore(saved: SavedEntry, sequence: number): void {
    const [base, fields] = saved.variants ?? [];
    const variants = base === undefined || fields === undefined
      ? undefined
      : this.#variants.get(base) ?? { base, fields, storageKeys: new Set<string>() };
    const { lastModified, groups } = saved;
    const init = this.#inits.acquire(saved.fields, saved.isPublic, saved.minted);
    const entry = new StoredEntry(
      { ...saved, lastModified: lastModified ?? undefined, init },
      groups.map((name) => this.#groups.acquire(name)),
      sequence,
    );
    this.#admit(entry, undefined, variants);
  }

  /** Puts an entry in its place, making room for it first; false where there cannot be any. */
  #admit(entry: StoredEntry, previous: StoredEntry | undefined, variants: Variants | undefined): boolean {
    if (previous !== undefined) this.drop(previous, "replaced");
    const bytes = entryBytes(entry);
    if (!this.#makeRoom(entry, bytes)) {
      this.#release(entry);
      return false;
    }
    if (variants !== undefined) this.#keepVariant(variants, entry.storageKey);
    this.#kept.set(entry.storageKey, entry);
    this.#bytes += bytes;
    return true;
  }

  /** Takes an entry out, unless it has left already. */
  drop(entry: StoredEntry, reason: Reason): void {
    if (this.#kept.get(entry.storageKey) !== entry) return;
    this.#kept.delete(entry.storageKey);
    this.#bytes -= entryBytes(entry);
    this.#release(entry);
    const variants = this.#variantsOf(entry);
    variants?.storageKeys.delete(entry.storageKey);
    if (variants?.storageKeys.size === 0) this.#variants.delete(variants.base);
    this.#onLeave(entry, reason);
  }

  /** Takes out what is kept under a base, all variants of it. */
  dropAll(base: string, reason: Reason): boolean {
    const places = [base, ...this.#variants.get(base)?.storageKeys ?? []];
    const found = places.map((place) => this.#kept.get(place)).filter((entry) => entry !== undefined);
    for (const entry of found) this.drop(entry, reason);
    return found.length > 0;
  }

  /** Takes out what has one of these tags, and says how many. */
  dropTags(tags: ReadonlySet<string>, reason: Reason): number {
    const found = [...this.values()].filter(({ etag }) => tags.has(etag));
    for (const entry of found) this.drop(entry, reason);
    return found.length;
  }

  /** Takes out everything at once, and returns it. */
  clear(): readonly StoredEntry[] {
    const left = [...this.#kept.values()];
    this.#kept.clear();
    this.#variants.clear();
    this.#groups.clear();
    this.#inits.clear();
    this.#bytes = 0;
    return left;
  }

  /** The set that a kept entry is one of. */
  #variantsOf({ storageKey }: StoredEntry): Variants | undefined {
    const base = baseOf(storageKey);
    return base === undefined ? undefined : this.#variants.get(base);
  }

  /** The set that a response belongs to. A wider one than before voids what was selected by fewer fields. */
  #variantsFor(base: string, vary: readonly string[]): Variants | undefined {
    const known = this.#variants.get(base);
    if (vary.length === 0) return known;
    const before = known?.fields ?? [];
    if (vary.every((name) => before.includes(name))) return known;
    const fields = [...new Set([...before, ...vary])].sort();
    this.dropAll(base, "variant");
    return { base, fields, storageKeys: new Set() };
  }

  #keepVariant(variants: Variants, storageKey: string): void {
    // Making room may have emptied the set, and so taken it out.
    this.#variants.set(variants.base, variants);
    if (variants.storageKeys.size >= this.#limits.maxVariants) {
      const kept = Array.from(variants.storageKeys, (place) => this.#kept.get(place)!);
      const dead = kept.find((entry) => !this.isValid(entry));
      this.#evict(dead ?? kept.find((entry) => !entry.visited) ?? kept[0]!);
      this.#variants.set(variants.base, variants);
    }
    variants.storageKeys.add(storageKey);
  }

  /** False for what would not fit if it were alone: nobody leaves for it. */
  #makeRoom(entry: StoredEntry, bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#limits;
    let alone = bytes + initBytes(entry.init);
    for (const name of this.namesOf(entry)) alone += groupBytes(name);
    if (alone > maxBytes) return false;
    while (this.#kept.size >= maxEntries || this.bytes + bytes > maxBytes) this.#evict(this.#kept.victim()!);
    return true;
  }

  #evict(entry: StoredEntry): void {
    this.drop(entry, this.isValid(entry) ? "evicted" : "group-changed");
  }

  #release(entry: StoredEntry): void {
    for (const group of entry.groups) this.#groups.release(group);
    this.#inits.release(entry.init);
  }
}
