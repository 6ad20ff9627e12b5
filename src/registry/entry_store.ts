/**
 * The entries of a registry: found by resource and variant, voided by group, bounded in number and bytes.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { AuditedEntry, type BodyRecord, type Registration, SizedEntry, StoredEntry } from "./entry.ts";
import { GroupTable, resourceGroup } from "./group_table.ts";
import { copied, textBytes } from "./kept_text.ts";
import {
  BODY_RECORD_BYTES,
  ENTRY_BYTES,
  FIELD_LIST_BYTES,
  GROUP_LIST_BYTES,
  KEPT_BODY_BYTES,
  LENGTH_BYTES,
  REFERENCE_BYTES,
  REPORTED_GROUP_BYTES,
  VARIANT_SET_BYTES,
} from "./memory_cost.ts";
import type { Departure, LookupRefusal } from "./reason.ts";
import { LEAST_REPORTS, MOST_REPORTS } from "./report.ts";
import { SeededMap } from "./seeded_map.ts";
import { retainedBytes, type RetainedHeaders, SharedHeaders } from "./shared_headers.ts";
import { Sieve } from "./sieve.ts";
import { type EntryWalk, type SavedEntry, saveEntry } from "./snapshot.ts";
import { baseOf, storageKey, variantKey } from "./storage_key.ts";

/** How large an {@linkcode EntryStore} may become. */
export interface EntryStoreLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** A walk over the entries, oldest first, in steps between which entries may come and leave. */
export interface EntryLook {
  /** The next entry, void or not; undefined: the walk is over. */
  next(): StoredEntry | undefined;
  /** Ends the walk. */
  end(): void;
}

/** The variants of one resource for one caller: which request fields select among them, and where each is stored. */
interface VariantSet {
  /** The part that their storage keys have in common. */
  readonly base: string;
  /** Lower-case, sorted; only ever grows while variants are kept. */
  readonly fields: readonly string[];
  /** A list: there are few, and a Set of one takes as much memory as the entry. */
  entries: StoredEntry[];
  /** Estimated bytes beside the entries. */
  readonly bytes: number;
}

function entryBytes(entry: StoredEntry): number {
  const { storageKey, etag, listed, body, length } = entry;
  const isVariant = storageKey.startsWith("\0v");
  return ENTRY_BYTES + textBytes(storageKey) + textBytes(etag) + listBytes(listed) + bodyBytes(body) +
    (length > 0 ? LENGTH_BYTES : 0) + (isVariant ? REFERENCE_BYTES : 0);
}

function bodyBytes(body: BodyRecord | undefined): number {
  if (body === undefined) return 0;
  const { digest, bytes } = body;
  return BODY_RECORD_BYTES + textBytes(digest) +
    (bytes === undefined ? 0 : KEPT_BODY_BYTES + bytes.byteLength);
}

/** Bytes of the list of an entry's groups; 0: it has none. */
function listBytes(listed: number): number {
  return listed === 0 ? 0 : GROUP_LIST_BYTES + Float64Array.BYTES_PER_ELEMENT * listed;
}

function fieldListBytes(names: readonly string[]): number {
  return names.reduce((bytes, name) => bytes + REFERENCE_BYTES + textBytes(name), FIELD_LIST_BYTES);
}

/** An entry, of the class that has room for what is known of its body. */
function makeEntry(
  body: BodyRecord | undefined,
  length: number,
  ...others: ConstructorParameters<typeof StoredEntry>
): StoredEntry {
  if (body !== undefined) return new AuditedEntry(body, length, ...others);
  return length > 0 ? new SizedEntry(length, ...others) : new StoredEntry(...others);
}

/** A bounded store of entries. */
export class EntryStore {
  readonly #entries: Sieve<StoredEntry> = new Sieve((entry) => !this.isValid(entry));
  readonly #variants = new SeededMap<VariantSet>();
  /** The list of fields that a set was last made with: pages of one site mostly vary by the same. */
  #fields: readonly string[] = [];
  readonly #groups: GroupTable;
  readonly #headers = new SharedHeaders();
  readonly #limits: EntryStoreLimits;
  readonly #onLeave: (entry: StoredEntry, reason: Departure) => void;
  readonly #bytesBeside: () => number;
  /** Of the entries and the sets of variants, without their tables. */
  #bytes = 0;
  /** How many entries have come, and not been refused for their size. */
  added = 0;

  /**
   * @param onLeave Called after an entry has left, with the reason.
   * @param bytesBeside Bytes of what else is kept within the same bound; default none.
   */
  constructor(
    limits: EntryStoreLimits,
    onLeave: (entry: StoredEntry, reason: Departure) => void,
    bytesBeside: () => number = () => 0,
  ) {
    this.#limits = limits;
    // Reports take at most a sixteenth of the bound, or the few without which no old read would be refused.
    const share = Math.ceil(limits.maxBytes / 16 / REPORTED_GROUP_BYTES);
    const mostReports = Math.min(MOST_REPORTS, Math.max(LEAST_REPORTS, share));
    this.#groups = new GroupTable(undefined, mostReports);
    this.#onLeave = onLeave;
    this.#bytesBeside = bytesBeside;
  }

  /** How many entries are kept, including void ones that no look-up has met since. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many groups the entries depend on. */
  get groups(): number {
    return this.#groups.size;
  }

  /** Estimated bytes, groups and retained headers included, and whatever is kept beside. */
  get bytes(): number {
    const tables = this.#entries.bytes + this.#variants.bytes;
    return this.#bytes + tables + this.#groups.bytes + this.#headers.bytes + this.#bytesBeside();
  }

  /** The entry for a request, void or not, else why there is none. */
  find(base: string, headers: Headers): StoredEntry | (LookupRefusal & ("miss" | "variant")) {
    const entry = this.#entries.get(base);
    if (entry !== undefined) return entry;
    const variants = this.#variants.get(base);
    if (variants === undefined) return "miss";
    return this.#entries.get(variantKey(base, variants.fields, headers)) ?? "variant";
  }

  /** Whether there may be an entry of a resource, for whichever caller. */
  mayHave(key: string): boolean {
    const base = storageKey(key, undefined);
    return this.#entries.get(base) !== undefined || this.#variants.get(base) !== undefined ||
      this.#groups.has(resourceGroup(key));
  }

  /** Whether an entry is kept here, void or not. */
  has(entry: StoredEntry): boolean {
    return this.#entries.get(entry.storageKey) === entry;
  }

  /** Whether no group of an entry has changed since it was made. */
  isValid(entry: StoredEntry): boolean {
    return this.#groups.isValid(entry);
  }

  /** The headers of a 304 as `Headers`, made when they are first needed and then kept for all entries that share them. */
  readyHeaders(headers: RetainedHeaders): Headers {
    const ready = this.#headers.prepare(headers);
    this.trim();
    return ready;
  }

  /** The names of the groups whose changes have voided an entry. */
  changedIn(entry: StoredEntry): readonly string[] {
    return this.#groups.changedIn(entry);
  }

  /** The entry that has come last; undefined: there is none. */
  get newest(): StoredEntry | undefined {
    return this.#entries.newest;
  }

  /** All entries, void ones included. */
  values(): IterableIterator<StoredEntry> {
    return this.#entries.values();
  }

  /** The entries that no change has voided. */
  valid(): StoredEntry[] {
    return [...this.#entries.values()].filter((entry) => this.isValid(entry));
  }

  /**
   * Voids what depends on a group, in O(1): an entry is looked at when it is next asked for.
   *
   * @param rev The revision that was reported, if one was.
   * @param feed The number of the feed that reported it.
   */
  change(group: string, sequence: number, rev?: string, feed?: number): void {
    if (this.#groups.change(group, sequence, rev, feed)) this.#entries.expectDead();
  }

  /** Voids what depends on a group and does not declare this revision, which is reported again. O(1), too. */
  repeat(group: string, sequence: number, rev: string, feed: number): void {
    if (this.#groups.repeat(group, sequence, rev, feed)) this.#entries.expectDead();
  }

  /** Whether a response declares another revision of a document than the one that was reported last. */
  isSuperseded(dependencies: readonly DeclaredDependency[]): boolean {
    return dependencies.some(({ _id, _rev }) => _rev !== undefined && this.#groups.isSuperseded(_id, _rev));
  }

  /**
   * Keeps an entry in the place of the previous one, and makes room for it first.
   *
   * @param base The resource and the caller in one string.
   * @param groups What it depends on, each group once.
   * @param sequence The sequence number up to which it is known to be valid.
   * @param headers The request's fields, from which `vary` selects.
   * @param tagFor The entity tag to give it, by the still valid entry that it replaces.
   */
  add(
    base: string,
    registration: Registration,
    groups: readonly DeclaredDependency[],
    sequence: number,
    headers: Headers,
    tagFor: (previous: StoredEntry | undefined) => string,
  ): StoredEntry | "too-large" {
    const { vary, lastModified, expires, fields, etag } = registration;
    const variants = this.#variantsFor(base, vary);
    const storageKey = copied(variants === undefined ? base : variantKey(base, variants.fields, headers));
    const previous = this.#entries.get(storageKey);
    const valid = previous !== undefined && this.isValid(previous) ? previous : undefined;
    const tag = copied(tagFor(valid));
    const retained = this.#headers.acquire(fields, registration, etag === undefined);
    const entry = makeEntry(
      // The same tag means the same body, so what is known of it holds for a response whose body was not read.
      registration.body ?? (valid?.etag === tag ? valid.body : undefined),
      registration.length ?? 0,
      storageKey,
      tag,
      lastModified,
      expires,
      retained,
      groups.map(({ _id, _rev }) => this.#groups.acquire(_id, _rev)),
      sequence,
    );
    return this.#admit(entry, previous, variants) ? entry : "too-large";
  }

  /** Begins a walk over the entries as data, oldest first. */
  walk(): EntryWalk {
    const walk = this.#entries.walk();
    return {
      next: () => {
        const entry = this.#entries.step(walk);
        if (entry === undefined) return undefined;
        if (!this.isValid(entry)) return "void";
        return saveEntry(entry, this.namesOf(entry), this.#variantsOf(entry)?.fields);
      },
      end: () => this.#entries.endWalk(walk),
    };
  }

  /** Begins a walk over the entries themselves, void ones included, oldest first. */
  look(): EntryLook {
    const walk = this.#entries.walk();
    return { next: () => this.#entries.step(walk), end: () => this.#entries.endWalk(walk) };
  }

  /** The lower-case names of the request fields that select an entry among the variants of its resource; none: it has none. */
  selectingOf(entry: StoredEntry): readonly string[] {
    return this.#variantsOf(entry)?.fields ?? [];
  }

  /** The names of what an entry depends on, the first of them; the entry must be kept here. */
  namesOf(entry: StoredEntry, most: number = Infinity): readonly string[] {
    const groups = entry.groups.length > most ? entry.groups.slice(0, most) : entry.groups;
    return groups.map((group) => this.#groups.nameOf(group));
  }

  /** Whether the name of a group of an entry will do; the entry must be kept here. */
  someGroup(entry: StoredEntry, matches: (name: string) => boolean): boolean {
    return entry.groups.some((group) => matches(this.#groups.nameOf(group)));
  }

  /** Keeps an entry of an earlier process, if there is room, in the place of those that it had replaced. */
  restore(saved: SavedEntry, sequence: number): void {
    const [storageKey, etag, groups, fields, isPublic, anyOrigin, minted, ...more] = saved;
    const [lastModified, expires, selecting, bodyDigest] = more;
    const base = baseOf(storageKey) ?? storageKey;
    // The set of variants has changed while the snapshot was written: a look-up goes by the fields of the later one.
    if (this.#variants.get(base)?.fields.join() !== selecting?.join()) this.dropAll(base, "vary-grew");
    const variants = selecting === null
      ? undefined
      : this.#variants.get(base) ?? this.#makeVariantSet(base, selecting);
    const entry = makeEntry(
      bodyDigest === null ? undefined : { digest: bodyDigest, bytes: undefined },
      0,
      copied(storageKey),
      copied(etag),
      lastModified ?? undefined,
      expires ?? Infinity,
      this.#headers.acquire(fields, { isPublic, anyOrigin }, minted),
      groups.map((name) => this.#groups.acquire(name)),
      sequence,
    );
    this.#admit(entry, this.#entries.get(storageKey), variants);
  }

  /** Puts an entry in its place, making room for it first; false where there cannot be enough. */
  #admit(
    entry: StoredEntry,
    previous: StoredEntry | undefined,
    variants: VariantSet | undefined,
  ): boolean {
    if (previous !== undefined) this.drop(previous, "replaced");
    const bytes = entryBytes(entry);
    const setBytes = variants?.entries.length === 0 ? variants.bytes : 0;
    if (!this.#makeRoom(entry, bytes + setBytes)) {
      this.#release(entry);
      return false;
    }
    if (variants !== undefined) this.#keepVariant(variants, entry);
    this.#entries.set(entry.storageKey, entry);
    this.added++;
    this.#bytes += bytes;
    // A table may have grown. What has just come is not what has to go.
    entry.visited = true;
    this.trim();
    entry.visited = false;
    return this.has(entry);
  }

  /** Takes out as many entries as it needs to be within the bound on bytes. */
  trim(): void {
    while (this.#entries.size > 0 && this.bytes > this.#limits.maxBytes) this.#evict(this.#entries.victim()!);
  }

  /** Takes an entry out, unless it has left already. */
  drop(entry: StoredEntry, reason: Departure): void {
    if (!this.has(entry)) return;
    this.#entries.delete(entry.storageKey);
    this.#bytes -= entryBytes(entry);
    this.#release(entry);
    const variants = this.#variantsOf(entry);
    if (variants !== undefined) this.#dropVariant(variants, entry);
    this.#onLeave(entry, reason);
  }

  /** What is kept under a base, all variants of it, void or not. */
  all(base: string): StoredEntry[] {
    const entry = this.#entries.get(base);
    return [...entry === undefined ? [] : [entry], ...this.#variants.get(base)?.entries ?? []];
  }

  /** Takes out what is kept under a base, all variants of it; true if there was something. */
  dropAll(base: string, reason: Departure): boolean {
    const found = this.all(base);
    for (const entry of found) this.drop(entry, reason);
    return found.length > 0;
  }

  /** Takes out the entries that have one of these tags, and returns how many. */
  dropTags(tags: ReadonlySet<string>, reason: Departure): number {
    const found = [...this.values()].filter(({ etag }) => tags.has(etag));
    for (const entry of found) this.drop(entry, reason);
    return found.length;
  }

  /** Takes out everything at once, and returns it. */
  clear(): readonly StoredEntry[] {
    const left = [...this.#entries.values()];
    this.#entries.clear();
    this.#variants.clear();
    this.#groups.clear();
    this.#headers.clear();
    this.#fields = [];
    this.#bytes = 0;
    return left;
  }

  /** The set that a kept entry belongs to. */
  #variantsOf({ storageKey }: StoredEntry): VariantSet | undefined {
    const base = baseOf(storageKey);
    return base === undefined ? undefined : this.#variants.get(base);
  }

  /** The set that a response belongs to. A wider set than before voids what was selected by fewer fields. */
  #variantsFor(base: string, vary: readonly string[]): VariantSet | undefined {
    const known = this.#variants.get(base);
    if (vary.length === 0) return known;
    const before = known?.fields ?? [];
    if (vary.every((name) => before.includes(name))) return known;
    const fields = [...new Set([...before, ...vary])].sort();
    this.dropAll(base, "vary-grew");
    return this.#makeVariantSet(base, fields);
  }

  #makeVariantSet(base: string, fields: readonly string[]): VariantSet {
    const known = this.#fields;
    const isKnown = known.length === fields.length && fields.every((name, index) => name === known[index]);
    if (!isKnown) this.#fields = fields.map(copied);
    const bytes = VARIANT_SET_BYTES + textBytes(base) + (isKnown ? 0 : fieldListBytes(fields));
    return { base: copied(base), fields: this.#fields, entries: [], bytes };
  }

  #keepVariant(variants: VariantSet, entry: StoredEntry): void {
    const { entries } = variants;
    if (entries.length >= this.#limits.maxVariants) {
      const dead = entries.find((kept) => !this.isValid(kept));
      this.#evict(dead ?? entries.find((kept) => !kept.visited) ?? entries[0]!);
    }
    // It is new, or making room has emptied it, and so taken it out.
    if (entries.length === 0) {
      this.#variants.set(variants.base, variants);
      this.#bytes += variants.bytes;
    }
    // Not by `push`: V8 then makes room for sixteen more.
    variants.entries = entries.concat(entry);
  }

  #dropVariant({ base, entries, bytes }: VariantSet, entry: StoredEntry): void {
    entries.splice(entries.indexOf(entry), 1);
    if (entries.length > 0) return;
    this.#variants.delete(base);
    this.#bytes -= bytes;
  }

  /** False for what would not fit if it were alone: then no entry leaves for it. */
  #makeRoom(entry: StoredEntry, bytes: number): boolean {
    if (this.#hasRoom(bytes)) return true;
    if (bytes + this.#sharedBytes(entry) + this.#bytesBeside() > this.#limits.maxBytes) return false;
    while (this.#entries.size > 0 && !this.#hasRoom(bytes)) this.#evict(this.#entries.victim()!);
    return this.#hasRoom(bytes);
  }

  #hasRoom(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#limits;
    return this.#entries.size < maxEntries && this.bytes + bytes <= maxBytes;
  }

  /** Bytes of what an entry may share with others. */
  #sharedBytes(entry: StoredEntry): number {
    return this.namesOf(entry).reduce(
      (bytes, name) => bytes + textBytes(name),
      retainedBytes(entry.headers),
    );
  }

  #evict(entry: StoredEntry): void {
    this.drop(entry, this.isValid(entry) ? "evicted" : "outdated");
  }

  #release(entry: StoredEntry): void {
    for (const group of entry.groups) this.#groups.release(group);
    this.#headers.release(entry.headers as RetainedHeaders);
  }
}
